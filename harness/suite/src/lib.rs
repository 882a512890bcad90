//! The data of a run: scenarios, requirements, the plan from which a target is configured, a
//! target's capabilities, the evidence that a run yields, and the evidence file.
//!
//! Nothing in this crate opens a socket or judges a target.

pub mod capabilities;
pub mod evidence;
pub mod feature;
pub mod plan;
pub mod profile;
pub mod read;
pub mod record;
pub mod requirement;
pub mod scenario;
pub mod secret;
pub mod skip;
pub mod text;
pub mod yaml;
