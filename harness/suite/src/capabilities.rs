//! A target's capabilities: what it says of itself, so that it is not failed for what it does not
//! claim.
//!
//! It is a part of the target's adapter, drafted by `fallproof probe` and reviewed by a person.
//! The default is the recommended one: it claims all that the reference router claims.

use fallproof_protocol::condition::Condition;
use fallproof_protocol::provider::{Endpoint, Surface};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::feature::Feature;
use crate::requirement::Code;
use crate::scenario::Scenario;
use crate::skip::SkipReason;

/// What a target says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Capabilities {
    /// What it cannot do, and why; a scenario that needs it is skipped with these words.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub unsupported: IndexMap<Feature, String>,
    /// Which failures lead on to the next deployment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback_on: Option<Vec<Condition>>,
    /// Requirements of the policy level that it does not claim, and why.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub waived: IndexMap<Code, String>,
    /// Why it may pass over a deployment that has failed, for a time of its own choice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own_cooldown: Option<String>,
    /// Parts of a request that it leaves out, adds or changes on purpose.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rewrites: Vec<Rewrite>,
    /// Endpoints that it asks for in place of another, so that bodies cannot be compared.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub translates: Vec<Translation>,
    /// How closely it is held to a scenario's expectations; tolerant by default.
    #[serde(default, skip_serializing_if = "Strictness::is_tolerant")]
    pub strictness: Strictness,
}

/// How closely a target is held to what a scenario expects where the requirements leave room.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Strictness {
    /// It does exactly what the scenarios say, as the reference router does.
    Exact,
    /// What the requirements leave to a target is noted where it differs.
    #[default]
    Tolerant,
}

impl Strictness {
    /// Whether it is held to no more than the requirements.
    pub fn is_tolerant(&self) -> bool {
        *self == Self::Tolerant
    }
}

/// A part of a request that a target leaves out, adds or changes on purpose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rewrite {
    /// JSON pointer of the part; all that is below it is meant too.
    pub pointer: String,
    /// Only at this endpoint; at each by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<Endpoint>,
    /// Only to this surface; to each by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub surface: Option<Surface>,
    /// Why.
    pub reason: String,
}

/// An endpoint that a target asks for in place of the one that its client called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Translation {
    /// What the client called.
    pub from: Endpoint,
    /// What the provider was asked for.
    pub to: Endpoint,
    /// Only to this surface; to each by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub surface: Option<Surface>,
    /// Why.
    pub reason: String,
}

impl Capabilities {
    /// The reference router's: it claims everything, and does exactly what the scenarios say.
    pub fn reference() -> Self {
        Self { strictness: Strictness::Exact, ..Self::default() }
    }

    /// The failures that lead on to the next deployment by default.
    pub fn fallback_on(&self) -> &[Condition] {
        self.fallback_on.as_deref().unwrap_or(Condition::RECOMMENDED)
    }

    /// Why this scenario is not for the target: what it needs and the target unsupported, or that the
    /// target claims nothing of what it was written to prove.
    pub fn skip_reason(&self, scenario: &Scenario) -> Option<SkipReason> {
        let reason = |need: &Feature| self.unsupported.get(need);
        let needs = scenario.needs();
        if let Some((need, reason)) = needs.iter().find_map(|need| Some((need, reason(need)?))) {
            return Some(SkipReason::Unsupported { need: *need, reason: reason.clone() });
        }
        let unclaimed = scenario.proves.iter().map(|&code| Some((code, self.waives(code)?)));
        let (requirement, reason) = unclaimed.collect::<Option<Vec<_>>>()?.into_iter().next()?;
        Some(SkipReason::Waived { requirement, reason: reason.to_owned() })
    }

    /// Why this requirement is not claimed, where it is not.
    pub fn waives(&self, requirement: Code) -> Option<&str> {
        self.waived.get(&requirement).map(String::as_str)
    }

    /// Why a difference at this pointer is meant, where it is.
    pub fn rewrites(&self, pointer: &str, endpoint: Endpoint, surface: Surface) -> Option<&str> {
        let meant = |rewrite: &&Rewrite| {
            let below = pointer.strip_prefix(rewrite.pointer.as_str());
            below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
                && rewrite.endpoint.is_none_or(|it| it == endpoint)
                && rewrite.surface.is_none_or(|it| it == surface)
        };
        self.rewrites.iter().find(meant).map(|rewrite| rewrite.reason.as_str())
    }

    /// Why another endpoint is asked for, where that is meant.
    pub fn translates(&self, from: Endpoint, to: Endpoint, surface: Surface) -> Option<&str> {
        let meant = |translation: &&Translation| {
            translation.from == from
                && translation.to == to
                && translation.surface.is_none_or(|it| it == surface)
        };
        self.translates.iter().find(meant).map(|translation| translation.reason.as_str())
    }
}
