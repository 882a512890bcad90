//! The cases in a report.

pub use fallproof_judge::{Failure, Verdict as Weight};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use super::step::Step;

/// One case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Case {
    /// The scenario's id.
    pub id: String,
    /// What happens, in one sentence.
    pub title: String,
    /// Why it is worth a case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Where it was met or is told of.
    #[serde(default)]
    pub links: Vec<String>,
    /// The file that it was read from.
    pub file: String,
    /// Its profile.
    pub profile: String,
    /// The codes of the requirements that it was written for.
    pub proves: Vec<String>,
    /// The verdict.
    pub outcome: Outcome,
    /// Where it failed: whether the client could tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// Why it was skipped, is inconclusive, or failed in Fallproof itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When it started, in milliseconds since the run did.
    pub started_ms: f64,
    /// How long it took, in milliseconds.
    pub took_ms: f64,
    /// Every breach.
    pub violations: Vec<Violation>,
    /// What happened, step by step.
    pub steps: Vec<Step>,
    /// The command that runs it again in the same way.
    pub replay: String,
    /// The file beside the report that has every byte of it, where it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub har: Option<String>,
}

impl Case {
    /// Whether it failed, and for nothing but what the baseline expects.
    pub fn is_expected(&self) -> bool {
        self.outcome == Outcome::Fail
            && self
                .violations
                .iter()
                .all(|violation| violation.expected.is_some() || violation.weight != Weight::Fail)
    }

    /// The codes of what is broken, each once.
    pub fn codes(&self) -> Vec<&str> {
        let mut codes: Vec<_> = self.violations.iter().map(Violation::code).collect();
        codes.dedup();
        codes
    }

    /// Whether something can be said of the target.
    pub fn is_judged(&self) -> bool {
        matches!(self.outcome, Outcome::Pass | Outcome::Warn | Outcome::Fail)
    }
}

/// The verdict on one case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, IntoStaticStr)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "lowercase")]
pub enum Outcome {
    /// Everything held.
    Pass,
    /// Only what is advised was not kept.
    Warn,
    /// The target does not conform.
    Fail,
    /// Nothing can be said of the target.
    Inconclusive,
    /// It was not run.
    Skipped,
    /// Fallproof itself failed.
    #[strum(serialize = "harness error")]
    HarnessError,
}

impl Outcome {
    /// The word in reports.
    pub fn word(self) -> &'static str {
        self.into()
    }
}

/// One breach of a requirement, or of what the scenario itself expects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Violation {
    /// The requirement's code; absent for an expectation of the scenario.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requirement: Option<String>,
    /// Whether it fails the target or only warns.
    pub weight: Weight,
    /// The step, from 1.
    pub step: usize,
    /// The attempt within the step, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempt: Option<usize>,
    /// Where in the attempt's body, as a JSON pointer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// What is wrong, in one sentence.
    pub message: String,
    /// Why it is not held against the target, where it declares that it does so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub declared: Option<String>,
    /// The baseline's word for it, where it is expected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<Expected>,
}

/// What stands for the requirement where a scenario's own expectation is broken.
pub const EXPECTATION: &str = "expectation";

impl Violation {
    /// The requirement's code, or [`EXPECTATION`].
    pub fn code(&self) -> &str {
        self.requirement.as_deref().unwrap_or(EXPECTATION)
    }
}

/// Why a failure is expected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Expected {
    /// In words.
    pub reason: String,
    /// Where it is dealt with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issue: Option<String>,
}
