//! 03: a failure leads on to the next deployment.

use std::time::Duration;

use fallproof_protocol::condition::Condition;
use fallproof_suite::evidence::Ending;
use fallproof_suite::requirement::Code;

use super::places::{name, next_after};
use crate::collector::{Collector, waives};
use crate::excuse::Excuse;
use crate::observe::{Attempt, Ended, View};
use crate::violation::Failed;
use crate::violation::RouteViolation::NotHandedOver;

pub(super) fn check(found: &mut Collector<'_>, attempts: &[Attempt<'_>]) {
    let view = found.view;
    let Some(last) = attempts.last() else { return };
    let Some(Onward { failed, next, excuse }) = leads_on(view, last) else { return };
    let kind = NotHandedOver { failed, next: name(view, next) };
    found.breach(Code::Route03, kind).at(last).excused(excuse);
}

/// What a failed attempt leads on to.
pub(crate) struct Onward {
    failed: Failed,
    /// The place that is to be asked.
    pub(crate) next: usize,
    /// Why it is not, where the target says so.
    pub(crate) excuse: Option<Excuse>,
}

/// What is to be asked after this attempt, if it was the last one and had not to be.
pub(crate) fn leads_on(view: View<'_>, last: &Attempt<'_>) -> Option<Onward> {
    let failed = match last.ended() {
        // A refusal's status stands, whatever became of its words; who goes on does no harm.
        Ended::Broken if last.is_broken_refusal() => return None,
        Ended::Broken => Failed::Broken,
        Ended::Error(status @ (408 | 429 | 500..=599)) => Failed::With(status),
        Ended::Success | Ended::Error(_) | Ended::ErrorInSuccess | Ended::Interrupted => {
            return None;
        }
    };
    // Nobody goes on for a client that has left, or when the time for the call is over.
    if view.step.exchange.ending == Ending::Disconnected || time_is_up(view, last) {
        return None;
    }
    let set = view.group.policy.fallback_on.as_deref();
    let covered = |conditions: &[Condition]| {
        last.failure().is_some_and(|failure| conditions.iter().any(|it| it.covers(failure)))
    };
    let next = next_after(view, last).filter(|_| set.is_none_or(covered))?;
    let is_declared = set.is_none() && !covered(view.capabilities.fallback_on());
    let excuse = is_declared.then_some(Excuse::NoFallback);
    Some(Onward { failed, next, excuse: excuse.or_else(|| passes_on_at_once(view, last)) })
}

/// Why a stream that had begun when it failed is the client's, where the target says that it holds
/// back no beginning.
pub(crate) fn passes_on_at_once(view: View<'_>, attempt: &Attempt<'_>) -> Option<Excuse> {
    let has_begun = attempt.events().is_some_and(|events| !events.is_empty());
    waives(view, Code::Stream11).filter(|_| view.wants_stream() && has_begun)
}

/// Whether the call may have taken as long as it may when this attempt ended.
fn time_is_up(view: View<'_>, last: &Attempt<'_>) -> bool {
    let Some(total) = view.group.policy.total_timeout_ms else { return false };
    let first = view.attempts().next().map_or(Duration::ZERO, |first| first.recorded.times.head);
    let ended = last.recorded.times.end.unwrap_or(Duration::MAX);
    let took = ended.saturating_sub(first).saturating_add(Duration::from_millis(total / 4));
    took >= Duration::from_millis(total)
}
