//! What holds for the readers of server-sent events.

use std::fmt::Write as _;

use fallproof_protocol::sse::{
    Event, EventCounter, EventKind, event_length, events, events_length, response_id,
};

/// Number of positions at which a stream is cut.
const CUTS: usize = 64;

/// Checks everything that holds for these bytes.
pub(crate) fn check(bytes: &[u8]) {
    let all = events(bytes);
    counted_at_every_cut(bytes);
    cut_between_events(bytes, &all);
    line_ends_make_no_difference(bytes, &all);
    assert_eq!(events(written(&all).as_bytes()), all, "written and read again");
    assert_eq!(events(&[b": a comment\n", bytes].concat()), all, "after a comment");
    response_id(bytes);
    all.iter().for_each(meaning);
    for (one, other) in all.iter().zip(all.iter().skip(1)) {
        let pointer = one.differs_at(other).unwrap_or_default();
        assert!(pointer.is_empty() || pointer.starts_with('/'), "{pointer}");
    }
}

/// Checks that the counter counts the events of each part of the stream, piece by piece.
fn counted_at_every_cut(bytes: &[u8]) {
    let (mut counter, mut end) = (EventCounter::default(), 0);
    for piece in bytes.chunks(bytes.len() / CUTS + 1) {
        end += piece.len();
        let counted = counter.push(piece);
        assert_eq!(counted, events(&bytes[..end]).len(), "in the first {end} bytes");
    }
}

/// Checks that a stream that is cut between events has the same events in its two parts.
fn cut_between_events(bytes: &[u8], all: &[Event]) {
    let (mut end, mut count) = (0, 0);
    while end < bytes.len() && count < CUTS {
        let length = event_length(&bytes[end..]);
        assert!(0 < length && length <= bytes.len() - end, "{length} at {end}");
        (end, count) = (end + length, count + 1);
        assert_eq!(events_length(bytes, count), end);
        let parts = [events(&bytes[..end]), events(&bytes[end..])].concat();
        assert_eq!(parts, all, "cut at {end}");
    }
}

/// Checks that a stream whose lines end with LF has the same events with other line ends.
fn line_ends_make_no_difference(bytes: &[u8], all: &[Event]) {
    if bytes.contains(&b'\r') {
        return;
    }
    for line_end in [&b"\r\n"[..], b"\r"] {
        let bytes: Vec<_> = bytes.split(|byte| *byte == b'\n').collect();
        assert_eq!(events(&bytes.join(line_end)), all, "{}", line_end.escape_ascii());
    }
}

/// The text of a stream with these events.
pub(crate) fn written(events: &[Event]) -> String {
    let mut text = String::new();
    for Event { name, data, .. } in events {
        let _ = writeln!(text, "event: {name}");
        for line in data.split('\n') {
            let _ = writeln!(text, "data: {line}");
        }
        text.push('\n');
    }
    text
}

/// Checks that what is known about an event is consistent.
fn meaning(event: &Event) {
    let kind = event.kind();
    assert_eq!(event.is_done(), event.data == "[DONE]");
    assert!(!event.is_answer() || matches!(kind, EventKind::Content | EventKind::End), "{event:?}");
    assert!(!event.reports_error() || kind == EventKind::Error, "{event:?}");
    assert!(event.error_code().is_none() || event.reports_error(), "{event:?}");
    assert!(!event.is_usage() || event.has_usage(), "{event:?}");
    assert!(!event.is_bare() || kind == EventKind::Frame, "{event:?}");
    assert!(!event.is_created() || event.is_beginning(), "{event:?}");
    assert_eq!(event.similarity(event), event.similarity(&event.clone()), "{event:?}");
    assert_eq!(event.differs_at(event), None, "{event:?}");
    assert_eq!(event.index_in([event].into_iter()), Some(0), "{event:?}");
}
