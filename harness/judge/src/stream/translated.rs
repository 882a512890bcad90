//! Streams of translated events. The events cannot be compared with the provider's events one by
//! one, so only three things are checked: the deployment they come from, the end of the stream, and
//! usage.

use fallproof_protocol::sse::Event;
use fallproof_suite::requirement::Code;

use super::client_stream::ClientStream;
use super::provider_stream::ProviderStream;
use crate::collector::Collector;
use crate::violation::StreamViolation::SplicedInTranslation;

pub(super) fn check(
    found: &mut Collector<'_>,
    streams: &[ProviderStream<'_>],
    client: ClientStream<'_>,
) {
    let body = &found.view.observed.exchange.body;
    let mut present = streams.iter().filter(|it| it.has_content() && it.is_in(body)).rev();
    let Some(answering) = present.next() else { return };
    let attempt = &answering.attempt;
    if let Some(other) =
        present.find(|it| it.attempt.deployment.prefix != attempt.deployment.prefix)
    {
        let kind = SplicedInTranslation { of: other.attempt.number };
        found.breach(Code::Stream05, kind).at(attempt);
        return;
    }
    let end = client.end(found.view, answering, client.events.iter().any(Event::is_answer));
    for (requirement, kind) in client.usage(answering).into_iter().chain(end) {
        found.breach(requirement, kind).at(attempt);
    }
}
