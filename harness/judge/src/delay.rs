//! Violations that a delay of the machine could explain. On a busy machine, the harness, the mocks
//! and the target all handle events late, so a missed time limit proves nothing.

use std::collections::BTreeSet;
use std::time::Duration;

use fallproof_protocol::behavior::CutEnd;
use fallproof_protocol::request_log::RecordedRequest;
use fallproof_suite::evidence::{CallEvidence, Ending, Evidence, Inconclusive};
use fallproof_suite::plan::Group;

use crate::excuse::Excuse;
use crate::violation::{
    ClientViolation, ExpectationViolation, RouteViolation, StreamViolation, Verdict, Violation,
    ViolationKind,
};
use crate::{cooldown_state, millis};

/// How long the runner waits for an attempt to be canceled.
const CANCEL_WAIT: Duration = Duration::from_secs(3);

/// Makes each violation that this delay could explain informational. If all failing violations are
/// explained, returns why the case is inconclusive.
pub(super) fn excuse(
    violations: &mut [Violation],
    groups: &[Group],
    calls: &[CallEvidence],
    evidence: &Evidence,
) -> Option<Inconclusive> {
    let delay = evidence.delay;
    if delay.is_zero() {
        return None;
    }
    let cut_short = |call: &CallEvidence| {
        let group = groups.iter().find(|group| group.name == call.group);
        group.is_some_and(|group| call.requests.iter().any(|it| is_cut_short(it, group, delay)))
    };
    let mut calls_explained: BTreeSet<_> =
        (0..calls.len()).filter(|&call| cut_short(&calls[call])).collect();
    let is_explained =
        |it: &Violation| calls.get(it.call).is_some_and(|call| explains(evidence, &it.kind, call));
    calls_explained.extend(violations.iter().filter(|it| is_explained(it)).map(|it| it.call));
    let ms = millis(delay);
    let mut finding = None;
    for violation in violations.iter_mut().filter(|it| it.verdict == Verdict::Fail) {
        let follows = match violation.kind {
            ViolationKind::Expectation(_) => calls_explained.contains(&violation.call),
            ViolationKind::Route(_) | ViolationKind::Client(_) | ViolationKind::Stream(_) => {
                calls.get(violation.call).is_some_and(cut_short)
            }
            _ => false,
        };
        if follows || is_explained(violation) {
            finding.get_or_insert_with(|| violation.to_string());
            violation.excused(Some(Excuse::Delay(ms)));
        }
    }
    let is_all = violations.iter().all(|it| it.verdict != Verdict::Fail);
    finding.filter(|_| is_all).map(|finding| Inconclusive::Delayed { ms, finding })
}

/// Whether this delay alone could have caused this violation.
fn explains(evidence: &Evidence, kind: &ViolationKind, call: &CallEvidence) -> bool {
    let delay = evidence.delay;
    let by = |ms: u64, limit_ms: u64| delay >= Duration::from_millis(ms.saturating_sub(limit_ms));
    // A wait that never ended is explained only by a delay of about the same length.
    let waited = |wait: Duration| delay.saturating_mul(2) >= wait;
    match kind {
        ViolationKind::Route(
            RouteViolation::TookTooLong { ms, limit_ms }
            | RouteViolation::TimedOutLate { ms, limit_ms }
            | RouteViolation::BeganLate { ms, limit_ms },
        ) => by(*ms, *limit_ms),
        ViolationKind::Route(
            RouteViolation::StillCoolingDown { .. } | RouteViolation::NoAttempt { .. },
        ) => delay >= cooldown_state::SLACK && !evidence.simulated_clock,
        ViolationKind::Client(ClientViolation::CooldownNotReported {
            duration_ms,
            status: 429 | 503,
            reported: Some(reported),
        }) => {
            delay >= reported.abs_diff(Duration::from_millis(*duration_ms))
                && !evidence.simulated_clock
        }
        ViolationKind::Route(RouteViolation::NeverTimedOut { .. })
        | ViolationKind::Client(ClientViolation::Unanswered { ending: Ending::TimedOut })
        | ViolationKind::Expectation(ExpectationViolation::Interrupted {
            ending: Ending::TimedOut,
        }) => waited(call.exchange.took),
        ViolationKind::Stream(StreamViolation::OutlivesClient) => waited(CANCEL_WAIT),
        _ => false,
    }
}

