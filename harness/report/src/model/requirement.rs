//! The requirements in a report.

use fallproof_suite::requirement::{Level, Severity};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Counts;

/// One profile: its requirements, and the counts of its cases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Profile {
    /// `core`, `streaming`, …
    pub name: String,
    /// Number of its cases by outcome.
    pub counts: Counts,
    /// Its requirements, in document order.
    pub requirements: Vec<Requirement>,
}

/// One requirement, with the verdict on the target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Requirement {
    /// Stable code, e.g. `FP-PAYLOAD-01`.
    pub code: String,
    /// Which gateways it applies to.
    pub level: Level,
    /// Whether a violation fails or only warns.
    pub severity: Severity,
    /// The requirement, in one sentence.
    pub sentence: String,
    /// Why it matters to a user.
    pub why: String,
    /// Links to public reports and documents that support it.
    pub sources: Vec<String>,
    /// Verdict on the target.
    pub verdict: Compliance,
    /// Ids of the judged cases that test it.
    pub tested_by: Vec<String>,
    /// Ids of the cases that violated it.
    pub violated_in: Vec<String>,
    /// Ids of the cases with informational violations, for which the target is exempt.
    pub exempt_in: Vec<String>,
    /// Whether all of its failures are expected by the baseline.
    pub expected: bool,
}

/// Verdict on a requirement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Compliance {
    /// Met in every case that tests it; there is at least one.
    Pass,
    /// Violated only in ways that the target declares, for which it is exempt.
    Declared,
    /// Only informational violations: it applies to no gateway.
    Observed,
    /// Violated, but a violation only warns.
    Warn,
    /// Violated.
    Fail,
    /// No case that tests it was judged.
    NotJudged,
}

impl Compliance {
    /// Returns the word used in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "met",
            Self::Declared => "exempt (declared)",
            Self::Observed => "informational",
            Self::Warn => "warning",
            Self::Fail => "violated",
            Self::NotJudged => "not judged",
        }
    }
}

impl Requirement {
    /// Whether there is a verdict: a case that tests it was judged, or a violation was seen.
    pub fn is_judged(&self) -> bool {
        self.verdict != Compliance::NotJudged
    }

    /// Whether it was violated, with a failure or a warning.
    pub fn is_violated(&self) -> bool {
        matches!(self.verdict, Compliance::Fail | Compliance::Warn)
    }
}

/// Number of requirements that are met, and number that were judged. A warning counts as met.
pub fn met_and_judged<'a>(requirements: impl Iterator<Item = &'a Requirement>) -> (usize, usize) {
    let judged: Vec<_> = requirements.filter(|it| it.is_judged()).collect();
    (judged.iter().filter(|it| it.verdict != Compliance::Fail).count(), judged.len())
}
