//! 12: no attempt takes longer than its timeout. 13: no call begins an attempt when its time is up.

use std::time::Duration;

use fallproof_suite::evidence::Ending;
use fallproof_suite::requirement::Code;

use crate::collector::Collector;
use crate::millis;
use crate::observe::{Attempt, Ended};
use crate::violation::RouteViolation::{BeganLate, GivenUpLate, NeverGivenUp, TookTooLong};

/// So much longer than its limit an attempt may take on any machine.
const SLACK: Duration = Duration::from_secs(5);

pub(super) fn check(found: &mut Collector<'_>, attempts: &[Attempt<'_>]) {
    of_each(found, attempts);
    of_all(found, attempts);
}

/// Only waits that are much too long are judged: machines are slow at times.
fn of_each(found: &mut Collector<'_>, attempts: &[Attempt<'_>]) {
    let view = found.view;
    let limit_ms = view.group.policy.timeout_ms;
    for attempt in attempts {
        if attempt.recorded.client_gone {
            given_up_late(found, attempt, limit_ms);
            continue;
        }
        let ms = scripted_wait(attempt);
        // Whoever has an answer, or another attempt behind it, waits no more, and holds a connection.
        let is_last = attempt.number == attempts.len();
        let waits = matches!(view.step.exchange.ending, Ending::TimedOut | Ending::TooLong);
        let stalls = attempt.recorded.times.end.is_none() && is_last && waits;
        if ms >= limit_ms.saturating_mul(2) {
            found.breach(Code::Route12, TookTooLong { ms, limit_ms }).at(attempt);
        } else if stalls && attempt.ended() != Ended::Interrupted {
            found.breach(Code::Route12, NeverGivenUp { limit_ms }).at(attempt);
        }
    }
}

/// What is given up for a client that has left is STREAM's, and so is what an answer that has begun
/// takes.
fn given_up_late(found: &mut Collector<'_>, attempt: &Attempt<'_>, limit_ms: u64) {
    let Some(end) = attempt.recorded.times.end else { return };
    let waited = end.saturating_sub(attempt.recorded.times.head);
    let has_left = found.view.step.exchange.ending == Ending::Disconnected;
    if is_much_too_long(waited, Duration::from_millis(limit_ms))
        && !has_left
        && attempt.ended() == Ended::Broken
    {
        let kind = GivenUpLate { ms: millis(waited), limit_ms };
        found.breach(Code::Route12, kind).at(attempt);
    }
}

/// Whether no slow machine explains that so long was waited.
fn is_much_too_long(waited: Duration, limit: Duration) -> bool {
    waited > limit.saturating_mul(5) && waited > limit.saturating_add(SLACK)
}

/// How many milliseconds an attempt that was seen through had to wait for its answer; for a stream's
/// beginning.
fn scripted_wait(attempt: &Attempt<'_>) -> u64 {
    let wire = &attempt.recorded.wire;
    let before = wire.delay_ms.unwrap_or_default();
    if attempt.events().is_some() {
        return before;
    }
    // Each piece behind the head has one.
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
    fn a_wait_is_much_too_long_where_no_slow_machine_explains_it() {
        let judged = |waited, limit| {
            is_much_too_long(Duration::from_millis(waited), Duration::from_millis(limit))
        };
        assert!(judged(30_000, 500), "a gateway that has no limit");
        assert!(judged(10_001, 2_000));
        assert!(!judged(10_000, 2_000), "five times the limit");
        assert!(judged(5_501, 500));
        assert!(!judged(5_500, 500), "late by what a busy machine may take");
    }
}
