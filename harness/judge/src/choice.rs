//! Excuses that follow from the failures on which the target declares to fall back.

#[cfg(test)]
mod tests;

use fallproof_protocol::condition::Condition;

use crate::excuse::Excuse;
use crate::observe::{Attempt, View};

/// Returns an excuse if the target declares that it does not fall back on this attempt's failure.
pub(super) fn no_fallback(view: View<'_>, attempt: &Attempt<'_>) -> Option<Excuse> {
    let declared = view.capabilities.fallback_on.as_ref()?;
    let failure = attempt.failure()?;
    (!declared.iter().any(|it| it.covers(failure))).then_some(Excuse::NoFallbackOn(failure))
}

/// Returns an excuse if the target declares that it checks only the status, and the status of this
/// failed attempt says success.
pub(super) fn goes_by_status(view: View<'_>, attempt: &Attempt<'_>) -> Option<Excuse> {
    let hidden = [Condition::InvalidResponse, Condition::ErrorInSuccess];
    let has_success = attempt.recorded.status.is_some_and(|it| (200..300).contains(&it));
    no_fallback(view, attempt)
        .filter(|_| has_success && attempt.failure().is_some_and(|it| hidden.contains(&it)))
}
