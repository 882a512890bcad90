//! Events in the client's stream that the answering provider did not send. `FP-STREAM-03`: no
//! character is corrupted. `FP-STREAM-04`: nothing comes from a failed attempt. `FP-STREAM-05`: all
//! content comes from one attempt. `FP-STREAM-08`: no end is invented.

use std::collections::HashSet;

use fallproof_protocol::provider::Endpoint;
use fallproof_protocol::sse::{Event, EventKind};
use fallproof_suite::requirement::Code;

use super::brief;
use super::client_stream::{Breach, ClientStream};
use super::provider_stream::ProviderStream;
use super::restart;
use super::unaltered::compare;
use crate::collector::Collector;
use crate::observe::View;
use crate::violation::StreamViolation::{
    InventedEnd, Mangled, OfFailedAttempt, SecondStart, Spliced, TooManyStarts,
};

/// The kind of an event that the answering provider did not send.
enum Foreign {
    /// An end or a finish reason that was not sent by any provider.
    InventedEnd,
    /// Part of the gateway's own report that a provider failed: the error, or the `[DONE]` after
    /// it.
    Report,
    /// Content from another attempt. Holds the attempt's number.
    Content(usize),
    /// The start of another attempt's stream, or its error. Holds the attempt's number.
    Frame(usize),
    /// A second start of the response.
    Beginning,
    /// An event with corrupted characters.
    Mangled,
}

/// Compares the client's stream with the attempt that most of its events come from, and with the
/// other attempts.
pub(super) fn check(
    found: &mut Collector<'_>,
    answering: &ProviderStream<'_>,
    others: Vec<&ProviderStream<'_>>,
    client: ClientStream<'_>,
) {
    let mut sorting = Sorting::new(answering, others, ends_with_done(found.view));
    for (at, event) in client.events.iter().enumerate() {
        if client.usage_requested || !event.is_usage() {
            sorting.take(at + 1, event);
        }
    }
    sorting.surplus_start();
    let Sorting { own, mut breaches, others, .. } = sorting;
    if !breaches.iter().any(|(code, _)| matches!(code, Code::Stream04 | Code::Stream05)) {
        let streams: Vec<_> = std::iter::once(answering).chain(others).collect();
        breaches.extend(restart::find(&streams, client.events));
    }
    breaches.splice(0..0, client.usage(answering));
    if breaches.iter().any(|(requirement, _)| *requirement == Code::Stream05) {
        // The other violations are only consequences of mixed content.
        breaches.retain(|(requirement, _)| *requirement == Code::Stream05);
    } else {
        let has_content = own.iter().any(|it| it.is_answer());
        breaches.extend(client.end(found.view, answering, has_content));
        breaches.extend(compare(answering, &own, client.usage_requested));
    }
    for (requirement, kind) in breaches {
        found.breach(requirement, kind).at(&answering.attempt);
    }
}

/// Whether streams of this endpoint end with `[DONE]`, even after an error.
fn ends_with_done(view: View<'_>) -> bool {
    matches!(view.planned.send.endpoint, Endpoint::ChatCompletions | Endpoint::Completions)
}

/// Separates the events of the client's stream into those of the answering provider and foreign
/// ones.
struct Sorting<'a> {
    answering: &'a ProviderStream<'a>,
    others: Vec<&'a ProviderStream<'a>>,
    /// The ids of other attempts' streams that the answering stream does not have. Content cannot
    /// tell the streams apart, because attempts may start with the same content.
    other_ids: HashSet<&'a str>,
    /// Events of the answering provider that are not matched yet.
    unmatched: Vec<&'a Event>,
    /// Events attributed to the answering provider.
    own: Vec<&'a Event>,
    breaches: Vec<Breach>,
    /// Whether a `[DONE]` is part of an error report.
    ends_with_done: bool,
    /// Whether the client got an error event.
    error_reported: bool,
}

