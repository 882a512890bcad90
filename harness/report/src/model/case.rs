//! The cases in a report.

use fallproof_judge::{CaseFacts, Sighting};
pub use fallproof_judge::{Failure, Verdict as Weight};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use super::step::Step;

/// One case and its result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Case {
    /// The scenario's id.
    pub id: String,
    /// What happens, in one sentence.
    pub title: String,
    /// Why the case matters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Links to reports and documents about the case.
    #[serde(default)]
    pub links: Vec<String>,
    /// The scenario file.
    pub file: String,
    /// Profile of the scenario.
    pub profile: String,
    /// Codes of the requirements that the case tests.
    pub proves: Vec<String>,
    /// The verdict.
    pub outcome: Outcome,
    /// For a failed case, whether the client could see the error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// For a silent failure, the numbers of the steps in which the client got no sign of an error.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub silent_steps: Vec<usize>,
    /// Why the case was skipped or is inconclusive, or how Fallproof itself failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Start, in milliseconds since the start of the run.
    pub started_ms: f64,
    /// Duration, in milliseconds.
    pub took_ms: f64,
    /// All violations.
    pub violations: Vec<Violation>,
    /// Client calls and attempts, step by step.
    pub steps: Vec<Step>,
    /// The command that reruns the case.
    pub replay: String,
    /// HAR file with the complete traffic, relative to the report directory. Only for cases that
    /// failed or are inconclusive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub har: Option<String>,
    /// For an inconclusive case, the status of the target's answer if the reason quotes it.
    #[serde(skip)]
    pub answered: Option<u16>,
    /// What the case shows about the target's claims. The report sums it up over all cases.
    #[serde(skip)]
    pub claims: Vec<Sighting>,
    /// What the case contributes to the causes. Taken when the causes are found.
    #[serde(skip)]
    pub facts: CaseFacts,
}

impl Case {
    /// Whether the case failed, and the baseline expects all of its failures.
    pub fn is_expected(&self) -> bool {
        self.outcome == Outcome::Fail
            && self
                .violations
                .iter()
                .all(|violation| violation.expected.is_some() || violation.weight != Weight::Fail)
    }

    /// Codes of the violated requirements, without consecutive duplicates.
    pub fn codes(&self) -> Vec<&str> {
        let mut codes: Vec<_> = self.violations.iter().map(Violation::code).collect();
        codes.dedup();
        codes
    }

    /// Whether the target was judged in this case.
    pub fn is_judged(&self) -> bool {
        matches!(self.outcome, Outcome::Pass | Outcome::Warn | Outcome::Fail | Outcome::NotRobust)
    }
}

/// Outcome of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, IntoStaticStr)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "lowercase")]
pub enum Outcome {
    /// No violation.
    Pass,
    /// Only recommendations were violated.
    Warn,
    /// The target does not conform.
    Fail,
    /// The target failed on input that no provider or client is known to send. This does not change
    /// the verdict.
    #[strum(serialize = "not robust")]
    NotRobust,
    /// The target could not be judged.
    Inconclusive,
    /// The case was not run.
    Skipped,
    /// Fallproof itself failed.
    #[strum(serialize = "harness error")]
    HarnessError,
}

impl Outcome {
    /// Returns the word used in reports.
    pub fn word(self) -> &'static str {
        self.into()
    }
}

/// One violation of a requirement or of the scenario's own expectations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Violation {
    /// The requirement's code; absent for an expectation of the scenario.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requirement: Option<String>,
    /// Whether the violation fails the case, warns, or is informational.
    pub weight: Weight,
    /// The step, from 1.
    pub step: usize,
    /// The attempt within the step, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempt: Option<usize>,
    /// Location in the attempt's body, as a JSON pointer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// What is wrong, in one sentence.
    pub message: String,
    /// Id of the cause that explains it; absent for an informational violation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// Reason given by the adapter, if the target is exempt because it declares this behavior.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub declared: Option<String>,
    /// Reason given by the baseline, if the violation is expected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<Expected>,
}

/// Code used for violations of a scenario's own expectations.
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
    /// Reason given in the baseline.
    pub reason: String,
    /// Link to the issue that tracks the failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issue: Option<String>,
}
