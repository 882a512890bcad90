//! The requirements in a report.

use fallproof_suite::requirement::{Level, Severity};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Counts;

/// The requirements of one profile and the cases that carry its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Profile {
    /// `core`, `streaming`, …
    pub name: String,
    /// How its cases came out.
    pub counts: Counts,
    /// Its requirements, in the order of the document.
    pub requirements: Vec<Requirement>,
}

/// One requirement and how the target keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Requirement {
    /// The stable code, e.g. `FP-PAYLOAD-01`.
    pub code: String,
    /// Whom it binds.
    pub level: Level,
    /// How hard it binds.
    pub severity: Severity,
    /// The sentence.
    pub sentence: String,
    /// Why it matters to a user.
    pub why: String,
    /// Public reports and documents behind it.
    pub sources: Vec<String>,
    /// How the target keeps it.
    pub verdict: Kept,
    /// The ids of the cases that were written for it and led to a verdict.
    pub tested_by: Vec<String>,
    /// The ids of the cases where it was broken.
    pub violated_in: Vec<String>,
    /// The ids of the cases where something was noted that is not held against the target.
    pub exempt_in: Vec<String>,
    /// Each case where it fails was expected to.
    pub expected: bool,
}

/// How a target keeps a requirement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kept {
    /// In every case; at least one was written for it.
    Pass,
    /// In every case, but for what the target declares as its way.
    Declared,
    /// It holds nobody to anything; what was seen is noted.
    Observed,
    /// Broken where that only warns.
    Warn,
    /// Broken.
    Fail,
    /// No case that was written for it led to a verdict.
    NotJudged,
}

impl Kept {
    /// The word in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "kept",
            Self::Declared => "kept as declared",
            Self::Observed => "noted",
            Self::Warn => "warning",
            Self::Fail => "broken",
            Self::NotJudged => "not judged",
        }
    }
}

impl Requirement {
    /// Whether a case that was written for it led to a verdict.
    pub fn is_judged(&self) -> bool {
        self.verdict != Kept::NotJudged
    }

    /// Whether it was broken, if only where that warns.
    pub fn is_broken(&self) -> bool {
        matches!(self.verdict, Kept::Fail | Kept::Warn)
    }
}

/// How many of the requirements are kept, and of how many that were judged.
pub fn kept<'a>(requirements: impl Iterator<Item = &'a Requirement>) -> (usize, usize) {
    let judged: Vec<_> = requirements.filter(|it| it.is_judged()).collect();
    (judged.iter().filter(|it| it.verdict != Kept::Fail).count(), judged.len())
}
