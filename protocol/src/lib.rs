//! Types that Fallproof's mocks, runner and judge share, and parsers for the formats on the wire.
//!
//! Nothing here opens a socket or reads a clock. [`provider`] describes the mocked providers,
//! [`behavior`] what a deployment does on an attempt, [`request_log`] what a mock records about a
//! request, and [`condition`] the kinds of failure. [`json`] preserves the spelling of JSON;
//! [`sse`] reads server-sent events, and [`multipart`] reads forms.

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
