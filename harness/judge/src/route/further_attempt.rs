//! `FP-ROUTE-02`: no attempt follows a success. `FP-ROUTE-04`: no attempt follows a request that
//! was refused as the client's mistake.

use fallproof_protocol::condition::Condition;
use fallproof_suite::requirement::Code;

use crate::collector::Collector;
use crate::excuse::Excuse;
use crate::observe::{Attempt, AttemptOutcome};
use crate::violation::RouteViolation::{AfterSuccess, SentAgain};

pub(super) fn check(found: &mut Collector<'_>, attempts: &[Attempt<'_>]) {
    after_success(found, attempts);
    after_refusal(found, attempts);
}

fn after_success(found: &mut Collector<'_>, attempts: &[Attempt<'_>]) {
    let mut attempts = attempts.iter();
    let success = attempts.find(|attempt| attempt.outcome() == AttemptOutcome::Success);
    // Ignore answers that arrived after the target gave up, or that may not have reached the
    // target.
    let has_arrived = |it: &&Attempt<'_>| !it.recorded.client_gone && !it.may_be_lost();
    let Some(success) = success.filter(has_arrived) else { return };
    for late in attempts {
        found.breach(Code::Route02, AfterSuccess { of: success.number }).at(late);
    }
}

fn after_refusal(found: &mut Collector<'_>, attempts: &[Attempt<'_>]) {
    let view = found.view;
    let clients_mistake = |attempt: &&Attempt<'_>| {
        // Another model may accept a request that is too long or was filtered.
        matches!(attempt.outcome(), AttemptOutcome::Error(400 | 413 | 422))
            && attempt.cause().is_none()
    };
    let Some(refused) = attempts.iter().find(clients_mistake) else { return };
    let is_covered = |conditions: &[Condition]| refused.fails_by(conditions);
    if view.group.policy.fallback_on.as_deref().is_some_and(is_covered) {
        return;
    }
    let excuse = is_covered(view.capabilities.fallback_on()).then_some(Excuse::FallsBackOnRefusals);
    for again in attempts.iter().filter(|attempt| attempt.number > refused.number) {
        let kind = SentAgain { refused_by: refused.deployment.name.clone() };
        found.breach(Code::Route04, kind).at(again).excused(excuse.clone());
    }
}
