//! Fallproof proves that an LLM gateway's fallbacks work.
//!
//! A [scenario](fallproof_suite::scenario) says what fails and what must happen. The
//! [plan](fallproof_suite::plan) describes the configuration that the target needs. The
//! [runner](fallproof_runner) plays the client in front of the target, and mock providers play the
//! deployments behind it. Both record what they see: this is the
//! [evidence](fallproof_suite::evidence). The [judge](fallproof_judge) checks the evidence against
//! the [requirements](fallproof_suite::requirement).

pub mod probe;
pub mod serve;
