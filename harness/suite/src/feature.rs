//! What a scenario may need of a target.

use std::fmt;

use fallproof_protocol::provider::{Endpoint, Surface};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use strum::{IntoStaticStr, VariantArray};

/// One thing that a scenario may need of a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Feature {
    /// It serves this endpoint.
    Endpoint(Endpoint),
    /// It streams at this endpoint.
    Stream(Endpoint),
    /// It can have deployments of this surface.
    Surface(Surface),
    /// It has something else.
    Other(Ability),
}

/// What a target can be able to do beside serving an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "kebab-case")]
pub enum Ability {
    /// It asks another deployment when one has failed.
    Fallback,
    /// Its attempts at one deployment can be counted out by the operator.
    Retries,
    /// It limits the time of one attempt.
    Timeout,
    /// It limits the time of one call.
    TotalTimeout,
    /// It puts aside a deployment that keeps failing, as configured.
    Cooldown,
    /// The longest rest that a provider may ask for can be set.
    MaxRetryAfter,
    /// The failures that lead on can be set.
    FallbackOn,
    /// Requests that are too long have a chain of their own.
    ContextLengthChain,
    /// Requests that a filter refuses have a chain of their own.
    ContentFilterChain,
    /// It gives out keys to its clients, and lets in nobody else.
    ClientKeys,
}

impl Feature {
    /// Every feature there is.
    pub fn all() -> impl Iterator<Item = Self> {
        let endpoints = Endpoint::ALL.into_iter();
        endpoints
            .clone()
            .map(Self::Endpoint)
            .chain(endpoints.map(Self::Stream))
            .chain(Surface::ALL.into_iter().map(Self::Surface))
            .chain(Ability::VARIANTS.iter().copied().map(Self::Other))
    }
}

impl fmt::Display for Feature {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Endpoint(endpoint) => formatter.write_str(endpoint.path()),
            Self::Stream(endpoint) => write!(formatter, "stream {}", endpoint.path()),
            Self::Surface(surface) => formatter.write_str(surface.name()),
            Self::Other(ability) => formatter.write_str(ability.into()),
        }
    }
}

impl Serialize for Feature {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Feature {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::all().find(|feature| feature.to_string() == name).ok_or_else(|| {
            let names: Vec<_> = Self::all().map(|feature| feature.to_string()).collect();
            D::Error::custom(format!("`{name}` is no feature; one of: {}", names.join(", ")))
        })
    }
}

impl JsonSchema for Feature {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Feature".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let names: Vec<_> = Self::all().map(|feature| feature.to_string()).collect();
        json_schema!({ "type": "string", "enum": names })
    }
}
