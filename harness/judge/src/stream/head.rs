//! How a stream begins. 10: it is called one. 11: an error before any content leads on. 12: where all
//! failed there is no success.

use fallproof_suite::requirement::Code;

use crate::collector::Collector;
use crate::observe::Ended;
use crate::route::could_be_asked;
use crate::violation::StreamViolation::{ErrorNotHandedOver, SuccessMadeUp, WrongContentType};

pub(super) fn error_first(found: &mut Collector<'_>) {
    let view = found.view;
    let Some(last) = view.attempts().last() else { return };
    let next = (last.chain_index + 1..view.group.chain.len())
        .find(|&chain_index| could_be_asked(view, chain_index, last.number + 1));
    if let (Ended::ErrorInSuccess, Some(next)) = (last.ended(), next) {
        let next = view.group.chain[next].name.clone();
        found.breach(Code::Stream11, ErrorNotHandedOver { next }).at(&last);
    }
}

pub(super) fn status(found: &mut Collector<'_>) {
    let view = found.view;
    let mut attempts = view.attempts().map(|attempt| attempt.ended()).peekable();
    let has_failed = |ended| !matches!(ended, Ended::Success | Ended::Interrupted);
    if attempts.peek().is_some() && attempts.all(has_failed) {
        found.breach(Code::Stream12, SuccessMadeUp);
    }
}

pub(super) fn content_type(found: &mut Collector<'_>) {
    let headers = &found.view.step.exchange.headers;
    let got = headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("content-type"))
        .map(|(_, value)| String::from_utf8_lossy(value).to_ascii_lowercase())
        .unwrap_or_default();
    if got.split(';').next().is_none_or(|kind| kind.trim() != "text/event-stream") {
        found.breach(Code::Stream10, WrongContentType { got });
    }
}
