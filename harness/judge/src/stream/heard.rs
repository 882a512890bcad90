//! What the target heard of a provider's stream.

use fallproof_protocol::sse::Event;

use crate::observe::{Attempt, Ended};

/// An attempt that was answered with a stream.
pub(super) struct Heard<'a> {
    pub(super) attempt: Attempt<'a>,
    pub(super) events: &'a [Event],
}

impl<'a> Heard<'a> {
    pub(super) fn new(attempt: Attempt<'a>) -> Option<Self> {
        // What the request log did not keep cannot be held against what the client got.
        let events = attempt.events().filter(|_| attempt.recorded.reply_cut.is_none())?;
        Some(Self { attempt, events })
    }

    pub(super) fn said(&self, event: &Event) -> bool {
        event.place_in(self.events.iter()).is_some()
    }

    /// Whether the client was told what only its deployment says.
    pub(super) fn speaks_in(&self, body: &[u8]) -> bool {
        self.attempt.deployment.marker().found_in(body)
    }

    /// Whether it got to its content.
    pub(super) fn answers(&self) -> bool {
        matches!(self.attempt.ended(), Ended::Success | Ended::Interrupted)
    }

    /// Whether it broke off after its first content.
    pub(super) fn is_interrupted(&self) -> bool {
        self.attempt.ended() == Ended::Interrupted
    }

    /// How many of these events it said.
    pub(super) fn share_of(&self, told: &[Event]) -> usize {
        told.iter().filter(|event| self.said(event)).count()
    }
}
