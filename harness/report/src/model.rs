//! The report model: the content of `report.json`, from which most other outputs are made.
//!
//! It is plain data, so that later versions of Fallproof can read, compare and render it.

mod case;
mod cause;
mod requirement;
mod step;

use std::fmt;

pub use fallproof_suite::requirement::{Level, Severity};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::case::{Case, EXPECTATION, Expected, Failure, Outcome, Violation, Weight};
pub use self::cause::{Cause, Example, Follow, sentence};
pub use self::requirement::{Compliance, Profile, Requirement, met_and_judged};
pub use self::step::{Attempt, Change, Client, Diff, Line, Step};

/// Name and version of the format. Fields may be added within a version; readers must ignore fields
/// that they do not know.
pub const FORMAT: &str = "fallproof-report/2";

/// One run: the target, the selected cases and their results.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "A conformance report of Fallproof")]
pub struct Report {
    /// Name and version of this format: `fallproof-report/2`.
    pub format: String,
    /// The program that made the report.
    pub tool: Tool,
    /// The gateway under test.
    pub target: Target,
    /// The suite that the target was tested with.
    pub suite: Suite,
    /// Time of the run and selection of cases.
    pub run: Run,
    /// Verdict of the run.
    pub verdict: Verdict,
    /// Number of cases by outcome.
    pub counts: Counts,
    /// State of the baseline, if one was used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baseline: Option<Baseline>,
    /// Claims of the gateway that the evidence contradicts. They do not change the verdict.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub claims: Vec<Claim>,
    /// The causes of all failures and warnings, the worst one first.
    #[serde(default)]
    pub causes: Vec<Cause>,
    /// Requirements with their verdicts, by profile, `core` first.
    pub profiles: Vec<Profile>,
    /// Cases that were run or skipped, in suite order.
    pub cases: Vec<Case>,
    /// Ids of selected cases that had not ended when the run was interrupted.
    pub not_run: Vec<String>,
}

/// The program that made a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tool {
    /// `fallproof`
    pub name: String,
    /// Version of the program.
    pub version: String,
}

/// The gateway under test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Target {
    /// Name of the gateway, e.g. `LiteLLM`; `reference router` for the built-in router.
    pub name: String,
    /// Version of the gateway, if known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The adapter that configured the gateway, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adapter: Option<String>,
    /// The variant of the adapter, if one was chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// Host and port on which it listened; never a path, a user name or an API key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

impl fmt::Display for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.name)?;
        self.version.iter().try_for_each(|version| write!(formatter, " {version}"))?;
        self.variant.iter().try_for_each(|variant| write!(formatter, " ({variant})"))
    }
}

/// The suite of scenarios.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Suite {
    /// `sha256:` hash over all scenario files. Two reports with the same fingerprint have the same
    /// cases.
    pub fingerprint: String,
    /// Number of cases in the complete suite.
    pub cases: usize,
}

/// Time and selection of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Run {
    /// Start of the run, RFC 3339, UTC.
    #[schemars(extend("format" = "date-time"))]
    pub started: String,
    /// End of the run, RFC 3339, UTC.
    #[schemars(extend("format" = "date-time"))]
    pub ended: String,
    /// The selected cases.
    pub selection: Selection,
    /// Whether the user interrupted the run.
    pub interrupted: bool,
}

/// Selection of cases from the suite.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Selection {
    /// The patterns as given; empty if none were given.
    pub patterns: Vec<String>,
    /// The tags as given.
    pub tags: Vec<String>,
    /// Number of selected cases.
    pub cases: usize,
    /// Whether every case of the suite was selected.
    pub whole: bool,
}

/// Verdict of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// No case failed or was inconclusive, except for expected failures.
    Conformant,
    /// A case failed or was inconclusive, or the baseline has a stale entry.
    NotConformant,
    /// The run was interrupted before any case failed or was inconclusive.
    Interrupted,
    /// Fallproof itself failed in a case.
    HarnessError,
}

/// Number of cases by outcome. Each case is counted once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Counts {
    /// Passed.
    pub pass: usize,
    /// Violated only recommendations.
    pub warn: usize,
    /// Failed unexpectedly.
    pub fail: usize,
    /// Failed as expected by the baseline.
    pub expected: usize,
    /// Cases that failed on input that no provider or client is known to send. They do not change
    /// the verdict.
    #[serde(default)]
    pub not_robust: usize,
    /// Could not be judged.
    pub inconclusive: usize,
    /// Skipped, with a reason.
    pub skipped: usize,
    /// Fallproof itself failed.
    pub harness_error: usize,
    /// Selected, but not finished when the run was interrupted.
    pub not_run: usize,
}

/// State of the baseline after a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Baseline {
    /// Path of the file as given.
    pub file: String,
    /// Entries whose cause was not found, although their cases were run. Such an entry fails the
    /// run.
    pub stale: Vec<Stale>,
    /// Entries whose expiry date has passed. They have no effect.
    pub expired: Vec<Stale>,
    /// Expected causes that show in more cases than their entries list.
    #[serde(default)]
    pub wider: Vec<Wider>,
}

/// A claim of the gateway that the evidence contradicts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Claim {
    /// What the gateway declares and what was seen instead, worded to follow the gateway's name.
    pub message: String,
    /// Ids of the cases that contradict the claim.
    pub cases: Vec<String>,
}

/// A stale or expired entry of a baseline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Stale {
    /// Id of the entry's cause.
    pub cause: String,
    /// Line in the file, from 1.
    pub line: usize,
    /// Id of an unexpected cause that the entry may be meant for, if one has a similar id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub similar: Option<String>,
}

/// An expected cause that shows in more cases than its entry lists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Wider {
    /// Id of the cause.
    pub cause: String,
    /// Line of the entry in the file, from 1.
    pub line: usize,
    /// Ids of the cases that the entry does not list.
    pub cases: Vec<String>,
}

impl Report {
    /// The requirements of all profiles.
    pub fn requirements(&self) -> impl Iterator<Item = &Requirement> {
        self.profiles.iter().flat_map(|profile| &profile.requirements)
    }

    /// Whether the run covers the complete suite: every case was selected, and the run was not
    /// interrupted.
    pub fn is_whole(&self) -> bool {
        self.run.selection.whole && !self.run.interrupted && self.not_run.is_empty()
    }

    /// Returns the content of `report.json`.
    pub fn to_json(&self) -> String {
        let json = serde_json::to_string_pretty(self)
            .expect("a report holds only strings, numbers and lists of them");
        json + "\n"
    }
}

/// Returns the JSON Schema of `report.json`: the content of
/// `harness/report/src/report.schema.json`.
pub fn schema() -> String {
    format!("{:#}\n", schemars::schema_for!(Report).to_value())
}
