//! Scripts: whether they can be played, and how a behavior changes the reply.

use std::time::{Duration, SystemTime};

use super::MockDeployment;
use crate::Reply;
use crate::behavior::{Behavior, ScriptError, WireFault};
use crate::errors;
use crate::provider::{Deployment, Endpoint};
use fallproof_protocol::letters::with_letters;

/// Placeholder for the deployment's credential in the headers and bodies of a script.
const KEY: &str = "{{key}}";

/// Placeholder in a scripted body for the marker of the deployment's replies.
const MARKER: &str = "{{marker}}";
/// Start of the placeholder in a scripted header for a date, as in `{{date:20}}`.
const DATE: &str = "{{date:";

/// Checks that this mock's script can be played.
pub(super) fn validate(mock: &MockDeployment) -> Result<(), ScriptError> {
    let segments: Vec<_> = mock.prefix.split('/').collect();
    let plain = |segment: &str| !segment.is_empty() && !segment.contains(['?', '#', ' ']);
    if !matches!(segments[..], ["", scenario, name] if plain(scenario) && plain(name)) {
        return Err(ScriptError::Prefix(mock.prefix.clone()));
    }
    mock.script.iter().try_for_each(Behavior::validate)
}

/// The catalogue's error reply for this behavior (`None` if it sends the success reply) and the
/// transport fault. The fault settings in the script override those of the catalogue.
pub(super) fn scripted(
    behavior: &Behavior,
    deployment: &Deployment,
    endpoint: Endpoint,
) -> (Option<Reply>, WireFault) {
    let (reply, wire) = errors::behavior(&behavior.reply, deployment, endpoint).unwrap_or_default();
    (reply, behavior.wire.clone().or(wire))
}

/// The headers that say how long to wait. If a reply has both, clients use `retry-after-ms`, so a
/// script that sets only one of them must remove the other.
const WAITS: [&str; 2] = ["retry-after", "retry-after-ms"];

/// Sets the headers of the behavior, which replace headers with the same name. If the behavior sets
/// only one of `retry-after` and `retry-after-ms`, the other one is removed.
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

/// Applies the behavior's overrides to the reply.
pub(super) fn overridden(behavior: &Behavior, mock: &MockDeployment, mut reply: Reply) -> Reply {
    let key = &mock.deployment.key;
    if let Some(status) = behavior.status {
        reply.status = status;
    }
    if !behavior.headers.is_empty() {
        override_headers(behavior, &mut reply.headers);
        for (_, value) in &mut reply.headers {
            *value = with_dates(&value.replace(KEY, key), SystemTime::now());
        }
    }
    if let Some(body) = &behavior.body {
        let body = body.replace(KEY, key).replace(MARKER, mock.marker.token());
        reply.body = with_letters(body).into_bytes();
    }
    reply
}

/// Replaces `{{date:n}}` with the date n seconds from now; n may be negative.
fn with_dates(text: &str, now: SystemTime) -> String {
    let replaced = || {
        let (before, rest) = text.split_once(DATE)?;
        let (seconds, after) = rest.split_once("}}")?;
        // Dates far away cannot be written in a header.
        let seconds: i64 = seconds.parse().ok().filter(|it: &i64| it.abs() < 1_000_000_000)?;
        let by = Duration::from_secs(seconds.unsigned_abs());
        let date = if seconds < 0 { now.checked_sub(by) } else { now.checked_add(by) };
        Some(format!("{before}{}{}", httpdate::fmt_http_date(date?), with_dates(after, now)))
    };
    replaced().unwrap_or_else(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_relative_to_now() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(60);
        let with_dates = |text| with_dates(text, now);
        assert_eq!(with_dates("{{date:20}}"), "Thu, 01 Jan 1970 00:01:20 GMT");
        assert_eq!(
            with_dates("a {{date:-60}} b {{date:x}}"),
            "a Thu, 01 Jan 1970 00:00:00 GMT b {{date:x}}"
        );
        assert_eq!(with_dates("{{date:"), "{{date:");
    }
}
