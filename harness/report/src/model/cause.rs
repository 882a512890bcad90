//! The causes in a report.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::case::{EXPECTATION, Expected, Weight};

/// A fault of the target that explains violations of one or more cases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Cause {
    /// Names the cause in baselines and comparisons, e.g. `payload-02/metadata`. It is the same in
    /// each run that finds the cause.
    pub id: String,
    /// What the target does, as a phrase that follows its name.
    pub fault: String,
    /// Where it does so, in words. Empty if nothing narrows the scope.
    pub scope: String,
    /// The requirement that is violated; absent for an expectation of the scenarios.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requirement: Option<String>,
    /// Whether the cause fails the target or only warns.
    pub weight: Weight,
    /// Ids of the cases that it explains: the example first, then in suite order.
    pub cases: Vec<String>,
    /// Number of judged cases in which it could show.
    pub could_show: usize,
    /// Number of its cases in which the client got no sign of an error.
    pub silent: usize,
    /// Its simplest case.
    pub example: Example,
    /// Other requirements that are violated because of it.
    pub follows: Vec<Follow>,
    /// Ids that the cause, or a part of it, can have in the report of another run.
    pub symptoms: Vec<String>,
    /// Links to public reports and documents about the fault.
    pub sources: Vec<String>,
    /// Reason given by the baseline, if the cause is expected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<Expected>,
}

/// The simplest case of a cause, and the violation to look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Example {
    /// The scenario's id.
    pub case: String,
    /// The step, from 1.
    pub step: usize,
    /// The attempt within the step, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempt: Option<usize>,
    /// What is wrong there, in one sentence.
    pub message: String,
    /// The message of the error that the client got, if the target wrote it itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own_error: Option<String>,
    /// What the client had sent before such an error: the members in which its body differs from
    /// that of an earlier call that succeeded, or the start of the body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent: Option<String>,
    /// The command that reruns the case.
    pub replay: String,
}

impl Example {
    /// What the client sent and what the target answered, one per line, if that says more than the
    /// message.
    pub fn notes(&self) -> Vec<String> {
        let note = |what: &str, text: &Option<String>| Some(format!("{what}: {}", text.as_ref()?));
        let of_client = note("the client sent", &self.sent);
        of_client.into_iter().chain(note("the target's own error", &self.own_error)).collect()
    }
}

/// A requirement that is violated because of a cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Follow {
    /// The requirement's code; absent for expectations of the scenarios.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requirement: Option<String>,
    /// Number of cases.
    pub cases: usize,
}

/// What a target does and where, as a phrase that follows its name.
pub fn sentence(fault: &str, scope: &str) -> String {
    if scope.is_empty() { fault.to_owned() } else { format!("{fault} ({scope})") }
}

impl Cause {
    /// The requirement's code, or [`EXPECTATION`].
    pub fn code(&self) -> &str {
        self.requirement.as_deref().unwrap_or(EXPECTATION)
    }

    /// The word that stands before the cause in lists.
    pub fn word(&self) -> &'static str {
        match self.weight {
            Weight::Fail => "FAIL",
            Weight::Warn | Weight::Note => "WARN",
        }
    }

    /// What the target does, and where, as a phrase that follows its name.
    pub fn sentence(&self) -> String {
        sentence(&self.fault, &self.scope)
    }

    /// Whether an id from another run can mean this cause: it names one of its symptoms, or only
    /// one of the two is narrowed to a member or endpoint, e.g. `stream-01` and
    /// `stream-01/responses`.
    ///
    /// How a run splits causes depends on its cases, so an id alone does not decide.
    pub fn resembles(&self, id: &str) -> bool {
        let narrows = |id: &str, other: &str| {
            id.strip_prefix(other).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let names = self.symptoms.iter().chain([&self.id]);
        names.into_iter().any(|name| narrows(name, id) || narrows(id, name))
    }
}
