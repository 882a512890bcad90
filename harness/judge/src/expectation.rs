//! The expectations of one scenario, in addition to the requirements that always apply.

#[cfg(test)]
mod tests;

use fallproof_protocol::behavior::UNEXPECTED;
use fallproof_protocol::condition::Condition;
use fallproof_suite::evidence::Ending;
use fallproof_suite::plan::Deployment;
use fallproof_suite::scenario::ExpectedError;

use super::collector::{Collector, unclaimed};
use super::contains;
use super::excuse::{Excuse, Freedom};
use super::route::{own_cooldown_excuse, unbuffered_excuse};
use crate::observe::{Attempt, AttemptOutcome, View};
use crate::violation::{ExpectationViolation, Verdict, Violation};

pub(super) fn check(view: View<'_>) -> Vec<Violation> {
    let mut found = Collector::new(view);
    let exchange = &view.observed.exchange;
    // If the scenario disconnects the client, the effect is judged at the deployments.
    let disconnected =
        exchange.ending == Ending::Disconnected && view.planned.send.disconnect.is_some();
    if exchange.ending != Ending::Complete && !disconnected && !view.is_interrupted() {
        found.miss(ExpectationViolation::Interrupted { ending: exchange.ending.clone() });
    } else {
        attempts(&mut found);
        script(&mut found);
        status(&mut found);
        answered_by(&mut found);
        error(&mut found);
        headers(&mut found);
        not_carried(&mut found);
    }
    // Informational ones come last.
    found.found.sort_by_key(|violation| violation.verdict == Verdict::Note);
    if let Some(excuse) = declared_deviation(view) {
        for violation in &mut found.found {
            violation.excused(Some(excuse.clone()));
        }
    }
    found.found
}

fn attempts(found: &mut Collector<'_>) {
    let view = found.view;
    let Some(expected) = view.planned.expect.attempts.as_deref() else { return };
    let seen = seen(view);
    if expected != seen {
        let is_bounded =
            fell_back_early(view, expected, &seen) || folded(expected) == folded(&seen);
        let excuse = unspecified(view, Freedom::Attempts).filter(|_| is_bounded);
        let expected = expected.to_vec();
        found.miss(ExpectationViolation::Attempts { expected, seen }).excused(excuse);
    }
}

fn script(found: &mut Collector<'_>) {
    let view = found.view;
    for attempt in view.attempts().filter(|attempt| attempt.recorded.behavior == UNEXPECTED) {
        let (deployment, attempt) = (attempt.deployment.name.clone(), attempt.number);
        let kind = ExpectationViolation::ScriptEnded { deployment, attempt };
        found.miss(kind).excused(unspecified(view, Freedom::Attempts));
    }
}

fn status(found: &mut Collector<'_>) {
    let view = found.view;
    if let (Some(expected), Some(got)) = (view.planned.expect.status, view.observed.exchange.status)
        && expected != got
    {
        let was_asked = view.attempts().next().is_some();
        let is_of_its_kind = expected >= 400 && got >= 400 && was_asked;
        let excuse = unspecified(view, Freedom::Status).filter(|_| is_of_its_kind);
        found.miss(ExpectationViolation::Status { expected, got }).excused(excuse);
    }
}

fn answered_by(found: &mut Collector<'_>) {
    let view = found.view;
    let Some(expected) = &view.planned.expect.answered_by else { return };
    let body = &view.observed.exchange.body;
    let answering = view.group.deployments().find(|deployment| deployment.marker().found_in(body));
    let got = answering.map(|deployment| deployment.name.clone());
    if got.as_ref() != Some(expected) {
        let attempts = view.planned.expect.attempts.as_deref();
        let is_early = attempts.is_some_and(|it| fell_back_early(view, it, &seen(view)));
        let excuse = unspecified(view, Freedom::Attempts).filter(|_| is_early);
        let expected = expected.clone();
        found.miss(ExpectationViolation::AnsweredBy { expected, got }).excused(excuse);
    }
}

fn error(found: &mut Collector<'_>) {
    let view = found.view;
    let Some(expected) = &view.planned.expect.error else { return };
    for kind in wrong_in_error(expected, &view.observed.exchange.body) {
        found.miss(kind).excused(unspecified(view, Freedom::ErrorWording));
    }
}

fn headers(found: &mut Collector<'_>) {
    let view = found.view;
    for (name, expected) in &view.planned.expect.headers {
        let mut headers = view.observed.exchange.headers.iter();
        let got = headers.find(|(it, _)| it.eq_ignore_ascii_case(name)).map(|(_, value)| value);
        if got.map(Vec::as_slice) != Some(expected.as_bytes()) {
            let (name, expected) = (name.clone(), expected.clone());
            let got = got.map(|value| String::from_utf8_lossy(value).into_owned());
            found.miss(ExpectationViolation::Header { name, expected, got });
        }
    }
}

