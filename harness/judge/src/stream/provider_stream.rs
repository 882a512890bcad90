//! The stream that a provider sent to the target.

use fallproof_protocol::sse::Event;

use super::requests_usage;
use crate::observe::{Attempt, AttemptOutcome};

/// An attempt that was answered with a stream.
pub(super) struct ProviderStream<'a> {
    pub(super) attempt: Attempt<'a>,
    pub(super) events: &'a [Event],
}

impl<'a> ProviderStream<'a> {
    pub(super) fn new(attempt: Attempt<'a>) -> Option<Self> {
        // A reply that the request log truncated cannot be compared.
        let events = attempt.events().filter(|_| attempt.recorded.reply_cut.is_none())?;
        Some(Self { attempt, events })
    }

    /// Whether the provider sent this event.
    pub(super) fn has_sent(&self, event: &Event) -> bool {
        event.index_in(self.events.iter()).is_some()
    }

    /// Whether the provider sent this usage although the attempt did not request it, or in an event
    /// that also has content.
    pub(super) fn volunteers(&self, usage: &Event) -> bool {
        let was_asked = requests_usage(&self.attempt.recorded.body);
        let sent = self.events.iter().filter(|event| event.has_usage());
        usage.index_in(sent).is_some() && !(was_asked && usage.is_usage())
    }

    /// Whether the body contains the marker of the deployment.
    pub(super) fn is_in(&self, body: &[u8]) -> bool {
        self.attempt.deployment.marker().found_in(body)
    }

    /// Whether the stream has content.
    pub(super) fn has_content(&self) -> bool {
        matches!(self.attempt.outcome(), AttemptOutcome::Success | AttemptOutcome::Interrupted)
    }

    /// Whether the stream was interrupted after its first content.
    pub(super) fn is_interrupted(&self) -> bool {
        self.attempt.outcome() == AttemptOutcome::Interrupted
    }

    /// The number of these events that the provider sent.
    pub(super) fn count_in(&self, events: &[Event]) -> usize {
        events.iter().filter(|event| self.has_sent(event)).count()
    }
}
