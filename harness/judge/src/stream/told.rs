//! A stream as the client got it. 07: it does not hide that the provider's broke. 08: it has the
//! provider's end. 09: it tells of the cost only who asked.

use fallproof_protocol::sse::{Event, Meaning};
use fallproof_suite::evidence::Ending;
use fallproof_suite::requirement::Code;

use super::heard::Heard;
use crate::observe::View;
use crate::violation::StreamViolation::{self, EndMissing, HidesBreak, UsageUnasked};

/// A stream as the client got it.
#[derive(Clone, Copy)]
pub(super) struct Told<'a> {
    /// What is judged of it event by event.
    pub(super) events: &'a [Event],
    pub(super) all: &'a [Event],
    /// Whether the client asked to be told of the cost.
    pub(super) usage_wanted: bool,
}

/// A breach that is seen in a stream.
pub(super) type Breach = (Code, StreamViolation);

impl Told<'_> {
    /// What it tells of the cost although nobody asked.
    pub(super) fn usage(&self) -> Vec<Breach> {
        let told = self.events.iter().enumerate().filter(|(_, event)| event.has_usage());
        told.filter(|_| !self.usage_wanted)
            .map(|(at, _)| (Code::Stream09, UsageUnasked { event: at + 1 }))
            .collect()
    }

    /// How it ends otherwise than the answering provider's stream did.
    pub(super) fn end(
        &self,
        view: View<'_>,
        answering: &Heard<'_>,
        has_content: bool,
    ) -> Option<Breach> {
        let attempt = &answering.attempt;
        let has = |wanted| self.all.iter().any(|event| event.meaning() == wanted);
        if !answering.is_interrupted() {
            return (!has(Meaning::End)).then_some((Code::Stream08, EndMissing));
        }
        let is_whole = view.step.exchange.ending == Ending::Complete && !has(Meaning::Error);
        // Where all is said, nothing is missing that the client could be told of.
        let all_is_said = attempt.broke_within_done() || attempt.ended_but_for_its_done();
        let is_breach = has_content && is_whole && !all_is_said;
        is_breach.then_some((Code::Stream07, HidesBreak))
    }
}
