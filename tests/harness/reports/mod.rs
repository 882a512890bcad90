//! What a run leaves behind: each report is whole, true to its schema, and free of keys.

mod assembled;
mod baseline;
mod broken_off;
mod bytes;
mod canary;
mod compare;
mod forms;
mod github;
mod judged;
mod matrix;
mod run;
mod support;
mod untrusted;
