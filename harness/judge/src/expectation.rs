//! What one scenario says must happen, beyond the requirements that hold always.

use fallproof_protocol::behaviour::UNEXPECTED;
use serde_json::Value;

use super::route::{may_rest, passes_on_at_once};
use super::{Finding, Findings, Verdict, unclaimed};
use crate::observe::{Attempt, Ended, View};
use fallproof_protocol::condition::Condition;
use fallproof_suite::evidence::Ending;
use fallproof_suite::plan::Hop;
use fallproof_suite::scenario::ExpectedError;

/// What the requirements leave to a target, and only an exact one is held to: too many attempts and a
/// status of another kind break a requirement.
const OFTEN: &str = "how often one deployment is asked, up to its retries, is left to the target";
const KIND: &str = "which status of its kind an error has is left to the target";
const CALLED: &str = "what an error is called is left to the target";
const UNSEEN: &str =
    "what follows a break before anything of the answer is out is left to the target";

pub(super) fn check(view: View<'_>) -> Vec<Finding> {
    let mut findings = Findings::new(view);
    let mut missed = |message: String| findings.add(None, None, None, message, Verdict::Fail);
    let exchange = &view.step.exchange;
    let mut free = Vec::new();

    if exchange.ending == Ending::Left && view.planned.send.leave.is_some() {
        // What became of it is seen at the upstreams.
    } else if exchange.ending != Ending::Complete && !view.is_broken_off() {
        missed(format!("the target {}", exchange.ending.in_words()));
        return excused(view, findings.found);
    }
    let seen: Vec<_> = view.attempts().map(|attempt| attempt.hop.upstream.clone()).collect();
    let expected = view.planned.expect.attempts.as_deref();
    let is_early = expected.is_some_and(|expected| handed_over_early(view, expected, &seen));
    if let Some(expected) = expected {
        let message = || format!("expected attempts at {}, saw {}", list(expected), list(&seen));
        if expected != seen {
            let is_free = is_tolerant(view) && (is_early || folded(expected) == folded(&seen));
            if is_free { free.push((message(), OFTEN)) } else { missed(message()) }
        }
    }
    for attempt in view.attempts().filter(|attempt| attempt.hit.behaviour == UNEXPECTED) {
        let message = format!(
            "the script of {} had ended when attempt {} came; lengthen it, or add `repeat_last: true`",
            attempt.hop.upstream, attempt.number
        );
        if is_tolerant(view) { free.push((message, OFTEN)) } else { missed(message) }
    }
    if let (Some(expected), Some(status)) = (view.planned.expect.status, exchange.status)
        && expected != status
    {
        let message = format!("expected status {expected} for the client, got {status}");
        let was_asked = view.attempts().next().is_some();
        let is_free = is_tolerant(view) && expected >= 400 && status >= 400 && was_asked;
        if is_free { free.push((message, KIND)) } else { missed(message) }
    }
    if let Some(expected) = &view.planned.expect.answered_by {
        let answering = view
            .group
            .hops()
            .find(|hop| hop.marker().found_in(&exchange.body))
            .map(|hop| hop.upstream.as_str());
        if answering != Some(expected) {
            let answering = answering.unwrap_or("no upstream");
            let message = format!("expected the answer of {expected}, got that of {answering}");
            if is_early { free.push((message, OFTEN)) } else { missed(message) }
        }
    }
    if let Some(expected) = &view.planned.expect.error {
        complain_of_error(expected, &exchange.body, |message| {
            if is_tolerant(view) { free.push((message, CALLED)) } else { missed(message) }
        });
    }
    for (name, expected) in &view.planned.expect.headers {
        let mut headers = exchange.headers.iter();
        let got = headers.find(|(it, _)| it.eq_ignore_ascii_case(name)).map(|(_, value)| value);
        if got.map(Vec::as_slice) != Some(expected.as_bytes()) {
            let got = got.map_or("none".into(), |value| String::from_utf8_lossy(value));
            missed(format!("expected the header `{name}: {expected}`, got {got}"));
        }
    }
    for (message, because) in free {
        findings.add(None, None, None, message, Verdict::Note);
        if let Some(finding) = findings.found.last_mut() {
            finding.declared = Some(because.to_owned());
        }
    }
    excused(view, findings.found)
}

