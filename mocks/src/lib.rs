//! Strict mock OpenAI and Azure OpenAI providers.
//!
//! [`provider_set`] decides *what* to reply: it checks path, version, credential and every
//! parameter, then plays the script. [`server`] decides *how the bytes arrive* (delayed, cut,
//! followed by a reset, or not at all) and keeps the [`request_log`], which holds every request as
//! received.

pub mod errors;
mod http_reply;
pub mod provider_set;
pub mod reply;
pub mod server;

pub use fallproof_protocol::{behavior, marker, provider, request_log};
pub use http_reply::Reply;

/// The examples of the README are doc tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
