//! Who is mocked: providers, their surfaces, endpoints and deployments.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

/// A set of paths with its own credential form and its own parameter list.
///
/// Azure serves both of its surfaces at one address, so a deployment there answers on either.
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
    /// Every surface, in the order of the documentation.
    pub const ALL: [Self; 3] = *Self::VARIANTS.first_chunk().unwrap();

    /// The name of the folder in `spec/` that holds this surface's request schemas.
    pub fn name(self) -> &'static str {
        self.into()
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
    /// Every endpoint, in the order of the documentation.
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

    /// The path below the version prefix, without a leading slash; also the name in scenarios.
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

    /// Whether the surface has it: Azure has no moderations, and its legacy surface takes the
    /// deployment's name in the path of all endpoints but the responses family.
    pub fn is_on(self, surface: Surface) -> bool {
        self != Self::Moderations || surface == Surface::OpenAi
    }

    /// Whether its request is `multipart/form-data` instead of JSON.
    pub fn is_multipart(self) -> bool {
        matches!(self, Self::AudioTranscriptions | Self::AudioTranslations)
    }
}

/// Which names of models or deployments a deployment takes beside its deployment's own.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Names {
    /// None: another name is refused, as the provider does.
    #[default]
    Own,
    /// These; each runs the model of its name.
    Listed(Vec<String>),
    /// Every name; each runs the model of its name.
    Any,
}

impl Names {
    /// Whether this name is taken.
    pub fn take(&self, name: &str) -> bool {
        match self {
            Self::Own => false,
            Self::Listed(names) => names.iter().any(|listed| listed == name),
            Self::Any => true,
        }
    }
}

/// One model behind a base URL: what a deployment plays.
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
