//! The start of a stream. `FP-STREAM-10`: its content type is correct. `FP-STREAM-11`: an error
//! before any content causes a fallback. `FP-STREAM-12`: if all attempts failed, the client does
//! not get a success status.

use fallproof_suite::requirement::Code;

use crate::collector::Collector;
use crate::observe::AttemptOutcome;
use crate::route::could_be_asked;
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
        found.breach(Code::Stream11, NoFallbackOnStreamError { next }).at(&last);
    }
}

pub(super) fn status(found: &mut Collector<'_>) {
    let view = found.view;
    let mut attempts = view.attempts().map(|attempt| attempt.outcome()).peekable();
    let has_failed =
        |ended| !matches!(ended, AttemptOutcome::Success | AttemptOutcome::Interrupted);
    if attempts.peek().is_some() && attempts.all(has_failed) {
        found.breach(Code::Stream12, InventedSuccess);
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