/// Whether the target canceled an attempt at the timeout, although without this delay the
/// deployment would have answered in time.
fn is_cut_short(recorded: &RecordedRequest, group: &Group, delay: Duration) -> bool {
    let limit = Duration::from_millis(group.policy.timeout_ms);
    let scripted = Duration::from_millis(recorded.wire.delay_ms.unwrap_or_default());
    let hangs = recorded.wire.cut.as_ref().is_some_and(|cut| cut.end == CutEnd::Stall);
    let lasted = recorded.times.end.unwrap_or_default().saturating_sub(recorded.times.head);
    recorded.client_gone
        && !hangs
        && recorded.wire.chunk_delay_ms.is_none()
        && scripted < limit
        && limit <= lasted
        && limit.saturating_sub(scripted) <= delay
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use fallproof_suite::evidence::Inconclusive;

    use crate::Outcome;
    use crate::testing::{CALL, Case, TWO};
    use crate::violation::Verdict;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    fn case() -> Case {
        Case::with_policy(", timeout_ms: 500").attempt("primary")
    }

    /// The first deployment hangs, and the target cancels the attempt after 7 seconds.
    fn hanging() -> Case {
        case().delayed_by(MS(60_000)).timing_out_after(MS(7_000)).attempt("backup")
    }

    #[test]
    fn a_late_timeout_is_a_failure_unless_the_machine_was_as_late() {
        for delay in [0, 200, 6_499] {
            assert_eq!(hanging().on_a_machine_late_by(MS(delay)).judge().outcome, Outcome::Fail);
        }
        let finding = "attempt 1 timed out after 7000 ms; the limit is 500 ms".to_owned();
        let unclear = Outcome::Inconclusive(Inconclusive::Delayed { ms: 6_500, finding });
        assert_eq!(hanging().on_a_machine_late_by(MS(6_500)).judge().outcome, unclear);
    }

    #[test]
    fn what_is_no_matter_of_time_still_fails() {
        let judged = hanging().got(200, "{}").on_a_machine_late_by(MS(9_000)).judge();
        assert_eq!(judged.outcome, Outcome::Fail);
        let notes = judged.violations.iter().filter(|it| it.verdict == Verdict::Note);
        let reasons: Vec<_> = notes.filter_map(|it| it.declared.as_ref()).collect();
        assert_eq!(reasons.len(), 1, "{:?}", judged.violations);
        assert_eq!(reasons[0].to_string(), "this machine was late by 9000 ms during the case");
    }

    #[test]
    fn an_attempt_that_the_delay_cut_short_is_not_held_against_the_target() {
        // There are no retries, so a second attempt is one too many.
        let retried = || case().timing_out_after(MS(500)).attempt("primary");
        let judged = |delay| retried().on_a_machine_late_by(MS(delay)).judge().outcome;
        assert_eq!((judged(0), judged(499)), (Outcome::Fail, Outcome::Fail));
        let delayed = judged(500);
        let is_delayed =
            matches!(delayed, Outcome::Inconclusive(Inconclusive::Delayed { ms: 500, .. }));
        assert!(is_delayed, "{delayed:?}");
        // If the target cancels the attempt before the timeout, that is the target's failure.
        let early = case().timing_out_after(MS(400)).attempt("primary");
        assert_eq!(early.on_a_machine_late_by(MS(900)).judge().outcome, Outcome::Fail);
    }

    #[test]
    fn a_delay_does_not_extend_a_simulated_cooldown() {
        let group = "group: { chain: [primary, backup], cooldown: { after_failures: 1, duration_ms: 30000 } }";
        let text = format!("{TWO}{group}\nsteps:\n{CALL}  - advance_ms: 31000\n{CALL}");
        let case = || {
            let case = Case::of(&text).attempt("primary").failing(500, None);
            let case = case.attempt("backup").failing(500, None).next_call();
            case.attempt("backup").on_a_machine_late_by(MS(900))
        };
        let is_delayed =
            |it| matches!(it, Outcome::Inconclusive(Inconclusive::Delayed { ms: 900, .. }));
        assert!(is_delayed(case().judge().outcome));
        assert_eq!(case().with_a_simulated_clock().judge().outcome, Outcome::Fail);
    }

    #[test]
    fn a_case_without_violations_passes_on_a_slow_machine() {
        assert_eq!(case().on_a_machine_late_by(MS(60_000)).judge().outcome, Outcome::Pass);
    }
}
