//! The journal: every request that reached the wire, raw, with what was answered and when.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::behaviour::WirePlan;
use crate::provider::{Endpoint, Surface};
use crate::strict::Violation;

/// What kind of request reached the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum HitKind {
    /// An attempt: a POST to a known upstream.
    Matched,
    /// A look around: health, model list and the like, at a known upstream. Never an attempt.
    Probe,
    /// Anything else: no known upstream, or not HTTP at all.
    Stray,
}

/// One request that reached the wire, kept as it came.
#[derive(Debug, Clone)]
pub struct Hit {
    /// Order of arrival over all upstreams, from 0.
    pub seq: u64,
    /// What kind of request it is.
    pub kind: HitKind,
    /// The prefix of the upstream it was addressed to; `None` for a stray one.
    pub upstream: Option<String>,
    /// Which attempt at its upstream this is, from 1; 0 where it is none.
    pub attempt: u32,
    /// The request head as it came, up to and with the empty line.
    pub head: Vec<u8>,
    /// The method.
    pub method: String,
    /// Path and query below the upstream's prefix, as sent.
    pub target: String,
    /// Header names and values in the order sent; names as spelled.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body, freed of chunked coding, otherwise as it came.
    pub body: Vec<u8>,
    /// The surface and the endpoint that the path led to; `None` where the provider has no such
    /// path.
    pub place: Option<(Surface, Endpoint)>,
    /// What the provider would find wrong with the request: what it was refused for, or (of
    /// documented strength) what it was let through with.
    pub violation: Option<Violation>,
    /// True where the answer is the provider's own refusal and not the scripted behaviour.
    pub refused: bool,
    /// The catalogue name of what was played.
    pub behaviour: String,
    /// What the wire did to the reply.
    pub wire: WirePlan,
    /// The status that was sent; `None` where no head was sent.
    pub status: Option<u16>,
    /// The whole body of the reply as decided by the brain (not what a cut let through).
    pub reply: Vec<u8>,
    /// When things happened.
    pub times: HitTimes,
    /// True where the client closed or reset the connection before the reply was through.
    pub client_gone: bool,
}

impl Hit {
    /// The values of a header, whatever the case of its name, in the order sent.
    pub fn header<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.headers
            .iter()
            .filter(move |(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_slice())
    }
}

/// When things happened, since the wire was started.
#[derive(Debug, Clone, Copy, Default)]
pub struct HitTimes {
    /// The request head was complete.
    pub head: Duration,
    /// The request body was complete.
    pub body: Duration,
    /// The first byte of the reply was sent; `None` where none was.
    pub first_byte: Option<Duration>,
    /// The reply was through, cut, or given up; `None` while it runs.
    pub end: Option<Duration>,
}
