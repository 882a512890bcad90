//! Who speaks in an answer. 03: one provider. 04: one that answered. 13: one of the group that was
//! asked for.

use fallproof_suite::plan::{Deployment, Group};
use fallproof_suite::requirement::Code;

use crate::collector::Collector;
use crate::observe::{Attempt, Ended};
use crate::violation::ClientViolation::{OtherGroup, SeveralSpeak, SuccessMadeUp};

pub(super) fn only_one(found: &mut Collector<'_>) {
    let view = found.view;
    let speaks = |deployment: &&Deployment| deployment.marker().found_in(&view.step.exchange.body);
    let speaking =
        view.group.deployments().filter(speaks).map(|deployment| deployment.name.clone());
    let deployments: Vec<_> = speaking.collect();
    if deployments.len() > 1 {
        found.breach(Code::Client03, SeveralSpeak { deployments });
    }
}

pub(super) fn no_success(found: &mut Collector<'_>, attempts: &[Attempt<'_>]) {
    if !attempts.is_empty() && attempts.iter().all(|attempt| attempt.ended() != Ended::Success) {
        found.breach(Code::Client04, SuccessMadeUp);
    }
}

pub(super) fn own_group(found: &mut Collector<'_>) {
    let view = found.view;
    let others = view.groups.iter().filter(|group| group.name != view.step.group);
    let speaks = |deployment: &&Deployment| deployment.marker().found_in(&view.step.exchange.body);
    if let Some(deployment) = others.flat_map(Group::deployments).find(speaks) {
        let (group, of) = (view.group.name.clone(), deployment.name.clone());
        found.breach(Code::Client13, OtherGroup { group, of });
    }
}
