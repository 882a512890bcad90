//! `FP-CLIENT-09`: the model that an answer names is the one that answered.

use fallproof_protocol::sse;
use fallproof_suite::requirement::Code;

use crate::collector::Collector;
use crate::observe::{Attempt, Ended};
use crate::violation::ClientViolation::WrongModel;

/// What clients ask a model's name for is to know who spoke.
pub(super) fn truthful(found: &mut Collector<'_>, answering: &Attempt<'_>, said: &str) {
    let goes_by = |names: [&String; 2]| names.into_iter().any(|name| name == said);
    let (view, hop) = (found.view, answering.hop);
    if goes_by([&hop.model, &hop.deployment]) || said == view.group.group {
        return;
    }
    if let Some(other) = view.group.hops().find(|hop| goes_by([&hop.model, &hop.deployment])) {
        let (of, answered) = (other.upstream.clone(), hop.upstream.clone());
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
