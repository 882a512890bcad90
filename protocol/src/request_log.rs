//! The request log: every request that reached a mock, as received, with its reply and times.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::behavior::WireFault;
use crate::encoding;
use crate::http1;
use crate::limits::MOST_BODY_BYTES;
use crate::provider::{Endpoint, Surface};
use crate::violation::Violation;

/// Kind of a request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum RequestKind {
    /// An attempt: a POST to a known deployment.
    #[default]
    Attempt,
    /// Another request to a known deployment, such as a health check or a model listing. Never an
    /// attempt.
    Probe,
    /// A POST to a known deployment on a stale connection
    /// ([`KeepAliveFault`](crate::behavior::KeepAliveFault)). It does not count as an attempt.
    Stale,
    /// Anything else: an unknown deployment, or not HTTP.
    Unmatched,
}

/// A request that reached the mock server, as received.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordedRequest {
    /// Arrival order across all deployments, from 0.
    pub seq: u64,
    /// Kind of the request.
    pub kind: RequestKind,
    /// Prefix of the deployment that the request was addressed to; `None` if unmatched.
    pub prefix: Option<String>,
    /// Number of the attempt at its deployment, from 1; 0 if the request is not an attempt.
    pub attempt: u32,
    /// The head as received, including the empty line.
    #[serde(with = "encoding")]
    pub head: Vec<u8>,
    /// The method.
    pub method: String,
    /// Path and query below the deployment's prefix, as sent.
    pub target: String,
    /// Headers in the order sent. Names keep their spelling.
    #[serde(with = "encoding")]
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body, without chunked coding but otherwise as received. Truncated if it exceeds the
    /// limit of the log.
    #[serde(with = "encoding")]
    pub body: Vec<u8>,
    /// Full length of the body if it was truncated.
    pub body_cut: Option<usize>,
    /// The surface and endpoint that the path leads to; `None` if the provider has no such path.
    pub route: Option<(Surface, Endpoint)>,
    /// The violation that the provider would report. If its strength is `documented`, the mock does
    /// not refuse the request.
    pub violation: Option<Violation>,
    /// Whether the reply was the provider's own refusal rather than the scripted behavior.
    pub refused: bool,
    /// Catalogue name of the behavior that was played.
    pub behavior: String,
    /// The transport fault applied to the reply.
    pub wire: WireFault,
    /// The status sent; `None` if no head was sent.
    pub status: Option<u16>,
    /// Status line and headers of the provider's reply, without the headers that frame the body.
    /// They are recorded even if a fault prevents them from being sent.
    #[serde(with = "encoding")]
    pub reply_head: Vec<u8>,
    /// The complete body of the provider's reply, even if only a part was sent. Truncated if it
    /// exceeds the limit of the log.
    #[serde(with = "encoding")]
    pub reply: Vec<u8>,
    /// Full length of the reply's body if it was truncated.
    pub reply_cut: Option<usize>,
    /// Number of body bytes handed to the operating system so far. The client may have received
    /// fewer, since a reset discards bytes in transit.
    pub sent: usize,
    /// The bytes handed to the operating system so far, including the head and the transfer coding.
    pub out: Traffic,
    /// Times of the request and its reply.
    pub times: RequestTimes,
    /// Whether the client closed or reset the connection before the reply was complete.
    pub client_gone: bool,
}

impl RecordedRequest {
    /// The values of a header, in the order sent. The name is case-insensitive.
    pub fn header<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        http1::values(&self.headers, name)
    }

    /// The headers of the reply, in the order sent.
    pub fn reply_headers(&self) -> impl Iterator<Item = (&str, &str)> {
        let head = std::str::from_utf8(&self.reply_head).unwrap_or_default();
        let lines = head.split("\r\n").skip(1).filter_map(|line| line.split_once(':'));
        lines.map(|(name, value)| (name, value.trim()))
    }

    /// Moves the origin of all times back by `earlier`: adds this duration to each of them.
    pub fn count_from(&mut self, earlier: Duration) {
        let RequestTimes { accepted, head, body, first_byte, end } = &mut self.times;
        let optional = [first_byte, end].into_iter().flatten();
        let pieces = self.out.pieces.iter_mut().map(|(at, _)| at);
        for time in [accepted, head, body].into_iter().chain(optional).chain(pieces) {
            *time += earlier;
        }
    }

    /// Approximate memory use, in bytes.
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
            + self.out.weight()
    }
}

