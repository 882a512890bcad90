//! Evidence: everything that was observed of a case, as data.
//!
//! Times are relative to the start of the run, unless stated otherwise.

use std::fmt;
use std::time::{Duration, SystemTime};

use fallproof_protocol::limits::MOST_JSON_VALUES;
use fallproof_protocol::request_log::{RecordedRequest, Traffic};
use fallproof_protocol::{coding, encoding, sse};
use serde::{Deserialize, Serialize};
use strum::{Display, IntoStaticStr};

use crate::capabilities::Capabilities;
use crate::plan::Group;
use crate::scenario::Scenario;
use crate::skip::SkipReason;

/// Maximum number of bytes that are read from a target's answer.
pub const MOST_ANSWER_BYTES: usize = 16 * 1024 * 1024;

/// Maximum number of events that are read from a target's answer.
pub const MOST_ANSWER_EVENTS: usize = 100_000;

/// How many bytes are kept and judged of an answer that is longer.
pub const MOST_OF_TOO_LONG: usize = 1024 * 1024;

/// Maximum number of requests that a target may send to the deployments in a case.
pub const MOST_REQUESTS: usize = 1_000;

/// Maximum size of these requests with their replies, in bytes of memory.
pub const MOST_REQUEST_BYTES: usize = 48 * 1024 * 1024;

/// The result of running one case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// The scenario's id.
    pub scenario: String,
    /// When the case started.
    #[serde(with = "encoding")]
    pub started: Duration,
    /// How long the case took.
    #[serde(with = "encoding")]
    pub took: Duration,
    /// The total time by which Fallproof itself was late during the case. On a busy machine, a late
    /// answer may not be the target's fault.
    #[serde(default, with = "encoding", skip_serializing_if = "Duration::is_zero")]
    pub delay: Duration,
    /// Whether the target's clock is simulated. A delay of the machine does not end or extend a
    /// cooldown then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub simulated_clock: bool,
    /// Whether an extra probe call showed that the case's groups reach the mocks.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub wired: bool,
    /// The result.
    pub result: CaseResult,
}

impl Evidence {
    /// Creates the evidence of a scenario whose steps were not played.
    pub fn without_calls(scenario: &Scenario, result: CaseResult) -> Self {
        let [started, took, delay] = [Duration::ZERO; 3];
        Self {
            scenario: scenario.id.clone(),
            started,
            took,
            delay,
            simulated_clock: false,
            wired: false,
            result,
        }
    }

    /// The calls, in the order in which they started; empty if the steps of the case were not
    /// played.
    pub fn calls(&self) -> &[CallEvidence] {
        match &self.result {
            CaseResult::Played(calls) => calls,
            _ => &[],
        }
    }
}

/// Facts about a target that are needed to judge it.
#[derive(Debug, Clone, Copy)]
pub struct TargetFacts<'a> {
    /// The groups that the target was configured to serve for the scenario.
    pub groups: &'a [Group],
    /// All groups that the same start of the target served, including those of other scenarios.
    pub all_groups: &'a [Group],
    /// The target's capabilities.
    pub capabilities: &'a Capabilities,
    /// The API key that the client sends to the target.
    pub gateway_key: &'a str,
    /// Wall-clock time at the start of the run.
    pub started: SystemTime,
}

/// The result of running a case. It is not a verdict on the target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaseResult {
    /// The steps of the case were played. Holds the calls, in the order in which they started.
    Played(Vec<CallEvidence>),
    /// The case was not run.
    Skipped(SkipReason),
    /// The target could not be tested.
    Inconclusive(Inconclusive),
    /// An error in Fallproof itself, or a target that could not be started. Holds the message.
    HarnessError(String),
}

/// The reason why a target cannot be judged.
#[derive(Debug, Clone, PartialEq, Eq, Display, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Inconclusive {
    /// The target could not be reached.
    #[strum(to_string = "the target {0}")]
    Unreachable(Ending),
    /// A plain call showed that a group of the target is not wired to the mock deployments.
    #[strum(to_string = "{complaint}")]
    NotWired {
        /// The result of the call.
        complaint: String,
        /// The status of the target's answer, if the complaint quotes it.
        #[serde(default)]
        status: Option<u16>,
        /// The message of the error in the target's answer, if there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<String>,
        /// Whether the target had gone away. If it comes back, the case can be run again.
        is_gone: bool,
    },
    /// No attempt was made: the group is not wired, or a cache answered.
    #[strum(
        to_string = "no attempt reached a deployment, and the target answered {status}: {answer}"
    )]
    NoAttempt {
        /// The status of the answer.
        status: u16,
        /// The start of the answer.
        answer: String,
    },
    /// The gateway exited and could not be restarted.
    #[strum(to_string = "the gateway could not be restarted: {error}")]
    NotStartedAgain {
        /// The error.
        error: String,
    },
    /// The case was not run.
    #[strum(to_string = "{0}")]
    Skipped(SkipReason),
    /// Fallproof itself was late, and this delay could explain every failure of the case.
    #[strum(
        to_string = "this machine was late by {ms} ms during the case, which could explain: {finding}"
    )]
    Delayed {
        /// The delay, in milliseconds.
        ms: u64,
        /// The first failure that it could explain.
        finding: String,
    },
    /// The target sent more requests to the deployments than are kept.
    #[strum(
        to_string = "the target sent more to the deployments than is kept of a case: 1000 requests, or 48 MiB"
    )]
    TooManyRequests,
    /// The evidence of the case exceeds the limit of an evidence file.
    #[strum(to_string = "the evidence of the case is too long to be saved")]
    TooLong,
}

