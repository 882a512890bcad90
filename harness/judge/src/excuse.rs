//! Reasons why a target is exempt from a violation.

use fallproof_protocol::condition::Condition;
use fallproof_suite::requirement::Code;
use serde::Serialize;
use strum::Display;

/// The reason why a violation is only informational.
#[derive(Debug, Clone, PartialEq, Eq, Display, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Excuse {
    /// The target waives this requirement.
    #[strum(to_string = "{reason}")]
    Waived {
        /// The waived requirement, which may differ from the violated one.
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
    /// The target declares that it translates to another endpoint. Holds the reason.
    #[strum(to_string = "{0}")]
    Translates(String),
    /// The target declares that it does not fall back on this failure.
    #[strum(to_string = "the target does not fall back on this")]
    NoFallback,
    /// The target declares that it falls back on refusals.
    #[strum(to_string = "the target also falls back on refusals")]
    FallsBackOnRefusals,
    /// The target declares that it falls back on this failure, which is not the default.
    #[strum(to_string = "the target falls back on `{0}`")]
    FallsBackOn(Condition),
    /// The target declares that it does not fall back on this failure, which is the default.
    #[strum(to_string = "the target does not fall back on `{0}`")]
    NoFallbackOn(Condition),
    /// A delay of the machine could explain it. Holds the delay in milliseconds.
    #[strum(to_string = "this machine was late by {0} ms during the case")]
    Delay(u64),
    /// No requirement covers it.
    #[strum(to_string = "{0} is up to the target")]
    Unspecified(Freedom),
}

/// Behavior that the requirements leave open. Only a target with exact strictness must behave as
/// the scenario expects. Too many attempts, or a status of another kind, still break a requirement.
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
    /// The handling of a stream that broke before any of it reached the client.
    #[strum(to_string = "how to handle a stream that breaks before the client got any content")]
    UnseenBreak,
}
