//! Validation of request bodies against the schemas.

mod dialects;
mod forms;
mod oracle;
mod parameters;
mod support;
mod wording;
