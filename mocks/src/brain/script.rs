//! Scripts: which behaviour an attempt meets, and what it makes of the reply.

use std::fmt;

use http::{HeaderName, HeaderValue};

use super::Upstream;
use crate::behaviour::{Behaviour, CONNECT_TIMEOUT, CONNECTION_REFUSED, WirePlan};
use crate::errors::{self, Reply};
use crate::provider::{Deployment, Endpoint};
use crate::reply;

/// Headers that say how a reply is framed: the wire writes them, no script does.
pub(crate) const FRAMING: [&str; 4] =
    ["content-length", "transfer-encoding", "connection", "keep-alive"];

/// What becomes the deployment's credential in the words of a script.
const KEY: &str = "{{key}}";

/// Why an upstream cannot be played.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScriptError {
    /// The prefix is not two path segments. Holds it.
    Prefix(String),
    /// No behaviour of the catalogue has this name.
    UnknownBehaviour(String),
    /// A behaviour that never happens: `times` is from 1.
    Never,
    /// A final status has three digits from 200 on. Holds what was asked for.
    Status(u16),
    /// Not a header, or one that the wire writes itself. Holds name and value.
    Header(String, String),
}

impl fmt::Display for ScriptError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Prefix(prefix) => {
                write!(formatter, "prefix `{prefix}` is not of the form `/scenario/upstream`")
            }
            Self::UnknownBehaviour(name) => write!(formatter, "there is no behaviour `{name}`"),
            Self::Never => {
                formatter.write_str("a behaviour happens at least once: `times` is from 1")
            }
            Self::Status(status) => {
                write!(formatter, "status {status} cannot be sent: it must be from 200 to 599")
            }
            Self::Header(name, value) if FRAMING.contains(&name.to_ascii_lowercase().as_str()) => {
                write!(formatter, "header `{name}: {value}` is the wire's; use `wire` to break it")
            }
            Self::Header(name, value) => {
                write!(formatter, "`{name}: {value}` is not a valid header")
            }
        }
    }
}

impl std::error::Error for ScriptError {}

/// Every behaviour that a script may name: those of the error catalogue, `ok` first, then success
/// replies gone another way.
pub fn behaviours() -> impl Iterator<Item = errors::Entry> {
    errors::catalogue().chain(reply::COURSES)
}

/// The names of the [`behaviours`].
pub fn behaviour_names() -> impl Iterator<Item = &'static str> {
    behaviours().map(|entry| entry.name)
}

/// Whether everything in this upstream can be played.
pub(super) fn validate(upstream: &Upstream) -> Result<(), ScriptError> {
    let segments: Vec<_> = upstream.prefix.split('/').collect();
    let plain = |segment: &str| !segment.is_empty() && !segment.contains(['?', '#', ' ']);
    if !matches!(segments[..], ["", scenario, name] if plain(scenario) && plain(name)) {
        return Err(ScriptError::Prefix(upstream.prefix.clone()));
    }
    for behaviour in &upstream.script {
        if !behaviour_names().any(|name| name == behaviour.reply) {
            return Err(ScriptError::UnknownBehaviour(behaviour.reply.clone()));
        }
        if behaviour.times == 0 {
            return Err(ScriptError::Never);
        }
        if let Some(status) = behaviour.status.filter(|status| !(200..600).contains(status)) {
            return Err(ScriptError::Status(status));
        }
        if let Some((name, value)) = unsendable(behaviour).next() {
            return Err(ScriptError::Header(name.clone(), value.clone()));
        }
    }
    Ok(())
}

/// The headers of this behaviour that are none, or that the wire writes itself.
pub fn unsendable(behaviour: &Behaviour) -> impl Iterator<Item = (&String, &String)> {
    behaviour.headers.iter().filter(|(name, value)| {
        FRAMING.contains(&name.to_ascii_lowercase().as_str())
            || HeaderName::try_from(*name).is_err()
            || HeaderValue::try_from(*value).is_err()
    })
}

/// The behaviour that this attempt meets, counted from 1; `None` after the script's end.
pub(super) fn entry(script: &[Behaviour], repeat_last: bool, attempt: u32) -> Option<&Behaviour> {
    let mut before = 0_u64;
    for behaviour in script {
        before += u64::from(behaviour.times);
        if u64::from(attempt) <= before {
            return Some(behaviour).filter(|behaviour| plays_here(behaviour));
        }
    }
    script.last().filter(|behaviour| repeat_last && plays_here(behaviour))
}

/// Whoever was to refuse connections, or to leave them unanswered, was asked at the port that does;
/// an attempt that reaches the wire all the same is one that nobody expects.
fn plays_here(behaviour: &Behaviour) -> bool {
    ![CONNECTION_REFUSED, CONNECT_TIMEOUT].contains(&behaviour.reply.as_str())
}

/// The catalogue's reply of this behaviour, `None` where it is the success reply, and what the
/// wire does: what the behaviour says itself goes before what the catalogue says.
pub(super) fn scripted(
    behaviour: &Behaviour,
    deployment: &Deployment,
    endpoint: Endpoint,
) -> (Option<Reply>, WirePlan) {
    let (reply, wire) =
        errors::behaviour(&behaviour.reply, deployment, endpoint).unwrap_or_default();
    (reply, behaviour.wire.clone().or(wire))
}

/// The two headers that say how long to wait. Whoever reads both goes by the finer one, so that a
/// script's word for one would say nothing beside the reply's own other one.
const WAITS: [&str; 2] = ["retry-after", "retry-after-ms"];

/// Puts the behaviour's headers in place of the reply's; one of the two that say how long to wait
/// takes the place of both.
pub fn override_headers(behaviour: &Behaviour, headers: &mut Vec<(String, String)>) {
    let waits = |name: &str| WAITS.iter().any(|wait| wait.eq_ignore_ascii_case(name));
    let says_how_long = behaviour.headers.keys().any(|name| waits(name));
    headers.retain(|(name, _)| {
        let replaced = behaviour.headers.keys().any(|own| own.eq_ignore_ascii_case(name));
        !(replaced || says_how_long && waits(name))
    });
    let own = behaviour.headers.iter();
    headers.extend(own.map(|(name, value)| (name.clone(), value.clone())));
}

/// The reply with what the behaviour replaces in it.
pub(super) fn overridden(
    behaviour: &Behaviour,
    deployment: &Deployment,
    mut reply: Reply,
) -> Reply {
    if let Some(status) = behaviour.status {
        reply.status = status;
    }
    override_headers(behaviour, &mut reply.headers);
    for (_, value) in &mut reply.headers {
        *value = value.replace(KEY, &deployment.key);
    }
    if let Some(body) = &behaviour.body {
        reply.body = body.replace(KEY, &deployment.key).into_bytes();
    }
    reply
}
