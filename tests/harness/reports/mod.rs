//! Reports: each is complete, valid by its schema, and free of keys.

mod assembled;
mod baseline;
mod bytes;
mod canary;
mod compare;
mod forms;
mod github;
mod interrupted;
mod judged;
mod matrix;
mod run;
mod support;
mod untrusted;
