//! STREAM: a streamed answer is one provider's, whole and unaltered, or it says that it is not.

use super::route::could_be_asked;
use super::unaltered::{brief, compare};
use super::{Finding, Findings};
use crate::client::Ending;
use crate::json::Tree;
use crate::observe::{Attempt, Ended, View};
use crate::requirement::Code;
use crate::sse::{self, Event, Meaning};

pub(super) fn check(view: View<'_>) -> Vec<Finding> {
    let mut findings = Findings::new(view);
    left(&mut findings);
    if !view.wants_stream() {
        return findings.found;
    }
    error_first(&mut findings);
    if !view.step.exchange.status.is_some_and(|status| (200..300).contains(&status)) {
        return findings.found;
    }
    // What is under way when the client leaves has not failed.
    if view.step.exchange.ending != Ending::Left {
        status(&mut findings);
    }
    let heard: Vec<_> = view.attempts().filter_map(Heard::new).collect();
    // Some models answer whole whatever is wished for.
    if !heard.is_empty() {
        content_type(&mut findings);
    }
    let all = sse::events(&view.step.exchange.body);
    let told = beginning(&all, heard.iter().map(|it| it.events.len()).sum());
    let sent = Tree::parse(&view.step.exchange.sent).ok();
    let options = sent.as_ref().and_then(|sent| sent.member("stream_options"));
    let usage_wanted = is_true(options.and_then(|options| options.member("include_usage")));
    if heard.iter().any(|it| it.attempt.is_translated(view.planned.send.endpoint)) {
        translated(&mut findings, &heard, (told, &all), usage_wanted);
        return findings.found;
    }
    if told.len() < all.len() && !heard.is_empty() {
        let message = format!(
            "the stream goes on for {} events more, far beyond all that was sent",
            all.len() - told.len()
        );
        findings.breach(Code::Stream01, None, None, message);
    }
    asked_on(&mut findings, &heard, told);
    // The latest of those that fit equally well.
    let answering = heard.iter().filter(|it| it.answers()).max_by_key(|it| it.share_of(told));
    let Some(answering) = answering else { return findings.found };
    let others = heard.iter().filter(|it| it.attempt.number != answering.attempt.number).collect();
    Stream { answering, others, told, all: &all, usage_wanted }.judge(&mut findings);
    findings.found
}

/// What is judged event by event of a stream, where the providers sent so many: each is held against
/// each of theirs, and a target that floods its client must not keep that busy for minutes.
fn beginning(all: &[Event], sent: usize) -> &[Event] {
    const MORE: usize = 1_000;
    &all[..all.len().min(2 * sent + MORE)]
}

/// The end of each attempt was waited for; whoever still runs does so for nobody.
fn left(findings: &mut Findings<'_>) {
    let view = findings.view;
    if view.step.exchange.ending != Ending::Left {
        return;
    }
    for attempt in view.attempts().filter(|attempt| attempt.hit.times.end.is_none()) {
        let message = format!(
            "attempt {} at {} goes on although the client has left",
            attempt.number, attempt.hop.upstream
        );
        findings.breach(Code::Stream13, Some(attempt.number), None, message);
    }
}

fn is_true(value: Option<&Tree>) -> bool {
    matches!(value, Some(Tree::Scalar(text)) if text == "true")
}

/// An attempt that was answered with a stream.
struct Heard<'a> {
    attempt: Attempt<'a>,
    events: &'a [Event],
}

impl<'a> Heard<'a> {
    fn new(attempt: Attempt<'a>) -> Option<Self> {
        // What the journal did not keep cannot be held against what the client got.
        let events = attempt.events().filter(|_| attempt.hit.reply_cut.is_none())?;
        Some(Self { attempt, events })
    }

    fn said(&self, event: &Event) -> bool {
        event.place_in(self.events.iter()).is_some()
    }

    /// Whether the client was told what only its deployment says.
    fn speaks_in(&self, body: &[u8]) -> bool {
        self.attempt.hop.marker().found_in(body)
    }

    /// Whether it got to its content.
    fn answers(&self) -> bool {
        matches!(self.attempt.ended(), Ended::Success | Ended::Interrupted)
    }

    /// How many of these events it said.
    fn share_of(&self, told: &[Event]) -> usize {
        told.iter().filter(|event| self.said(event)).count()
    }
}

