//! A target's declared capabilities. A target does not fail because of a capability that it does
//! not claim.
//!
//! They are part of the target's adapter. `fallproof probe` drafts them, and a person reviews them.
//! The default claims everything that the reference router claims.

use fallproof_protocol::condition::Condition;
use fallproof_protocol::provider::{Endpoint, Surface};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::feature::Feature;
use crate::requirement::{Code, Level, PolicyCode};
use crate::scenario::Scenario;
use crate::skip::SkipReason;

/// A target's declared capabilities.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Capabilities {
    /// Unsupported features, each with a reason. Scenarios that need an unsupported feature are
    /// skipped with its reason.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub unsupported: IndexMap<Feature, String>,
    /// The failures that cause a fallback to the next deployment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback_on: Option<Vec<Condition>>,
    /// Requirements of the policy level that the target does not claim, each with a reason.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    #[schemars(with = "IndexMap<PolicyCode, String>")]
    pub waived: IndexMap<Code, String>,
    /// Reason why the target applies its own cooldown: after a failure, it may skip the deployment
    /// for a time that it chooses itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own_cooldown: Option<String>,
    /// Parts of a request that the target omits, adds or changes on purpose.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rewrites: Vec<Rewrite>,
    /// Body fields that the target drops because it does not know them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignores: Vec<Ignored>,
    /// Client headers that the target forwards on purpose; never hop-by-hop headers or API keys.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub forwards: Vec<Forwarded>,
    /// Endpoints that the target calls instead of the client's endpoint, so bodies cannot be
    /// compared.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub translates: Vec<Translation>,
    /// How strictly a scenario's expectations apply; tolerant by default.
    #[serde(default, skip_serializing_if = "Strictness::is_tolerant")]
    pub strictness: Strictness,
}

/// How strictly a scenario's expectations apply to behavior that the requirements leave open.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Strictness {
    /// All expectations must be met, even where the requirements allow deviations.
    Exact,
    /// Deviations that the requirements allow are informational.
    #[default]
    Tolerant,
}

impl Strictness {
    /// Whether only the requirements are binding.
    pub fn is_tolerant(&self) -> bool {
        *self == Self::Tolerant
    }
}

/// A part of a request that a target omits, adds or changes on purpose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rewrite {
    /// JSON pointer to the part. Everything below the pointer belongs to the part.
    pub pointer: String,
    /// What changes; anything by default.
    #[serde(default, skip_serializing_if = "Change::is_any")]
    pub change: Change,
    /// The only endpoint to which the entry applies; every endpoint by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<Endpoint>,
    /// The only surface to which the entry applies; every surface by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub surface: Option<Surface>,
    /// The reason.
    pub reason: String,
}

/// What a target changes in a part of a request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// Anything: the target may omit, add or replace the part.
    #[default]
    Any,
    /// Only the order of the items of a list.
    Order,
}

impl Change {
    /// Whether the part may change in any way.
    pub fn is_any(&self) -> bool {
        *self == Self::Any
    }
}

/// Body fields that a target drops because it does not know them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ignored {
    /// The top-level fields that the target knows; it drops all others.
    pub other_than: Vec<String>,
    /// The endpoint at which the target drops them; every endpoint by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<Endpoint>,
    /// Why the target drops them.
    pub reason: String,
}

/// Client headers that a target forwards on purpose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Forwarded {
    /// The name of the header; case does not matter. A `*` at the end matches any suffix.
    pub header: String,
    /// Why the target forwards it.
    pub reason: String,
}

/// An endpoint that a target calls instead of the client's endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Translation {
    /// The endpoint that the client called.
    pub from: Endpoint,
    /// The endpoint that the target calls.
    pub to: Endpoint,
    /// The only surface to which the entry applies; every surface by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub surface: Option<Surface>,
    /// The reason.
    pub reason: String,
}

impl Capabilities {
    /// The capabilities of the reference router: it claims everything, with exact strictness.
    pub fn reference() -> Self {
        Self { strictness: Strictness::Exact, ..Self::default() }
    }

    /// The failures that cause a fallback, either declared or the default.
    pub fn fallback_on(&self) -> &[Condition] {
        self.fallback_on.as_deref().unwrap_or(Condition::RECOMMENDED)
    }

    /// The reason to skip this scenario, if there is one: it needs an unsupported feature, or the
    /// target waives all requirements that the scenario proves.
    pub fn skip_reason(&self, scenario: &Scenario) -> Option<SkipReason> {
        let reason = |need: &Feature| self.unsupported.get(need);
        let needs = scenario.needs();
        if let Some((need, reason)) = needs.iter().find_map(|need| Some((need, reason(need)?))) {
            return Some(SkipReason::Unsupported { need: *need, reason: reason.clone() });
        }
        let waived = scenario.proves.iter().map(|&code| Some((code, self.waives(code)?)));
        let (requirement, reason) = waived.collect::<Option<Vec<_>>>()?.into_iter().next()?;
        Some(SkipReason::Waived { requirement, reason: reason.to_owned() })
    }

    /// The reason why this requirement is waived, if there is one. Only requirements of the policy
    /// level can be waived; the level may have changed since an evidence file was written.
    pub fn waives(&self, requirement: Code) -> Option<&str> {
        let is_policy = requirement.requirement().level == Level::Policy;
        self.waived.get(&requirement).filter(|_| is_policy).map(String::as_str)
    }

    /// The declared reason for this change at this pointer, in a call of this endpoint to a
    /// deployment of this surface, if there is one.
    pub fn rewrites(
        &self,
        pointer: &str,
        change: Change,
        (endpoint, surface): (Endpoint, Surface),
    ) -> Option<&str> {
        let applies = |rewrite: &&Rewrite| {
            let below = pointer.strip_prefix(rewrite.pointer.as_str());
            below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
                && (rewrite.change.is_any() || rewrite.change == change)
                && rewrite.endpoint.is_none_or(|it| it == endpoint)
                && rewrite.surface.is_none_or(|it| it == surface)
        };
        self.rewrites.iter().find(applies).map(|rewrite| rewrite.reason.as_str())
    }

    /// The declared reason for dropping the field at this JSON pointer, if there is one.
    pub fn ignores(&self, pointer: &str, endpoint: Endpoint) -> Option<&str> {
        let field = pointer.strip_prefix('/')?;
        let applies = |ignored: &&Ignored| {
            !field.contains('/')
                && !ignored.other_than.iter().any(|known| known == field)
                && ignored.endpoint.is_none_or(|it| it == endpoint)
        };
        self.ignores.iter().find(applies).map(|ignored| ignored.reason.as_str())
    }

    /// The declared reason for forwarding this client header, if there is one.
    pub fn forwards(&self, header: &str) -> Option<&str> {
        let header = header.to_ascii_lowercase();
        let applies = |forwarded: &&Forwarded| {
            let name = forwarded.header.to_ascii_lowercase();
            name.strip_suffix('*').map_or(name == header, |start| header.starts_with(start))
        };
        self.forwards.iter().find(applies).map(|forwarded| forwarded.reason.as_str())
    }

    /// The declared reason for calling another endpoint, if there is one.
    pub fn translates(&self, from: Endpoint, to: Endpoint, surface: Surface) -> Option<&str> {
        let applies = |translation: &&Translation| {
            translation.from == from
                && translation.to == to
                && translation.surface.is_none_or(|it| it == surface)
        };
        self.translates.iter().find(applies).map(|translation| translation.reason.as_str())
    }
}
