//! Error responses. `FP-CLIENT-05`: they have OpenAI's format. `FP-CLIENT-06`: the status matches
//! the failure of an attempt. `FP-CLIENT-08`: they include the provider's reason for a refusal.

use fallproof_protocol::provider::Endpoint;
use fallproof_protocol::sse::Event;
use fallproof_suite::requirement::Code;
use fallproof_suite::scenario::{ClientKey, Step};
use serde::de::IgnoredAny;
use serde_json::Value;

use super::answer::CONTENT_MEMBERS;
use crate::collector::{Collector, waives};
use crate::observe::{Attempt, AttemptOutcome, View};
use crate::odd;
use crate::violation::ClientViolation::{
    AnswerAsError, EmptyError, ErrorAsPage, ErrorAsText, InventedStatus, NoErrorObject, OwnFailure,
    ReasonNotReported,
};
use crate::violation::ProviderFailure;

/// The `error` object of a body, if it has one.
pub(crate) fn error_of(body: &[u8]) -> Option<Value> {
    let body: Value = serde_json::from_slice(body).ok()?;
    body.get("error").filter(|error| error.is_object()).cloned()
}

pub(super) fn shape(found: &mut Collector<'_>, status: u16) {
    let body = &found.view.observed.exchange.body;
    if error_of(body).is_some_and(|error| error["message"].is_string()) {
        return;
    }
    // Each form comes from another place in a gateway.
    let kind = match body.trim_ascii() {
        [] => EmptyError { status },
        [b'<', ..] => ErrorAsPage { status },
        body if serde_json::from_slice::<IgnoredAny>(body).is_ok() => NoErrorObject { status },
        _ => ErrorAsText { status },
    };
    found.breach(Code::Client05, kind);
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

/// The gateway must not turn a provider's success into an error. Answers without content are not
/// checked, because they may count as failures; nor are answers that the gateway may not have
/// received, because it closed the connection.
pub(super) fn after_success(found: &mut Collector<'_>, last: &Attempt<'_>, status: u16) {
    let is_seen = !last.recorded.client_gone && last.recorded.times.end.is_some();
    // A stream that the client did not request, or a plain answer instead of a stream, is not a
    // success.
    let is_wanted = last.events().is_some() == found.view.wants_stream();
    if last.outcome() == AttemptOutcome::Success && is_seen && is_wanted && has_content(last) {
        let answered = last.deployment.name.clone();
        found.breach(Code::Client06, AnswerAsError { answered, status });
    }
}

fn has_content(attempt: &Attempt<'_>) -> bool {
    if let Some(events) = attempt.events() {
        return events.iter().any(Event::is_answer);
    }
    let reply: Option<Value> = serde_json::from_slice(&attempt.recorded.reply).ok();
    let is_complete = attempt.recorded.reply_cut.is_none();
    let is_content = |value: &Value| match value {
        Value::Null => false,
        Value::Array(items) => !items.is_empty(),
        Value::String(text) => !text.is_empty(),
        _ => true,
    };
    let has = |reply: Value| CONTENT_MEMBERS.iter().any(|name| is_content(&reply[name]));
    let is_speech = attempt.recorded.route.is_some_and(|(_, it)| it == Endpoint::AudioSpeech);
    is_speech || is_complete && reply.is_some_and(has)
}

/// Finds a failure of the gateway itself: a 5xx without any attempt, although a deployment was
/// available. 501 is allowed: the gateway does not have the endpoint.
pub(super) fn own_failure(found: &mut Collector<'_>, status: u16) {
    let view = found.view;
    let is_authorized = matches!(view.planned.send.key, ClientKey::Right);
    // Attempts at a deployment that refuses connections are not observed.
    let visible = (0..view.group.chain.len()).all(|chain_index| view.visible(chain_index));
    if matches!(status, 500 | 502..=599)
        && view.wired
        && view.observed.misdirected.is_empty()
        // FP-ROUTE-18 and FP-CLIENT-14 judge these two situations.
        && view.observed.stale.is_empty()
        && view.planned.send.encoding.is_none()
        && is_authorized
        && visible
        && !may_be_overloaded(view, status)
        && (0..view.group.chain.len()).any(|chain_index| is_healthy(view, chain_index))
    {
        // A header that the gateway documents for its clients may send the call anywhere.
        let is_steered = view.scenario.proves.contains(&Code::Control02);
        let excuse = is_steered.then(|| waives(view, Code::Control02)).flatten();
        let odd = odd::members(view).unwrap_or_default();
        let breach = found.breach(Code::Client06, OwnFailure { status }).excused(excuse);
        if let [only] = &*odd {
            breach.pointing(&format!("/{}", only.name));
        }
    }
}

/// Whether the target may have refused the call with 503 because of concurrent calls.
fn may_be_overloaded(view: View<'_>, status: u16) -> bool {
    let step = view.scenario.steps.get(view.observed.position);
    status == 503 && matches!(step, Some(Step::Calls(calls)) if calls.len() > 1)
}

/// Whether no earlier attempt at the deployment failed for a reason other than the request (400, 413
/// or 422).
fn is_healthy(view: View<'_>, chain_index: usize) -> bool {
    let mut history = view.history().filter(|(_, it)| it.chain_index == chain_index);
    history.all(|(_, it)| {
        matches!(it.outcome(), AttemptOutcome::Success | AttemptOutcome::Error(400 | 413 | 422))
    })
}

/// A gateway may add text to the message of a refusal. A message that quotes the API key is not
/// checked, because the gateway must redact it (AUTH).
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
