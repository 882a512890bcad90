//! The deployment that the content of a response comes from. `FP-CLIENT-03`: it is a single
//! deployment. `FP-CLIENT-04`: it answered with a success. `FP-CLIENT-13`: it belongs to the call's
//! group.

use fallproof_suite::plan::{Deployment, Group};
use fallproof_suite::requirement::Code;

use crate::choice;
use crate::collector::Collector;
use crate::observe::{Attempt, AttemptOutcome};
use crate::violation::ClientViolation::{InventedSuccess, MixedAnswers, OtherGroup};

pub(super) fn only_one(found: &mut Collector<'_>) {
    let view = found.view;
    let body = &view.observed.exchange.body;
    let is_source = |deployment: &&Deployment| deployment.marker().found_in(body);
    let sources = view.group.deployments().filter(is_source);
    let deployments: Vec<_> = sources.map(|deployment| deployment.name.clone()).collect();
    if deployments.len() > 1 {
        found.breach(Code::Client03, MixedAnswers { deployments });
    }
}

pub(super) fn no_success(found: &mut Collector<'_>, attempts: &[Attempt<'_>]) {
    let has_failed = |it: &Attempt<'_>| it.outcome() != AttemptOutcome::Success;
    let Some(last) = attempts.last().filter(|_| attempts.iter().all(has_failed)) else { return };
    let excuse = choice::goes_by_status(found.view, last);
    found.breach(Code::Client04, InventedSuccess).excused(excuse);
}

pub(super) fn own_group(found: &mut Collector<'_>) {
    let view = found.view;
    let others = view.groups.iter().filter(|group| group.name != view.observed.group);
    let body = &view.observed.exchange.body;
    let is_source = |deployment: &&Deployment| deployment.marker().found_in(body);
    if let Some(deployment) = others.flat_map(Group::deployments).find(is_source) {
        let (group, of) = (view.group.name.clone(), deployment.name.clone());
        found.breach(Code::Client13, OtherGroup { group, of });
    }
}
