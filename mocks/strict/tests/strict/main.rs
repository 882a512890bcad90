//! Request bodies, held against the schemas.

mod dialects;
mod forms;
mod oracle;
mod parameters;
mod support;
mod wording;