impl<'a> Sorting<'a> {
    fn new(
        answering: &'a ProviderStream<'a>,
        others: Vec<&'a ProviderStream<'a>>,
        ends_with_done: bool,
    ) -> Self {
        let unmatched = answering.events.iter().collect();
        let ids =
            |stream: &&'a ProviderStream<'a>| stream.events.iter().filter_map(Event::chunk_id);
        let mut other_ids: HashSet<_> = others.iter().flat_map(ids).collect();
        ids(&answering).for_each(|id| {
            other_ids.remove(id);
        });
        let (own, breaches, error_reported) = (Vec::new(), Vec::new(), false);
        Self {
            answering,
            others,
            other_ids,
            unmatched,
            own,
            breaches,
            ends_with_done,
            error_reported,
        }
    }

    /// Sorts the next event; `number` is its position in the stream, from 1.
    fn take(&mut self, number: usize, event: &'a Event) {
        self.error_reported |= event.reports_error();
        let is_of_another = event.chunk_id().is_some_and(|id| self.other_ids.contains(id));
        let same = event.index_in(self.unmatched.iter().copied());
        if let Some(same) = same.filter(|_| !is_of_another) {
            self.unmatched.remove(same);
            self.own.push(event);
            return;
        }
        let data = brief(event);
        let breach = match self.foreign(event) {
            None => {
                self.own.push(event);
                return;
            }
            Some(Foreign::Report) => return,
            Some(Foreign::InventedEnd) => (Code::Stream08, InventedEnd { event: number, data }),
            Some(Foreign::Content(of)) => (Code::Stream05, Spliced { event: number, of }),
            Some(Foreign::Frame(of)) => {
                (Code::Stream04, OfFailedAttempt { event: number, of, data })
            }
            Some(Foreign::Beginning) => (Code::Stream04, SecondStart { event: number, data }),
            Some(Foreign::Mangled) => {
                if let Some(meant) = self.unmatched.iter().position(|it| !it.data.is_ascii()) {
                    self.own.push(self.unmatched.remove(meant));
                }
                (Code::Stream03, Mangled { event: number, data })
            }
        };
        self.breaches.push(breach);
    }

    /// Classifies an event that matches none of the answering attempt's remaining events; `None` if
    /// it is an altered form of one of them, or a surplus event.
    fn foreign(&self, event: &Event) -> Option<Foreign> {
        let is_interrupted = self.answering.is_interrupted();
        let meaning = event.kind();
        if meaning == EventKind::End {
            if event.is_done() && self.ends_with_done && self.error_reported {
                return Some(Foreign::Report);
            }
            // An event of this kind may be an altered copy of the provider's last event.
            let is_changed =
                event.is_answer() && self.unmatched.iter().any(|it| it.kind() == meaning);
            let is_completed = event.is_done() && self.answering.attempt.broke_within_done();
            return (!is_changed && !is_completed).then_some(Foreign::InventedEnd);
        }
        if let Some(other) = self.others.iter().find(|other| other.has_sent(event)) {
            let number = other.attempt.number;
            let is_content = meaning == EventKind::Content;
            return Some(if is_content {
                Foreign::Content(number)
            } else {
                Foreign::Frame(number)
            });
        }
        let none_unmatched = |is: fn(&Event) -> bool| !self.unmatched.iter().any(|it| is(it));
        if event.data.contains('\u{fffd}')
            && !self.answering.events.iter().any(|it| it.data.contains('\u{fffd}'))
        {
            Some(Foreign::Mangled)
        } else if meaning == EventKind::Error && is_interrupted {
            Some(Foreign::Report)
        } else if event.finishes() && (is_interrupted || none_unmatched(Event::finishes)) {
            Some(Foreign::InventedEnd)
        } else if event.is_beginning()
            && (none_unmatched(Event::is_beginning) || self.answering.has_sent(event))
        {
            Some(Foreign::Beginning)
        } else {
            None
        }
    }

    /// Reports a start of the response if the client got more starts than the answering provider
    /// sent.
    fn surplus_start(&mut self) {
        let begun = self.answering.events.iter().filter(|it| it.is_beginning()).count().max(1);
        if let Some(again) = self.own.iter().filter(|it| it.is_beginning()).nth(begun) {
            let kind = TooManyStarts { data: brief(again) };
            self.breaches.push((Code::Stream04, kind));
        }
    }
}
