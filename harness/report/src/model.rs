//! The report model: what `report.json` holds, and what every other report is made of.
//!
//! It is data only, in words of its own, so that a report of today can be read, compared and drawn
//! by a later Fallproof.

mod case;
mod requirement;
mod step;

use std::path::Path;
use std::{fmt, fs};

pub use fallproof_suite::requirement::{Level, Severity};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::case::{Case, EXPECTATION, Expected, Failure, Outcome, Violation, Weight};
pub use self::requirement::{Kept, Profile, Requirement, kept};
pub use self::step::{Attempt, Change, Client, Diff, Line, Step};

/// The name and version of the format. A member may be added within a version; whoever reads a
/// report passes over members that it does not know.
pub const FORMAT: &str = "fallproof-report/2";

/// One run: what was asked of which target, and what came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "A conformance report of Fallproof")]
pub struct Report {
    /// The name and version of this format: `fallproof-report/2`.
    pub format: String,
    /// What made the report.
    pub tool: Tool,
    /// What was tested.
    pub target: Target,
    /// What it was tested with.
    pub suite: Suite,
    /// When and how much of the suite was run.
    pub run: Run,
    /// The run in one word.
    pub verdict: Verdict,
    /// How many cases came out how.
    pub counts: Counts,
    /// The expected failures that the run was held against, if it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baseline: Option<Baseline>,
    /// The requirements by profile, `core` first, with their verdicts.
    pub profiles: Vec<Profile>,
    /// Each case that was run or skipped, in the order of the suite.
    pub cases: Vec<Case>,
    /// The cases that were chosen but had not ended when the run was broken off.
    pub not_run: Vec<String>,
}

/// The program that made a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tool {
    /// `fallproof`
    pub name: String,
    /// Its version.
    pub version: String,
}

/// The gateway under test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Target {
    /// Its name, e.g. `LiteLLM`; `reference router` for our own.
    pub name: String,
    /// Its version, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The adapter that configured it, where one did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adapter: Option<String>,
    /// Host and port where it listened; never a path, a user or a key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

impl fmt::Display for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.name)?;
        self.version.iter().try_for_each(|version| write!(formatter, " {version}"))
    }
}

/// The scenarios that there are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Suite {
    /// `sha256:` over all scenario files: two reports with the same one judge by the same cases.
    pub fingerprint: String,
    /// How many cases the whole suite has.
    pub cases: usize,
}

/// When and how much was run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Run {
    /// RFC 3339, UTC.
    #[schemars(extend("format" = "date-time"))]
    pub started: String,
    /// RFC 3339, UTC.
    #[schemars(extend("format" = "date-time"))]
    pub ended: String,
    /// What was chosen.
    pub selection: Selection,
    /// The user broke it off.
    pub interrupted: bool,
}

/// Which cases of the suite were chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Selection {
    /// The patterns as given; none where nothing was left out by them.
    pub patterns: Vec<String>,
    /// The tags as given.
    pub tags: Vec<String>,
    /// How many cases were chosen.
    pub cases: usize,
    /// Every case of the suite was chosen.
    pub whole: bool,
}

/// A run in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Nothing that was run speaks against the target.
    Conformant,
    /// A case failed or was inconclusive, or an expected failure is none any more.
    NotConformant,
    /// The run was broken off before anything spoke against the target.
    Interrupted,
    /// Fallproof itself failed in a case.
    HarnessError,
}

/// How many cases came out how; each is counted once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Counts {
    /// Everything held.
    pub pass: usize,
    /// Only what is advised was not kept.
    pub warn: usize,
    /// Failed, and nobody expected it.
    pub fail: usize,
    /// Failed as the baseline expects.
    pub expected: usize,
    /// Nothing can be said.
    pub inconclusive: usize,
    /// Not run, with a reason.
    pub skipped: usize,
    /// Fallproof itself failed.
    pub harness_error: usize,
    /// Chosen, but the run was broken off before.
    pub not_run: usize,
}

/// What became of the baseline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Baseline {
    /// The file as it was named.
    pub file: String,
    /// Entries that name a failure that is none any more: they fail the run.
    pub stale: Vec<Stale>,
    /// Entries whose date has passed: they count no more.
    pub expired: Vec<Stale>,
}

/// An entry of a baseline that does not do its work any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Stale {
    /// The id or glob of the entry.
    pub scenario: String,
    /// The requirement's code.
    pub requirement: String,
    /// The line in the file, from 1.
    pub line: usize,
}

impl Report {
    /// All requirements, whatever their profile.
    pub fn requirements(&self) -> impl Iterator<Item = &Requirement> {
        self.profiles.iter().flat_map(|profile| &profile.requirements)
    }

    /// Whether it tells of all that the suite can say: everything was chosen, and it was not broken
    /// off.
    pub fn is_whole(&self) -> bool {
        self.run.selection.whole && !self.run.interrupted && self.not_run.is_empty()
    }

    /// Reads a `report.json`.
    ///
    /// # Errors
    /// What is wrong with the file, in words for the user.
    pub fn read(file: &Path) -> Result<Self, String> {
        let wrong = |what: String| format!("{}: {what}", file.display());
        let text = fs::read_to_string(file).map_err(|error| wrong(error.to_string()))?;
        let value: serde_json::Value = serde_json::from_str(&text)
            .map_err(|error| wrong(format!("this is no report: {error}")))?;
        match value.get("format").and_then(serde_json::Value::as_str) {
            Some(FORMAT) => {}
            Some(other) => {
                return Err(wrong(format!("`{other}` cannot be read; this is for `{FORMAT}`")));
            }
            None => return Err(wrong("this is no report of Fallproof".into())),
        }
        serde_json::from_value(value).map_err(|error| wrong(format!("this is no report: {error}")))
    }

    /// The text of `report.json`.
    pub fn to_json(&self) -> String {
        let json = serde_json::to_string_pretty(self)
            .expect("a report holds only strings, numbers and lists of them");
        json + "\n"
    }
}

/// The JSON Schema of `report.json`, as the text of `harness/report/report.schema.json`.
pub fn schema() -> String {
    format!("{:#}\n", schemars::schema_for!(Report).to_value())
}
