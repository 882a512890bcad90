//! `FP-ROUTE-03`: after a failure, the call falls back to the next deployment.

use std::time::Duration;

use fallproof_suite::evidence::Ending;
use fallproof_suite::requirement::Code;

use super::chain::{name, next_after};
use crate::choice;
use crate::collector::{Collector, waives};
use crate::excuse::Excuse;
use crate::observe::{Attempt, AttemptOutcome, View};
use crate::violation::Failed;
use crate::violation::RouteViolation::NoFallback;

pub(super) fn check(found: &mut Collector<'_>, attempts: &[Attempt<'_>]) {
    let view = found.view;
    let Some(last) = attempts.last() else { return };
    let Some(Fallback { failed, next, excuse }) = required_fallback(view, last) else { return };
    let kind = NoFallback { failed, next: name(view, next) };
    found.breach(Code::Route03, kind).at(last).excused(excuse);
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
