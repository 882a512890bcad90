//! The expectations of one scenario, in addition to the requirements that always apply.

#[cfg(test)]
mod tests;

use std::time::Duration;

use fallproof_protocol::behavior::UNEXPECTED;
use fallproof_protocol::condition::Condition;
use fallproof_protocol::json::Tree;
use fallproof_suite::evidence::Ending;
use fallproof_suite::plan::Deployment;
use fallproof_suite::requirement::Code;
use fallproof_suite::scenario::{ExpectedError, Freedom};

use super::client::reports_wait;
use super::collector::{Collector, unclaimed, waives};
use super::excuse::Excuse;
use super::payload::ignored;
use super::route::{own_cooldown_excuse, unbuffered_excuse};
use super::{contains, cooldown_state, header};
use crate::observe::{Attempt, AttemptOutcome, View};
use crate::violation::{ExpectationViolation, Verdict, Violation, ViolationKind};

pub(super) fn check(view: View<'_>) -> Vec<Violation> {
    let mut found = Collector::new(view);
    let exchange = &view.observed.exchange;
    // If the scenario makes the client disconnect, an incomplete response is expected.
    let disconnected =
        exchange.ending == Ending::Disconnected && view.planned.send.disconnect.is_some();
    if exchange.ending != Ending::Complete && !disconnected && !view.is_interrupted() {
        let ending = exchange.ending.clone();
        let (kind, got) =
            (ExpectationViolation::Interrupted { ending }, view.observed.raw_exchange().body.len());
        let promised = content_length(view).filter(|_| exchange.ending == Ending::Closed);
        let short = |promised| ExpectationViolation::TooShort { promised, got };
        found.miss(promised.filter(|promised| *promised > got).map_or(kind, short));
    } else {
        if exchange.ending == Ending::Complete && view.planned.send.disconnect.is_some() {
            // Nothing shows what the target does when its client leaves.
            found.miss(ExpectationViolation::NotDisconnected);
        }
        attempts(&mut found);
        script(&mut found);
        status(&mut found);
        answered_by(&mut found);
        error(&mut found);
        headers(&mut found);
        not_carried(&mut found);
    }
    let mut found = found.into_found();
    if let Some(excuse) = declared_deviation(view) {
        for violation in found.iter_mut().filter(|it| may_follow(view, &it.kind)) {
            violation.excused(Some(excuse.clone()));
        }
    }
    // Informational violations come last.
    found.sort_by_key(|violation| violation.verdict == Verdict::Note);
    found
}

/// Whether a missed expectation can follow from a declaration about routing or about fields: other
/// attempts, and so another response. What attempts may not carry follows from neither; nor does an
/// incomplete response, unless the target passed on a reply that was incomplete itself.
fn may_follow(view: View<'_>, kind: &ViolationKind) -> bool {
    let ViolationKind::Expectation(kind) = kind else { return false };
    match kind {
        ExpectationViolation::CarriesHeader { .. } | ExpectationViolation::CarriesText { .. } => {
            false
        }
        ExpectationViolation::Interrupted { .. } | ExpectationViolation::TooShort { .. } => {
            let is_passed_on =
                |last: Attempt<'_>| last.recorded.is_cut() && last.recorded.status.is_some();
            matches!(view.observed.exchange.ending, Ending::Closed | Ending::Reset)
                && view.attempts().last().is_some_and(is_passed_on)
        }
        _ => true,
    }
}

/// The length in the response's `content-length` header.
fn content_length(view: View<'_>) -> Option<usize> {
    let mut headers = view.observed.exchange.headers.iter();
    let (_, value) = headers.find(|(name, _)| name.eq_ignore_ascii_case("content-length"))?;
    str::from_utf8(value).ok()?.trim().parse().ok()
}

fn attempts(found: &mut Collector<'_>) {
    let view = found.view;
    let Some(expected) = view.planned.expect.attempts.as_deref() else { return };
    let seen = seen(view);
    if expected != seen {
        let is_bounded =
            fell_back_early(view, expected, &seen) || folded(expected) == folded(&seen);
        let is_bounded = is_bounded || waited_out(view);
        let excuse = free_attempts(view).filter(|_| is_bounded);
        let expected = expected.to_vec();
        let kind = match earlier_answer(view) {
            Some(call) => ExpectationViolation::EarlierAnswer { expected, call },
            None => ExpectationViolation::Attempts { expected, seen },
        };
        found.miss(kind).excused(excuse);
    }
}

