//! Reasons why a scenario is not run against a target.

use serde::{Deserialize, Serialize};
use strum::Display;

use crate::feature::Feature;
use crate::requirement::Code;

/// The reason why a scenario is not run. Its message starts with the kind of reason:
/// `unsupported-feature`, `not-applicable` or `prerequisite-failed`.
#[derive(Debug, Clone, PartialEq, Eq, Display, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SkipReason {
    /// The target does not support a feature that the scenario needs.
    #[strum(to_string = "unsupported-feature: {need} ({reason})")]
    Unsupported {
        /// The feature.
        need: Feature,
        /// The reason from the target's capabilities.
        reason: String,
    },
    /// The target waives every requirement that the scenario was written to prove.
    #[strum(to_string = "not-applicable: {requirement} is waived ({reason})")]
    Waived {
        /// The first of these requirements.
        requirement: Code,
        /// The reason from the target's capabilities.
        reason: String,
    },
    /// The gateway cannot be configured for the scenario.
    #[strum(to_string = "not-applicable: {reason}")]
    NotConfigurable {
        /// The reason from the adapter.
        reason: String,
    },
    /// The scenario waits too long for a target whose clock cannot be advanced.
    #[strum(to_string = "not-applicable: needs {seconds} s of real time")]
    TooSlow {
        /// How long the scenario would wait, in seconds.
        seconds: u64,
    },
    /// The scenario needs the gateway with another configuration.
    #[strum(to_string = "prerequisite-failed: needs the gateway of batch {batch} ({settings})")]
    OtherBatch {
        /// The number of the batch, from 1.
        batch: usize,
        /// The settings of the batch.
        settings: String,
    },
    /// The unresponsive address could not be set up. Holds the error message.
    #[strum(to_string = "prerequisite-failed: {0}")]
    NoSilentAddress(String),
}
