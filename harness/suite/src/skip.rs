//! Why a scenario is not run against a target.

use serde::{Deserialize, Serialize};
use strum::Display;

use crate::feature::Feature;
use crate::requirement::Code;

/// Why a scenario is not run. Its words begin with the kind of reason: `unsupported-feature`,
/// `not-applicable` or `prerequisite-failed`.
#[derive(Debug, Clone, PartialEq, Eq, Display, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SkipReason {
    /// The target says that it unsupported what the scenario needs.
    #[strum(to_string = "unsupported-feature: {need} ({reason})")]
    Unsupported {
        /// What it needs.
        need: Feature,
        /// The target's own words.
        reason: String,
    },
    /// The target claims nothing of what the scenario was written to prove.
    #[strum(to_string = "not-applicable: {requirement} is not claimed ({reason})")]
    Waived {
        /// The first requirement of those.
        requirement: Code,
        /// The target's own words.
        reason: String,
    },
    /// The gateway cannot be configured for it.
    #[strum(to_string = "not-applicable: {reason}")]
    NotConfigurable {
        /// The words of its adapter.
        reason: String,
    },
    /// Only real time moves the clock of the target.
    #[strum(to_string = "not-applicable: it would wait {seconds} s for the target's clock")]
    TooSlow {
        /// How long the scenario would wait.
        seconds: u64,
    },
    /// It is for a gateway that is configured otherwise.
    #[strum(to_string = "prerequisite-failed: it needs the gateway of batch {batch} ({settings})")]
    OtherRound {
        /// The number of the configuration, from 1.
        batch: usize,
        /// What is set there.
        settings: String,
    },
    /// There is no address that answers no connection. Holds the system's words.
    #[strum(to_string = "prerequisite-failed: {0}")]
    NoSilentAddress(String),
}
