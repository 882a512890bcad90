//! What becomes of a scenario.

use std::time::{Duration, Instant};

use crate::check::Finding;
use crate::client::Ending;
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
    pub findings: Vec<Finding>,
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
            findings: Vec::new(),
            steps: Vec::new(),
            started,
            took: started.elapsed(),
            failure: None,
        }
    }
}

/// What a failure looked like to the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// It got an error, or saw its answer break off: the call was lost, and it knows.
    Honest,
    /// It was told of a success, or of nothing at all.
    Silent,
}

/// The verdict on one scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Everything held.
    Pass,
    /// Only SHOULDs, or rules that are merely documented, were broken.
    Warn,
    /// The target does not conform.
    Fail,
    /// Nothing can be said of the target.
    Inconclusive(Unclear),
    /// It was not run. Holds the reason, which begins with its kind: `unsupported-feature`,
    /// `not-applicable`, `prerequisite-failed` or `excluded-by-user`.
    Skipped(String),
    /// A fault of Fallproof's own. Holds what went wrong.
    HarnessError(String),
}

/// Why nothing can be said of a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unclear {
    /// In words.
    pub reason: String,
    /// It was not there, or went before it was seen to be wired: of one that is back, something can
    /// be said.
    pub is_gone: bool,
}

impl Unclear {
    /// Of a target whose call ended so, which could not be reached.
    pub(super) fn gone(ending: &Ending) -> Self {
        Self { reason: format!("the target {}", ending.in_words()), is_gone: true }
    }
}

impl From<String> for Unclear {
    fn from(reason: String) -> Self {
        Self { reason, is_gone: false }
    }
}
