//! Why a violation is not held against a target.

use fallproof_protocol::condition::Condition;
use fallproof_suite::requirement::Code;
use serde::Serialize;
use strum::Display;

/// Why a violation is only noted.
#[derive(Debug, Clone, PartialEq, Eq, Display, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Excuse {
    /// The target does not claim this requirement, and says why.
    #[strum(to_string = "{reason}")]
    Waived {
        /// The requirement, which may be another than the one that is broken.
        requirement: Code,
        /// The target's own words.
        reason: String,
    },
    /// The target says why it passes over a deployment that has failed.
    #[strum(to_string = "{0}")]
    OwnCooldown(String),
    /// The target says why it changes this part of a request.
    #[strum(to_string = "{0}")]
    Rewrites(String),
    /// The target says why it asks for another endpoint.
    #[strum(to_string = "{0}")]
    Translates(String),
    /// The failure does not lead on, as the target declares.
    #[strum(to_string = "the target does not fall back on this")]
    NoFallback,
    /// Refusals lead on, as the target declares.
    #[strum(to_string = "the target falls back on refusals, too")]
    FallsBackOnRefusals,
    /// A failure leads on that does not by default, as the target declares.
    #[strum(to_string = "the target does fall back on `{0}`")]
    FallsBackOn(Condition),
    /// A failure does not lead on that does by default, as the target declares.
    #[strum(to_string = "the target does not fall back on `{0}`")]
    NoFallbackOn(Condition),
    /// No requirement says it.
    #[strum(to_string = "{0} is left to the target")]
    Left(Freedom),
}

/// What the requirements leave to a target, and only an exact one is held to: too many attempts and
/// a status of another kind break a requirement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Freedom {
    /// How many attempts there are within the bounds of its retries.
    #[strum(to_string = "how often one deployment is asked, up to its retries,")]
    Attempts,
    /// Which error status it is.
    #[strum(to_string = "which status of its kind an error has")]
    Status,
    /// Type, code, parameter and message of an error.
    #[strum(to_string = "what an error is called")]
    ErrorWords,
    /// What follows a stream that broke early.
    #[strum(to_string = "what follows a break before anything of the answer is out")]
    UnseenBreak,
}
