//! What happened in a case, call by call.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One step of a case: a client call and the attempts that it led to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Step {
    /// Its number, from 1.
    pub number: usize,
    /// The client's side.
    pub client: Client,
    /// The providers' side, in order of arrival.
    pub attempts: Vec<Attempt>,
    /// What the client sent against what attempts got, for those that violations point into.
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

/// One request from the target to a deployment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Attempt {
    /// Its number within the step, from 1.
    pub number: usize,
    /// The deployment's name in the scenario.
    pub deployment: String,
    /// Provider and surface in words.
    pub surface: String,
    /// Method and path.
    pub request: String,
    /// The status that was sent; absent where none was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// What the deployment was scripted to do, or `refused`.
    pub behavior: String,
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
    /// The deployment and what it is, e.g. `backup (azure v1)`.
    pub fn deployment(&self) -> String {
        format!("{} ({})", self.deployment, self.surface)
    }

    /// What the deployment did, and what the wire did to it.
    pub fn played(&self) -> String {
        match &self.fault {
            Some(fault) => format!("{}, {fault}", self.behavior),
            None => self.behavior.clone(),
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

impl Step {
    /// The heads of [`Self::rows`].
    pub const HEADS: [&str; 5] = ["attempt", "deployment", "request", "answer", "behavior"];

    /// Its attempts, and last its client, as rows of a table.
    pub fn rows(&self) -> impl Iterator<Item = [String; 5]> {
        let Client { request, .. } = &self.client;
        let client = ["client", "", request, &self.client.answer(), ""].map(str::to_owned);
        let row = |attempt: &Attempt| {
            let Attempt { number, request, .. } = attempt;
            let (number, request) = (number.to_string(), request.clone());
            [number, attempt.deployment(), request, attempt.answer(), attempt.played()]
        };
        self.attempts.iter().map(row).chain([client])
    }
}

/// What the client sent against what an attempt got, as lines of JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Diff {
    /// The number of the attempt.
    pub attempt: usize,
    /// The deployment that got it.
    pub deployment: String,
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
