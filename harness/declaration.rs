//! A target's declaration: what it says of itself, so that it is not failed for what it does not
//! claim.
//!
//! It is a part of the target's adapter, drafted by `fallproof probe` and reviewed by a person.
//! The default is the recommended one: it claims all that the reference router claims.

use std::fmt;

use fallproof_mocks::provider::{Endpoint, Surface};
use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error as _, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::requirement::Code;
use crate::scenario::Scenario;
use crate::skip::SkipReason;

/// What a target says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Declaration {
    /// What it cannot do, and why; a scenario that needs it is skipped with these words.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub lacks: IndexMap<Feature, String>,
    /// Which failures lead on to the next deployment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback_on: Option<Vec<Condition>>,
    /// Requirements of the policy level that it does not claim, and why.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub does_not_claim: IndexMap<Code, String>,
    /// Why it may pass over a deployment that has failed, for a time of its own choice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rests: Option<String>,
    /// Parts of a request that it leaves out, adds or changes on purpose.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub adapts: Vec<Adaptation>,
    /// Endpoints that it asks for in place of another, so that bodies cannot be compared.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub translates: Vec<Translation>,
    /// How closely it is held to a scenario's expectations; tolerant unless said.
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
pub struct Adaptation {
    /// JSON pointer of the part; all that is below it is meant too.
    pub pointer: String,
    /// Only at this endpoint; at each unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<Endpoint>,
    /// Only to this surface; to each unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub surface: Option<Surface>,
    /// Why.
    pub because: String,
}

/// An endpoint that a target asks for in place of the one that its client called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Translation {
    /// What the client called.
    pub from: Endpoint,
    /// What the provider was asked for.
    pub to: Endpoint,
    /// Only to this surface; to each unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub surface: Option<Surface>,
    /// Why.
    pub because: String,
}

impl Declaration {
    /// The reference router's: it claims everything, and does exactly what the scenarios say.
    pub fn reference() -> Self {
        Self { strictness: Strictness::Exact, ..Self::default() }
    }

    /// The failures that lead on to the next deployment by default.
    pub fn fallback_on(&self) -> &[Condition] {
        self.fallback_on.as_deref().unwrap_or(Condition::RECOMMENDED)
    }

    /// Why this scenario is not for the target: what it needs and the target lacks, or that the
    /// target claims nothing of what it was written to prove.
    pub fn lacked_by(&self, scenario: &Scenario) -> Option<SkipReason> {
        let because = |need: &Feature| self.lacks.get(need);
        let needs = scenario.needs();
        if let Some((need, because)) = needs.iter().find_map(|need| Some((need, because(need)?))) {
            return Some(SkipReason::Unsupported { need: *need, because: because.clone() });
        }
        let unclaimed = scenario.proves.iter().map(|&code| Some((code, self.waives(code)?)));
        let (requirement, because) = unclaimed.collect::<Option<Vec<_>>>()?.into_iter().next()?;
        Some(SkipReason::NotClaimed { requirement, because: because.to_owned() })
    }

    /// Why this requirement is not claimed, where it is not.
    pub fn waives(&self, requirement: Code) -> Option<&str> {
        self.does_not_claim.get(&requirement).map(String::as_str)
    }

    /// Why a difference at this pointer is meant, where it is.
    pub fn adapts(&self, pointer: &str, endpoint: Endpoint, surface: Surface) -> Option<&str> {
        let meant = |adaptation: &&Adaptation| {
            let below = pointer.strip_prefix(adaptation.pointer.as_str());
            below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
                && adaptation.endpoint.is_none_or(|it| it == endpoint)
                && adaptation.surface.is_none_or(|it| it == surface)
        };
        self.adapts.iter().find(meant).map(|adaptation| adaptation.because.as_str())
    }

    /// Why another endpoint is asked for, where that is meant.
    pub fn translates(&self, from: Endpoint, to: Endpoint, surface: Surface) -> Option<&str> {
        let meant = |translation: &&Translation| {
            translation.from == from
                && translation.to == to
                && translation.surface.is_none_or(|it| it == surface)
        };
        self.translates.iter().find(meant).map(|translation| translation.because.as_str())
    }
}

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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
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

