//! The stream that the client got. `FP-STREAM-07`: it does not hide an interruption of the
//! provider's stream. `FP-STREAM-08`: it contains the end of the provider's stream. `FP-STREAM-09`:
//! it reports usage only on request.

use fallproof_protocol::sse::{Event, EventKind};
use fallproof_suite::evidence::Ending;
use fallproof_suite::requirement::Code;

use super::provider_stream::ProviderStream;
use crate::observe::View;
use crate::violation::StreamViolation::{self, EndMissing, HidesInterruption, UnrequestedUsage};

/// The stream that the client got.
#[derive(Clone, Copy)]
pub(super) struct ClientStream<'a> {
    /// The events that are judged one by one: all of them, or the first ones of a stream that has far
    /// more events than the providers sent.
    pub(super) events: &'a [Event],
    /// All events that the client received.
    pub(super) all: &'a [Event],
    /// Whether the client requested usage.
    pub(super) usage_requested: bool,
}

/// A breach found in a stream.
pub(super) type Breach = (Code, StreamViolation);

impl ClientStream<'_> {
    /// Returns the events that report usage although the client did not request it, unless the
    /// provider sent it unrequested.
    pub(super) fn usage(&self, answering: &ProviderStream<'_>) -> Vec<Breach> {
        let usage = self.events.iter().enumerate().filter(|(_, event)| event.has_usage());
        usage
            .filter(|(_, event)| !self.usage_requested && !answering.volunteers(event))
            .map(|(at, _)| (Code::Stream09, UnrequestedUsage { event: at + 1 }))
            .collect()
    }

    /// Compares the end of the client's stream with the end of the answering provider's stream.
    pub(super) fn end(
        &self,
        view: View<'_>,
        answering: &ProviderStream<'_>,
        has_content: bool,
    ) -> Option<Breach> {
        let attempt = &answering.attempt;
        let has = |wanted| self.all.iter().any(|event| event.kind() == wanted);
        if !answering.is_interrupted() {
            return (!has(EventKind::End)).then_some((Code::Stream08, EndMissing));
        }
        let is_complete =
            view.observed.exchange.ending == Ending::Complete && !has(EventKind::Error);
        // If only `[DONE]` is missing, the client has the whole answer.
        let only_done_missing = attempt.broke_within_done() || attempt.ended_without_done();
        let is_breach = has_content && is_complete && !only_done_missing;
        is_breach.then_some((Code::Stream07, HidesInterruption))
    }
}