/// Maximum number of pieces of which the times are stored.
const MOST_PIECES: usize = 1 << 16;

/// Bytes sent over a connection, with the time of each piece.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Traffic {
    /// The bytes; truncated if they exceed the limit.
    #[serde(with = "encoding")]
    pub bytes: Vec<u8>,
    /// Time and end offset of each piece. The last offset is the full length. If there are very many
    /// pieces, the last one stands for all that follow, with the time of the latest.
    #[serde(with = "encoding")]
    pub pieces: Vec<(Duration, usize)>,
}

impl Traffic {
    /// Appends a piece that was sent at the time `at`. At most `most` bytes are stored in total.
    pub fn push(&mut self, at: Duration, piece: &[u8], most: usize) {
        self.push_parts(at, &[piece], most);
    }

    /// Appends a piece that consists of several parts.
    pub fn push_parts(&mut self, at: Duration, parts: &[&[u8]], most: usize) {
        let mut end = self.length();
        for part in parts {
            let room = most.saturating_sub(self.bytes.len()).min(part.len());
            self.bytes.extend_from_slice(&part[..room]);
            end += part.len();
        }
        if self.pieces.len() >= MOST_PIECES {
            self.pieces.pop();
        }
        self.pieces.push((at, end));
    }

    /// Approximate memory use, in bytes.
    pub fn weight(&self) -> usize {
        self.bytes.len() + self.pieces.len() * size_of::<(Duration, usize)>()
    }

    /// Full length, in bytes.
    pub fn length(&self) -> usize {
        self.pieces.last().map_or(0, |(_, end)| *end)
    }
}

/// Size limits of the request log. When the log exceeds them, the oldest requests are dropped and
/// counted.
///
/// Unmatched requests are stored separately, within the same limits, so that they never displace an
/// attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Maximum number of requests across all deployments.
    pub requests: usize,
    /// Maximum memory use of these requests, in bytes. The latest request is stored even if it
    /// exceeds the limit.
    pub bytes: usize,
    /// Maximum stored length of a request body or reply body, in bytes. Of a longer body, at most
    /// 1 MiB is stored.
    pub body: usize,
}

impl Default for Limits {
    /// 10,000 requests, 256 MiB, and the longest body that a mock accepts.
    fn default() -> Self {
        Self { requests: 10_000, bytes: 256 * 1024 * 1024, body: MOST_BODY_BYTES }
    }
}

/// Times of a request and its reply, counted from the start of the mock server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestTimes {
    /// When the connection was accepted. The same for all requests of a connection.
    #[serde(with = "encoding")]
    pub accepted: Duration,
    /// When the request head was complete.
    #[serde(with = "encoding")]
    pub head: Duration,
    /// When the request body was complete.
    #[serde(with = "encoding")]
    pub body: Duration,
    /// When the first byte of the reply was sent; `None` if nothing was sent.
    #[serde(with = "encoding")]
    pub first_byte: Option<Duration>,
    /// When the reply was completed, cut or abandoned; `None` while it is in progress.
    #[serde(with = "encoding")]
    pub end: Option<Duration>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_so_many_pieces_are_stored_and_they_count_as_memory() {
        let mut traffic = Traffic::default();
        for at in 0..MOST_PIECES + 10 {
            traffic.push(Duration::from_micros(at as u64), b"x", 100);
        }
        assert_eq!((traffic.pieces.len(), traffic.length()), (MOST_PIECES, MOST_PIECES + 10));
        let latest = Duration::from_micros(MOST_PIECES as u64 + 9);
        assert_eq!(traffic.pieces.last(), Some(&(latest, MOST_PIECES + 10)));
        assert_eq!(traffic.weight(), 100 + 24 * MOST_PIECES);
        let recorded = RecordedRequest { out: traffic, ..RecordedRequest::default() };
        assert!(recorded.weight() > 24 * MOST_PIECES);
    }
}
