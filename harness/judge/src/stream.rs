//! STREAM: a streamed response is the complete and unaltered answer of one provider, or reports an
//! error.
//!
//! | code | where |
//! |---|---|
//! | `FP-STREAM-01`, `02` | [`unaltered`]; `01` also covers a stream that never ends |
//! | `FP-STREAM-03`, `04`, `05` | [`foreign`]: events that are not the answering provider's; [`restart`] |
//! | `FP-STREAM-06` | [`late_attempt`] |
//! | `FP-STREAM-07`, `08`, `09` | [`client_stream`]: the end of the stream, and usage; `08` also [`unaltered`] |
//! | `FP-STREAM-10`, `11`, `12` | [`head`]: the start of the stream |
//! | `FP-STREAM-13` | [`disconnect`] |
//! | `FP-STREAM-14` | [`blame`] |
//! | `FP-STREAM-15` | [`timeliness`] |
//! | `FP-STREAM-16` | [`time_limit`] |
//!
//! `FP-CLIENT-02` covers the metadata of a response, whether or not the response is streamed.

mod blame;
mod client_stream;
mod disconnect;
mod foreign;
mod head;
mod late_attempt;
mod provider_stream;
mod restart;
#[cfg(test)]
mod tests;
mod time_limit;
mod timeliness;
mod translated;
mod unaltered;

use std::cmp::Reverse;

use fallproof_protocol::json::Tree;
use fallproof_protocol::sse::{self, Event};
use fallproof_suite::evidence::Ending;
use fallproof_suite::requirement::Code;

use self::client_stream::ClientStream;
use self::provider_stream::ProviderStream;
use super::collector::Collector;
use crate::violation::StreamViolation;

pub(super) fn check(found: &mut Collector<'_>) {
    let view = found.view;
    disconnect::check(found);
    if !view.wants_stream() {
        return;
    }
    head::error_first(found);
    if !view.observed.exchange.status.is_some_and(|status| (200..300).contains(&status)) {
        return;
    }
    // An attempt in progress when the client disconnects has not failed.
    if view.observed.exchange.ending != Ending::Disconnected {
        head::status(found);
    }
    let streams: Vec<_> = view.attempts().filter_map(ProviderStream::new).collect();
    // Some models answer without a stream even if one is requested.
    if !streams.is_empty() {
        head::content_type(found);
    }
    events(found, &streams);
}

/// Judges the stream that the client got, event by event.
fn events(found: &mut Collector<'_>, streams: &[ProviderStream<'_>]) {
    let view = found.view;
    let all = sse::events(&view.observed.exchange.body);
    let events = judged_part(&all, streams.iter().map(|it| it.events.len()).sum());
    blame::check(found, events);
    let usage_requested = requests_usage(&view.observed.exchange.sent);
    let client = ClientStream { events, all: &all, usage_requested };
    if streams.iter().any(|it| it.attempt.is_translated(view.planned.send.endpoint)) {
        translated::check(found, streams, client);
        return;
    }
    if events.len() < all.len() && !streams.is_empty() {
        let events = all.len() - events.len();
        found.breach(Code::Stream01, StreamViolation::GoesOn { events });
    }
    late_attempt::check(found, streams, events);
    // On a tie, it is the stream of which the client misses least, or else the latest one.
    let completeness = |it: &&ProviderStream<'_>| (it.count_in(events), Reverse(it.events.len()));
    let answering = streams.iter().filter(|it| it.has_content()).max_by_key(completeness);
    let Some(answering) = answering else { return };
    timeliness::check(found, answering);
    time_limit::check(found, answering);
    let others =
        streams.iter().filter(|it| it.attempt.number != answering.attempt.number).collect();
    foreign::check(found, answering, others, client);
}

/// Returns the part of the client's stream to judge event by event; `sent` is the number of events
/// that the providers sent. Each event that the client got is compared with each event that the
/// providers sent, so the limit bounds the time spent on a target that floods its client.
fn judged_part(all: &[Event], sent: usize) -> &[Event] {
    const EXTRA: usize = 1_000;
    &all[..all.len().min(2 * sent + EXTRA)]
}

/// Whether a request body asks for token usage.
fn requests_usage(body: &[u8]) -> bool {
    let sent = Tree::parse(body).ok();
    let options = sent.as_ref().and_then(|sent| sent.member("stream_options"));
    let include = options.and_then(|options| options.member("include_usage"));
    matches!(include, Some(Tree::Scalar(text)) if text == "true")
}

/// The data of an event, truncated to fit on one line.
fn brief(event: &Event) -> String {
    const MAX_CHARS: usize = 80;
    let text = &event.data;
    let start: String = text.chars().take(MAX_CHARS).collect();
    if start.len() < text.len() { format!("{start}…") } else { start }
}