fn error_first(findings: &mut Findings<'_>) {
    let view = findings.view;
    let Some(last) = view.attempts().last() else { return };
    let next = (last.place + 1..view.group.chain.len())
        .find(|&place| could_be_asked(view, place, last.number + 1));
    if let (Ended::ErrorInSuccess, Some(next)) = (last.ended(), next) {
        findings.breach(
            Code::Stream11,
            Some(last.number),
            None,
            format!(
                "attempt {} was answered with an error in its stream before any content, and {} was never asked",
                last.number, view.group.chain[next].upstream
            ),
        );
    }
}

fn status(findings: &mut Findings<'_>) {
    let attempts: Vec<_> = findings.view.attempts().map(|attempt| attempt.ended()).collect();
    let has_failed = |ended| !matches!(ended, Ended::Success | Ended::Interrupted);
    if !attempts.is_empty() && attempts.into_iter().all(has_failed) {
        let message = "every attempt failed before any content, and the client was told success";
        findings.breach(Code::Stream12, None, None, message.into());
    }
}

fn content_type(findings: &mut Findings<'_>) {
    let headers = &findings.view.step.exchange.headers;
    let sent = headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("content-type"))
        .map(|(_, value)| String::from_utf8_lossy(value).to_ascii_lowercase())
        .unwrap_or_default();
    if sent.split(';').next().is_none_or(|kind| kind.trim() != "text/event-stream") {
        let message = format!("the client asked for a stream and got content of type `{sent}`");
        findings.breach(Code::Stream10, None, None, message);
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

fn asked_on(findings: &mut Findings<'_>, heard: &[Heard<'_>], told: &[Event]) {
    let attempts: Vec<_> = findings.view.attempts().collect();
    let content: Vec<_> = told.iter().filter(|event| event.is_answer()).collect();
    let reached_client = |it: &&Heard<'_>| {
        let late = heard.iter().filter(|late| late.attempt.number > it.attempt.number);
        let late = late.flat_map(|late| late.events).collect();
        it.attempt.ended() == Ended::Interrupted && has_told(it.events, &content, late)
    };
    let Some(broken) = heard.iter().find(reached_client) else { return };
    for late in attempts.iter().filter(|attempt| attempt.number > broken.attempt.number) {
        findings.breach(
            Code::Stream06,
            Some(late.number),
            None,
            format!(
                "attempt {} went to {} although the client had content of attempt {} already",
                late.number, late.hop.upstream, broken.attempt.number
            ),
        );
    }
}

/// Events that were translated have another shape than the provider's. Who speaks in them can be
/// told, and whether they end as the provider's did.
fn translated(
    findings: &mut Findings<'_>,
    heard: &[Heard<'_>],
    (told, all): (&[Event], &[Event]),
    usage_wanted: bool,
) {
    let body = &findings.view.step.exchange.body;
    let mut speaking = heard.iter().filter(|it| it.answers() && it.speaks_in(body)).rev();
    let Some(answering) = speaking.next() else { return };
    let number = answering.attempt.number;
    if let Some(other) = speaking.find(|it| it.attempt.hop.prefix != answering.attempt.hop.prefix) {
        let message = format!(
            "content of attempt {} is in the answer of attempt {number}",
            other.attempt.number
        );
        findings.breach(Code::Stream05, Some(number), None, message);
        return;
    }
    let stream = Stream { answering, others: Vec::new(), told, all, usage_wanted };
    let end = stream.end(findings.view, told.iter().any(Event::is_answer));
    for (requirement, message) in stream.usage().into_iter().chain(end) {
        findings.breach(requirement, Some(number), None, message);
    }
}

/// A stream as the client got it, and where it can come from.
struct Stream<'a> {
    /// The attempt that it has the most of.
    answering: &'a Heard<'a>,
    others: Vec<&'a Heard<'a>>,
    /// What is judged of it event by event.
    told: &'a [Event],
    all: &'a [Event],
    usage_wanted: bool,
}

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

