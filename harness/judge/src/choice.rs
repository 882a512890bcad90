//! Excuses that follow from the failures on which the target declares to fall back.

#[cfg(test)]
mod tests;

use fallproof_protocol::condition::Condition;

use crate::excuse::Excuse;
use crate::observe::{Attempt, View};

/// Returns an excuse if the target declares that it does not fall back on this attempt's failure.
pub(super) fn no_fallback(view: View<'_>, attempt: &Attempt<'_>) -> Option<Excuse> {
    undeclared(view, attempt).next().map(Excuse::NoFallbackOn)
}

/// Returns an excuse if the target declares that it checks only the status, and the status of this
/// failed attempt says success.
pub(super) fn goes_by_status(view: View<'_>, attempt: &Attempt<'_>) -> Option<Excuse> {
    let hidden = [Condition::InvalidResponse, Condition::ErrorInSuccess];
    let has_success = attempt.recorded.status.is_some_and(|it| (200..300).contains(&it));
    let mut unseen = undeclared(view, attempt).filter(|it| has_success && hidden.contains(it));
    unseen.next().map(Excuse::NoFallbackOn)
}

/// What the failure of this attempt can be taken for, without what the target falls back on. Empty if
/// the target does not declare any choice.
fn undeclared(view: View<'_>, attempt: &Attempt<'_>) -> impl Iterator<Item = Condition> {
    let declared = view.capabilities.fallback_on.as_deref();
    attempt.failures().filter(move |failure| {
        declared.is_some_and(|declared| !declared.iter().any(|it| it.covers(*failure)))
    })
}