impl Inconclusive {
    /// Whether the target was unreachable or went away. If it comes back, the case can be run
    /// again.
    pub fn is_gone(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::NotWired { is_gone: true, .. })
    }

    /// The status of the target's answer, if the reason quotes it.
    pub fn answered(&self) -> Option<u16> {
        match self {
            Self::NotWired { status, .. } => *status,
            Self::NoAttempt { status, .. } => Some(*status),
            _ => None,
        }
    }
}

/// Everything that was observed between the start and the end of one client call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallEvidence {
    /// Index of its step in the scenario, from 0.
    pub position: usize,
    /// Its index among the parallel calls of the step, from 0.
    pub call: usize,
    /// The name that the call's group has within the scenario.
    pub group: String,
    /// Time on the target's clock at the start of the call, relative to the start of the scenario.
    #[serde(with = "encoding")]
    pub at: Duration,
    /// The client's side.
    pub exchange: Exchange,
    /// The providers' side: attempts at the group's deployments, in order of arrival.
    pub requests: Vec<RecordedRequest>,
    /// Requests that reached deployments of groups that the call did not ask for.
    pub misdirected: Vec<RecordedRequest>,
    /// Requests to the group's deployments on stale connections. They are not attempts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stale: Vec<StaleRequest>,
}

/// A request on a connection that the deployment had already closed or lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StaleRequest {
    /// Its position in the order of arrival, in which attempts are counted too.
    pub seq: u64,
    /// Prefix of the deployment.
    pub prefix: String,
}

impl CallEvidence {
    /// All requests that reached a deployment: attempts and misdirected requests.
    pub fn all_requests(&self) -> impl Iterator<Item = &RecordedRequest> {
        self.requests.iter().chain(&self.misdirected)
    }
}

/// The request and the response of one client call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exchange {
    /// The path of the request.
    pub path: String,
    /// The head of the request, including the empty line.
    #[serde(with = "encoding")]
    pub sent_head: Vec<u8>,
    /// The body of the request.
    #[serde(with = "encoding")]
    pub sent: Vec<u8>,
    /// The status of the response; `None` if no head arrived.
    pub status: Option<u16>,
    /// The headers of the response, in order.
    #[serde(with = "encoding")]
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body of the response, with chunked encoding removed.
    #[serde(with = "encoding")]
    pub body: Vec<u8>,
    /// The raw bytes of the response, including the head and chunked encoding, and the bytes that
    /// follow its end. Times are relative to `started`.
    pub received: Traffic,
    /// How the response ended.
    pub ending: Ending,
    /// When the call started, before the client connected.
    #[serde(with = "encoding")]
    pub started: Duration,
    /// Time from connecting to the end of the response.
    #[serde(with = "encoding")]
    pub took: Duration,
}

impl Exchange {
    /// The `id` of the response, or of the response object in its events. The body may have a
    /// content coding.
    pub fn answer_id(&self) -> Option<String> {
        let plain = coding::unpacked(&self.body, MOST_ANSWER_BYTES);
        sse::response_id(plain.as_deref().unwrap_or(&self.body))
    }
}

/// How a response ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "kebab-case")]
pub enum Ending {
    /// The response is complete according to HTTP.
    Complete,
    /// The connection was closed before the response was complete.
    Closed,
    /// The connection was reset before the response was complete.
    Reset,
    /// The response was not complete when the timeout expired.
    TimedOut,
    /// The response is not HTTP/1.1. Holds the error.
    NotHttp(String),
    /// The response exceeds [`MOST_ANSWER_BYTES`] or [`MOST_ANSWER_EVENTS`], or the judge found that it
    /// exceeds [`MOST_JSON_VALUES`].
    TooLong,
    /// The connection could not be established. Holds the system's error message.
    Unreachable(String),
    /// The client disconnected, as the scenario demands.
    Disconnected,
}

impl Ending {
    /// Describes the ending in words that complete a sentence starting with "the target".
    pub fn in_words(&self) -> String {
        match self {
            Self::Complete => "answered".into(),
            Self::Closed => "closed the connection before the response was complete".into(),
            Self::Reset => "reset the connection before the response was complete".into(),
            Self::TimedOut => {
                "did not complete its response within the client's `--timeout`".into()
            }
            Self::NotHttp(error) => format!("sent a response that is not HTTP ({error})"),
            Self::TooLong => format!(
                "sent more than is read of a response: {} MiB, {MOST_ANSWER_EVENTS} events, or \
                 {MOST_JSON_VALUES} JSON values",
                MOST_ANSWER_BYTES >> 20,
            ),
            Self::Unreachable(error) => format!("could not be reached ({error})"),
            Self::Disconnected => "was disconnected by its client".into(),
        }
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.in_words())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limits_of_a_case_are_named_as_they_are() {
        let told = Inconclusive::TooManyRequests.to_string();
        let limits = format!("{MOST_REQUESTS} requests, or {} MiB", MOST_REQUEST_BYTES >> 20);
        assert!(told.ends_with(&limits), "{told}");
    }
}