/// If the call caused no attempt and the response is the answer to an earlier call, it comes from a
/// cache. Returns the number of that call, counted from 1.
fn earlier_answer(view: View<'_>) -> Option<usize> {
    let own = view.observed.exchange.answer_id()?;
    let is_same = |id: &String| *id == own;
    let has_none = view.attempts().next().is_none();
    let calls = &mut view.earlier.iter();
    calls
        .position(|call| call.exchange.answer_id().as_ref().is_some_and(is_same) && has_none)
        .map(|index| index + 1)
}

fn script(found: &mut Collector<'_>) {
    let view = found.view;
    for attempt in view.attempts().filter(|attempt| attempt.recorded.behavior == UNEXPECTED) {
        let (deployment, attempt) = (attempt.deployment.name.clone(), attempt.number);
        let kind = ExpectationViolation::ScriptEnded { deployment, attempt };
        found.miss(kind).excused(free_attempts(view));
    }
}

fn status(found: &mut Collector<'_>) {
    let view = found.view;
    if let (Some(expected), Some(got)) = (view.planned.expect.status, view.observed.exchange.status)
        && expected != got
    {
        let was_asked = view.attempts().next().is_some();
        // Without an attempt, the target reports a cooldown, with 429 or 503, or a mistake of the
        // client.
        let both = |fits: fn(u16) -> bool| fits(expected) && fits(got);
        let is_of_its_kind = if was_asked {
            both(|status| status >= 400)
        } else {
            both(|status| matches!(status, 429 | 503))
                || both(|status| matches!(status, 400 | 404 | 422))
        };
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
        let excuse = unspecified(view, Freedom::Attempts).filter(|_| is_early || waited_out(view));
        let expected = expected.clone();
        found.miss(ExpectationViolation::AnsweredBy { expected, got }).excused(excuse);
    }
}

fn error(found: &mut Collector<'_>) {
    let view = found.view;
    let Some(expected) = &view.planned.expect.error else { return };
    // If the client got no error, the status expectation already reports it.
    if view.observed.exchange.status.is_some_and(|status| status < 400) && !view.wants_stream() {
        return;
    }
    for kind in wrong_in_error(expected, &view.observed.exchange.body) {
        found.miss(kind).excused(unspecified(view, Freedom::ErrorWording));
    }
}

fn headers(found: &mut Collector<'_>) {
    let view = found.view;
    for (name, expected) in &view.planned.expect.headers {
        let mut headers = view.observed.exchange.headers.iter();
        let got = headers.find(|(it, _)| it.eq_ignore_ascii_case(name)).map(|(_, value)| value);
        if got.map(Vec::as_slice) != Some(expected.as_bytes())
            && !is_expected_wait(view, name, expected)
        {
            let (name, expected) = (name.clone(), expected.clone());
            let got = got.map(|value| String::from_utf8_lossy(value).into_owned());
            found.miss(ExpectationViolation::Header { name, expected, got });
        }
    }
}

/// Whether the header is a `Retry-After` that asks for the expected number of seconds in another
/// form, or for slightly more.
fn is_expected_wait(view: View<'_>, name: &str, expected: &str) -> bool {
    let seconds = expected.parse().ok().filter(|_| name.eq_ignore_ascii_case("retry-after"));
    seconds.is_some_and(|seconds| reports_wait(view, Duration::from_secs(seconds)))
}

/// Excuses an unexpected number of attempts if the scenario leaves the number to the target, or if
/// the target does not claim to meet the requirement.
fn free_attempts(view: View<'_>) -> Option<Excuse> {
    unspecified(view, Freedom::Attempts).or_else(|| waives(view, Code::Route05))
}

fn not_carried(found: &mut Collector<'_>) {
    let view = found.view;
    let unwanted = &view.planned.expect.no_attempt_carries;
    for attempt in view.attempts() {
        let recorded = attempt.recorded;
        for name in unwanted.headers.iter().filter(|it| recorded.header(it).next().is_some()) {
            let kind = ExpectationViolation::CarriesHeader { name: name.clone() };
            found.miss(kind).at(&attempt).excused(header::declared(view, name));
        }
        for text in &unwanted.text {
            let is_outside_headers =
                recorded.target.contains(text.as_str()) || contains(&recorded.body, text);
            let headers = recorded.headers.iter().filter(|(_, value)| contains(value, text));
            let mut excuses: Vec<_> =
                headers.map(|(name, _)| header::declared(view, name)).collect();
            excuses.extend(is_outside_headers.then_some(None));
            if excuses.is_empty() {
                continue;
            }
            // A declaration must cover every place.
            let excuse = excuses.into_iter().collect::<Option<Vec<_>>>();
            let kind = ExpectationViolation::CarriesText { text: text.clone() };
            let violation = found.miss(kind).at(&attempt);
            violation.excused(excuse.and_then(|excuses| excuses.into_iter().next()));
        }
    }
}

