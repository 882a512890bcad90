//! Scripts: which behavior an attempt meets, and what it makes of the reply.

use super::MockDeployment;
use crate::Reply;
use crate::behavior::{Behavior, CONNECT_TIMEOUT, CONNECTION_REFUSED, ScriptError, WireFault};
use crate::errors;
use crate::provider::{Deployment, Endpoint};

/// What becomes the deployment's credential in the words of a script.
const KEY: &str = "{{key}}";

/// Whether everything in this mock can be played.
pub(super) fn validate(mock: &MockDeployment) -> Result<(), ScriptError> {
    let segments: Vec<_> = mock.prefix.split('/').collect();
    let plain = |segment: &str| !segment.is_empty() && !segment.contains(['?', '#', ' ']);
    if !matches!(segments[..], ["", scenario, name] if plain(scenario) && plain(name)) {
        return Err(ScriptError::Prefix(mock.prefix.clone()));
    }
    mock.script.iter().try_for_each(Behavior::validate)
}

/// The behavior that this attempt meets, counted from 1; `None` after the script's end.
pub(super) fn entry(script: &[Behavior], repeat_last: bool, attempt: u32) -> Option<&Behavior> {
    let mut before = 0_u64;
    for behavior in script {
        before += u64::from(behavior.count);
        if u64::from(attempt) <= before {
            return Some(behavior).filter(|behavior| plays_here(behavior));
        }
    }
    script.last().filter(|behavior| repeat_last && plays_here(behavior))
}

/// Whoever was to refuse connections, or to leave them unanswered, was asked at the port that does;
/// an attempt that reaches the wire all the same is one that nobody expects.
fn plays_here(behavior: &Behavior) -> bool {
    ![CONNECTION_REFUSED, CONNECT_TIMEOUT].contains(&behavior.reply.as_str())
}

/// The catalogue's reply of this behavior, `None` where it is the success reply, and what the
/// wire does: what the behavior says itself goes before what the catalogue says.
pub(super) fn scripted(
    behavior: &Behavior,
    deployment: &Deployment,
    endpoint: Endpoint,
) -> (Option<Reply>, WireFault) {
    let (reply, wire) = errors::behavior(&behavior.reply, deployment, endpoint).unwrap_or_default();
    (reply, behavior.wire.clone().or(wire))
}

/// The two headers that say how long to wait. Whoever reads both goes by the finer one, so that a
/// script's word for one would say nothing beside the reply's own other one.
const WAITS: [&str; 2] = ["retry-after", "retry-after-ms"];

/// Puts the behavior's headers in route of the reply's; one of the two that say how long to wait
/// takes the route of both.
pub fn override_headers(behavior: &Behavior, headers: &mut Vec<(String, String)>) {
    let waits = |name: &str| WAITS.iter().any(|wait| wait.eq_ignore_ascii_case(name));
    let says_how_long = behavior.headers.keys().any(|name| waits(name));
    headers.retain(|(name, _)| {
        let replaced = behavior.headers.keys().any(|own| own.eq_ignore_ascii_case(name));
        !(replaced || says_how_long && waits(name))
    });
    let own = behavior.headers.iter();
    headers.extend(own.map(|(name, value)| (name.clone(), value.clone())));
}

/// The reply with what the behavior replaces in it.
pub(super) fn overridden(behavior: &Behavior, deployment: &Deployment, mut reply: Reply) -> Reply {
    if let Some(status) = behavior.status {
        reply.status = status;
    }
    if !behavior.headers.is_empty() {
        override_headers(behavior, &mut reply.headers);
        for (_, value) in &mut reply.headers {
            *value = value.replace(KEY, &deployment.key);
        }
    }
    if let Some(body) = &behavior.body {
        reply.body = body.replace(KEY, &deployment.key).into_bytes();
    }
    reply
}
