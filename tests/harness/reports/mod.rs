//! Reports: each one is complete, matches its schema, and contains no keys.

mod assembled;
mod baseline;
mod bug_report;
mod bytes;
mod canary;
mod compare;
mod forms;
mod github;
mod interrupted;
mod judged;
mod matrix;
mod page;
mod run;
mod support;
mod terminal;
mod untrusted;
