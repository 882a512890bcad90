//! Error responses. `FP-CLIENT-05`: they have OpenAI's format. `FP-CLIENT-06`: the status matches
//! the failure of an attempt. `FP-CLIENT-08`: they include the provider's reason for a refusal.

use fallproof_suite::requirement::Code;
use serde_json::Value;

use crate::collector::Collector;
use crate::observe::{Attempt, AttemptOutcome};
use crate::violation::ClientViolation::{InventedStatus, NoErrorObject, ReasonNotReported};
use crate::violation::ProviderFailure;

/// The `error` object of a body, if it has one.
pub(crate) fn error_of(body: &[u8]) -> Option<Value> {
    let body: Value = serde_json::from_slice(body).ok()?;
    body.get("error").filter(|error| error.is_object()).cloned()
}

pub(super) fn shape(found: &mut Collector<'_>, status: u16) {
    let error = error_of(&found.view.observed.exchange.body);
    if !error.is_some_and(|error| error["message"].is_string()) {
        found.breach(Code::Client05, NoErrorObject { status });
    }
}

/// A gateway may choose which of several failures to report, but must not invent one.
pub(super) fn status(found: &mut Collector<'_>, attempts: &[Attempt<'_>], status: u16) {
    let fits = |attempt: &Attempt<'_>| match attempt.outcome() {
        AttemptOutcome::Error(400 | 413 | 422) => (400..500).contains(&status),
        AttemptOutcome::Error(429) => matches!(status, 429 | 503),
        AttemptOutcome::Broken if attempt.is_broken_refusal() => true,
        // Some gateways report a provider's timeout with 408.
        AttemptOutcome::Error(408 | 500..=599) | AttemptOutcome::Broken => {
            matches!(status, 408 | 429 | 500..=599)
        }
        // The other outcomes allow any status. For example, a 401 is a mistake of the operator, who
        // decides how to report it.
        AttemptOutcome::Success
        | AttemptOutcome::Error(_)
        | AttemptOutcome::ErrorInSuccess
        | AttemptOutcome::Interrupted => true,
    };
    let view = found.view;
    // Attempts at a deployment that does not accept connections are not observed, but they
    // certainly failed.
    let unseen = (0..view.group.chain.len()).any(|chain_index| !view.visible(chain_index));
    let by_unseen = unseen && matches!(status, 408 | 429 | 500..=599);
    if !by_unseen && !attempts.iter().any(fits) {
        let failure = |attempt: &Attempt<'_>| match attempt.outcome() {
            AttemptOutcome::Error(status) => ProviderFailure::Status(status),
            _ => ProviderFailure::Broken,
        };
        let failures = attempts.iter().map(failure).collect();
        found.breach(Code::Client06, InventedStatus { failures, status });
    }
}

/// Checks that the response includes the reason for a refusal; a gateway may add text to it. Does
/// not check a message that contains the deployment's API key, because the gateway must redact the
/// key (AUTH).
pub(super) fn reason(found: &mut Collector<'_>, last: &Attempt<'_>) {
    let (AttemptOutcome::Error(400 | 413 | 422), Some(error)) =
        (last.outcome(), error_of(&last.recorded.reply))
    else {
        return;
    };
    let message = error["message"].as_str().filter(|it| !it.contains(&last.deployment.key));
    let Some(message) = message else { return };
    // Without an error in OpenAI's format there is no message to check.
    let Some(shown) = error_of(&found.view.observed.exchange.body) else { return };
    // The reason is the first sentence. A gateway may omit what follows, for example a link to
    // help.
    let reason = message.trim().split_inclusive(". ").next().unwrap_or_default().trim();
    if !shown["message"].as_str().is_some_and(|shown| shown.contains(reason)) {
        let kind = ReasonNotReported { refused_by: last.deployment.name.clone() };
        found.breach(Code::Client08, kind).pointing("/error/message");
    }
}
