//! The report model: what `report.json` holds, and what every other report is made of.
//!
//! It is data only, in words of its own, so that a report of today can be read, compared and drawn
//! by a later Fallproof.

use std::path::Path;
use std::{fmt, fs};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The name and version of the format. A member may be added within a version; whoever reads a
/// report passes over members that it does not know.
pub const FORMAT: &str = "fallproof-report/1";

/// One run: what was asked of which target, and what came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "A conformance report of Fallproof")]
pub struct Report {
    /// The name and version of this format: `fallproof-report/1`.
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
    pub proven_by: Vec<String>,
    /// The ids of the cases where it was broken.
    pub broken_in: Vec<String>,
    /// The ids of the cases where something was noted that is not held against the target.
    pub noted_in: Vec<String>,
    /// Each case where it fails was expected to.
    pub expected: bool,
}

/// Whom a requirement binds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Every gateway.
    Invariant,
    /// A gateway that claims it: a choice of its makers.
    Policy,
    /// Nobody: it is noted.
    Observation,
}

/// How hard a requirement binds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Breaking it fails.
    Must,
    /// Breaking it warns.
    Should,
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
    pub findings: Vec<Finding>,
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
                .findings
                .iter()
                .all(|finding| finding.expected.is_some() || finding.weight != Weight::Fail)
    }

    /// The codes of what is broken, each once.
    pub fn codes(&self) -> Vec<&str> {
        let mut codes: Vec<_> = self.findings.iter().map(Finding::code).collect();
        codes.dedup();
        codes
    }

    /// Whether something can be said of the target.
    pub fn is_judged(&self) -> bool {
        matches!(self.outcome, Outcome::Pass | Outcome::Warn | Outcome::Fail)
    }
}

/// The verdict on one case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
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
    HarnessError,
}

impl Outcome {
    /// The word in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Fail => "fail",
            Self::Inconclusive => "inconclusive",
            Self::Skipped => "skipped",
            Self::HarnessError => "harness error",
        }
    }
}

/// What a failure looked like to the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Failure {
    /// It got an error, or saw its answer break off: the call was lost, and it knows.
    Honest,
    /// It was told of a success, or of nothing at all.
    Silent,
}

/// One breach of a requirement, or of what the scenario itself expects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
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

impl Finding {
    /// The requirement's code, or [`EXPECTATION`].
    pub fn code(&self) -> &str {
        self.requirement.as_deref().unwrap_or(EXPECTATION)
    }
}

/// What a finding means for the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Weight {
    /// The target does not conform.
    Fail,
    /// A SHOULD was not kept, or a rule that is only documented was broken.
    Warn,
    /// Observed, or declared by the target: not held against it.
    Note,
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

/// One step of a case: a client call and the attempts that it led to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Step {
    /// Its number, from 1.
    pub number: usize,
    /// The client's side.
    pub client: Client,
    /// The providers' side, in order of arrival.
    pub attempts: Vec<Attempt>,
    /// What the client sent against what attempts got, for those that findings point into.
    #[serde(default)]
    pub diffs: Vec<Diff>,
}

/// The call of the client.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Client {
    /// Method and path.
    pub request: String,
    /// The status of the answer; absent where none came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// How the answer ended where it did not end as it must, after "the target".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub broken: Option<String>,
    /// When it started, in milliseconds since the case did.
    pub at_ms: f64,
    /// How long it took, in milliseconds.
    pub took_ms: f64,
}

/// One request from the target to an upstream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Attempt {
    /// Its number within the step, from 1.
    pub number: usize,
    /// The upstream's name in the scenario.
    pub upstream: String,
    /// Provider and surface in words.
    pub vendor: String,
    /// Method and path.
    pub request: String,
    /// The status that was sent; absent where none was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// What the upstream was scripted to do, or `refused`.
    pub behaviour: String,
    /// What was done to the bytes of the reply, where something was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// The provider's words for refusing the request, where it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<String>,
    /// When its head was complete, in milliseconds since the case started.
    pub at_ms: f64,
    /// When the first byte of the reply was sent, on the same clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_byte_ms: Option<f64>,
    /// When the reply was through, cut or given up, on the same clock; absent where it still ran.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_ms: Option<f64>,
}

impl Client {
    /// What the client got, in few words.
    pub fn answer(&self) -> String {
        match (self.status, &self.broken) {
            (Some(status), None) => status.to_string(),
            (Some(status), Some(broken)) => format!("{status}, {broken}"),
            (None, broken) => broken.clone().unwrap_or_else(|| "none".to_owned()),
        }
    }
}

impl Attempt {
    /// The upstream and what it is, e.g. `backup (azure v1)`.
    pub fn deployment(&self) -> String {
        format!("{} ({})", self.upstream, self.vendor)
    }

    /// What the upstream did, and what the wire did to it.
    pub fn played(&self) -> String {
        match &self.fault {
            Some(fault) => format!("{}, {fault}", self.behaviour),
            None => self.behaviour.clone(),
        }
    }

    /// What was answered, in few words.
    pub fn answer(&self) -> String {
        match (self.status, &self.refusal) {
            (Some(status), Some(refusal)) => format!("{status} {refusal}"),
            (Some(status), None) => status.to_string(),
            (None, _) => "none".to_owned(),
        }
    }
}

/// What the client sent against what an attempt got, as lines of JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Diff {
    /// The number of the attempt.
    pub attempt: usize,
    /// The upstream that got it.
    pub upstream: String,
    /// The changed lines and some around them.
    pub lines: Vec<Line>,
}

/// A line of a difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Line {
    /// What became of it.
    pub change: Change,
    /// The line.
    pub text: String,
}

/// What became of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// Sent and not received.
    Lost,
    /// Received and not sent.
    Added,
    /// The same on both sides.
    Same,
    /// Lines are left out here.
    Gap,
}

impl Change {
    /// The sign before the line.
    pub fn sign(self) -> char {
        match self {
            Self::Lost => '-',
            Self::Added => '+',
            Self::Same | Self::Gap => ' ',
        }
    }
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
