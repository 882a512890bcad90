//! The mocked providers, and their surfaces, endpoints and deployments.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

/// A set of paths with its own form of credential and its own parameters.
///
/// Azure serves both of its surfaces at one address, so an Azure deployment answers on both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "kebab-case")]
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Surface {
    /// `https://api.openai.com/v1/…`, `Authorization: Bearer`.
    #[serde(rename = "openai")]
    #[strum(serialize = "openai")]
    OpenAi,
    /// `https://{resource}.openai.azure.com/openai/v1/…`, `api-key` or `Authorization: Bearer`
    /// (<https://learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle>).
    AzureV1,
    /// `…/openai/deployments/{deployment}/…?api-version=` and `…/openai/responses?api-version=`,
    /// `api-key`.
    AzureLegacy,
}

impl Surface {
    /// All surfaces, in documentation order.
    pub const ALL: [Self; 3] = *Self::VARIANTS.first_chunk().unwrap();

    /// The name of the surface, which is also the folder in `spec/` with its request schemas.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// An operation of the providers. Its name is its path below the version prefix.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub enum Endpoint {
    /// `POST /chat/completions`
    #[serde(rename = "chat/completions")]
    ChatCompletions,
    /// `POST /completions`
    #[serde(rename = "completions")]
    Completions,
    /// `POST /embeddings`
    #[serde(rename = "embeddings")]
    Embeddings,
    /// `POST /responses`
    #[serde(rename = "responses")]
    Responses,
    /// `POST /responses/compact`
    #[serde(rename = "responses/compact")]
    ResponsesCompact,
    /// `POST /images/generations`
    #[serde(rename = "images/generations")]
    ImagesGenerations,
    /// `POST /audio/speech`
    #[serde(rename = "audio/speech")]
    AudioSpeech,
    /// `POST /audio/transcriptions`
    #[serde(rename = "audio/transcriptions")]
    AudioTranscriptions,
    /// `POST /audio/translations`
    #[serde(rename = "audio/translations")]
    AudioTranslations,
    /// `POST /moderations`
    #[serde(rename = "moderations")]
    Moderations,
}

impl Endpoint {
    /// All endpoints, in documentation order.
    pub const ALL: [Self; 10] = [
        Self::ChatCompletions,
        Self::Completions,
        Self::Embeddings,
        Self::Responses,
        Self::ResponsesCompact,
        Self::ImagesGenerations,
        Self::AudioSpeech,
        Self::AudioTranscriptions,
        Self::AudioTranslations,
        Self::Moderations,
    ];

    /// The path below the version prefix, without a leading slash. Also the name used in scenarios.
    pub fn path(self) -> &'static str {
        match self {
            Self::ChatCompletions => "chat/completions",
            Self::Completions => "completions",
            Self::Embeddings => "embeddings",
            Self::Responses => "responses",
            Self::ResponsesCompact => "responses/compact",
            Self::ImagesGenerations => "images/generations",
            Self::AudioSpeech => "audio/speech",
            Self::AudioTranscriptions => "audio/transcriptions",
            Self::AudioTranslations => "audio/translations",
            Self::Moderations => "moderations",
        }
    }

    /// The endpoint with this path, if it is mocked.
    pub fn from_path(path: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|endpoint| endpoint.path() == path)
    }

    /// Whether the surface provides this endpoint. Azure has no moderations.
    pub fn is_on(self, surface: Surface) -> bool {
        self != Self::Moderations || surface == Surface::OpenAi
    }

    /// Whether requests are `multipart/form-data` rather than JSON.
    pub fn is_multipart(self) -> bool {
        matches!(self, Self::AudioTranscriptions | Self::AudioTranslations)
    }
}

/// Model or deployment names that a mock accepts in addition to the deployment's own name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Names {
    /// No other name. A request with another name is refused, as by the real provider.
    #[default]
    Own,
    /// These names. Each name selects the model with the same name.
    Listed(Vec<String>),
    /// Any name. Each name selects the model with the same name.
    Any,
}

impl Names {
    /// Whether this name is accepted.
    pub fn take(&self, name: &str) -> bool {
        match self {
            Self::Own => false,
            Self::Listed(names) => names.iter().any(|listed| listed == name),
            Self::Any => true,
        }
    }
}

/// The deployment that a mock plays: one model behind one base URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployment {
    /// The surface that clients are expected to use.
    pub surface: Surface,
    /// The model that answers, e.g. `gpt-5`. Its capabilities determine which parameters are valid.
    pub model: String,
    /// The name that requests must use: the model on OpenAI, the deployment on Azure.
    pub name: String,
    /// The only credential that is accepted.
    pub key: String,
}
