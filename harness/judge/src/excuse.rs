//! Reasons why a target is exempt from a violation.

use fallproof_protocol::condition::Condition;
use fallproof_suite::requirement::Code;
use fallproof_suite::scenario::Freedom;
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
    /// The target declares that it drops fields that it does not know. Holds the reason.
    #[strum(to_string = "{0}")]
    Ignores(String),
    /// The target declares that it forwards this client header. Holds the reason.
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
    /// The target declares that it does not fall back on this failure, although the default is to
    /// do so. If the failure is an invalid response or an error in a success, the target does not
    /// inspect the response.
    #[strum(to_string = "the target does not fall back on `{0}`")]
    NoFallbackOn(Condition),
    /// A delay of the machine could explain the violation. Holds the delay in milliseconds.
    #[strum(to_string = "this machine was late by {0} ms during the case")]
    Delay(u64),
    /// The target made an attempt again on a new connection.
    #[strum(to_string = "its connection was used before, and may have been stale")]
    MadeAgain,
    /// No requirement covers this behavior.
    #[strum(to_string = "{0} is up to the target")]
    Unspecified(Freedom),
}
