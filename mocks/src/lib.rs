//! Strict mock OpenAI and Azure OpenAI providers.
//!
//! A provider is played by two parts: the [`brain`] decides *what* is answered (it checks path,
//! version, credential and every parameter, then gives the scripted reply), and the [`wire`]
//! decides *how the bytes arrive* (late, cut, reset, never) and writes the [`journal`]: every
//! request as it came.

pub mod brain;
pub mod errors;
mod http_reply;
pub mod reply;
pub mod wire;

pub use fallproof_protocol::{behaviour, journal, marker, provider};
pub use http_reply::Reply;
