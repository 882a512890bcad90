//! Features that scenarios need from a target.

use std::fmt;

use fallproof_protocol::provider::{Endpoint, Surface};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use strum::{EnumMessage, IntoStaticStr, VariantArray};

/// A feature that a scenario can need from a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Feature {
    /// Serving this endpoint.
    Endpoint(Endpoint),
    /// Streaming at this endpoint.
    Stream(Endpoint),
    /// Deployments of this surface.
    Surface(Surface),
    /// Another ability.
    Other(Ability),
}

/// An ability of a target other than serving an endpoint.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    EnumMessage,
    IntoStaticStr,
    VariantArray,
)]
#[strum(serialize_all = "kebab-case")]
pub enum Ability {
    /// Fallback to another deployment after a failure.
    Fallback,
    /// A configurable number of retries at one deployment.
    Retries,
    /// A timeout for one attempt.
    Timeout,
    /// A timeout for one call.
    TotalTimeout,
    /// A configurable cooldown after repeated failures.
    Cooldown,
    /// A configurable limit on the wait that a provider can request.
    MaxRetryAfter,
    /// A configurable list of failures that cause a fallback.
    FallbackOn,
    /// A separate chain for requests that are too long.
    ContextLengthChain,
    /// A separate chain for requests that a content filter refuses.
    ContentFilterChain,
    /// An `OpenAI` organization configured for a deployment.
    Organization,
    /// An `OpenAI` project configured for a deployment.
    Project,
    /// Additional headers configured for a deployment.
    DeploymentHeaders,
    /// Additional query parameters configured for a deployment.
    DeploymentQuery,
    /// Choosing the model group by the field `model` of the request.
    ModelRouting,
    /// Client keys: requests without a valid key are rejected.
    ClientKeys,
}

impl Feature {
    /// All features.
    pub fn all() -> impl Iterator<Item = Self> {
        let endpoints = Endpoint::ALL.into_iter();
        endpoints
            .clone()
            .map(Self::Endpoint)
            .chain(endpoints.map(Self::Stream))
            .chain(Surface::ALL.into_iter().map(Self::Surface))
            .chain(Ability::VARIANTS.iter().copied().map(Self::Other))
    }

    /// What the feature is, in one sentence.
    pub fn meaning(self) -> String {
        match self {
            Self::Endpoint(endpoint) => format!("Calls to `{}`.", endpoint.path()),
            Self::Stream(endpoint) => {
                format!("Calls to `{}` that ask for a stream.", endpoint.path())
            }
            Self::Surface(surface) => format!("Deployments of the surface `{}`.", surface.name()),
            Self::Other(ability) => ability.get_documentation().unwrap_or_default().to_owned(),
        }
    }

    /// The variables of an adapter's templates that configure the feature. A template must use at
    /// least one of them. Empty if the feature is not configured by a variable.
    pub fn variables(self) -> &'static [&'static str] {
        match self {
            Self::Surface(Surface::AzureLegacy) => &[
                "deployment.surface",
                "deployment.provider",
                "deployment.api_version",
                "deployment.urls",
            ],
            Self::Endpoint(_) | Self::Stream(_) | Self::Surface(_) => &[],
            Self::Other(ability) => ability.variables(),
        }
    }
}

impl Ability {
    fn variables(self) -> &'static [&'static str] {
        match self {
            Self::Fallback => &["group.chain", "group.deployments"],
            Self::Retries => &["group.policy.retries"],
            Self::Timeout => &["group.policy.timeout_ms"],
            Self::TotalTimeout => &["group.policy.total_timeout_ms"],
            Self::Cooldown => &["group.policy.cooldown"],
            Self::MaxRetryAfter => &["group.policy.max_retry_after_ms"],
            Self::FallbackOn => &["group.policy.fallback_on"],
            Self::ContextLengthChain => &["group.on_context_length"],
            Self::ContentFilterChain => &["group.on_content_filter"],
            Self::Organization => &["deployment.organization"],
            Self::Project => &["deployment.project"],
            Self::DeploymentHeaders => &["deployment.headers"],
            Self::DeploymentQuery => &["deployment.query"],
            Self::ModelRouting => &["group.name"],
            Self::ClientKeys => &["gateway.key"],
        }
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
            D::Error::custom(format!("unknown feature `{name}`; one of: {}", names.join(", ")))
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
