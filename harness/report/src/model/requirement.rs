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
    /// Number of cases of the profile, by outcome.
    pub counts: Counts,
    /// Requirements of the profile, in the order of the suite.
    pub requirements: Vec<Requirement>,
}

/// One requirement, with the verdict on the target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Requirement {
    /// Stable code, e.g. `FP-PAYLOAD-01`.
    pub code: String,
    /// Which gateways the requirement applies to.
    pub level: Level,
    /// Whether a violation fails the case or only warns.
    pub severity: Severity,
    /// The requirement, in one sentence.
    pub sentence: String,
    /// Why the requirement matters to users.
    pub why: String,
    /// Links to public reports and documents that support the requirement.
    pub sources: Vec<String>,
    /// Verdict on the target.
    pub verdict: Compliance,
    /// Ids of the judged cases that test the requirement.
    pub tested_by: Vec<String>,
    /// Ids of the cases in which the target violated the requirement.
    pub violated_in: Vec<String>,
    /// Ids of the cases in which the target violated the requirement but is exempt from it.
    pub exempt_in: Vec<String>,
    /// Whether the baseline expects every failure of the requirement.
    pub expected: bool,
}

/// Verdict on a requirement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Compliance {
    /// Tested by at least one judged case, and met in every one.
    Pass,
    /// Violated only in ways that the target declares, so the target is exempt.
    Declared,
    /// Violated, but the requirement is not binding, so its violations are informational.
    Observed,
    /// Violated, but violations of this requirement only warn.
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
    /// Whether the requirement has a verdict: a case that tests it was judged, or a violation was
    /// found.
    pub fn is_judged(&self) -> bool {
        self.verdict != Compliance::NotJudged
    }

    /// Whether the target violated the requirement, with a failure or a warning.
    pub fn is_violated(&self) -> bool {
        matches!(self.verdict, Compliance::Fail | Compliance::Warn)
    }
}

/// Returns how many of the requirements are met, and how many were judged. A requirement with only
/// warnings counts as met.
pub fn met_and_judged<'a>(requirements: impl Iterator<Item = &'a Requirement>) -> (usize, usize) {
    let judged: Vec<_> = requirements.filter(|it| it.is_judged()).collect();
    (judged.iter().filter(|it| it.verdict != Compliance::Fail).count(), judged.len())
}
