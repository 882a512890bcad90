//! `FP-STREAM-04` and `05`: a stream does not start again, before its first content (04) or after
//! it (05), no matter which attempt the events came from.

use fallproof_protocol::sse::Event;
use fallproof_suite::requirement::Code;

use super::client_stream::Breach;
use super::provider_stream::ProviderStream;
use crate::violation::Restart;
use crate::violation::StreamViolation::StartsAgain;

/// Returns the first restart in the client's stream, unless a provider's own stream has a restart.
pub(super) fn find(streams: &[&ProviderStream<'_>], events: &[Event]) -> Option<Breach> {
    if streams.iter().any(|stream| of(stream.events).is_some()) {
        return None;
    }
    let (at, how) = of(events)?;
    // If the gateway gives events ids of its own, a changed id does not show a restart.
    let is_sent = |id: &str| {
        streams.iter().any(|stream| stream.events.iter().any(|it| it.chunk_id() == Some(id)))
    };
    if let Restart::Id { from, to } = &how
        && (count_ids(events) > streams.len() || !(is_sent(from) && is_sent(to)))
    {
        return None;
    }
    let code =
        if events[..at].iter().any(Event::is_answer) { Code::Stream05 } else { Code::Stream04 };
    Some((code, StartsAgain { event: at + 1, how }))
}

/// Returns the position of the first event at which the response starts again, and how the event
/// shows it.
fn of(events: &[Event]) -> Option<(usize, Restart)> {
    let (mut has_begun, mut id, mut first, mut last) = (false, None, None, None);
    for (at, event) in events.iter().enumerate() {
        if event.is_created() {
            if has_begun {
                return Some((at, Restart::Created));
            }
            has_begun = true;
        }
        if let Some(number) = event.sequence_number() {
            let first = *first.get_or_insert(number);
            if let Some(from) = last
                && number <= first
            {
                return Some((at, Restart::Number { from, to: number }));
            }
            last = Some(number);
        }
        if let Some(own) = event.chunk_id() {
            let from: &str = id.get_or_insert(own);
            if from != own {
                return Some((at, Restart::Id { from: from.to_owned(), to: own.to_owned() }));
            }
        }
    }
    None
}

fn count_ids(events: &[Event]) -> usize {
    let mut ids: Vec<_> = events.iter().filter_map(Event::chunk_id).collect();
    ids.sort_unstable();
    ids.dedup();
    ids.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(data: &[&str]) -> Vec<Event> {
        data.iter().map(|data| Event::new("", *data)).collect()
    }

    #[test]
    fn a_second_beginning_is_found() {
        let chunk = |id: &str| format!(r#"{{"id":"{id}","choices":[{{"delta":{{}}}}]}}"#);
        let (one, two, none) = (chunk("1"), chunk("2"), chunk(""));
        let created = r#"{"type":"response.created","sequence_number":0}"#;
        let next = r#"{"type":"response.output_text.delta","sequence_number":1,"delta":"a"}"#;
        let again = r#"{"type":"response.output_text.delta","sequence_number":0,"delta":"b"}"#;
        let id = || Restart::Id { from: "1".to_owned(), to: "2".to_owned() };
        for (data, wanted) in [
            (&[&*none, &one, &one, "[DONE]"][..], None),
            (&[&one, &one, &two], Some((2, id()))),
            (&[created, next], None),
            (&[created, next, created], Some((2, Restart::Created))),
            (&[created, next, again], Some((2, Restart::Number { from: 1, to: 0 }))),
            (&[created, next, next], None),
        ] {
            assert_eq!(of(&events(data)), wanted, "{data:?}");
        }
    }
}
