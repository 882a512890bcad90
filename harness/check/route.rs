//! ROUTE: which deployments are asked, in what order, how often, and when it ends.

use std::ops::Range;
use std::time::Duration;

use super::rest::{Reason, Rest};
use super::{Finding, Findings};
use crate::client::Ending;
use crate::declaration::Condition;
use crate::observe::{Attempt, Cause, Ended, View};
use crate::requirement::Code;

/// Who waits at least this long before a retry does not retry at once.
const AT_ONCE: Duration = Duration::from_millis(250);

pub(super) fn check(view: View<'_>) -> Vec<Finding> {
    let mut findings = Findings::new(view);
    let attempts: Vec<_> = view.attempts().collect();
    own_group(&mut findings);
    conversation(&mut findings, &attempts);
    order(&mut findings, &attempts);
    rests(&mut findings, &attempts);
    stop(&mut findings, &attempts);
    hand_over(&mut findings, &attempts);
    refused(&mut findings, &attempts);
    detour(&mut findings, &attempts);
    retries(&mut findings, &attempts);
    hopeless(&mut findings, &attempts);
    findings.found
}

/// The places that belong to one list: the chain, or those that are asked instead of it.
fn list_of(view: View<'_>, place: usize) -> Range<usize> {
    let group = view.group;
    let mut start = 0;
    for length in [group.chain.len(), group.on_context_length.len(), group.on_content_filter.len()]
    {
        if place < start + length {
            return start..start + length;
        }
        start += length;
    }
    start..start
}

/// The places that are asked instead of the chain, for this cause.
fn detour_for(view: View<'_>, cause: Cause) -> Range<usize> {
    let start = view.group.chain.len();
    let between = start + view.group.on_context_length.len();
    match cause {
        Cause::ContextLength => start..between,
        Cause::ContentFilter => between..between + view.group.on_content_filter.len(),
    }
}

fn name(view: View<'_>, place: usize) -> &str {
    view.group.hops().nth(place).map_or("a deployment", |hop| hop.upstream.as_str())
}

/// The next place of the same list that could be asked after this attempt.
fn next_after(view: View<'_>, last: &Attempt<'_>) -> Option<usize> {
    let end = list_of(view, last.place).end;
    (last.place + 1..end).find(|&place| could_be_asked(view, place, last.number + 1))
}

/// Whether an attempt at this place would be seen, and it surely does not rest before the attempt
/// with this number.
pub(super) fn could_be_asked(view: View<'_>, place: usize, before: usize) -> bool {
    view.visible(place) && Rest::of(view, place, before).is_over(view.step.at)
}

fn own_group(findings: &mut Findings<'_>) {
    let view = findings.view;
    for hit in &view.step.astray {
        let prefix = hit.upstream.as_deref().unwrap_or_default();
        let owner = view.groups.iter().find_map(|group| Some((group, group.hop_at(prefix)?.1)));
        let Some((group, hop)) = owner else { continue };
        let message = format!(
            "a call for {} was sent to {}, which belongs to {}",
            view.group.name, hop.upstream, group.name
        );
        findings.breach(Code::Route09, None, None, message);
    }
}

fn order(findings: &mut Findings<'_>, attempts: &[Attempt<'_>]) {
    let view = findings.view;
    let giver = view.conversation().map(|it| it.place);
    let mut next = 0;
    for attempt in attempts {
        let list = list_of(view, attempt.place);
        // A list that is entered begins at its start; whether it was right to enter it is below.
        next = next.clamp(list.start, list.end);
        let went_back = attempt.place + 1 < next;
        let affine = attempt.number == 1 && giver == Some(attempt.place);
        let skipped = (next..attempt.place)
            .find(|&place| !affine && could_be_asked(view, place, attempt.number));
        if went_back {
            let message = format!(
                "attempt {} went back to {}, after {} was asked",
                attempt.number,
                attempt.hop.upstream,
                name(view, next - 1)
            );
            findings.breach(Code::Route01, Some(attempt.number), None, message);
        } else if let Some(place) = skipped {
            not_asked(findings, attempt, place);
        } else if list.start > 0 && !called_for(view, attempt, &list) {
            let message = format!(
                "attempt {} went to {}, which is for refused requests, and none was refused so",
                attempt.number, attempt.hop.upstream
            );
            findings.breach(Code::Route01, Some(attempt.number), None, message);
        }
        next = if affine { 0 } else { next.max(attempt.place + 1) };
    }
    nobody_asked(findings, attempts);
}

/// A place that was passed over: wrong order, or a rest that does not end.
fn not_asked(findings: &mut Findings<'_>, attempt: &Attempt<'_>, place: usize) {
    let view = findings.view;
    let rested = Rest::of(view, place, attempt.number).has_been();
    let requirement = if rested { Code::Route08 } else { Code::Route01 };
    let why = if rested { ", whose rest is over" } else { "" };
    let message = format!(
        "attempt {} went to {} before {} was asked{why}",
        attempt.number,
        attempt.hop.upstream,
        name(view, place)
    );
    let declared = may_rest(view).map(str::to_owned);
    findings.declared_breach(requirement, Some(attempt.number), None, message, declared);
}

