//! What one scenario says must happen, beyond the requirements that hold always.

#[cfg(test)]
mod tests;

use fallproof_protocol::behavior::UNEXPECTED;
use fallproof_protocol::condition::Condition;
use fallproof_suite::evidence::Ending;
use fallproof_suite::plan::Deployment;
use fallproof_suite::scenario::ExpectedError;

use super::collector::{Collector, unclaimed};
use super::excuse::{Excuse, Freedom};
use super::route::{may_rest, passes_on_at_once};
use crate::observe::{Attempt, Ended, View};
use crate::violation::{ExpectationViolation, Verdict, Violation};

pub(super) fn check(view: View<'_>) -> Vec<Violation> {
    let mut found = Collector::new(view);
    let exchange = &view.step.exchange;
    // What became of a client that left on purpose is seen at the deployments.
    let has_left =
        exchange.ending == Ending::Disconnected && view.planned.send.disconnect.is_some();
    if exchange.ending != Ending::Complete && !has_left && !view.is_broken_off() {
        found.miss(ExpectationViolation::BrokenOff { ending: exchange.ending.clone() });
    } else {
        attempts(&mut found);
        script(&mut found);
        status(&mut found);
        answered_by(&mut found);
        error(&mut found);
        headers(&mut found);
    }
    // What is left to the target is told last.
    found.found.sort_by_key(|violation| violation.verdict == Verdict::Note);
    if let Some(excuse) = another_way(view) {
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
            handed_over_early(view, expected, &seen) || folded(expected) == folded(&seen);
        let excuse = left(view, Freedom::Attempts).filter(|_| is_bounded);
        let expected = expected.to_vec();
        found.miss(ExpectationViolation::Attempts { expected, seen }).excused(excuse);
    }
}

fn script(found: &mut Collector<'_>) {
    let view = found.view;
    for attempt in view.attempts().filter(|attempt| attempt.recorded.behavior == UNEXPECTED) {
        let (deployment, attempt) = (attempt.deployment.name.clone(), attempt.number);
        let kind = ExpectationViolation::ScriptEnded { deployment, attempt };
        found.miss(kind).excused(left(view, Freedom::Attempts));
    }
}

fn status(found: &mut Collector<'_>) {
    let view = found.view;
    if let (Some(expected), Some(got)) = (view.planned.expect.status, view.step.exchange.status)
        && expected != got
    {
        let was_asked = view.attempts().next().is_some();
        let is_of_its_kind = expected >= 400 && got >= 400 && was_asked;
        let excuse = left(view, Freedom::Status).filter(|_| is_of_its_kind);
        found.miss(ExpectationViolation::Status { expected, got }).excused(excuse);
    }
}

fn answered_by(found: &mut Collector<'_>) {
    let view = found.view;
    let Some(expected) = &view.planned.expect.answered_by else { return };
    let body = &view.step.exchange.body;
    let answering = view.group.deployments().find(|deployment| deployment.marker().found_in(body));
    let got = answering.map(|deployment| deployment.name.clone());
    if got.as_ref() != Some(expected) {
        let attempts = view.planned.expect.attempts.as_deref();
        let is_early = attempts.is_some_and(|it| handed_over_early(view, it, &seen(view)));
        let excuse = left(view, Freedom::Attempts).filter(|_| is_early);
        let expected = expected.clone();
        found.miss(ExpectationViolation::AnsweredBy { expected, got }).excused(excuse);
    }
}

fn error(found: &mut Collector<'_>) {
    let view = found.view;
    let Some(expected) = &view.planned.expect.error else { return };
    for kind in wrong_in_error(expected, &view.step.exchange.body) {
        found.miss(kind).excused(left(view, Freedom::ErrorWords));
    }
}

fn headers(found: &mut Collector<'_>) {
    let view = found.view;
    for (name, expected) in &view.planned.expect.headers {
        let mut headers = view.step.exchange.headers.iter();
        let got = headers.find(|(it, _)| it.eq_ignore_ascii_case(name)).map(|(_, value)| value);
        if got.map(Vec::as_slice) != Some(expected.as_bytes()) {
            let (name, expected) = (name.clone(), expected.clone());
            let got = got.map(|value| String::from_utf8_lossy(value).into_owned());
            found.miss(ExpectationViolation::Header { name, expected, got });
        }
    }
}

/// What is left to a target that is not held to exactly what the scenario says.
fn left(view: View<'_>, freedom: Freedom) -> Option<Excuse> {
    is_tolerant(view).then_some(Excuse::Left(freedom))
}

fn is_tolerant(view: View<'_>) -> bool {
    view.capabilities.strictness.is_tolerant()
}

/// The deployments of the attempts, by their names.
fn seen(view: View<'_>) -> Vec<String> {
    view.attempts().map(|attempt| attempt.deployment.name.clone()).collect()
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
/// on where the reference does not, or the other way batch, or does not claim all that is proven.
fn another_way(view: View<'_>) -> Option<Excuse> {
    let passed_over = view.attempts().next().is_some_and(|first| first.chain_index > 0);
    let excuse = unclaimed(view)
        .or_else(|| may_rest(view).filter(|_| passed_over))
        .or_else(|| view.attempts().find_map(|it| passes_on_at_once(view, &it)))
        .or_else(|| left(view, Freedom::UnseenBreak).filter(|_| broke_unseen(view)));
    if excuse.is_some() || view.group.policy.fallback_on.is_some() {
        return excuse;
    }
    let leads_on =
        |conditions: &[Condition], failure| conditions.iter().any(|it| it.covers(failure));
    view.attempts().filter_map(|attempt| attempt.failure()).find_map(|failure| {
        let declared = leads_on(view.capabilities.fallback_on(), failure);
        match (declared, leads_on(Condition::RECOMMENDED, failure)) {
            (true, false) => Some(Excuse::FallsBackOn(failure)),
            (false, true) => Some(Excuse::NoFallbackOn(failure)),
            _ => None,
        }
    })
}

/// Whether an attempt broke within its answer, and the client has nothing of that: it was told of an
/// error, or has the answer of somebody else.
fn broke_unseen(view: View<'_>) -> bool {
    let exchange = &view.step.exchange;
    let speaks = |deployment: &Deployment| deployment.marker().found_in(&exchange.body);
    let broke = |it: &Attempt<'_>| it.ended() == Ended::Interrupted && !speaks(it.deployment);
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
    if let Some(words) = &expected.message_contains
        && !error["message"].as_str().is_some_and(|message| message.contains(words.as_str()))
    {
        let (expected, got) = (words.clone(), error["message"].to_string());
        wrong.push(ExpectationViolation::ErrorMessage { expected, got });
    }
    wrong
}
