//! `FP-CLIENT-12`: what an earlier attempt's answer had in its head is not true of another one's.

use fallproof_suite::requirement::Code;
use serde_json::Value;

use super::error::error_of;
use crate::collector::Collector;
use crate::contains;
use crate::observe::{Attempt, Ended, View};
use crate::violation::ClientViolation::StaleHeader;

/// Headers that say the same whoever answers, or that each server writes anew.
const GENERAL: [&str; 11] = [
    "content-type",
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
    let told: Vec<_> = attempts.iter().filter(|attempt| is_told(view, attempt)).collect();
    // In words of the gateway's own nobody speaks: they come after the last attempt.
    let told = if told.is_empty() { attempts.last().into_iter().collect() } else { told };
    let failed = |it: &&Attempt<'_>| {
        told.iter().all(|told| told.deployment.prefix != it.deployment.prefix)
            && !matches!(it.ended(), Ended::Success | Ended::Interrupted)
    };
    for (name, value) in &view.step.exchange.headers {
        let same = |attempt: &Attempt<'_>| {
            let mut headers = attempt.recorded.reply_headers();
            headers.any(|(it, said)| it.eq_ignore_ascii_case(name) && said.as_bytes() == value)
        };
        let is_general = GENERAL.iter().any(|it| it.eq_ignore_ascii_case(name));
        if is_general || told.iter().any(|it| same(it)) {
            continue;
        }
        if let Some(stale) = attempts.iter().filter(failed).find(|it| same(it)) {
            found.breach(Code::Client12, StaleHeader { header: name.clone() }).at(stale);
        }
    }
}

/// Whether the client is told what this attempt was answered: by its mark, or by an error's words.
fn is_told(view: View<'_>, attempt: &Attempt<'_>) -> bool {
    let exchange = &view.step.exchange;
    let is_error = exchange.status.is_none_or(|status| status >= 400);
    let has_words = |error: Value| {
        let said = error["message"].as_str().unwrap_or_default();
        !said.is_empty() && contains(&exchange.body, said)
    };
    attempt.deployment.marker().found_in(&exchange.body)
        || is_error && error_of(&attempt.recorded.reply).is_some_and(has_words)
}
