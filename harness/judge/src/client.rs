//! CLIENT: the response is one provider's answer, or a truthful error.
//!
//! | code | where |
//! |---|---|
//! | `FP-CLIENT-01`, `02` | [`answer`]; [`stream`](super::stream) if the response is streamed |
//! | `FP-CLIENT-03`, `04`, `13` | [`source`]: the deployment that the content comes from |
//! | `FP-CLIENT-05`, `06`, `08` | [`error`] |
//! | `FP-CLIENT-07`, `10` | [`wait`]: `Retry-After` |
//! | `FP-CLIENT-09` | [`model`] |
//! | `FP-CLIENT-11` | [`unanswered`] |
//! | `FP-CLIENT-12` | [`headers`] |
//! | `FP-CLIENT-14` | [`coding`] |
//! | `FP-CLIENT-15` | [`framing`] |

mod answer;
mod coding;
mod error;
mod framing;
mod headers;
mod model;
mod source;
#[cfg(test)]
mod tests;
mod wait;

use fallproof_suite::evidence::Ending;
use fallproof_suite::requirement::Code;

pub(super) use self::error::error_of;
pub(super) use self::wait::reports as reports_wait;
use super::collector::Collector;
use crate::millis;
use crate::observe::AttemptOutcome;
use crate::violation::ClientViolation;

pub(super) fn check(found: &mut Collector<'_>) {
    let view = found.view;
    let exchange = &view.observed.exchange;
    unanswered(found);
    source::own_group(found);
    headers::check(found);
    coding::check(found);
    framing::check(found);
    let (Some(status), true) = (exchange.status, exchange.ending == Ending::Complete) else {
        return;
    };
    let attempts: Vec<_> = view.attempts().collect();
    let is_success = (200..300).contains(&status);
    // For a stream, check only the model here; the `stream` module checks everything else.
    if is_success && view.wants_stream() {
        model::streamed(found, &attempts);
        return;
    }
    if is_success {
        let successes =
            || attempts.iter().rev().filter(|it| it.outcome() == AttemptOutcome::Success);
        let source = successes().find(|it| it.deployment.marker().found_in(&exchange.body));
        match source.or_else(|| successes().next()) {
            Some(answering) => answer::check(found, answering),
            None => source::no_success(found, &attempts),
        }
        source::only_one(found);
    } else {
        error::shape(found, status);
        wait::cooldown(found, &attempts, status);
        if let Some(last) = attempts.last() {
            error::status(found, &attempts, status);
            wait::retry_after(found, last, status);
            error::reason(found, last);
            error::after_success(found, last, status);
        } else {
            error::own_failure(found, status);
        }
    }
}

fn unanswered(found: &mut Collector<'_>) {
    let exchange = &found.view.observed.exchange;
    let is_unanswered = match exchange.ending {
        Ending::TimedOut => true,
        Ending::Closed | Ending::Reset | Ending::Unreachable(_) => exchange.status.is_none(),
        _ => false,
    };
    if is_unanswered {
        let kind = if exchange.ending == Ending::TimedOut && exchange.status.is_some() {
            ClientViolation::Endless { after_ms: millis(exchange.took) }
        } else {
            ClientViolation::Unanswered { ending: exchange.ending.clone() }
        };
        found.breach(Code::Client11, kind);
    }
}
