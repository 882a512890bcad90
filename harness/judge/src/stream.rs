//! STREAM: a streamed answer is one provider's, whole and unaltered, or it says that it is not.
//!
//! | code | where |
//! |---|---|
//! | `FP-STREAM-01`, `02` | [`unaltered`]; `01` is also a stream that goes on without end |
//! | `FP-STREAM-03`, `04`, `05` | [`foreign`]: what no event of the answering provider is |
//! | `FP-STREAM-06` | [`asked_on`] |
//! | `FP-STREAM-07`, `08`, `09` | [`told`]: how it ends, what it tells of the cost |
//! | `FP-STREAM-10`, `11`, `12` | [`head`]: how it begins |
//! | `FP-STREAM-13` | [`left`] |
//!
//! What is told beside the content is `FP-CLIENT-02`, here as in an answer that is not streamed.

mod asked_on;
mod foreign;
mod head;
mod heard;
mod left;
#[cfg(test)]
mod tests;
mod told;
mod translated;
mod unaltered;

use fallproof_protocol::json::Tree;
use fallproof_protocol::sse::{self, Event};
use fallproof_suite::evidence::Ending;
use fallproof_suite::requirement::Code;

use self::heard::Heard;
use self::told::Told;
use super::collector::Collector;
use crate::observe::View;
use crate::violation::StreamViolation;

pub(super) fn check(found: &mut Collector<'_>) {
    let view = found.view;
    left::check(found);
    if !view.wants_stream() {
        return;
    }
    head::error_first(found);
    if !view.step.exchange.status.is_some_and(|status| (200..300).contains(&status)) {
        return;
    }
    // What is under way when the client leaves has not failed.
    if view.step.exchange.ending != Ending::Disconnected {
        head::status(found);
    }
    let heard: Vec<_> = view.attempts().filter_map(Heard::new).collect();
    // Some models answer whole whatever is wished for.
    if !heard.is_empty() {
        head::content_type(found);
    }
    events(found, &heard);
}

/// Judges what the client was told, event by event.
fn events(found: &mut Collector<'_>, heard: &[Heard<'_>]) {
    let view = found.view;
    let all = sse::events(&view.step.exchange.body);
    let events = beginning(&all, heard.iter().map(|it| it.events.len()).sum());
    let told = Told { events, all: &all, usage_wanted: wants_usage(view) };
    if heard.iter().any(|it| it.attempt.is_translated(view.planned.send.endpoint)) {
        translated::check(found, heard, told);
        return;
    }
    if events.len() < all.len() && !heard.is_empty() {
        let events = all.len() - events.len();
        found.breach(Code::Stream01, StreamViolation::GoesOn { events });
    }
    asked_on::check(found, heard, events);
    // The latest of those that fit equally well.
    let answering = heard.iter().filter(|it| it.answers()).max_by_key(|it| it.share_of(events));
    let Some(answering) = answering else { return };
    let others = heard.iter().filter(|it| it.attempt.number != answering.attempt.number).collect();
    foreign::check(found, answering, others, told);
}

/// What is judged event by event of a stream, where the providers sent so many: each is held against
/// each of theirs, and a target that floods its client must not keep that busy for minutes.
fn beginning(all: &[Event], sent: usize) -> &[Event] {
    const MORE: usize = 1_000;
    &all[..all.len().min(2 * sent + MORE)]
}

/// Whether the client asked to be told of the cost.
fn wants_usage(view: View<'_>) -> bool {
    let sent = Tree::parse(&view.step.exchange.sent).ok();
    let options = sent.as_ref().and_then(|sent| sent.member("stream_options"));
    let wish = options.and_then(|options| options.member("include_usage"));
    matches!(wish, Some(Tree::Scalar(text)) if text == "true")
}

/// An event's data, short enough for one line.
fn brief(event: &Event) -> String {
    const MOST: usize = 80;
    let text = &event.data;
    let start: String = text.chars().take(MOST).collect();
    if start.len() < text.len() { format!("{start}…") } else { start }
}
