//! `FP-STREAM-06`: no attempt starts once the client has content.

use fallproof_protocol::sse::Event;
use fallproof_suite::requirement::Code;

use super::provider_stream::ProviderStream;
use crate::collector::Collector;
use crate::violation::StreamViolation::AskedAfterContent;

pub(super) fn check(found: &mut Collector<'_>, streams: &[ProviderStream<'_>], got: &[Event]) {
    let content: Vec<_> = got.iter().filter(|event| event.is_answer()).collect();
    let reached_client = |it: &&ProviderStream<'_>| {
        let late = streams.iter().filter(|late| late.attempt.number > it.attempt.number);
        let late = late.flat_map(|late| late.events).collect();
        it.is_interrupted() && has_own_content(it.events, &content, late)
    };
    let Some(broken) = streams.iter().find(reached_client) else { return };
    let after = broken.attempt.number;
    let view = found.view;
    for late in view.attempts().filter(|attempt| attempt.number > after) {
        found.breach(Code::Stream06, AskedAfterContent { after }).at(&late);
    }
}

/// Whether the client got content that only this attempt can have sent. An event that later
/// attempts also sent is attributed to them, as many times as they sent it.
fn has_own_content(events: &[Event], got: &[&Event], mut late: Vec<&Event>) -> bool {
    let was_sent = |event: &&&Event| event.index_in(events.iter()).is_some();
    got.iter().filter(was_sent).any(|event| {
        let theirs = if events.contains(event) {
            late.iter().position(|it| it == event)
        } else {
            event.index_in(late.iter().copied())
        };
        theirs.map(|at| late.remove(at)).is_none()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_that_all_attempts_sent_is_attributed_to_the_later_one() {
        let event = |id: &str, word: &str| {
            let data = format!(r#"{{"id":"{id}","choices":[{{"delta":{{"content":"{word}"}}}}]}}"#);
            Event::new("", data)
        };
        let broken = [event("1", "one"), event("1", " speaking"), event("1", " on")];
        let late = [event("2", "two"), event("2", " speaking"), event("2", " on")];
        let has_own_content = |got: &[Event]| {
            has_own_content(&broken, &got.iter().collect::<Vec<_>>(), late.iter().collect())
        };
        assert!(!has_own_content(&late));
        assert!(!has_own_content(&[event("3", "two"), event("3", " speaking")]));
        assert!(has_own_content(&[event("3", "one"), event("3", " speaking")]));
        assert!(has_own_content(&[event("1", " speaking")]));
        assert!(has_own_content(&[event("3", " speaking"), event("3", " speaking")]));
    }
}