impl Stream<'_> {
    fn judge(&self, findings: &mut Findings<'_>) {
        let number = self.answering.attempt.number;
        let is_interrupted = self.answering.attempt.ended() == Ended::Interrupted;
        let mut left: Vec<_> = self.answering.events.iter().collect();
        let (mut own, mut is_spliced) = (Vec::new(), false);
        let mut breaches = self.usage();
        for (at, event) in self.told.iter().enumerate() {
            if !self.usage_wanted && event.is_usage() {
                continue;
            }
            if let Some(same) = event.place_in(left.iter().copied()) {
                left.remove(same);
                own.push(event);
                continue;
            }
            let at = at + 1;
            match self.foreign(event, &left, is_interrupted) {
                Some(Foreign::MadeUpEnd) => breaches.push((
                    Code::Stream08,
                    format!(
                        "event {at} ends the answer, which attempt {number} did not: {}",
                        brief(event)
                    ),
                )),
                Some(Foreign::Content(other)) => {
                    is_spliced = true;
                    breaches.push((
                        Code::Stream05,
                        format!("event {at} is content of attempt {other} in the answer of attempt {number}"),
                    ));
                }
                Some(Foreign::Frame(other)) => breaches.push((
                    Code::Stream04,
                    format!("event {at} is of attempt {other}, which had failed: {}", brief(event)),
                )),
                Some(Foreign::Beginning) => breaches.push((
                    Code::Stream04,
                    format!("event {at} begins an answer once more: {}", brief(event)),
                )),
                Some(Foreign::Mangled) => {
                    breaches.push((
                        Code::Stream03,
                        format!(
                            "event {at} has lost characters of attempt {number}: {}",
                            brief(event)
                        ),
                    ));
                    if let Some(meant) = left.iter().position(|it| !it.data.is_ascii()) {
                        own.push(left.remove(meant));
                    }
                }
                Some(Foreign::OwnError) => {}
                None => own.push(event),
            }
        }
        let begun = self.answering.events.iter().filter(|it| it.is_beginning()).count().max(1);
        if let Some(again) = own.iter().filter(|it| it.is_beginning()).nth(begun) {
            breaches.push((
                Code::Stream04,
                format!("an event begins an answer once more: {}", brief(again)),
            ));
        }
        if is_spliced {
            // What else is wrong is so because of it.
            breaches.retain(|(requirement, _)| *requirement == Code::Stream05);
        } else {
            breaches.extend(self.end(findings.view, own.iter().any(|it| it.is_answer())));
            let attempt = &self.answering.attempt;
            breaches.extend(compare(attempt, &own, is_interrupted, self.usage_wanted));
        }
        for (requirement, message) in breaches {
            findings.breach(requirement, Some(number), None, message);
        }
    }

    /// What it tells of the cost although nobody asked.
    fn usage(&self) -> Vec<(Code, String)> {
        let told = self.told.iter().enumerate().filter(|(_, event)| event.has_usage());
        let message = |(at, _)| format!("event {} is a usage chunk nobody asked for", at + 1);
        told.filter(|_| !self.usage_wanted).map(|it| (Code::Stream09, message(it))).collect()
    }

    /// How the client's stream ends otherwise than the answering provider's did.
    fn end(&self, view: View<'_>, has_content: bool) -> Option<(Code, String)> {
        let attempt = &self.answering.attempt;
        let number = attempt.number;
        let has = |wanted| self.all.iter().any(|event| event.meaning() == wanted);
        if attempt.ended() != Ended::Interrupted {
            let message = || format!("the end of attempt {number}'s stream is missing");
            return (!has(Meaning::End)).then(|| (Code::Stream08, message()));
        }
        let is_whole = view.step.exchange.ending == Ending::Complete && !has(Meaning::Error);
        // Where all is said, nothing is missing that the client could be told of.
        let all_is_said = attempt.broke_within_done() || attempt.ended_but_for_its_done();
        let is_breach = has_content && is_whole && !all_is_said;
        let message = || {
            format!(
                "attempt {number}'s stream broke after its first content, and the client's ended as if nothing had happened"
            )
        };
        is_breach.then(|| (Code::Stream07, message()))
    }

    /// What this event is, which is none of those left of the answering attempt; `None` where it
    /// must be one of them that was changed, or one too many.
    fn foreign(&self, event: &Event, left: &[&Event], is_interrupted: bool) -> Option<Foreign> {
        let meaning = event.meaning();
        if meaning == Meaning::End {
            // With its type, it may be the end that was changed.
            let is_changed = event.is_answer() && left.iter().any(|it| it.meaning() == meaning);
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
        let none_left = |is: fn(&Event) -> bool| !left.iter().any(|it| is(it));
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_judged_whole_unless_it_goes_on_and_on() {
        let all = vec![Event::new("", "{}"); 5_000];
        assert_eq!(beginning(&all[..1_020], 10).len(), 1_020);
        assert_eq!(beginning(&all, 2_000).len(), 5_000);
        assert_eq!(beginning(&all, 10).len(), 1_020);
    }

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
