//! `FP-ROUTE-03`: after a failure, the call falls back to the next deployment.

use std::time::Duration;

use fallproof_protocol::condition::Condition;
use fallproof_suite::evidence::Ending;
use fallproof_suite::requirement::Code;
use fallproof_suite::scenario::ClientKey;

use super::chain::{could_be_asked, name, next_after};
use crate::choice;
use crate::collector::{Collector, waives};
use crate::excuse::Excuse;
use crate::observe::{Attempt, AttemptOutcome, View};
use crate::violation::Failed;
use crate::violation::RouteViolation::{NoFallback, NoFallbackFromUnreachable};

pub(super) fn check(found: &mut Collector<'_>, attempts: &[Attempt<'_>]) {
    let view = found.view;
    let Some(last) = attempts.last() else { return after_no_connection(found) };
    let Some(Fallback { failed, next, excuse }) = required_fallback(view, last) else { return };
    let kind = NoFallback { failed, next: name(view, next) };
    found.breach(Code::Route03, kind).at(last).excused(excuse);
}

/// Finds a call without attempts whose first deployment refuses connections, although another one
/// could have been tried. Attempts at the first one are not observed, but they certainly failed.
fn after_no_connection(found: &mut Collector<'_>) {
    let view = found.view;
    let exchange = &view.observed.exchange;
    let send = &view.planned.send;
    // A call that the gateway may refuse needs no attempt.
    if !matches!(send.key, ClientKey::Right) || send.encoding.is_some() {
        return;
    }
    let has_failed =
        exchange.ending == Ending::Complete && exchange.status.is_some_and(|status| status >= 500);
    let has_total = view.group.policy.total_timeout_ms.is_some();
    let first = view.group.chain.first().filter(|_| !view.visible(0));
    let (true, true, false, Some(first)) = (has_failed, view.wired, has_total, first) else {
        return;
    };
    let next = (1..view.group.chain.len()).find(|&index| could_be_asked(view, index, 1));
    let configured = view.group.policy.fallback_on.as_deref();
    let conditions = configured.unwrap_or(view.capabilities.fallback_on());
    let is_covered = |failure| conditions.iter().any(|it| it.covers(failure));
    let failures = [Condition::Connection, Condition::Timeout];
    if let Some(next) = next.filter(|_| failures.into_iter().all(is_covered)) {
        let (from, next) = (first.name.clone(), name(view, next));
        found.breach(Code::Route03, NoFallbackFromUnreachable { from, next });
    }
}

/// The fallback that a failed attempt requires.
pub(crate) struct Fallback {
    failed: Failed,
    /// Chain index of the deployment to try.
    pub(crate) next: usize,
    /// The declared reason why the target does not fall back, if there is one.
    pub(crate) excuse: Option<Excuse>,
}

/// Returns the fallback that is required after this attempt, which was the last one of the call.
pub(crate) fn required_fallback(view: View<'_>, last: &Attempt<'_>) -> Option<Fallback> {
    let failed = match last.outcome() {
        // A refusal whose body was cut is still a refusal, so a fallback is allowed but not
        // required.
        AttemptOutcome::Broken if last.is_broken_refusal() => return None,
        AttemptOutcome::Broken => Failed::Broken,
        AttemptOutcome::Error(status @ (408 | 429 | 500..=599)) => Failed::With(status),
        AttemptOutcome::Success
        | AttemptOutcome::Error(_)
        | AttemptOutcome::ErrorInSuccess
        | AttemptOutcome::Interrupted => {
            return None;
        }
    };
    // No fallback is required if the client disconnected or the call's time is up.
    if view.observed.exchange.ending == Ending::Disconnected || time_is_up(view, last) {
        return None;
    }
    // No other deployment knows the conversation.
    if view.conversation().is_some_and(|it| it.chain_index == last.chain_index) {
        return None;
    }
    let configured = view.group.policy.fallback_on.as_deref();
    let is_covered = configured.is_none_or(|conditions| last.fails_by(conditions));
    let next = next_after(view, last).filter(|_| is_covered)?;
    let excuse = choice::no_fallback(view, last).filter(|_| configured.is_none());
    Some(Fallback { failed, next, excuse: excuse.or_else(|| unbuffered_excuse(view, last)) })
}

/// The excuse for forwarding a stream that failed after it had begun, instead of falling back: the
/// target declares that it does not buffer the start of streams.
pub(crate) fn unbuffered_excuse(view: View<'_>, attempt: &Attempt<'_>) -> Option<Excuse> {
    let has_begun = attempt.events().is_some_and(|events| !events.is_empty());
    waives(view, Code::Stream11).filter(|_| view.wants_stream() && has_begun)
}

/// Whether the call may have reached its total timeout when this attempt ended, or in a pause after
/// it, when the client got the answer.
fn time_is_up(view: View<'_>, last: &Attempt<'_>) -> bool {
    let Some(total) = view.group.policy.total_timeout_ms else { return false };
    // The target's clock started after the client's call, and before its first attempt arrived.
    let exchange = &view.observed.exchange;
    let ended = last.recorded.times.end.unwrap_or(Duration::MAX).saturating_sub(exchange.started);
    let took = ended.max(exchange.took).saturating_add(Duration::from_millis(total / 4));
    took >= Duration::from_millis(total)
}
