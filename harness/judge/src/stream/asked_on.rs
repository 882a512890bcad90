//! `FP-STREAM-06`: nobody else is asked once the client has content.

use fallproof_protocol::sse::Event;
use fallproof_suite::requirement::Code;

use super::heard::Heard;
use crate::collector::Collector;
use crate::violation::StreamViolation::AskedOn;

pub(super) fn check(found: &mut Collector<'_>, heard: &[Heard<'_>], told: &[Event]) {
    let content: Vec<_> = told.iter().filter(|event| event.is_answer()).collect();
    let reached_client = |it: &&Heard<'_>| {
        let late = heard.iter().filter(|late| late.attempt.number > it.attempt.number);
        let late = late.flat_map(|late| late.events).collect();
        it.is_interrupted() && has_told(it.events, &content, late)
    };
    let Some(broken) = heard.iter().find(reached_client) else { return };
    let after = broken.attempt.number;
    let view = found.view;
    for late in view.attempts().filter(|attempt| attempt.number > after) {
        found.breach(Code::Stream06, AskedOn { after }).at(&late);
    }
}

/// Whether some of what the client was told is of this attempt alone: what the later ones said as well
/// is theirs, as often as they said it.
fn has_told(events: &[Event], told: &[&Event], mut late: Vec<&Event>) -> bool {
    let is_said = |event: &&&Event| event.place_in(events.iter()).is_some();
    told.iter().filter(is_said).any(|event| {
        let theirs = if events.contains(event) {
            late.iter().position(|it| it == event)
        } else {
            event.place_in(late.iter().copied())
        };
        theirs.map(|at| late.remove(at)).is_none()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_all_attempts_say_are_those_of_the_later_one() {
        let said = |id: &str, word: &str| {
            let data = format!(r#"{{"id":"{id}","choices":[{{"delta":{{"content":"{word}"}}}}]}}"#);
            Event::new("", data)
        };
        let broken = [said("1", "one"), said("1", " speaking"), said("1", " on")];
        let late = [said("2", "two"), said("2", " speaking"), said("2", " on")];
        let has_told = |told: &[Event]| {
            has_told(&broken, &told.iter().collect::<Vec<_>>(), late.iter().collect())
        };
        assert!(!has_told(&late));
        assert!(!has_told(&[said("3", "two"), said("3", " speaking")]));
        assert!(has_told(&[said("3", "one"), said("3", " speaking")]));
        assert!(has_told(&[said("1", " speaking")]));
        assert!(has_told(&[said("3", " speaking"), said("3", " speaking")]));
    }
}
