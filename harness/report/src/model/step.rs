//! The steps of a case: client calls and the attempts they caused.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One step of a case: a client call and the attempts it caused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Step {
    /// Number of the step, from 1.
    pub number: usize,
    /// The call as seen by the client.
    pub client: Client,
    /// The attempts as seen by the providers, in order of arrival.
    pub attempts: Vec<Attempt>,
    /// Number of further attempts, which are not listed because there are so many.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more_attempts: usize,
    /// Differences between the client's body and the body of an attempt, for each attempt that has
    /// a violation with a JSON pointer.
    #[serde(default)]
    pub diffs: Vec<Diff>,
}

/// The client's call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Client {
    /// Method and path.
    pub request: String,
    /// Status of the response; absent if there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// How an incomplete response ended, as a phrase that follows the words "the target".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub broken: Option<String>,
    /// Start, in milliseconds since the start of the case.
    pub at_ms: f64,
    /// Duration, in milliseconds.
    pub took_ms: f64,
}

/// One request from the target to a deployment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Attempt {
    /// Number of the attempt within the step, from 1.
    pub number: usize,
    /// Name of the deployment in the scenario.
    pub deployment: String,
    /// Provider and surface, e.g. `azure v1`.
    pub surface: String,
    /// Method and path.
    pub request: String,
    /// Status of the reply; absent if none was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Scripted behavior of the deployment, e.g. `overloaded` or `status 503`, or `refused` if the
    /// provider itself refused the request.
    pub behavior: String,
    /// Fault injected into the bytes of the reply, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// Error message of the provider, if it refused the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<String>,
    /// Time at which the request head was complete, in milliseconds since the start of the case.
    pub at_ms: f64,
    /// Time at which the first byte of the reply was sent, in milliseconds since the start of the
    /// case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_byte_ms: Option<f64>,
    /// Time at which the reply was complete, cut off or aborted, in milliseconds since the start of
    /// the case. Absent if the reply was still in progress.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_ms: Option<f64>,
}

impl Client {
    /// The response in short, e.g. `200`.
    pub fn answer(&self) -> String {
        match (self.status, &self.broken) {
            (Some(status), None) => status.to_string(),
            (Some(status), Some(broken)) => format!("{status}, {broken}"),
            (None, broken) => broken.clone().unwrap_or_else(|| "none".to_owned()),
        }
    }
}

impl Attempt {
    /// Name and surface of the deployment, e.g. `backup (azure v1)`.
    pub fn deployment(&self) -> String {
        format!("{} ({})", self.deployment, self.surface)
    }

    /// The scripted behavior and the injected fault.
    pub fn played(&self) -> String {
        match &self.fault {
            Some(fault) => format!("{}, {fault}", self.behavior),
            None => self.behavior.clone(),
        }
    }

    /// The reply in short, e.g. `200`.
    pub fn answer(&self) -> String {
        match (self.status, &self.refusal) {
            (Some(status), Some(refusal)) => format!("{status} {refusal}"),
            (Some(status), None) => status.to_string(),
            (None, _) => "none".to_owned(),
        }
    }
}

impl Step {
    /// Column headings of [`Self::rows`].
    pub const HEADS: [&str; 5] = ["attempt", "deployment", "request", "answer", "behavior"];

    /// Table rows: the attempts, then how many more there were, then the client.
    pub fn rows(&self) -> impl Iterator<Item = [String; 5]> {
        let Client { request, .. } = &self.client;
        let client = ["client", "", request, &self.client.answer(), ""].map(str::to_owned);
        let row = |attempt: &Attempt| {
            let Attempt { number, request, .. } = attempt;
            let (number, request) = (number.to_string(), request.clone());
            [number, attempt.deployment(), request, attempt.answer(), attempt.played()]
        };
        self.attempts.iter().map(row).chain(self.rest()).chain([client])
    }

    /// The row that says how many attempts are not listed, if there are any.
    pub(crate) fn rest(&self) -> Option<[String; 5]> {
        let more = self.more_attempts;
        (more > 0).then(|| ["…", &format!("{more} more attempts"), "", "", ""].map(str::to_owned))
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// Differences between what the client sent and what an attempt received, as lines of JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Diff {
    /// Number of the attempt.
    pub attempt: usize,
    /// Name of the deployment that received the attempt.
    pub deployment: String,
    /// The changed lines, with unchanged lines around them.
    pub lines: Vec<Line>,
}

/// One line of a diff.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Line {
    /// How the line changed.
    pub change: Change,
    /// Text of the line.
    pub text: String,
}

/// Kind of a diff line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// Sent but not received.
    Lost,
    /// Received but not sent.
    Added,
    /// The same on both sides.
    Same,
    /// Placeholder for omitted lines.
    Gap,
}

impl fmt::Display for Line {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match self.change {
            Change::Lost => '-',
            Change::Added => '+',
            Change::Same | Change::Gap => ' ',
        };
        write!(formatter, "{sign} {}", self.text)
    }
}