fn not_carried(found: &mut Collector<'_>) {
    let view = found.view;
    let unwanted = &view.planned.expect.no_attempt_carries;
    for attempt in view.attempts() {
        let recorded = attempt.recorded;
        for name in unwanted.headers.iter().filter(|it| recorded.header(it).next().is_some()) {
            let kind = ExpectationViolation::CarriesHeader { name: name.clone() };
            found.miss(kind).at(&attempt);
        }
        let is_carried = |text: &&String| {
            let mut headers = recorded.headers.iter();
            recorded.target.contains(text.as_str())
                || headers.any(|(_, value)| contains(value, text))
                || contains(&recorded.body, text)
        };
        for text in unwanted.text.iter().filter(is_carried) {
            found.miss(ExpectationViolation::CarriesText { text: text.clone() }).at(&attempt);
        }
    }
}

/// Excuses a deviation that the requirements allow, unless the target's strictness is exact.
fn unspecified(view: View<'_>, freedom: Freedom) -> Option<Excuse> {
    is_tolerant(view).then_some(Excuse::Unspecified(freedom))
}

fn is_tolerant(view: View<'_>) -> bool {
    view.capabilities.strictness.is_tolerant()
}

/// The names of the deployments that got the attempts.
fn seen(view: View<'_>) -> Vec<String> {
    view.attempts().map(|attempt| attempt.deployment.name.clone()).collect()
}

/// Whether the target fell back before its retries were used up, and got an answer.
fn fell_back_early(view: View<'_>, expected: &[String], seen: &[String]) -> bool {
    let is_answered = view.observed.exchange.status.is_some_and(|status| status < 300);
    let may_retry = is_tolerant(view) && view.group.policy.retries > 0;
    may_retry
        && is_answered
        && seen.len() <= expected.len()
        && folded(seen).starts_with(&folded(expected))
}

/// The names without consecutive repeats.
fn folded(names: &[String]) -> Vec<&String> {
    let mut names: Vec<_> = names.iter().collect();
    names.dedup();
    names
}

/// Returns the declared reason for an unexpected course of the call, if any: a waived requirement,
/// a cooldown of the target's own, or conditions for fallback that differ from the defaults.
fn declared_deviation(view: View<'_>) -> Option<Excuse> {
    let passed_over = view.attempts().next().is_some_and(|first| first.chain_index > 0);
    let excuse = unclaimed(view)
        .or_else(|| own_cooldown_excuse(view).filter(|_| passed_over))
        .or_else(|| view.attempts().find_map(|it| unbuffered_excuse(view, &it)))
        .or_else(|| unspecified(view, Freedom::UnseenBreak).filter(|_| broke_unseen(view)));
    if excuse.is_some() || view.group.policy.fallback_on.is_some() {
        return excuse;
    }
    let covers = |conditions: &[Condition], failure| conditions.iter().any(|it| it.covers(failure));
    view.attempts().filter_map(|attempt| attempt.failure()).find_map(|failure| {
        let declared = covers(view.capabilities.fallback_on(), failure);
        match (declared, covers(Condition::RECOMMENDED, failure)) {
            (true, false) => Some(Excuse::FallsBackOn(failure)),
            (false, true) => Some(Excuse::NoFallbackOn(failure)),
            _ => None,
        }
    })
}

/// Whether an attempt was interrupted within its answer and the client got none of it: it got an
/// error, or the answer of another deployment.
fn broke_unseen(view: View<'_>) -> bool {
    let exchange = &view.observed.exchange;
    let speaks = |deployment: &Deployment| deployment.marker().found_in(&exchange.body);
    let broke =
        |it: &Attempt<'_>| it.outcome() == AttemptOutcome::Interrupted && !speaks(it.deployment);
    let is_refused = exchange.status.is_some_and(|status| status >= 400);
    view.attempts().any(|it| broke(&it)) && (is_refused || view.group.deployments().any(speaks))
}

fn wrong_in_error(expected: &ExpectedError, body: &[u8]) -> Vec<ExpectationViolation> {
    let Some(error) = super::client::error_of(body) else {
        return vec![ExpectationViolation::NoError];
    };
    let members = [("type", &expected.kind), ("code", &expected.code), ("param", &expected.param)];
    let mut wrong = Vec::new();
    for (member, wanted) in members {
        if let Some(wanted) = wanted
            && error[member].as_str() != Some(wanted)
        {
            let (expected, got) = (wanted.clone(), error[member].to_string());
            wrong.push(ExpectationViolation::ErrorMember { member, expected, got });
        }
    }
    if let Some(text) = &expected.message_contains
        && !error["message"].as_str().is_some_and(|message| message.contains(text.as_str()))
    {
        let (expected, got) = (text.clone(), error["message"].to_string());
        wrong.push(ExpectationViolation::ErrorMessage { expected, got });
    }
    wrong
}
