//! Evidence: all that was seen of a case, as a value.
//!
//! Times are since the start of the run, unless they say otherwise.

use std::fmt;
use std::time::{Duration, SystemTime};

use fallproof_protocol::request_log::{RecordedRequest, Traffic};
use fallproof_protocol::{encoding, sse};
use serde::{Deserialize, Serialize};
use strum::{Display, IntoStaticStr};

use crate::capabilities::Capabilities;
use crate::plan::Group;
use crate::scenario::Scenario;
use crate::skip::SkipReason;

/// No answer of a target is read beyond this many bytes.
pub const MOST_ANSWER_BYTES: usize = 64 * 1024 * 1024;

/// What a run yields of one case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// The scenario's id.
    pub scenario: String,
    /// When it began.
    #[serde(with = "encoding")]
    pub started: Duration,
    /// How long it took.
    #[serde(with = "encoding")]
    pub took: Duration,
    /// What came of it.
    pub result: CaseResult,
}

impl Evidence {
    /// Of a scenario that was not played.
    pub fn without_calls(scenario: &Scenario, result: CaseResult) -> Self {
        let (started, took) = (Duration::ZERO, Duration::ZERO);
        Self { scenario: scenario.id.clone(), started, took, result }
    }

    /// Its calls, in the order in which they began; none where it was not played.
    pub fn calls(&self) -> &[CallEvidence] {
        match &self.result {
            CaseResult::Played(calls) => calls,
            _ => &[],
        }
    }
}

/// What must be known of a target to judge it.
#[derive(Debug, Clone, Copy)]
pub struct TargetFacts<'a> {
    /// The groups that it was configured with for the scenario.
    pub groups: &'a [Group],
    /// What it says of itself.
    pub capabilities: &'a Capabilities,
    /// The key that its client gave to it.
    pub gateway_key: &'a str,
    /// The time of day when the run started.
    pub started: SystemTime,
}

/// What came of running a case; nothing of this is a verdict on the target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaseResult {
    /// It was played. Holds its calls, in the order in which they began.
    Played(Vec<CallEvidence>),
    /// It was not run.
    Skipped(SkipReason),
    /// The target could not be tried.
    Inconclusive(Inconclusive),
    /// A fault of Fallproof's own. Holds what went wrong.
    HarnessError(String),
}

/// Why nothing can be said of a target.
#[derive(Debug, Clone, PartialEq, Eq, Display, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Inconclusive {
    /// It was not there.
    #[strum(to_string = "the target {0}")]
    Unreachable(Ending),
    /// A plain call shows that a group of it is not wired to the deployments that stand for its
    /// deployments.
    #[strum(to_string = "{complaint}")]
    NotWired {
        /// What became of the call.
        complaint: String,
        /// The target went before it was seen: of one that is back, something can be said.
        is_gone: bool,
    },
    /// Nothing was tried: the group is not wired, or a cache answered.
    #[strum(
        to_string = "no attempt reached a deployment, and the target answered {status}: {answer}"
    )]
    NobodyAsked {
        /// The status of the answer.
        status: u16,
        /// How it begins.
        answer: String,
    },
    /// The gateway could not be started for this batch.
    #[strum(to_string = "{batch}: {error}")]
    NotStarted {
        /// The batch, in words.
        batch: String,
        /// What went wrong.
        error: String,
    },
    /// The gateway ended by itself, and could not be started again.
    #[strum(to_string = "the gateway could not be started again: {error}")]
    NotStartedAgain {
        /// What went wrong.
        error: String,
    },
    /// It was not run.
    #[strum(to_string = "{0}")]
    Skipped(SkipReason),
    /// Its evidence is longer than a file of evidence keeps of one case.
    #[strum(to_string = "its evidence is too long to be kept")]
    TooLong,
}

impl Inconclusive {
    /// Whether the target was not there, or went: of one that is back, something can be said.
    pub fn is_gone(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::NotWired { is_gone: true, .. })
    }
}

/// What happened between the start and the end of one client call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallEvidence {
    /// Index of its step in the scenario, from 0.
    pub position: usize,
    /// Its index among the calls that are made at the same time, from 0.
    pub call: usize,
    /// The group that it asked for, by its name in the scenario.
    pub group: String,
    /// The target's time when it was made, since the scenario's start.
    #[serde(with = "encoding")]
    pub at: Duration,
    /// The client's side.
    pub exchange: Exchange,
    /// The providers' side, in order of arrival; attempts at the group's deployments only.
    pub requests: Vec<RecordedRequest>,
    /// What reached deployments of the scenario that belong to groups nobody asked for.
    pub misdirected: Vec<RecordedRequest>,
}

impl CallEvidence {
    /// Everything that reached a deployment: the attempts, and what was misdirected.
    pub fn all_requests(&self) -> impl Iterator<Item = &RecordedRequest> {
        self.requests.iter().chain(&self.misdirected)
    }
}

/// One client call, as it went.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exchange {
    /// The path that was called.
    pub path: String,
    /// The head that was sent, up to and with the empty line.
    #[serde(with = "encoding")]
    pub sent_head: Vec<u8>,
    /// The body that was sent.
    #[serde(with = "encoding")]
    pub sent: Vec<u8>,
    /// The status of the answer; `None` where no head came.
    pub status: Option<u16>,
    /// The answer's headers as they came.
    #[serde(with = "encoding")]
    pub headers: Vec<(String, Vec<u8>)>,
    /// The answer's body, freed of chunked coding.
    #[serde(with = "encoding")]
    pub body: Vec<u8>,
    /// The answer as it came over the connection, head, coding and all; times since `started`.
    pub received: Traffic,
    /// How the answer ended.
    pub ending: Ending,
    /// When it began, before the connect.
    #[serde(with = "encoding")]
    pub started: Duration,
    /// From the connect to the end.
    #[serde(with = "encoding")]
    pub took: Duration,
}

impl Exchange {
    /// The `id` of the answer, or of the response that its events tell of.
    pub fn answer_id(&self) -> Option<String> {
        sse::response_id(&self.body)
    }
}

/// How an answer ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "kebab-case")]
pub enum Ending {
    /// As HTTP says it must.
    Complete,
    /// The connection was closed before the answer was through.
    Closed,
    /// The connection was reset before the answer was through.
    Reset,
    /// The answer was not through when the time was up.
    TimedOut,
    /// What came is not HTTP/1.1. Holds what is wrong.
    NotHttp(String),
    /// More came than is read of any answer.
    TooLong,
    /// There was no connection. Holds the system's words.
    Unreachable(String),
    /// The client itself left, as the scenario has it.
    Disconnected,
}

impl Ending {
    /// What happened, as the end of a sentence that starts with "the target".
    pub fn in_words(&self) -> String {
        match self {
            Self::Complete => "answered".into(),
            Self::Closed => "closed the connection before its answer was through".into(),
            Self::Reset => "reset the connection before its answer was through".into(),
            Self::TimedOut => "did not finish its answer in time".into(),
            Self::NotHttp(what) => format!("answered something that is not HTTP ({what})"),
            Self::TooLong => format!("answered more than {MOST_ANSWER_BYTES} bytes"),
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
