//! Reasons why a target is exempt from a violation.

#[cfg(test)]
mod tests;

use fallproof_protocol::condition::Condition;
use fallproof_suite::requirement::Code;
use serde::Serialize;
use strum::Display;

use crate::observe::{Attempt, View};

/// The reason why a violation is only informational.
#[derive(Debug, Clone, PartialEq, Eq, Display, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Excuse {
    /// The target waives this requirement.
    #[strum(to_string = "{reason}")]
    Waived {
        /// The waived requirement; not always the one that is violated.
        requirement: Code,
        /// The reason from the target's capabilities.
        reason: String,
    },
    /// The target applies a cooldown of its own to failed deployments. Holds the reason.
    #[strum(to_string = "{0}")]
    OwnCooldown(String),
    /// The target declares that it rewrites this part of a request. Holds the reason.
    #[strum(to_string = "{0}")]
    Rewrites(String),
    /// The target declares that it drops fields that it does not know. Holds the reason.
    #[strum(to_string = "{0}")]
    Ignores(String),
    /// The target declares that it forwards this header of the client. Holds the reason.
    #[strum(to_string = "{0}")]
    Forwards(String),
    /// The target declares that it translates to another endpoint. Holds the reason.
    #[strum(to_string = "{0}")]
    Translates(String),
    /// The target declares that it falls back on refusals.
    #[strum(to_string = "the target also falls back on refusals")]
    FallsBackOnRefusals,
    /// The target declares that it falls back on this failure, which is not the default.
    #[strum(to_string = "the target falls back on `{0}`")]
    FallsBackOn(Condition),
    /// The target declares that it does not fall back on this failure, which is the default. For an
    /// invalid response or an error in a success, it does not look into the response.
    #[strum(to_string = "the target does not fall back on `{0}`")]
    NoFallbackOn(Condition),
    /// No requirement covers it.
    #[strum(to_string = "{0} is up to the target")]
    Unspecified(Freedom),
}

impl Excuse {
    /// The target declares that it does not fall back on the failure of this attempt.
    pub(crate) fn no_fallback(view: View<'_>, attempt: &Attempt<'_>) -> Option<Self> {
        let declared = view.capabilities.fallback_on.as_ref()?;
        let failure = attempt.failure()?;
        (!declared.iter().any(|it| it.covers(failure))).then_some(Self::NoFallbackOn(failure))
    }

    /// The target declares that it goes by the status, and so it takes the answer to this attempt
    /// for a success.
    pub(crate) fn goes_by_status(view: View<'_>, attempt: &Attempt<'_>) -> Option<Self> {
        let hidden = [Condition::InvalidResponse, Condition::ErrorInSuccess];
        let has_success = attempt.recorded.status.is_some_and(|it| (200..300).contains(&it));
        Self::no_fallback(view, attempt)
            .filter(|_| has_success && attempt.failure().is_some_and(|it| hidden.contains(&it)))
    }
}

/// Behavior that the requirements do not fix. Only a target with exact strictness must match the
/// scenario's expectation. Too many attempts, or a status of another kind, do break a requirement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Freedom {
    /// The number of attempts at a deployment, within its retries.
    #[strum(to_string = "the number of attempts at a deployment, within its retries,")]
    Attempts,
    /// The exact error status.
    #[strum(to_string = "the exact status of an error, within its kind,")]
    Status,
    /// The type, code, parameter and message of an error.
    #[strum(to_string = "the wording of an error")]
    ErrorWording,
    /// The handling of a stream that broke before the client got any of it.
    #[strum(to_string = "the handling of a break before the client got any content")]
    UnseenBreak,
}
