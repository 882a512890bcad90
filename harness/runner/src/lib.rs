//! Runs scenarios against a target. The runner acts as the target's client and as its providers,
//! and collects the evidence. It does not judge.

pub mod adapter;
mod batches;
pub mod client;
pub mod descriptors;
pub mod error;
pub mod gateway;
pub mod interrupt;
mod observer;
mod restart;
mod run_plan;
mod runner;
pub mod shell;
pub mod target;
#[cfg(test)]
mod testing;

pub use self::batches::Batches;
pub use self::observer::Observer;
pub use self::run_plan::{Batch, MAX_JOBS, PlanError, RunPlan, Work};
pub use self::runner::{Runner, mock_deployment};
