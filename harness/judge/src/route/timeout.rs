//! `FP-ROUTE-12`: no attempt takes longer than its timeout. `FP-ROUTE-13`: no attempt starts after
//! the call's total timeout.

use std::time::Duration;

use fallproof_suite::evidence::Ending;
use fallproof_suite::requirement::Code;

use crate::collector::Collector;
use crate::millis;
use crate::observe::{Attempt, AttemptOutcome};
use crate::violation::RouteViolation::{BeganLate, NeverTimedOut, TimedOutLate, TookTooLong};

/// Time by which an attempt may exceed its limit, because the machine may be slow.
const SLACK: Duration = Duration::from_secs(5);

pub(super) fn check(found: &mut Collector<'_>, attempts: &[Attempt<'_>]) {
    of_each(found, attempts);
    of_all(found, attempts);
}

/// Judges only waits that are far too long, because a machine may be slow.
fn of_each(found: &mut Collector<'_>, attempts: &[Attempt<'_>]) {
    let view = found.view;
    let limit_ms = view.group.policy.timeout_ms;
    for attempt in attempts {
        if attempt.recorded.client_gone {
            timed_out_late(found, attempt, limit_ms);
            continue;
        }
        let ms = scripted_wait(attempt);
        // Once the client has an answer, or a later attempt has started, the target no longer waits
        // for this attempt. It only keeps the connection open.
        let is_last = attempt.number == attempts.len();
        let waits = matches!(view.observed.exchange.ending, Ending::TimedOut | Ending::TooLong);
        let stalls = attempt.recorded.times.end.is_none() && is_last && waits;
        if ms >= limit_ms.saturating_mul(2) {
            found.breach(Code::Route12, TookTooLong { ms, limit_ms }).at(attempt);
        } else if stalls && attempt.outcome() != AttemptOutcome::Interrupted {
            found.breach(Code::Route12, NeverTimedOut { limit_ms }).at(attempt);
        }
    }
}

/// Does not judge the attempt if the client disconnected, or if the answer had begun; STREAM covers
/// these cases.
fn timed_out_late(found: &mut Collector<'_>, attempt: &Attempt<'_>, limit_ms: u64) {
    let Some(end) = attempt.recorded.times.end else { return };
    let waited = end.saturating_sub(attempt.recorded.times.head);
    let disconnected = found.view.observed.exchange.ending == Ending::Disconnected;
    if is_much_too_long(waited, Duration::from_millis(limit_ms))
        && !disconnected
        && attempt.outcome() == AttemptOutcome::Broken
    {
        let kind = TimedOutLate { ms: millis(waited), limit_ms };
        found.breach(Code::Route12, kind).at(attempt);
    }
}

/// Whether the wait is too long to be explained by a slow machine.
fn is_much_too_long(waited: Duration, limit: Duration) -> bool {
    waited > limit.saturating_mul(5) && waited > limit.saturating_add(SLACK)
}

/// Scripted delay of a completed attempt's answer, in milliseconds. For a stream, this is only the
/// delay before its start.
fn scripted_wait(attempt: &Attempt<'_>) -> u64 {
    let wire = &attempt.recorded.wire;
    let before = wire.delay_ms.unwrap_or_default();
    if attempt.events().is_some() {
        return before;
    }
    // There is one pause for each piece after the head.
    let pauses = attempt.recorded.out.pieces.len().saturating_sub(1) as u64;
    before.saturating_add(wire.chunk_delay_ms.unwrap_or_default().saturating_mul(pauses))
}

fn of_all(found: &mut Collector<'_>, attempts: &[Attempt<'_>]) {
    let Some(limit_ms) = found.view.group.policy.total_timeout_ms else { return };
    let Some(first) = attempts.first() else { return };
    for late in attempts {
        let after = late.recorded.times.head.saturating_sub(first.recorded.times.head);
        if after > Duration::from_millis(limit_ms.saturating_add(limit_ms / 2)) {
            let kind = BeganLate { ms: millis(after), limit_ms };
            found.breach(Code::Route13, kind).at(late);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_much_too_long_if_a_slow_machine_cannot_explain_it() {
        let judged = |waited, limit| {
            is_much_too_long(Duration::from_millis(waited), Duration::from_millis(limit))
        };
        assert!(judged(30_000, 500), "a gateway without a timeout");
        assert!(judged(10_001, 2_000));
        assert!(!judged(10_000, 2_000), "five times the limit");
        assert!(judged(5_501, 500));
        assert!(!judged(5_500, 500), "within the slack for a busy machine");
    }
}