/// Excuses a deviation that the scenario leaves to the target, unless the target's strictness is
/// exact.
fn unspecified(view: View<'_>, freedom: Freedom) -> Option<Excuse> {
    let is_free = view.scenario.up_to_target.contains(&freedom);
    (is_free && view.capabilities.strictness.is_tolerant()).then_some(Excuse::Unspecified(freedom))
}

/// The names of the deployments that got the attempts.
fn seen(view: View<'_>) -> Vec<String> {
    view.attempts().map(|attempt| attempt.deployment.name.clone()).collect()
}

/// Whether the target fell back before its retries were used up, and the client got an answer.
fn fell_back_early(view: View<'_>, expected: &[String], seen: &[String]) -> bool {
    let is_answered = view.observed.exchange.status.is_some_and(|status| status < 300);
    let may_retry = view.group.policy.retries > 0;
    may_retry
        && is_answered
        && seen.len() <= expected.len()
        && folded(seen).starts_with(&folded(expected))
}

/// Whether the target, in this call or an earlier one, waited for as long as a deployment had asked
/// for, and tried it again within the call. Then other deployments get the later attempts, too.
fn waited_out(view: View<'_>) -> bool {
    let own = view.attempts().map(|it| (view.observed, it));
    let all: Vec<_> = view.history().chain(own).collect();
    all.windows(2).any(|pair| {
        let [(call, asked), (next_call, again)] = pair else { return false };
        let is_retry = call.position == next_call.position
            && call.call == next_call.call
            && asked.chain_index == again.chain_index;
        is_retry
            && cooldown_state::requested_wait(view, asked).is_some_and(|wait| {
                cooldown_state::failed_at(asked) + wait
                    <= again.recorded.times.head + cooldown_state::SLACK
            })
    })
}

/// The names without consecutive duplicates.
fn folded(names: &[String]) -> Vec<&String> {
    let mut names: Vec<_> = names.iter().collect();
    names.dedup();
    names
}

/// Returns an excuse for the missed expectations that [may follow](may_follow) from what the target
/// declares, if there is one. For example, the target waives a requirement, applies its own cooldown, or declares fallback conditions that
/// differ from the defaults.
fn declared_deviation(view: View<'_>) -> Option<Excuse> {
    let passed_over = view.attempts().next().is_some_and(|first| first.chain_index > 0);
    let excuse = unclaimed(view)
        .or_else(|| own_cooldown_excuse(view).filter(|_| passed_over))
        .or_else(|| view.attempts().find_map(|it| unbuffered_excuse(view, &it)))
        .or_else(|| ignored_field(view))
        .or_else(|| unspecified(view, Freedom::UnseenBreak).filter(|_| broke_unseen(view)));
    if excuse.is_some() || view.group.policy.fallback_on.is_some() {
        return excuse;
    }
    let covers = |conditions: &[Condition], failure| conditions.iter().any(|it| it.covers(failure));
    view.attempts().flat_map(|attempt| attempt.failures()).find_map(|failure| {
        let declared = covers(view.capabilities.fallback_on(), failure);
        match (declared, covers(Condition::RECOMMENDED, failure)) {
            (true, false) => Some(Excuse::FallsBackOn(failure)),
            (false, true) => Some(Excuse::NoFallbackOn(failure)),
            _ => None,
        }
    })
}

/// The declared reason why a field is missing from an attempt, if there is one.
fn ignored_field(view: View<'_>) -> Option<Excuse> {
    let Tree::Object(sent) = Tree::parse(&view.observed.exchange.sent).ok()? else { return None };
    let received: Vec<_> =
        view.attempts().filter_map(|it| Tree::parse(&it.recorded.body).ok()).collect();
    let mut lost =
        sent.iter().filter(|(name, _)| received.iter().any(|it| it.member(name).is_none()));
    lost.find_map(|(name, _)| ignored(view, &format!("/{name}")))
}

/// Whether an attempt was interrupted within its answer, and the client got none of that answer: it
/// got an error, or another deployment's answer.
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
        let text = String::from_utf8_lossy(body);
        let start: String = text.chars().take(80).collect();
        let more = if start.len() < text.len() { "…" } else { "" };
        let got = if start.is_empty() { "nothing".to_owned() } else { format!("`{start}{more}`") };
        return vec![ExpectationViolation::NoError { got }];
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
