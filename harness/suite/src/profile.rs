//! Profiles: sets of requirements and scenarios that are judged together.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{Display, IntoStaticStr};

/// A set of requirements and scenarios. `core` is for every gateway; the others are extensions.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Display, IntoStaticStr,
)]
#[strum(serialize_all = "kebab-case")]
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// Requirements for every gateway with fallbacks.
    #[default]
    Core,
    /// Streamed responses.
    Streaming,
    /// The responses endpoints.
    Responses,
    /// Azure OpenAI as a deployment.
    Azure,
    /// The embeddings endpoint.
    Embeddings,
}

impl Profile {
    /// The name in scenarios and reports.
    pub fn name(self) -> &'static str {
        self.into()
    }
}
