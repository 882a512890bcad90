//! What an error tells. 05: it has OpenAI's shape. 06: its status is that of a failure. 08: the reason
//! of a refusal is in it.

use fallproof_suite::requirement::Code;
use serde_json::Value;

use crate::collector::Collector;
use crate::observe::{Attempt, Ended};
use crate::violation::ClientViolation::{NoErrorObject, ReasonLost, StatusMadeUp};
use crate::violation::ProviderFailure;

/// The `error` object of an answer, where it has one.
pub(crate) fn error_of(body: &[u8]) -> Option<Value> {
    let body: Value = serde_json::from_slice(body).ok()?;
    body.get("error").filter(|error| error.is_object()).cloned()
}

pub(super) fn shape(found: &mut Collector<'_>, status: u16) {
    let error = error_of(&found.view.step.exchange.body);
    if !error.is_some_and(|error| error["message"].is_string()) {
        found.breach(Code::Client05, NoErrorObject { status });
    }
}

/// A gateway may choose which of several failures it tells of, but must not make one up.
pub(super) fn status(found: &mut Collector<'_>, attempts: &[Attempt<'_>], status: u16) {
    let fits = |attempt: &Attempt<'_>| match attempt.ended() {
        Ended::Error(400 | 413 | 422) => (400..500).contains(&status),
        Ended::Error(429) => matches!(status, 429 | 503),
        Ended::Broken if attempt.is_broken_refusal() => true,
        // Some tell of a provider's silence as of the client's, with 408.
        Ended::Error(408 | 500..=599) | Ended::Broken => matches!(status, 408 | 429 | 500..=599),
        // What the operator's own mistakes look like to clients is for the operator to say.
        Ended::Success | Ended::Error(_) | Ended::ErrorInSuccess | Ended::Interrupted => true,
    };
    let view = found.view;
    // What became of an attempt that cannot be seen is known: there was no connection.
    let unseen = (0..view.group.chain.len()).any(|chain_index| !view.visible(chain_index));
    let by_unseen = unseen && matches!(status, 408 | 429 | 500..=599);
    if !by_unseen && !attempts.iter().any(fits) {
        let failure = |attempt: &Attempt<'_>| match attempt.ended() {
            Ended::Error(status) => ProviderFailure::Status(status),
            _ => ProviderFailure::Broken,
        };
        let failures = attempts.iter().map(failure).collect();
        found.breach(Code::Client06, StatusMadeUp { failures, status });
    }
}

/// A gateway may put words around a refusal, or take a key out of them, which then are AUTH's.
pub(super) fn reason(found: &mut Collector<'_>, last: &Attempt<'_>) {
    let (Ended::Error(400 | 413 | 422), Some(error)) =
        (last.ended(), error_of(&last.recorded.reply))
    else {
        return;
    };
    let Some(said) = error["message"].as_str().filter(|said| !said.contains(&last.deployment.key))
    else {
        return;
    };
    // Without an error in OpenAI's shape there is no place to look at.
    let Some(shown) = error_of(&found.view.step.exchange.body) else { return };
    // The reason stands first; addresses of help behind it may be left out.
    let reason = said.trim().split_inclusive(". ").next().unwrap_or_default().trim();
    if !shown["message"].as_str().is_some_and(|shown| shown.contains(reason)) {
        let kind = ReasonLost { refused_by: last.deployment.name.clone() };
        found.breach(Code::Client08, kind).pointing("/error/message");
    }
}
