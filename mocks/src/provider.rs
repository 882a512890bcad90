//! Who is mocked: providers, their surfaces, endpoints and deployments.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A set of paths with its own credential form and its own parameter list.
///
/// Azure serves both of its surfaces at one address, so a deployment there answers on either.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Surface {
    /// `https://api.openai.com/v1/…`, `Authorization: Bearer`.
    OpenAi,
    /// `https://{resource}.openai.azure.com/openai/v1/…`, `api-key` or `Authorization: Bearer`
    /// (<https://learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle>).
    AzureV1,
    /// `…/openai/deployments/{deployment}/…?api-version=` and `…/openai/responses?api-version=`,
    /// `api-key`.
    AzureLegacy,
}

impl Surface {
    /// Every surface, in the order of the documentation.
    pub const ALL: [Self; 3] = [Self::OpenAi, Self::AzureV1, Self::AzureLegacy];

    /// The name of the folder in `spec/` that holds this surface's request schemas.
    pub fn name(self) -> &'static str {
        match self {
            Self::OpenAi => "openai",
            Self::AzureV1 => "azure-v1",
            Self::AzureLegacy => "azure-legacy",
        }
    }
}

/// One operation of the providers, named by its path below the version.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub enum Endpoint {
    /// `POST /chat/completions`
    #[serde(rename = "chat/completions")]
    ChatCompletions,
    /// `POST /embeddings`
    #[serde(rename = "embeddings")]
    Embeddings,
    /// `POST /responses`
    #[serde(rename = "responses")]
    Responses,
    /// `POST /responses/compact`
    #[serde(rename = "responses/compact")]
    ResponsesCompact,
}

impl Endpoint {
    /// Every endpoint, in the order of the documentation.
    pub const ALL: [Self; 4] =
        [Self::ChatCompletions, Self::Embeddings, Self::Responses, Self::ResponsesCompact];

    /// The path below the version prefix, without a leading slash; also the name in scenarios.
    pub fn path(self) -> &'static str {
        match self {
            Self::ChatCompletions => "chat/completions",
            Self::Embeddings => "embeddings",
            Self::Responses => "responses",
            Self::ResponsesCompact => "responses/compact",
        }
    }

    /// The endpoint with this path, if it is mocked.
    pub fn from_path(path: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|endpoint| endpoint.path() == path)
    }
}

/// One model behind a base URL: what an upstream plays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployment {
    /// The surface that it is meant to be reached by.
    pub surface: Surface,
    /// The model that answers, e.g. `gpt-5`; capabilities depend on it.
    pub model: String,
    /// The name that requests must use: the model on OpenAI, the deployment's name on Azure.
    pub name: String,
    /// The only credential that is accepted.
    pub key: String,
}
