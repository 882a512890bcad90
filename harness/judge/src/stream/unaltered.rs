//! `FP-STREAM-01`: the client gets the provider's events unaltered. `FP-STREAM-02`: they have the
//! same spelling. `FP-STREAM-08`: the finish reason is the one that the provider sent.

use fallproof_protocol::sse::{Event, EventKind, Similarity};
use fallproof_suite::requirement::Code;

use super::brief;
use super::client_stream::Breach;
use super::provider_stream::ProviderStream;
use crate::violation::Alteration;
use crate::violation::StreamViolation::{
    Altered, FinishReasonChanged, MetadataChanged, MetadataMissing, Respelled,
};

/// If an event of at least this many bytes is lost, its size may be the cause.
const LARGE: usize = 4096;

/// Compares the events attributed to the answering provider with those that it sent. End events are
/// excluded because another requirement covers them, and errors of a failed provider because the
/// gateway may reword them.
pub(super) fn compare(
    answering: &ProviderStream<'_>,
    own: &[&Event],
    usage_requested: bool,
) -> Vec<Breach> {
    let is_interrupted = answering.is_interrupted();
    let compared = |event: &&Event| match event.kind() {
        EventKind::End => event.is_answer(),
        EventKind::Error => !is_interrupted,
        EventKind::Frame | EventKind::Content => usage_requested || !event.is_usage(),
    };
    let mut sent: Vec<_> = answering.events.iter().filter(compared).collect();
    let mut got: Vec<_> = own.iter().copied().filter(|event| compared(event)).collect();
    // If an event without content is missing, only metadata is lost.
    let mut bare = sent.iter().filter(|it| it.is_bare());
    let missing = bare.find(|it| it.index_in(got.iter().copied()).is_none());
    let mut metadata = missing.map(|event| MetadataMissing { data: brief(event) });
    // Usage may be part of the last content event instead of an event of its own.
    let is_separate = got.iter().any(|event| event.is_usage());
    let is_merged = |usage: &Event| !is_separate && got.iter().any(|it| it.has_same_usage(usage));
    sent.retain(|event| !(event.is_bare() || event.is_usage() && is_merged(event)));
    got.retain(|event| !event.is_bare());
    let numbered: Vec<_> = answering.events.iter().enumerate().collect();
    let mut breaches = Vec::new();
    for at in 0..sent.len().max(got.len()) {
        let same = |event: &Event| numbered.iter().find(|(_, it)| std::ptr::eq(*it, event));
        let event = sent.get(at).and_then(|event| same(event)).map_or(at, |(at, _)| *at) + 1;
        let (how, culprit) = match (sent.get(at), got.get(at)) {
            (Some(sent), Some(got)) if sent.similarity(got) == Similarity::Identical => continue,
            (Some(sent), Some(got)) if sent.similarity(got) == Similarity::Equivalent => {
                if breaches.is_empty() {
                    breaches.push((Code::Stream02, Respelled { event, data: brief(got) }));
                }
                continue;
            }
            (Some(sent), Some(got)) if sent.similarity(got) == Similarity::SameContent => {
                if let (None, Some(part)) = (&metadata, sent.differs_at(got)) {
                    metadata = Some(MetadataChanged { event, part, data: brief(got) });
                }
                continue;
            }
            // A missing end is reported separately.
            (Some(last), None) if is_interrupted || last.kind() == EventKind::End => break,
            (Some(missing), None) => (Alteration::Lost, missing),
            (Some(wanted), Some(other)) => difference(wanted, other, (&sent, at), &got[at..]),
            (None, Some(added)) if added.index_in(sent.iter().copied()).is_some() => {
                (Alteration::Twice, added)
            }
            (None, Some(added)) => (Alteration::NeverSent, added),
            (None, None) => break,
        };
        if let Alteration::Changed(pointer) = &how
            && pointer.ends_with("/finish_reason")
        {
            let kind = FinishReasonChanged { event, data: brief(culprit) };
            breaches.push((Code::Stream08, kind));
            continue;
        }
        let event = match how {
            // The event that was sent, and not the one in whose place it arrived again.
            Alteration::Twice => {
                culprit.index_in(answering.events.iter()).map_or(event, |it| it + 1)
            }
            _ => event,
        };
        let large = sent.get(at).map(|event| event.data.len()).filter(|bytes| *bytes > LARGE);
        breaches.push((Code::Stream01, Altered { event, large, how, data: brief(culprit) }));
        break;
    }
    breaches.extend(metadata.map(|kind| (Code::Client02, kind)));
    breaches
}

fn renamed(from: String, to: String) -> Alteration {
    match (from.is_empty(), to.is_empty()) {
        (_, true) => Alteration::NameLost(from),
        (true, false) => Alteration::NameAdded(to),
        (false, false) => Alteration::Renamed { from, to },
    }
}

/// How `wanted` was altered, and the event that shows it. `other` arrived in the position of
/// `wanted`.
fn difference<'e>(
    wanted: &'e &'e Event,
    other: &'e &'e Event,
    (sent, at): (&[&Event], usize),
    after: &[&Event],
) -> (Alteration, &'e &'e Event) {
    let holds = |events: &[&Event], event: &Event| event.index_in(events.iter().copied()).is_some();
    if wanted.name != other.name && other.index_in([*wanted].into_iter()).is_some() {
        return (renamed(wanted.name.clone(), other.name.clone()), other);
    }
    if holds(&sent[..at], other) {
        return (Alteration::Twice, other);
    }
    // The event that arrived early must be one that the provider sent.
    if holds(after, wanted) && holds(sent, other) {
        return (Alteration::Late, wanted);
    }
    // If the next event matches, this one was altered, not lost.
    let is_next_kept = match (sent.get(at + 1), after.get(1)) {
        (Some(next), Some(got)) => got.index_in([*next].into_iter()).is_some(),
        (next, got) => next.is_none() && got.is_none(),
    };
    match wanted.differs_at(other) {
        Some(pointer) if is_next_kept => (Alteration::Changed(pointer), other),
        Some(pointer) => (Alteration::LostOrChangedAt(pointer), other),
        None => (Alteration::LostOrChanged, other),
    }
}
