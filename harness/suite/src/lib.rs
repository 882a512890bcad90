//! What a run of Fallproof is made of, as values: scenarios, requirements, the plan that a target is
//! configured with, what a target claims, the evidence that a run yields, and the file that keeps it.
//!
//! Nothing in here opens a socket or judges.

pub mod capabilities;
pub mod evidence;
pub mod feature;
pub mod plan;
pub mod profile;
pub mod record;
pub mod requirement;
pub mod scenario;
pub mod secret;
pub mod skip;
pub mod text;
pub mod yaml;
