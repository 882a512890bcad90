//! ROUTE: limits of time.

use std::time::Duration;

use super::{Finding, Findings};
use crate::observe::{Attempt, Ended, View};
use fallproof_suite::evidence::Ending;

const OF_EACH: &str = "FP-ROUTE-12";
const OF_ALL: &str = "FP-ROUTE-13";

/// So much longer than its limit an attempt may take on any machine.
const SLACK: Duration = Duration::from_secs(5);

pub(super) fn check(view: View<'_>) -> Vec<Finding> {
    let mut findings = Findings::new(view);
    let attempts: Vec<_> = view.attempts().collect();
    of_each(&mut findings, &attempts);
    of_all(&mut findings, &attempts);
    findings.found
}

/// Only waits that are much too long are judged: machines are slow at times.
fn of_each(findings: &mut Findings<'_>, attempts: &[Attempt<'_>]) {
    let view = findings.view;
    let limit = view.group.policy.timeout_ms;
    for attempt in attempts {
        if attempt.hit.client_gone {
            given_up_late(findings, attempt, limit);
            continue;
        }
        let delay = scripted_wait(attempt);
        // Whoever has an answer, or another attempt behind it, waits no more, and holds a connection.
        let is_last = attempt.number == attempts.len();
        let waits = matches!(view.step.exchange.ending, Ending::TimedOut | Ending::TooLong);
        let stalls = attempt.hit.times.end.is_none() && is_last && waits;
        let message = if delay >= limit.saturating_mul(2) {
            format!("attempt {} took {delay} ms and was waited for", attempt.number)
        } else if stalls && attempt.ended() != Ended::Interrupted {
            format!("attempt {} hangs, and was never given up", attempt.number)
        } else {
            continue;
        };
        let message = format!("{message}; the limit is {limit} ms");
        findings.breach(OF_EACH, Some(attempt.number), None, message);
    }
}

/// What is given up for a client that has left is STREAM's, and so is what an answer that has begun
/// takes.
fn given_up_late(findings: &mut Findings<'_>, attempt: &Attempt<'_>, limit: u64) {
    let Some(end) = attempt.hit.times.end else { return };
    let waited = end.saturating_sub(attempt.hit.times.head);
    let limit = Duration::from_millis(limit);
    let has_left = findings.view.step.exchange.ending == Ending::Left;
    if is_much_too_long(waited, limit) && !has_left && attempt.ended() == Ended::Broken {
        let message = format!(
            "attempt {} was given up after {} ms; the limit is {} ms",
            attempt.number,
            waited.as_millis(),
            limit.as_millis()
        );
        findings.breach(OF_EACH, Some(attempt.number), None, message);
    }
}

/// Whether no slow machine explains that so long was waited.
fn is_much_too_long(waited: Duration, limit: Duration) -> bool {
    waited > limit.saturating_mul(5) && waited > limit.saturating_add(SLACK)
}

/// How many milliseconds an attempt that was seen through had to wait for its answer; for a stream's
/// beginning.
fn scripted_wait(attempt: &Attempt<'_>) -> u64 {
    let wire = &attempt.hit.wire;
    let before = wire.delay_ms.unwrap_or_default();
    if attempt.events().is_some() {
        return before;
    }
    // Each piece behind the head has one.
    let pauses = attempt.hit.out.pieces.len().saturating_sub(1) as u64;
    before.saturating_add(wire.chunk_delay_ms.unwrap_or_default().saturating_mul(pauses))
}

fn of_all(findings: &mut Findings<'_>, attempts: &[Attempt<'_>]) {
    let Some(limit) = findings.view.group.policy.total_timeout_ms else { return };
    let Some(first) = attempts.first() else { return };
    for late in attempts {
        let after = late.hit.times.head.saturating_sub(first.hit.times.head);
        if after > Duration::from_millis(limit.saturating_add(limit / 2)) {
            let message = format!(
                "attempt {} began {} ms after the first one; the whole call may take {limit} ms",
                late.number,
                after.as_millis()
            );
            findings.breach(OF_ALL, Some(late.number), None, message);
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
