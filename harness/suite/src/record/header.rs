//! The header of an evidence file: facts about the entire run.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::capabilities::Capabilities;
use crate::evidence::TargetFacts;
use crate::plan::Group;
use crate::profile::Profile;
use crate::scenario::{Scenario, Suite};

/// The latest valid start of a run: the end of the year 9999, in milliseconds since 1970.
const LAST_MOMENT: u64 = 253_402_300_799_999;

/// Facts about the entire run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// The version of Fallproof that made the run.
    pub fallproof: String,
    /// The target, as reports name it.
    pub target: TargetName,
    /// The suite.
    pub suite: SuiteFacts,
    /// The patterns that selected the scenarios.
    pub patterns: Vec<String>,
    /// The tags that selected the scenarios.
    pub tags: Vec<String>,
    /// When the run started, in milliseconds since 1970. All times of the evidence are relative to
    /// this time.
    #[serde(rename = "started_unix_ms", serialize_with = "to_unix", deserialize_with = "of_unix")]
    pub started: SystemTime,
    /// The command that runs a scenario again, with [`SCENARIO`](Self::SCENARIO) in place of its
    /// id.
    pub replay: String,
    /// The API key that the client sends to the target. A key that the user provided is replaced
    /// with a placeholder.
    pub gateway_key: String,
    /// The target's capabilities.
    pub capabilities: Capabilities,
}

impl Header {
    /// Placeholder for a scenario's id.
    pub const SCENARIO: &str = "{scenario}";

    /// The command that runs the scenario with this id again.
    pub fn replay_of(&self, id: &str) -> String {
        self.replay.replace(Self::SCENARIO, id)
    }

    /// The facts needed to judge a case. `groups` are the groups that the target was configured to
    /// serve for the scenario; `all_groups` also includes those of other scenarios.
    pub fn facts<'a>(&'a self, groups: &'a [Group], all_groups: &'a [Group]) -> TargetFacts<'a> {
        let Self { capabilities, gateway_key, started, .. } = self;
        TargetFacts { groups, all_groups, capabilities, gateway_key, started: *started }
    }
}

/// A target as reports name it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetName {
    /// Its name.
    pub name: String,
    /// Its version, if known.
    pub version: Option<String>,
    /// The id of its adapter, if it has one.
    pub adapter: Option<String>,
    /// The variant of the adapter, if one was chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// `host:port` of the gateway's listener, if Fallproof did not start the gateway.
    pub address: Option<String>,
}

impl TargetName {
    /// Creates the name of a target whose other properties are unknown.
    pub fn of(name: impl Into<String>) -> Self {
        Self { name: name.into(), version: None, adapter: None, variant: None, address: None }
    }
}

/// Facts about the suite that the scenarios of a run were selected from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SuiteFacts {
    /// `sha256:` and the hash of its files.
    pub fingerprint: String,
    /// Number of its cases.
    pub cases: usize,
    /// Whether all of its cases were selected.
    pub whole: bool,
    /// The profiles of its scenarios.
    pub profiles: BTreeSet<Profile>,
}

impl SuiteFacts {
    /// Creates the facts about a suite from which these scenarios were selected.
    pub fn new(suite: &Suite, chosen: &[&Scenario]) -> Self {
        let ids: BTreeSet<_> = chosen.iter().map(|scenario| scenario.id.as_str()).collect();
        let all = suite.scenarios.iter();
        Self {
            fingerprint: suite.fingerprint.clone(),
            cases: suite.scenarios.len(),
            whole: all.clone().all(|scenario| ids.contains(scenario.id.as_str())),
            profiles: all.map(|scenario| scenario.profile).collect(),
        }
    }
}

fn to_unix<S: Serializer>(time: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    serializer.serialize_u64(u64::try_from(since.as_millis()).unwrap_or(LAST_MOMENT))
}

fn of_unix<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SystemTime, D::Error> {
    let millis = u64::deserialize(deserializer)?;
    if millis > LAST_MOMENT {
        let message = format!("`started_unix_ms` is after the year 9999: at most {LAST_MOMENT}");
        return Err(D::Error::custom(message));
    }
    Ok(SystemTime::UNIX_EPOCH + Duration::from_millis(millis))
}
