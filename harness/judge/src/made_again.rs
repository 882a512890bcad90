//! Attempts that a target made again on a new connection, which `FP-ROUTE-18` allows.

use fallproof_suite::evidence::CallEvidence;
use fallproof_suite::requirement::Code;

use crate::excuse::Excuse;
use crate::violation::{Verdict, Violation, ViolationKind};

/// Makes informational what may follow from an attempt that was made again: the number and order of
/// attempts, and the status of the answer. The script of the deployment has then gone on by one
/// attempt, so later calls to the same group are affected, too.
pub(super) fn excuse(violations: &mut [Violation], calls: &[CallEvidence]) {
    let is_affected = |index: usize| {
        let group = calls.get(index).map(|call| &call.group);
        let mut of_group = calls.iter().take(index + 1).filter(|it| Some(&it.group) == group);
        of_group.any(is_made_again)
    };
    for violation in violations.iter_mut().filter(|it| it.verdict == Verdict::Fail) {
        if may_follow(violation) && is_affected(violation.call) {
            violation.excused(Some(Excuse::MadeAgain));
        }
    }
}

fn may_follow(violation: &Violation) -> bool {
    match violation.kind {
        ViolationKind::Route(_) | ViolationKind::Expectation(_) => true,
        _ => matches!(violation.requirement, Some(Code::Client06 | Code::Client10)),
    }
}

/// Whether an attempt on a connection from before the call got no byte of a response before the
/// deployment ended the connection, and the target then called the same deployment on a new one. To
/// the target, this looks like a connection that the deployment closed while it was idle.
fn is_made_again(call: &CallEvidence) -> bool {
    call.requests.windows(2).any(|pair| {
        let [one, again] = pair else { return false };
        let is_reused = one.times.accepted < call.exchange.started;
        let is_lost = one.times.first_byte.is_none() && !one.client_gone;
        let is_new = one.times.end.is_some_and(|end| end <= again.times.accepted);
        one.prefix == again.prefix && is_reused && is_lost && is_new
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use crate::testing::Case;

    const TOO_OFTEN: &str = "`primary` was tried 2 times; with `retries: 0` the limit is 1";

    /// The violations of a call whose group has no retries, if it asks the first deployment again.
    fn asking_again(first: Case) -> Vec<String> {
        let mut found = first.attempt("primary").found("ROUTE");
        found.retain(|it| it.starts_with("FP-ROUTE-05"));
        found
    }

    fn lost() -> Case {
        Case::with_policy("").attempt("primary").broken()
    }

    #[test]
    fn an_attempt_may_be_made_again_if_its_connection_was_used_before() {
        let wanted =
            "FP-ROUTE-05 (exempt: its connection was used before, and may have been stale) ";
        assert_eq!(asking_again(lost().on_a_used_connection()), [format!("{wanted}{TOO_OFTEN}")]);
    }

    #[test]
    fn what_an_attempt_made_again_cannot_cause_is_no_less_wrong() {
        let answered = lost().on_a_used_connection().attempt("primary");
        let found = answered.got(200, "{}").found("CLIENT");
        assert!(found.iter().any(|it| it.starts_with("FP-CLIENT-01 ")), "{found:?}");
    }

    #[rstest]
    #[case::on_a_new_connection(lost())]
    #[case::after_a_failure(Case::with_policy("").attempt("primary").failing(500, None).on_a_used_connection())]
    #[case::after_a_timeout(lost().on_a_used_connection().client_gone())]
    fn any_other_attempt_counts(#[case] first: Case) {
        assert_eq!(asking_again(first), [format!("FP-ROUTE-05 {TOO_OFTEN}")]);
    }
}