/// Why a deployment of the group may rest that the group itself does not put aside, where it can
/// have failed before.
pub(super) fn may_rest(view: View<'_>) -> Option<&str> {
    let was_asked = view.history().next().is_some() || view.step.call > 0;
    view.declaration.rests.as_deref().filter(|_| was_asked)
}

/// Whoever has failed before and may be asked again must be, where nobody else is.
fn nobody_asked(findings: &mut Findings<'_>, attempts: &[Attempt<'_>]) {
    let view = findings.view;
    let answered = view.step.exchange.ending == Ending::Complete;
    let back = (0..view.group.chain.len())
        .find(|&place| Rest::of(view, place, 1).has_been() && could_be_asked(view, place, 1));
    if let (true, true, Some(place)) = (attempts.is_empty(), answered, back) {
        let message =
            format!("nobody was asked, although the rest of {} is over", name(view, place));
        findings.breach(Code::Route08, None, None, message);
    }
}

/// Only whoever gave a response knows what the call goes on from.
fn conversation(findings: &mut Findings<'_>, attempts: &[Attempt<'_>]) {
    let view = findings.view;
    let giver = view.conversation().map(|it| it.place);
    let giver = giver.filter(|&place| could_be_asked(view, place, 1));
    let (Some(first), Some(giver)) = (attempts.first(), giver) else { return };
    if first.place != giver {
        let message = format!(
            "attempt {} went to {}; the response that the call goes on from is of {}",
            first.number,
            first.hop.upstream,
            name(view, giver)
        );
        findings.breach(Code::Route14, Some(first.number), None, message);
    }
}

/// Whether an attempt before this one was refused for the cause that this list is for.
fn called_for(view: View<'_>, attempt: &Attempt<'_>, list: &Range<usize>) -> bool {
    let mut before = view.attempts().take_while(|it| it.number < attempt.number);
    before.any(|it| it.cause().is_some_and(|cause| detour_for(view, cause) == *list))
}

fn rests(findings: &mut Findings<'_>, attempts: &[Attempt<'_>]) {
    let view = findings.view;
    for attempt in attempts {
        let rest = Rest::of(view, attempt.place, attempt.number);
        let (requirement, why) = match rest.at(view.step.at) {
            Some(Reason::Asked) => (Code::Route06, "which had asked to be left alone"),
            Some(Reason::KeptFailing) => (Code::Route07, "which was to get no calls"),
            None => continue,
        };
        let message = format!(
            "attempt {} went to {}, {why} for {} ms more",
            attempt.number,
            attempt.hop.upstream,
            rest.left(view.step.at).as_millis()
        );
        findings.breach(requirement, Some(attempt.number), None, message);
    }
}

fn stop(findings: &mut Findings<'_>, attempts: &[Attempt<'_>]) {
    let Some(success) = attempts.iter().position(|attempt| attempt.ended() == Ended::Success)
    else {
        return;
    };
    // An answer that comes when the target has stopped waiting is none.
    if attempts[success].hit.client_gone {
        return;
    }
    for late in &attempts[success + 1..] {
        findings.breach(
            Code::Route02,
            Some(late.number),
            None,
            format!(
                "attempt {} went to {} although attempt {} had succeeded",
                late.number, late.hop.upstream, attempts[success].number
            ),
        );
    }
}

fn hand_over(findings: &mut Findings<'_>, attempts: &[Attempt<'_>]) {
    let view = findings.view;
    let Some(last) = attempts.last() else { return };
    let Some(Onward { failure, next, declared }) = leads_on(view, last) else { return };
    let message = format!(
        "attempt {} failed {failure} and {} was never asked",
        last.number,
        name(view, next)
    );
    findings.declared_breach(Code::Route03, Some(last.number), None, message, declared);
}

/// What a failed attempt leads on to.
pub(super) struct Onward {
    /// How it failed, e.g. `with 500`.
    failure: String,
    /// The place that is to be asked.
    pub(super) next: usize,
    /// Why it is not, where the target says so.
    pub(super) declared: Option<String>,
}

/// What is to be asked after this attempt, if it was the last one and had not to be.
pub(super) fn leads_on(view: View<'_>, last: &Attempt<'_>) -> Option<Onward> {
    let failure = match last.ended() {
        // A refusal's status stands, whatever became of its words; who goes on does no harm.
        Ended::Broken if last.is_broken_refusal() => return None,
        Ended::Broken => "without a complete answer".to_owned(),
        Ended::Error(status @ (408 | 429 | 500..=599)) => format!("with {status}"),
        Ended::Success | Ended::Error(_) | Ended::ErrorInSuccess | Ended::Interrupted => {
            return None;
        }
    };
    // Nobody goes on for a client that has left, or when the time for the call is over.
    if view.step.exchange.ending == Ending::Left || time_is_up(view, last) {
        return None;
    }
    let set = view.group.policy.fallback_on.as_deref();
    let covered = |conditions: &[Condition]| {
        last.failure().is_some_and(|failure| conditions.iter().any(|it| it.covers(failure)))
    };
    let next = next_after(view, last).filter(|_| set.is_none_or(covered))?;
    let declared = (set.is_none() && !covered(view.declaration.fallback_on()))
        .then(|| "the target does not fall back on this".to_owned());
    let declared = declared.or_else(|| passes_on_at_once(view, last).map(str::to_owned));
    Some(Onward { failure, next, declared })
}