fn is_tolerant(view: View<'_>) -> bool {
    view.declaration.strictness.is_tolerant()
}

/// What was found, only noted where the target declares why the call went another way.
fn excused(view: View<'_>, mut found: Vec<Finding>) -> Vec<Finding> {
    if let Some(because) = another_way(view) {
        for finding in &mut found {
            finding.verdict = Verdict::Note;
            finding.declared = Some(because.clone());
        }
    }
    found
}

/// Whether a target has asked the next deployment where it may ask one again, and had an answer.
fn handed_over_early(view: View<'_>, expected: &[String], seen: &[String]) -> bool {
    let is_answered = view.step.exchange.status.is_some_and(|status| status < 300);
    let may_retry = is_tolerant(view) && view.group.policy.retries > 0;
    may_retry
        && is_answered
        && seen.len() <= expected.len()
        && folded(seen).starts_with(&folded(expected))
}

/// The names, each once where it stands several times in a row.
fn folded(names: &[String]) -> Vec<&String> {
    let mut names: Vec<_> = names.iter().collect();
    names.dedup();
    names
}

/// Why the call went another way than the scenario has it, where the target declares that it goes
/// on where the reference does not, or the other way round, or does not claim all that is proven.
fn another_way(view: View<'_>) -> Option<String> {
    if let Some(because) = unclaimed(view) {
        return Some(because.to_owned());
    }
    let passed_over = view.attempts().next().is_some_and(|first| first.place > 0);
    if let (true, Some(because)) = (passed_over, may_rest(view)) {
        return Some(because.to_owned());
    }
    if let Some(because) = view.attempts().find_map(|it| passes_on_at_once(view, &it)) {
        return Some(because.to_owned());
    }
    if is_tolerant(view) && broke_unseen(view) {
        return Some(UNSEEN.to_owned());
    }
    if view.group.policy.fallback_on.is_some() {
        return None;
    }
    let leads_on =
        |conditions: &[Condition], failure| conditions.iter().any(|it| it.covers(failure));
    view.attempts().filter_map(|attempt| attempt.failure()).find_map(|failure| {
        let declared = leads_on(view.declaration.fallback_on(), failure);
        let not = match (declared, leads_on(Condition::RECOMMENDED, failure)) {
            (true, false) => "",
            (false, true) => " not",
            _ => return None,
        };
        Some(format!("the target does{not} fall back on `{failure}`"))
    })
}

/// Whether an attempt broke within its answer, and the client has nothing of that: it was told of an
/// error, or has the answer of somebody else.
fn broke_unseen(view: View<'_>) -> bool {
    let exchange = &view.step.exchange;
    let speaks = |hop: &Hop| hop.marker().found_in(&exchange.body);
    let broke = |it: &Attempt<'_>| it.ended() == Ended::Interrupted && !speaks(it.hop);
    let is_refused = exchange.status.is_some_and(|status| status >= 400);
    view.attempts().any(|it| broke(&it)) && (is_refused || view.group.hops().any(speaks))
}

fn complain_of_error(expected: &ExpectedError, body: &[u8], mut missed: impl FnMut(String)) {
    let error = serde_json::from_slice::<Value>(body)
        .ok()
        .and_then(|mut body| body.get_mut("error").map(Value::take))
        .filter(Value::is_object);
    let Some(error) = error else {
        missed("expected an error in OpenAI's shape, got something else".into());
        return;
    };
    let members = [("type", &expected.kind), ("code", &expected.code), ("param", &expected.param)];
    for (member, wanted) in members {
        if let Some(wanted) = wanted
            && error[member].as_str() != Some(wanted)
        {
            missed(format!("expected error.{member} \"{wanted}\", got {}", error[member]));
        }
    }
    if let Some(words) = &expected.message_contains
        && !error["message"].as_str().is_some_and(|message| message.contains(words.as_str()))
    {
        missed(format!("expected \"{words}\" in error.message, got {}", error["message"]));
    }
}

fn list(names: &[String]) -> String {
    if names.is_empty() { "none".into() } else { names.join(", ") }
}
