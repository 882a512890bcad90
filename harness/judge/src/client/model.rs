//! `FP-CLIENT-09`: the model that an answer names is the one that answered.

use fallproof_protocol::sse;
use fallproof_suite::requirement::Code;

use crate::collector::Collector;
use crate::observe::{Attempt, Ended};
use crate::violation::ClientViolation::WrongModel;

/// What clients ask a model's name for is to know who spoke.
pub(super) fn truthful(found: &mut Collector<'_>, answering: &Attempt<'_>, said: &str) {
    let goes_by = |names: [&String; 2]| names.into_iter().any(|name| name == said);
    let (view, deployment) = (found.view, answering.deployment);
    if goes_by([&deployment.model, &deployment.deployment_name]) || said == view.group.model {
        return;
    }
    if let Some(other) = view
        .group
        .deployments()
        .find(|deployment| goes_by([&deployment.model, &deployment.deployment_name]))
    {
        let (of, answered) = (other.name.clone(), deployment.name.clone());
        let kind = WrongModel { named: said.to_owned(), of, answered };
        found.breach(Code::Client09, kind).pointing("/model");
    }
}

pub(super) fn streamed(found: &mut Collector<'_>, attempts: &[Attempt<'_>]) {
    let speaks = |it: &&Attempt<'_>| matches!(it.ended(), Ended::Success | Ended::Interrupted);
    let Some(answering) = attempts.iter().rfind(speaks) else { return };
    let events = sse::events(&found.view.step.exchange.body);
    let named = events.iter().find_map(|event| event.model());
    if let Some(said) = named {
        truthful(found, answering, said);
    }
}
