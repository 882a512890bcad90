//! What becomes of a scenario.

use std::time::{Duration, Instant};

use crate::check::{Failure, Outcome, Violation};
use crate::observe;
use crate::scenario::Scenario;

/// What became of one scenario.
#[derive(Debug)]
pub struct Case {
    /// The scenario's id.
    pub scenario: String,
    /// The verdict.
    pub outcome: Outcome,
    /// Every breach found.
    pub violations: Vec<Violation>,
    /// What happened, call by call.
    pub steps: Vec<observe::Step>,
    /// When it began.
    pub started: Instant,
    /// How long it took.
    pub took: Duration,
    /// Where it failed: whether the client could tell.
    pub failure: Option<Failure>,
}

impl Case {
    /// A scenario of which only this is known.
    pub fn not_run(scenario: &Scenario, outcome: Outcome) -> Self {
        Self::without_steps(scenario, Instant::now(), outcome)
    }

    pub(super) fn without_steps(scenario: &Scenario, started: Instant, outcome: Outcome) -> Self {
        Self {
            scenario: scenario.id.clone(),
            outcome,
            violations: Vec::new(),
            steps: Vec::new(),
            started,
            took: started.elapsed(),
            failure: None,
        }
    }
}
