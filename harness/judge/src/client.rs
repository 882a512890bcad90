//! CLIENT: what comes back is one provider's answer, or the truth about why there is none.
//!
//! | code | where |
//! |---|---|
//! | `FP-CLIENT-01`, `02` | [`answer`]; [`stream`](super::stream) where it is streamed |
//! | `FP-CLIENT-03`, `04`, `13` | [`speaker`]: one provider of the own group, and one that answered |
//! | `FP-CLIENT-05`, `06`, `08` | [`error`] |
//! | `FP-CLIENT-07`, `10` | [`wait`]: when to come back |
//! | `FP-CLIENT-09` | [`model`] |
//! | `FP-CLIENT-11` | [`unanswered`] |
//! | `FP-CLIENT-12` | [`headers`] |

mod answer;
mod error;
mod headers;
mod model;
mod speaker;
#[cfg(test)]
mod tests;
mod wait;

use fallproof_suite::evidence::Ending;
use fallproof_suite::requirement::Code;

pub(super) use self::error::error_of;
use super::collector::Collector;
use crate::observe::{Ended, View};
use crate::violation::{ClientViolation, Violation};

pub(super) fn check(view: View<'_>) -> Vec<Violation> {
    let mut found = Collector::new(view);
    let exchange = &view.step.exchange;
    unanswered(&mut found);
    speaker::own_group(&mut found);
    headers::check(&mut found);
    let (Some(status), true) = (exchange.status, exchange.ending == Ending::Complete) else {
        return found.found;
    };
    let attempts: Vec<_> = view.attempts().collect();
    let is_success = (200..300).contains(&status);
    // Answers that are streamed are STREAM's, but for who is said to speak.
    if is_success && view.wants_stream() {
        model::streamed(&mut found, &attempts);
        return found.found;
    }
    if is_success {
        let successes = || attempts.iter().rev().filter(|it| it.ended() == Ended::Success);
        let speaking = successes().find(|it| it.hop.marker().found_in(&exchange.body));
        match speaking.or_else(|| successes().next()) {
            Some(answering) => answer::check(&mut found, answering),
            None => speaker::no_success(&mut found, &attempts),
        }
        speaker::only_one(&mut found);
    } else {
        error::shape(&mut found, status);
        wait::cooldown(&mut found, &attempts, status);
        if let Some(last) = attempts.last() {
            error::status(&mut found, &attempts, status);
            wait::retry_after(&mut found, last, status);
            error::reason(&mut found, last);
        }
    }
    found.found
}

fn unanswered(found: &mut Collector<'_>) {
    let exchange = &found.view.step.exchange;
    let is_silent = match exchange.ending {
        Ending::TimedOut => true,
        Ending::Closed | Ending::Reset | Ending::Unreachable(_) => exchange.status.is_none(),
        _ => false,
    };
    if is_silent {
        let ending = exchange.ending.clone();
        found.breach(Code::Client11, ClientViolation::Unanswered { ending });
    }
}
