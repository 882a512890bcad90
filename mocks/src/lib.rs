//! Strict mock OpenAI and Azure OpenAI providers.
//!
//! A provider is played by two parts: the [`provider_set`] decides *what* is answered (it checks path,
//! version, credential and every parameter, then gives the scripted reply), and the [`server`]
//! decides *how the bytes arrive* (late, cut, reset, never) and writes the [`request_log`]: every
//! request as it came.

pub mod errors;
mod http_reply;
pub mod provider_set;
pub mod reply;
pub mod server;

pub use fallproof_protocol::{behavior, marker, provider, request_log};
pub use http_reply::Reply;
