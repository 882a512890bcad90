//! `FP-CLIENT-09`: a response names the model that answered.

use fallproof_protocol::sse;
use fallproof_suite::requirement::Code;

use crate::collector::Collector;
use crate::observe::{Attempt, AttemptOutcome};
use crate::violation::ClientViolation::NamesAnother;

/// Checks the name of the model, because clients read it to learn which model answered.
pub(super) fn truthful(found: &mut Collector<'_>, answering: &Attempt<'_>, named: &str) {
    let is_any_of = |names: [&String; 2]| names.into_iter().any(|name| name == named);
    let (view, deployment) = (found.view, answering.deployment);
    if is_any_of([&deployment.model, &deployment.deployment_name]) || named == view.group.model {
        return;
    }
    if let Some(other) = view
        .group
        .deployments()
        .find(|deployment| is_any_of([&deployment.model, &deployment.deployment_name]))
    {
        let (of, answered) = (other.name.clone(), deployment.name.clone());
        let kind = NamesAnother { named: named.to_owned(), of, answered };
        found.breach(Code::Client09, kind).pointing("/model");
    }
}

pub(super) fn streamed(found: &mut Collector<'_>, attempts: &[Attempt<'_>]) {
    let has_content = |it: &&Attempt<'_>| {
        matches!(it.outcome(), AttemptOutcome::Success | AttemptOutcome::Interrupted)
    };
    let Some(answering) = attempts.iter().rfind(has_content) else { return };
    let events = sse::events(&found.view.observed.exchange.body);
    let named = events.iter().find_map(|event| event.model());
    if let Some(named) = named {
        truthful(found, answering, named);
    }
}