impl Ability {
    const ALL: [Self; 10] = [
        Self::Fallback,
        Self::Retries,
        Self::Timeout,
        Self::TotalTimeout,
        Self::Cooldown,
        Self::MaxRetryAfter,
        Self::FallbackOn,
        Self::ContextLengthChain,
        Self::ContentFilterChain,
        Self::ClientKeys,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Fallback => "fallback",
            Self::Retries => "retries",
            Self::Timeout => "timeout",
            Self::TotalTimeout => "total-timeout",
            Self::Cooldown => "cooldown",
            Self::MaxRetryAfter => "max-retry-after",
            Self::FallbackOn => "fallback-on",
            Self::ContextLengthChain => "context-length-chain",
            Self::ContentFilterChain => "content-filter-chain",
            Self::ClientKeys => "client-keys",
        }
    }
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
            .chain(Ability::ALL.into_iter().map(Self::Other))
    }
}

impl fmt::Display for Feature {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Endpoint(endpoint) => formatter.write_str(endpoint.path()),
            Self::Stream(endpoint) => write!(formatter, "stream {}", endpoint.path()),
            Self::Surface(surface) => formatter.write_str(surface.name()),
            Self::Other(ability) => formatter.write_str(ability.name()),
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

/// A kind of failure that leads on to the next deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Condition {
    /// No connection, or it ended before an answer began.
    Connection,
    /// The answer, or the first content of a stream, was not there in time.
    Timeout,
    /// A success that is empty, cut short or not of the kind that was asked for.
    InvalidResponse,
    /// A status that says success, and a body or a stream that says `error`.
    ErrorInSuccess,
    /// An error with exactly this status.
    Status(u16),
    /// An error that blames the request.
    Any4xx,
    /// An error that blames the provider.
    Any5xx,
}

impl Condition {
    /// What leads on in the reference router.
    pub const RECOMMENDED: &[Self] = &[
        Self::Connection,
        Self::Timeout,
        Self::InvalidResponse,
        Self::ErrorInSuccess,
        Self::Status(401),
        Self::Status(403),
        Self::Status(404),
        Self::Status(408),
        Self::Status(409),
        Self::Status(429),
        Self::Any5xx,
    ];

    /// Whether a failure of the other kind, which is of one status where it has one, is of this.
    pub fn covers(self, failure: Self) -> bool {
        match (self, failure) {
            (Self::Any4xx, Self::Status(400..=499)) | (Self::Any5xx, Self::Status(500..=599)) => {
                true
            }
            (one, other) => one == other,
        }
    }

    fn read(text: &str) -> Option<Self> {
        Some(match text {
            "connection" => Self::Connection,
            "timeout" => Self::Timeout,
            "invalid_response" => Self::InvalidResponse,
            "error_in_success" => Self::ErrorInSuccess,
            "4xx" => Self::Any4xx,
            "5xx" => Self::Any5xx,
            other => Self::Status(other.parse().ok().filter(|code| (400..600).contains(code))?),
        })
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connection => formatter.write_str("connection"),
            Self::Timeout => formatter.write_str("timeout"),
            Self::InvalidResponse => formatter.write_str("invalid_response"),
            Self::ErrorInSuccess => formatter.write_str("error_in_success"),
            Self::Any4xx => formatter.write_str("4xx"),
            Self::Any5xx => formatter.write_str("5xx"),
            Self::Status(code) => write!(formatter, "{code}"),
        }
    }
}

impl Serialize for Condition {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Status(code) => serializer.serialize_u16(*code),
            other => serializer.collect_str(other),
        }
    }
}

impl<'de> Deserialize<'de> for Condition {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct WordOrStatus;

        impl Visitor<'_> for WordOrStatus {
            type Value = Condition;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(
                    "`connection`, `timeout`, `invalid_response`, `error_in_success`, `4xx`, `5xx` or a status from 400 to 599",
                )
            }

            fn visit_u64<E: serde::de::Error>(self, code: u64) -> Result<Condition, E> {
                self.visit_str(&code.to_string())
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Condition, E> {
                Condition::read(text)
                    .ok_or_else(|| E::invalid_value(serde::de::Unexpected::Str(text), &self))
            }
        }

        deserializer.deserialize_any(WordOrStatus)
    }
}

impl JsonSchema for Condition {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Condition".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "anyOf": [
                { "enum": ["connection", "timeout", "invalid_response", "error_in_success", "4xx", "5xx"] },
                { "type": "integer", "minimum": 400, "maximum": 599 }
            ]
        })
    }
}
