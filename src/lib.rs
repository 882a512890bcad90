//! Fallproof proves that an LLM gateway's fallbacks work.
//!
//! A [`scenario`](fallproof_suite::scenario) says what fails and what must happen. The
//! [plan](fallproof_suite::plan) says what the target must be configured with; the
//! [runner](fallproof_runner) plays the client in front of it, while mock providers play what is
//! behind it; what both saw is the [evidence](fallproof_suite::evidence), which the
//! [judge](fallproof_judge) holds against the [requirements](fallproof_suite::requirement).

pub mod probe;
pub mod serve;
