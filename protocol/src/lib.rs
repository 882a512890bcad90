//! Types that Fallproof's mocks, runner and judge share, and parsers for the formats on the wire.
//!
//! Nothing here opens a socket or reads a clock. [`provider`] describes who is mocked, [`behavior`]
//! what a deployment does at an attempt, [`request_log`] what was recorded of a request, and
//! [`condition`] the kinds of failure. [`json`] preserves the spelling of JSON; [`sse`] reads
//! server-sent events, [`multipart`] reads forms, and [`coding`] compresses and decompresses
//! bodies.

pub mod behavior;
pub mod coding;
pub mod condition;
pub mod encoding;
pub mod http1;
pub mod json;
pub mod letters;
pub mod limits;
pub mod marker;
pub mod multipart;
pub mod provider;
pub mod request_log;
pub mod sse;
pub mod violation;
