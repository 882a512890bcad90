//! Nothing is asked any more once it is over. 02: after a success. 04: after the client's mistake.

use fallproof_protocol::condition::Condition;
use fallproof_suite::requirement::Code;

use crate::collector::Collector;
use crate::excuse::Excuse;
use crate::observe::{Attempt, Ended};
use crate::violation::RouteViolation::{AfterSuccess, SentAgain};

pub(super) fn check(found: &mut Collector<'_>, attempts: &[Attempt<'_>]) {
    after_success(found, attempts);
    after_refusal(found, attempts);
}

fn after_success(found: &mut Collector<'_>, attempts: &[Attempt<'_>]) {
    let mut attempts = attempts.iter();
    let success = attempts.find(|attempt| attempt.ended() == Ended::Success);
    // An answer that comes when the target has stopped waiting is none.
    let Some(success) = success.filter(|success| !success.recorded.client_gone) else { return };
    for late in attempts {
        found.breach(Code::Route02, AfterSuccess { of: success.number }).at(late);
    }
}

fn after_refusal(found: &mut Collector<'_>, attempts: &[Attempt<'_>]) {
    let view = found.view;
    let clients_mistake = |attempt: &&Attempt<'_>| {
        // What is too long or offends a filter may be taken by another model.
        matches!(attempt.ended(), Ended::Error(400 | 413 | 422)) && attempt.cause().is_none()
    };
    let Some(refused) = attempts.iter().find(clients_mistake) else { return };
    let leads_on = |conditions: &[Condition]| {
        refused.failure().is_some_and(|failure| conditions.iter().any(|it| it.covers(failure)))
    };
    if view.group.policy.fallback_on.as_deref().is_some_and(leads_on) {
        return;
    }
    let excuse = leads_on(view.capabilities.fallback_on()).then_some(Excuse::FallsBackOnRefusals);
    for again in attempts.iter().filter(|attempt| attempt.number > refused.number) {
        let kind = SentAgain { refused_by: refused.deployment.name.clone() };
        found.breach(Code::Route04, kind).at(again).excused(excuse.clone());
    }
}
