//! The vocabulary that Fallproof's mocks, runner and judge share, and the formats on the wire.
//!
//! Nothing in here opens a socket or knows a clock: who is mocked ([`provider`]), what a deployment
//! does at an attempt ([`behavior`]), what was seen of a request ([`request_log`]), which kinds of
//! failure there are ([`condition`]); JSON as it was spelled ([`json`]), server-sent events ([`sse`])
//! and forms ([`multipart`]).

pub mod behavior;
pub mod condition;
pub mod encoding;
pub mod http1;
pub mod json;
pub mod limits;
pub mod marker;
pub mod multipart;
pub mod provider;
pub mod request_log;
pub mod sse;
pub mod violation;
