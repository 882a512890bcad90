//! `FP-CLIENT-12`: the response does not contain headers from an earlier, failed attempt. A header is
//! recognized by its name and value; the id of an answer by its value alone.

use fallproof_suite::requirement::Code;
use serde_json::Value;

use super::error::error_of;
use crate::collector::Collector;
use crate::contains;
use crate::observe::{Attempt, AttemptOutcome, View};
use crate::violation::ClientViolation::StaleHeader;

/// Headers that do not depend on the deployment, or that each server writes itself.
const GENERAL: [&str; 12] = [
    "content-type",
    "content-encoding",
    "content-length",
    "connection",
    "date",
    "server",
    "transfer-encoding",
    "vary",
    "cache-control",
    "strict-transport-security",
    "x-accel-buffering",
    "x-content-type-options",
];

pub(super) fn check(found: &mut Collector<'_>) {
    let view = found.view;
    let attempts: Vec<_> = view.attempts().collect();
    let sources: Vec<_> = attempts.iter().filter(|attempt| is_source(view, attempt)).collect();
    // A response that the gateway wrote itself is attributed to the last attempt.
    let sources = if sources.is_empty() { attempts.last().into_iter().collect() } else { sources };
    let failed = |it: &&Attempt<'_>| {
        sources.iter().all(|source| source.deployment.prefix != it.deployment.prefix)
            && !matches!(it.outcome(), AttemptOutcome::Success | AttemptOutcome::Interrupted)
    };
    for (name, value) in &view.observed.exchange.headers {
        let same = |attempt: &Attempt<'_>| {
            let mut headers = attempt.recorded.reply_headers();
            headers.any(|(it, sent)| {
                sent.as_bytes() == value
                    && (it.eq_ignore_ascii_case(name) || is_answer_id(it, sent))
            })
        };
        let is_general = GENERAL.iter().any(|it| it.eq_ignore_ascii_case(name));
        let is_clients = || view.client_headers().any(|(_, sent)| sent.as_bytes() == value);
        if is_general
            || is_own_wait(view, name)
            || sources.iter().any(|it| same(it))
            || is_clients()
        {
            continue;
        }
        if let Some(stale) = attempts.iter().filter(failed).find(|it| same(it)) {
            found.breach(Code::Client12, StaleHeader { header: name.clone() }).at(stale);
        }
    }
}

/// Whether the header identifies one answer of a provider, so that its value is the provider's under
/// any name that the gateway gives it.
fn is_answer_id(name: &str, value: &str) -> bool {
    const SHORTEST: usize = 8;
    name.to_ascii_lowercase().ends_with("request-id") && value.len() >= SHORTEST
}

/// Whether the header tells when to come back. The gateway itself may compute that from the answers
/// of all deployments.
fn is_own_wait(view: View<'_>, name: &str) -> bool {
    matches!(view.observed.exchange.status, Some(429 | 503))
        && ["retry-after", "retry-after-ms"].iter().any(|it| it.eq_ignore_ascii_case(name))
}

/// Whether the response contains the answer to this attempt: the deployment's marker, or the error
/// message.
fn is_source(view: View<'_>, attempt: &Attempt<'_>) -> bool {
    let exchange = &view.observed.exchange;
    let is_error = exchange.status.is_none_or(|status| status >= 400);
    let has_message = |error: Value| {
        let message = error["message"].as_str().unwrap_or_default();
        !message.is_empty() && contains(&exchange.body, message)
    };
    attempt.deployment.marker().found_in(&exchange.body)
        || is_error && error_of(&attempt.recorded.reply).is_some_and(has_message)
}
