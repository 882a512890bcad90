//! The request log: every request that reached the wire, raw, with what was answered and when.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::behavior::WireFault;
use crate::encoding;
use crate::http1;
use crate::limits::MOST_BODY_BYTES;
use crate::provider::{Endpoint, Surface};
use crate::violation::Violation;

/// What kind of request reached the wire.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum RequestKind {
    /// An attempt: a POST to a known deployment.
    #[default]
    Attempt,
    /// A look around: health, model list and the like, at a known deployment. Never an attempt.
    Probe,
    /// Anything else: no known deployment, or not HTTP at all.
    Unmatched,
}

/// One request that reached the wire, kept as it came.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordedRequest {
    /// Order of arrival over all deployments, from 0.
    pub seq: u64,
    /// What kind of request it is.
    pub kind: RequestKind,
    /// The prefix of the deployment it was addressed to; `None` for an unmatched one.
    pub prefix: Option<String>,
    /// Which attempt at its deployment this is, from 1; 0 where it is none.
    pub attempt: u32,
    /// The request head as it came, up to and with the empty line.
    #[serde(with = "encoding")]
    pub head: Vec<u8>,
    /// The method.
    pub method: String,
    /// Path and query below the deployment's prefix, as sent.
    pub target: String,
    /// Header names and values in the order sent; names as spelled.
    #[serde(with = "encoding")]
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body, freed of chunked coding, otherwise as it came; its beginning where it was longer
    /// than the request log keeps.
    #[serde(with = "encoding")]
    pub body: Vec<u8>,
    /// How long the body was where only its beginning was kept.
    pub body_cut: Option<usize>,
    /// The surface and the endpoint that the path led to; `None` where the provider has no such
    /// path.
    pub route: Option<(Surface, Endpoint)>,
    /// What the provider would find wrong with the request: what it was refused for, or (of
    /// documented strength) what it was let through with.
    pub violation: Option<Violation>,
    /// True where the answer is the provider's own refusal and not the scripted behavior.
    pub refused: bool,
    /// The catalogue name of what was played.
    pub behavior: String,
    /// The fault: what the wire was told to do to the reply.
    pub wire: WireFault,
    /// The status that was sent; `None` where no head was sent.
    pub status: Option<u16>,
    /// Status line and headers of the reply as decided by the provider, without those that frame its
    /// body; sent unless the fault keeps it back.
    #[serde(with = "encoding")]
    pub reply_head: Vec<u8>,
    /// The whole body of the reply as decided by the provider (not what a cut let through); its
    /// beginning where it was longer than the request log keeps.
    #[serde(with = "encoding")]
    pub reply: Vec<u8>,
    /// How long the reply's body was where only its beginning was kept.
    pub reply_cut: Option<usize>,
    /// How many bytes of the reply's body were handed to the system to send, up to now. A client
    /// may have got fewer: a reset loses what is still on its way.
    pub sent: usize,
    /// The reply as it was handed to the system to send: head, coding and all.
    pub out: Traffic,
    /// When things happened.
    pub times: RequestTimes,
    /// True where the client closed or reset the connection before the reply was through.
    pub client_gone: bool,
}

impl RecordedRequest {
    /// The values of a header, whatever the case of its name, in the order sent.
    pub fn header<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        http1::values(&self.headers, name)
    }

    /// The headers of the reply, in the order sent.
    pub fn reply_headers(&self) -> impl Iterator<Item = (&str, &str)> {
        let head = std::str::from_utf8(&self.reply_head).unwrap_or_default();
        let lines = head.split("\r\n").skip(1).filter_map(|line| line.split_once(':'));
        lines.map(|(name, value)| (name, value.trim()))
    }

    /// Has its times count from another moment, which is `earlier` before the one they count from.
    pub fn count_from(&mut self, earlier: Duration) {
        let RequestTimes { accepted, head, body, first_byte, end } = &mut self.times;
        let optional = [first_byte, end].into_iter().flatten();
        let pieces = self.out.pieces.iter_mut().map(|(at, _)| at);
        for time in [accepted, head, body].into_iter().chain(optional).chain(pieces) {
            *time += earlier;
        }
    }

    /// About how much memory it takes, in bytes.
    pub fn weight(&self) -> usize {
        let headers = self
            .headers
            .iter()
            .map(|(name, value)| size_of::<(String, Vec<u8>)>() + name.len() + value.len());
        size_of::<Self>()
            + self.head.len()
            + headers.sum::<usize>()
            + self.body.len()
            + self.reply_head.len()
            + self.reply.len()
    }
}

/// Bytes as they went over a connection, piece by piece.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Traffic {
    /// The bytes; their beginning where there were more than are kept.
    #[serde(with = "encoding")]
    pub bytes: Vec<u8>,
    /// When each piece went, and where it ends; the end of the last one is how many there were.
    #[serde(with = "encoding")]
    pub pieces: Vec<(Duration, usize)>,
}

impl Traffic {
    /// Adds a piece that goes at this time; of all bytes together at most so many are kept.
    pub fn push(&mut self, at: Duration, piece: &[u8], most: usize) {
        self.push_parts(at, &[piece], most);
    }

    /// Likewise, a piece that is made of these parts.
    pub fn push_parts(&mut self, at: Duration, parts: &[&[u8]], most: usize) {
        let mut end = self.length();
        for part in parts {
            let room = most.saturating_sub(self.bytes.len()).min(part.len());
            self.bytes.extend_from_slice(&part[..room]);
            end += part.len();
        }
        self.pieces.push((at, end));
    }

    /// How many bytes there were.
    pub fn length(&self) -> usize {
        self.pieces.last().map_or(0, |(_, end)| *end)
    }
}

/// How much the request log keeps. Where it would be more, the oldest requests are dropped, and counted.
///
/// Unmatched requests are kept apart, within the same limits, so that they never push out an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most requests, over all deployments.
    pub requests: usize,
    /// The most bytes that these take in memory. The latest request is kept whatever it takes.
    pub bytes: usize,
    /// The most bytes of one body, of a request or of a reply.
    pub body: usize,
}

impl Default for Limits {
    /// 10,000 requests, 256 MiB, and of each body as much as a mock takes: what it answers is kept whole.
    fn default() -> Self {
        Self { requests: 10_000, bytes: 256 * 1024 * 1024, body: MOST_BODY_BYTES }
    }
}

/// When things happened, since the wire was started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestTimes {
    /// The connection was accepted; the same for all requests on it.
    #[serde(with = "encoding")]
    pub accepted: Duration,
    /// The request head was complete.
    #[serde(with = "encoding")]
    pub head: Duration,
    /// The request body was complete.
    #[serde(with = "encoding")]
    pub body: Duration,
    /// The first byte of the reply was sent; `None` where none was.
    #[serde(with = "encoding")]
    pub first_byte: Option<Duration>,
    /// The reply was through, cut, or given up; `None` while it runs.
    #[serde(with = "encoding")]
    pub end: Option<Duration>,
}
