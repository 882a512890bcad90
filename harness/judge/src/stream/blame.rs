//! `FP-STREAM-14`: an error event does not blame the request for a provider's failure.

use fallproof_protocol::sse::{Event, EventKind};
use fallproof_suite::requirement::Code;

use crate::collector::Collector;
use crate::observe::{Attempt, AttemptOutcome};
use crate::violation::StreamViolation::BlamesRequest;

pub(super) fn check(found: &mut Collector<'_>, events: &[Event]) {
    let attempts: Vec<_> = found.view.attempts().collect();
    // If a provider refused the request or blamed it in its stream, the gateway may repeat that
    // error.
    let (Some(last), true) = (attempts.last(), attempts.iter().all(has_broken)) else { return };
    let errors = events.iter().enumerate().filter(|(_, it)| it.kind() == EventKind::Error);
    for (at, event) in errors {
        if let Some(with) = event.blames_request() {
            found.breach(Code::Stream14, BlamesRequest { event: at + 1, with }).at(last);
        }
    }
}

/// Whether the attempt failed for a reason that is certainly not the request's fault.
fn has_broken(attempt: &Attempt<'_>) -> bool {
    let quotes = || {
        let mut events = attempt.events().into_iter().flatten();
        events.any(|it| it.kind() == EventKind::Error && it.blames_request().is_some())
    };
    match attempt.outcome() {
        AttemptOutcome::Interrupted => !quotes(),
        AttemptOutcome::Broken => !attempt.is_broken_refusal(),
        AttemptOutcome::Error(status) => matches!(status, 408 | 429 | 500..=599),
        AttemptOutcome::Success | AttemptOutcome::ErrorInSuccess => false,
    }
}
