//! What holds for a run as a whole.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::capabilities::Capabilities;
use crate::evidence::TargetFacts;
use crate::plan::Group;
use crate::profile::Profile;
use crate::scenario::{Scenario, Suite};

/// The last moment that a run can have started at, the end of the year 9999, in milliseconds.
const LAST_MOMENT: u64 = 253_402_300_799_999;

/// What holds for the run as a whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// The version of Fallproof that played it.
    pub fallproof: String,
    /// What was tested, as reports have it.
    pub target: TargetName,
    /// What it was tested with.
    pub suite: SuiteFacts,
    /// The patterns that chose the scenarios.
    pub patterns: Vec<String>,
    /// The tags that chose them.
    pub tags: Vec<String>,
    /// When it started, in milliseconds since 1970; all times of evidence count from there.
    #[serde(rename = "started_unix_ms", serialize_with = "to_unix", deserialize_with = "of_unix")]
    pub started: SystemTime,
    /// The command that runs a scenario again, with [`SCENARIO`](Self::SCENARIO) for its id.
    pub replay: String,
    /// The key that the client gave to the target; a placeholder where it was the user's own.
    pub gateway_key: String,
    /// What the target can do and claims.
    pub capabilities: Capabilities,
}

impl Header {
    /// What stands for a scenario's id.
    pub const SCENARIO: &str = "{scenario}";

    /// The command that runs the scenario with this id again.
    pub fn replay_of(&self, id: &str) -> String {
        self.replay.replace(Self::SCENARIO, id)
    }

    /// What must be known of the target to judge a case for which it was configured so.
    pub fn facts<'a>(&'a self, groups: &'a [Group]) -> TargetFacts<'a> {
        let Self { capabilities, gateway_key, started, .. } = self;
        TargetFacts { groups, capabilities, gateway_key, started: *started }
    }
}

/// A target as reports name it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetName {
    /// Its name.
    pub name: String,
    /// Its version, where it is known.
    pub version: Option<String>,
    /// The id of its adapter, where it has one.
    pub adapter: Option<String>,
    /// `host:port` where it listens, where somebody else started it.
    pub address: Option<String>,
}

impl TargetName {
    /// That of a target of which nothing else is known.
    pub fn of(name: impl Into<String>) -> Self {
        Self { name: name.into(), version: None, adapter: None, address: None }
    }
}

/// What is told of the suite that the scenarios of a run were chosen from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SuiteFacts {
    /// `sha256:` over its files.
    pub fingerprint: String,
    /// How many cases it has.
    pub cases: usize,
    /// Whether all of them were chosen.
    pub whole: bool,
    /// The profiles of its scenarios.
    pub profiles: BTreeSet<Profile>,
}

impl SuiteFacts {
    /// Those of this suite, from which these scenarios were chosen.
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
