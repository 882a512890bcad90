//! Each event that the client got is one of the answering provider. 03: no character is broken.
//! 04: nothing is seen of an attempt that failed. 05: content is of one attempt. 08: no end is made up.

use fallproof_protocol::sse::{Event, Meaning};
use fallproof_suite::requirement::Code;

use super::brief;
use super::heard::Heard;
use super::told::{Breach, Told};
use super::unaltered::compare;
use crate::collector::Collector;
use crate::violation::StreamViolation::{
    BeginsAgain, BeginsTooOften, MadeUpEnd, Mangled, OfFailedAttempt, Spliced,
};

/// What may stand in a stream that is not an event of the answering provider.
enum Foreign {
    /// The end, or a reason for it, that nobody gave.
    MadeUpEnd,
    /// The gateway's own word on a provider's failure.
    OwnError,
    /// A part of another attempt's answer. Holds its number.
    Content(usize),
    /// What another attempt began with, or failed with. Holds its number.
    Frame(usize),
    /// One more beginning.
    Beginning,
    /// An event whose characters were broken.
    Mangled,
}

/// Holds a stream against the attempt that it has the most of, and against the others.
pub(super) fn check(
    found: &mut Collector<'_>,
    answering: &Heard<'_>,
    others: Vec<&Heard<'_>>,
    told: Told<'_>,
) {
    let mut sorting = Sorting::new(answering, others);
    for (at, event) in told.events.iter().enumerate() {
        if told.usage_wanted || !event.is_usage() {
            sorting.take(at + 1, event);
        }
    }
    sorting.begins_again();
    let Sorting { own, mut breaches, .. } = sorting;
    breaches.splice(0..0, told.usage());
    if breaches.iter().any(|(requirement, _)| *requirement == Code::Stream05) {
        // What else is wrong is so because of it.
        breaches.retain(|(requirement, _)| *requirement == Code::Stream05);
    } else {
        let has_content = own.iter().any(|it| it.is_answer());
        breaches.extend(told.end(found.view, answering, has_content));
        breaches.extend(compare(answering, &own, told.usage_wanted));
    }
    for (requirement, kind) in breaches {
        found.breach(requirement, kind).at(&answering.attempt);
    }
}

/// Sorts the events of a stream into those of the answering provider and foreign ones.
struct Sorting<'a> {
    answering: &'a Heard<'a>,
    others: Vec<&'a Heard<'a>>,
    /// Events of the answering provider that have not been met yet.
    left: Vec<&'a Event>,
    /// Events that are, or must be, the answering provider's.
    own: Vec<&'a Event>,
    breaches: Vec<Breach>,
}

impl<'a> Sorting<'a> {
    fn new(answering: &'a Heard<'a>, others: Vec<&'a Heard<'a>>) -> Self {
        let left = answering.events.iter().collect();
        Self { answering, others, left, own: Vec::new(), breaches: Vec::new() }
    }

    /// Takes the next event, which has this number.
    fn take(&mut self, number: usize, event: &'a Event) {
        if let Some(same) = event.place_in(self.left.iter().copied()) {
            self.left.remove(same);
            self.own.push(event);
            return;
        }
        let data = brief(event);
        let breach = match self.foreign(event) {
            None => {
                self.own.push(event);
                return;
            }
            Some(Foreign::OwnError) => return,
            Some(Foreign::MadeUpEnd) => (Code::Stream08, MadeUpEnd { event: number, data }),
            Some(Foreign::Content(of)) => (Code::Stream05, Spliced { event: number, of }),
            Some(Foreign::Frame(of)) => {
                (Code::Stream04, OfFailedAttempt { event: number, of, data })
            }
            Some(Foreign::Beginning) => (Code::Stream04, BeginsAgain { event: number, data }),
            Some(Foreign::Mangled) => {
                if let Some(meant) = self.left.iter().position(|it| !it.data.is_ascii()) {
                    self.own.push(self.left.remove(meant));
                }
                (Code::Stream03, Mangled { event: number, data })
            }
        };
        self.breaches.push(breach);
    }

    /// What this event is, which is none of those left of the answering attempt; `None` where it
    /// must be one of them that was changed, or one too many.
    fn foreign(&self, event: &Event) -> Option<Foreign> {
        let is_interrupted = self.answering.is_interrupted();
        let meaning = event.meaning();
        if meaning == Meaning::End {
            // With its type, it may be the end that was changed.
            let is_changed =
                event.is_answer() && self.left.iter().any(|it| it.meaning() == meaning);
            let is_mended = event.is_done() && self.answering.attempt.broke_within_done();
            return (!is_changed && !is_mended).then_some(Foreign::MadeUpEnd);
        }
        if let Some(other) = self.others.iter().find(|other| other.said(event)) {
            let number = other.attempt.number;
            let is_content = meaning == Meaning::Content;
            return Some(if is_content {
                Foreign::Content(number)
            } else {
                Foreign::Frame(number)
            });
        }
        let none_left = |is: fn(&Event) -> bool| !self.left.iter().any(|it| is(it));
        if event.data.contains('\u{fffd}')
            && !self.answering.events.iter().any(|it| it.data.contains('\u{fffd}'))
        {
            Some(Foreign::Mangled)
        } else if meaning == Meaning::Error && is_interrupted {
            Some(Foreign::OwnError)
        } else if event.finishes() && (is_interrupted || none_left(Event::finishes)) {
            Some(Foreign::MadeUpEnd)
        } else if event.is_beginning()
            && (none_left(Event::is_beginning) || self.answering.said(event))
        {
            Some(Foreign::Beginning)
        } else {
            None
        }
    }

    /// Among those that must be the provider's there are not more beginnings than it sent.
    fn begins_again(&mut self) {
        let begun = self.answering.events.iter().filter(|it| it.is_beginning()).count().max(1);
        if let Some(again) = self.own.iter().filter(|it| it.is_beginning()).nth(begun) {
            let kind = BeginsTooOften { data: brief(again) };
            self.breaches.push((Code::Stream04, kind));
        }
    }
}
