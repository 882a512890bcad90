//! Profiles: sets of requirements and scenarios that a gateway is judged by together.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A set of requirements and scenarios; `core` is every gateway's, the others are extended.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// What every gateway with fallbacks can do.
    #[default]
    Core,
    /// Answers that are streamed.
    Streaming,
    /// The responses endpoints.
    Responses,
    /// Azure OpenAI as an upstream.
    Azure,
    /// The embeddings endpoint.
    Embeddings,
}

impl Profile {
    /// The name in scenarios and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Core => "core",
            Self::Streaming => "streaming",
            Self::Responses => "responses",
            Self::Azure => "azure",
            Self::Embeddings => "embeddings",
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
