//! STREAM: what reaches the client of a stream is what its provider sent.

use crate::observe::Attempt;
use crate::requirement::Code;
use crate::sse::{Event, Likeness, Meaning};

/// What stands beside the content, here as in an answer that is not streamed.

/// Holds the events that must be the answering provider's against them. Ends have a
/// requirement of their own; where the provider failed, its words may be put otherwise.
pub(super) fn compare(
    answering: &Attempt<'_>,
    own: &[&Event],
    is_interrupted: bool,
    usage_wanted: bool,
) -> Vec<(Code, String)> {
    let compared = |event: &&Event| match event.meaning() {
        Meaning::End => event.is_answer(),
        Meaning::Error => !is_interrupted,
        Meaning::Frame | Meaning::Content => usage_wanted || !event.is_usage(),
    };
    let number = answering.number;
    let events = answering.events().unwrap_or_default();
    let mut sent: Vec<_> = events.iter().filter(compared).collect();
    let mut got: Vec<_> = own.iter().copied().filter(|event| compared(event)).collect();
    // Of what holds nothing of the answer only what it tells beside it can be missed.
    let mut bare = sent.iter().filter(|it| it.is_bare());
    let left_out = bare.find(|it| it.place_in(got.iter().copied()).is_none());
    let mut beside =
        left_out.map(|event| format!("attempt {number} sent what was left out: {}", brief(event)));
    // The cost may come with the last piece of the answer instead of behind it.
    let is_behind = got.iter().any(|event| event.is_usage());
    let is_told = |usage: &Event| !is_behind && got.iter().any(|it| it.costs_the_same(usage));
    sent.retain(|event| !(event.is_bare() || event.is_usage() && is_told(event)));
    got.retain(|event| !event.is_bare());
    let places: Vec<_> = events.iter().enumerate().collect();
    let mut breaches = Vec::new();
    for at in 0..sent.len().max(got.len()) {
        let same = |event: &Event| places.iter().find(|(_, it)| std::ptr::eq(*it, event));
        let place = sent.get(at).and_then(|event| same(event)).map_or(at, |(at, _)| *at) + 1;
        let what = match (sent.get(at), got.get(at)) {
            (Some(sent), Some(got)) if sent.likeness(got) == Likeness::Same => continue,
            (Some(sent), Some(got)) if sent.likeness(got) == Likeness::Equal => {
                if breaches.is_empty() {
                    let message = format!(
                        "event {place} of attempt {number} reached the client in another spelling: {}",
                        brief(got)
                    );
                    breaches.push((Code::Stream02, message));
                }
                continue;
            }
            (Some(sent), Some(got)) if sent.likeness(got) == Likeness::InContent => {
                if let (None, Some(pointer)) = (&beside, sent.differs_at(got)) {
                    beside = Some(format!(
                        "{pointer} of event {place} is not what attempt {number} sent there: {}",
                        brief(got)
                    ));
                }
                continue;
            }
            // The end that is missing is told of by itself.
            (Some(last), None) if is_interrupted || last.meaning() == Meaning::End => break,
            (Some(missing), None) => format!("was lost: {}", brief(missing)),
            (Some(wanted), Some(other)) => difference(wanted, other, &sent[..at], &got[at..]),
            (None, Some(added)) if added.place_in(sent.iter().copied()).is_some() => {
                format!("came twice: {}", brief(added))
            }
            (None, Some(added)) => format!("was never sent: {}", brief(added)),
            (None, None) => break,
        };
        breaches.push((Code::Stream01, format!("event {place} of attempt {number} {what}")));
        break;
    }
    breaches.extend(beside.map(|message| (Code::Client02, message)));
    breaches
}

/// What became of `wanted`, where `other` came.
fn difference(wanted: &Event, other: &Event, before: &[&Event], after: &[&Event]) -> String {
    let holds = |events: &[&Event], event: &Event| event.place_in(events.iter().copied()).is_some();
    if wanted.name != other.name && other.place_in([wanted].into_iter()).is_some() {
        return format!(
            "was named \"{}\" and came as \"{}\": {}",
            wanted.name,
            other.name,
            brief(other)
        );
    }
    if holds(before, other) {
        return format!("came twice: {}", brief(other));
    }
    if holds(after, wanted) {
        return format!("came too late: {}", brief(wanted));
    }
    let pointer = wanted.differs_at(other).map_or_else(String::new, |it| format!(" at {it}"));
    format!("was lost, or changed{pointer}: {}", brief(other))
}

/// An event's data, short enough for one line.
pub(super) fn brief(event: &Event) -> String {
    const MOST: usize = 80;
    let text = &event.data;
    let start: String = text.chars().take(MOST).collect();
    if start.len() < text.len() { format!("{start}…") } else { start }
}
