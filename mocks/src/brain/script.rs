//! Scripts: which behaviour an attempt meets, and what it makes of the reply.

use super::Upstream;
use crate::Reply;
use crate::behaviour::{Behaviour, CONNECT_TIMEOUT, CONNECTION_REFUSED, ScriptError, WirePlan};
use crate::errors;
use crate::provider::{Deployment, Endpoint};

/// What becomes the deployment's credential in the words of a script.
const KEY: &str = "{{key}}";

/// Whether everything in this upstream can be played.
pub(super) fn validate(upstream: &Upstream) -> Result<(), ScriptError> {
    let segments: Vec<_> = upstream.prefix.split('/').collect();
    let plain = |segment: &str| !segment.is_empty() && !segment.contains(['?', '#', ' ']);
    if !matches!(segments[..], ["", scenario, name] if plain(scenario) && plain(name)) {
        return Err(ScriptError::Prefix(upstream.prefix.clone()));
    }
    upstream.script.iter().try_for_each(Behaviour::validate)
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
    if !behaviour.headers.is_empty() {
        override_headers(behaviour, &mut reply.headers);
        for (_, value) in &mut reply.headers {
            *value = value.replace(KEY, &deployment.key);
        }
    }
    if let Some(body) = &behaviour.body {
        reply.body = body.replace(KEY, &deployment.key).into_bytes();
    }
    reply
}