/// Why a stream that had begun when it failed is the client's, where the target says that it holds
/// back no beginning.
pub(super) fn passes_on_at_once<'a>(view: View<'a>, attempt: &Attempt<'_>) -> Option<&'a str> {
    let has_begun = attempt.events().is_some_and(|events| !events.is_empty());
    view.declaration.waives(Code::Stream11).filter(|_| view.wants_stream() && has_begun)
}

/// Whether the call may have taken as long as it may when this attempt ended.
fn time_is_up(view: View<'_>, last: &Attempt<'_>) -> bool {
    let Some(total) = view.group.policy.total_timeout_ms else { return false };
    let first = view.attempts().next().map_or(Duration::ZERO, |first| first.hit.times.head);
    let ended = last.hit.times.end.unwrap_or(Duration::MAX);
    let took = ended.saturating_sub(first).saturating_add(Duration::from_millis(total / 4));
    took >= Duration::from_millis(total)
}

fn refused(findings: &mut Findings<'_>, attempts: &[Attempt<'_>]) {
    let view = findings.view;
    let clients_mistake = |attempt: &&Attempt<'_>| {
        // What is too long or offends a filter may be taken by another model.
        matches!(attempt.ended(), Ended::Error(400 | 413 | 422)) && attempt.cause().is_none()
    };
    let Some(refused) = attempts.iter().find(clients_mistake) else { return };
    let leads_on = |conditions: &[Condition]| {
        refused.failure().is_some_and(|failure| conditions.iter().any(|it| it.covers(failure)))
    };
    if view.group.policy.fallback_on.as_deref().is_some_and(leads_on) {
        return;
    }
    let declared = leads_on(view.declaration.fallback_on())
        .then(|| "the target falls back on refusals, too".to_owned());
    for again in attempts.iter().filter(|attempt| attempt.number > refused.number) {
        let message = format!(
            "attempt {} sent again what {} had refused as the client's mistake",
            again.number, refused.hop.upstream
        );
        findings.declared_breach(
            Code::Route04,
            Some(again.number),
            None,
            message,
            declared.clone(),
        );
    }
}

fn detour(findings: &mut Findings<'_>, attempts: &[Attempt<'_>]) {
    let view = findings.view;
    for attempt in attempts {
        let Some(cause) = attempt.cause() else { continue };
        let detour = detour_for(view, cause);
        let taken = attempts.iter().any(|it| detour.contains(&it.place));
        let Some(first) = detour.clone().find(|&place| could_be_asked(view, place, usize::MAX))
        else {
            continue;
        };
        if !taken {
            let (requirement, what) = match cause {
                Cause::ContextLength => (Code::Route10, "as too long"),
                Cause::ContentFilter => (Code::Route11, "by a content filter"),
            };
            let message = format!(
                "attempt {} was refused {what} and {} was never asked",
                attempt.number,
                name(view, first)
            );
            findings.breach(requirement, Some(attempt.number), None, message);
            return;
        }
    }
}

fn retries(findings: &mut Findings<'_>, attempts: &[Attempt<'_>]) {
    let view = findings.view;
    for (place, hop) in view.group.hops().enumerate() {
        let count = attempts.iter().filter(|attempt| attempt.place == place).count();
        let allowed = view.group.policy.retries as usize + 1;
        if count > allowed {
            findings.breach(
                Code::Route05,
                None,
                None,
                format!(
                    "{} was asked {count} times; with retries {} it is to be asked at most {allowed} times",
                    hop.upstream, view.group.policy.retries
                ),
            );
        }
    }
}

/// What a retry cannot mend.
fn hopeless(findings: &mut Findings<'_>, attempts: &[Attempt<'_>]) {
    for again in attempts {
        let mut before = attempts.iter().rev().skip_while(|it| it.number >= again.number);
        let Some(last) = before.find(|it| it.place == again.place) else { continue };
        let why = match last.ended() {
            Ended::Error(status @ (401 | 403 | 404)) => format!("had refused it with {status}"),
            Ended::Error(429) => {
                let ended = last.hit.times.end.unwrap_or_default();
                let waited = again.hit.times.head.saturating_sub(ended);
                if waited >= AT_ONCE {
                    continue;
                }
                format!("had had too many calls {} ms before", waited.as_millis())
            }
            _ => continue,
        };
        let message =
            format!("attempt {} went to {}, which {why}", again.number, again.hop.upstream);
        findings.breach(Code::Route15, Some(again.number), None, message);
    }
}
