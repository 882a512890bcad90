//! Fallproof proves that an LLM gateway's fallbacks work.
//!
//! A [`scenario`] says what fails and what must happen. The [`plan`] says what the target must be
//! configured with; [`drive`] plays the client in front of it, while mock providers play what is
//! behind it; what both saw is [`observe`]d, [`check`]ed against the [`requirement`]s and told in
//! a [`report`].

pub mod adapter;
pub mod baseline;
pub mod check;
pub mod client;
pub mod declaration;
pub mod drive;
pub mod fuzz;
pub mod json;
pub mod observe;
pub mod plan;
pub mod probe;
pub mod report;
pub mod requirement;
pub mod saboteur;
pub mod scenario;
pub mod serve;
pub mod shell;
pub mod skip;
pub mod sse;
pub mod target;
pub mod yaml;
