//! The start of a stream. `FP-STREAM-10`: its content type is correct. `FP-STREAM-11`: an error
//! before any content causes a fallback. `FP-STREAM-12`: if all attempts failed, the client does
//! not get a success status.

use fallproof_protocol::sse::{self, Event};
use fallproof_suite::requirement::Code;

use crate::choice;
use crate::collector::Collector;
use crate::observe::{Attempt, AttemptOutcome};
use crate::route::could_be_asked;
use crate::violation::FalseStart;
use crate::violation::StreamViolation::{
    InventedSuccess, NoFallbackOnStreamError, WrongContentType,
};

pub(super) fn error_first(found: &mut Collector<'_>) {
    let view = found.view;
    let Some(last) = view.attempts().last() else { return };
    let next = (last.chain_index + 1..view.group.chain.len())
        .find(|&chain_index| could_be_asked(view, chain_index, last.number + 1));
    if let (AttemptOutcome::ErrorInSuccess, Some(next)) = (last.outcome(), next) {
        let next = view.group.chain[next].name.clone();
        let excuse = choice::no_fallback(view, &last);
        found.breach(Code::Stream11, NoFallbackOnStreamError { next }).at(&last).excused(excuse);
    }
}

pub(super) fn status(found: &mut Collector<'_>) {
    let view = found.view;
    let has_failed = |it: Attempt<'_>| {
        !matches!(it.outcome(), AttemptOutcome::Success | AttemptOutcome::Interrupted)
    };
    let Some(last) = view.attempts().last().filter(|_| view.attempts().all(has_failed)) else {
        return;
    };
    let excuse = choice::goes_by_status(view, &last);
    let with = started(&view.observed.exchange.body);
    found.breach(Code::Stream12, InventedSuccess { with }).excused(excuse);
}

/// What the client got in place of an answer.
fn started(body: &[u8]) -> FalseStart {
    let events = sse::events(body);
    if events.iter().any(Event::reports_failure) {
        FalseStart::ErrorEvent
    } else if events.iter().any(|it| !it.is_done()) {
        FalseStart::Events
    } else if body.trim_ascii().is_empty() || !events.is_empty() || body.starts_with(b":") {
        FalseStart::NoEvents
    } else {
        FalseStart::NoStream
    }
}

pub(super) fn content_type(found: &mut Collector<'_>) {
    let headers = &found.view.observed.exchange.headers;
    let got = headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("content-type"))
        .map(|(_, value)| String::from_utf8_lossy(value).to_ascii_lowercase())
        .unwrap_or_default();
    if got.split(';').next().is_none_or(|kind| kind.trim() != "text/event-stream") {
        found.breach(Code::Stream10, WrongContentType { got });
    }
}
