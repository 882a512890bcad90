//! Events that were translated have another shape than the provider's. Who speaks in them can be told,
//! and whether they end as the provider's did.

use fallproof_protocol::sse::Event;
use fallproof_suite::requirement::Code;

use super::heard::Heard;
use super::told::Told;
use crate::collector::Collector;
use crate::violation::StreamViolation::SplicedInTranslation;

pub(super) fn check(found: &mut Collector<'_>, heard: &[Heard<'_>], told: Told<'_>) {
    let body = &found.view.step.exchange.body;
    let mut speaking = heard.iter().filter(|it| it.answers() && it.speaks_in(body)).rev();
    let Some(answering) = speaking.next() else { return };
    let attempt = &answering.attempt;
    if let Some(other) =
        speaking.find(|it| it.attempt.deployment.prefix != attempt.deployment.prefix)
    {
        let kind = SplicedInTranslation { of: other.attempt.number };
        found.breach(Code::Stream05, kind).at(attempt);
        return;
    }
    let end = told.end(found.view, answering, told.events.iter().any(Event::is_answer));
    for (requirement, kind) in told.usage().into_iter().chain(end) {
        found.breach(requirement, kind).at(attempt);
    }
}
