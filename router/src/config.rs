//! What the router is told: groups, their chains, and the deployments behind them.
//!
//! The types admit no broken configuration: a chain is never empty, a base URL was parsed, a
//! credential fits into a header. `file` reads them from YAML.

mod base_url;
mod condition;
mod credential;
mod error;
mod file;

use std::num::NonZeroU32;
use std::time::Duration;

use indexmap::IndexMap;
use reqwest::Url;

use crate::endpoint::Endpoint;

pub use base_url::BaseUrl;
pub use condition::Condition;
pub use credential::Credential;
pub use error::{ConfigError, Invalid};

/// The whole configuration of a router.
#[derive(Debug, Clone)]
pub struct Config {
    /// Who may call: `Authorization: Bearer` must hold one of these. `None` lets everybody in,
    /// which is for loopback.
    pub client_keys: Option<Vec<Credential>>,
    /// The largest body, in bytes, that is taken from a client or from a provider. Of a stream,
    /// which is passed on as it comes, it is what may be held back: one event, or all that comes
    /// before the first content.
    pub body_limit: usize,
    /// The model groups by the name that clients ask for.
    pub groups: IndexMap<String, Group>,
}

impl Config {
    /// 64 MiB: room for images and files inside a request.
    pub const DEFAULT_BODY_LIMIT: usize = 64 * 1024 * 1024;
}

impl Default for Config {
    /// No groups, and no client authentication.
    fn default() -> Self {
        Self { client_keys: None, body_limit: Self::DEFAULT_BODY_LIMIT, groups: IndexMap::new() }
    }
}

/// A name that clients ask for, and the fallback chain behind it.
#[derive(Debug, Clone)]
pub struct Group {
    /// The deployment that is tried first.
    pub primary: Deployment,
    /// The deployments after it, in order.
    pub fallbacks: Vec<Deployment>,
    /// How many more attempts a deployment gets after a passing failure, before the next one.
    pub retries: u32,
    /// How long one attempt may take, until its answer is complete; where the answer is passed on
    /// as it comes, until its first content.
    pub timeout: Duration,
    /// How long an answer that is passed on as it comes may pause.
    pub stream_idle_timeout: Duration,
    /// How long a call may take over all its attempts, until the client's answer begins.
    pub total_timeout: Option<Duration>,
    /// Which failures lead on to the next deployment.
    pub fallback_on: Vec<Condition>,
    /// When a deployment that keeps failing is put aside. `None` puts none aside, unless it asks
    /// for it.
    pub cooldown: Option<Cooldown>,
    /// The longest time that a deployment is put aside because its 429 or 503 asks for it with
    /// `Retry-After`. Zero puts none aside for that.
    pub max_retry_after: Duration,
    /// Who is asked instead, in order, when a request is too long for a deployment.
    pub on_context_length: Vec<Deployment>,
    /// Who is asked instead, in order, when a content filter refuses a request.
    pub on_content_filter: Vec<Deployment>,
}

/// When a deployment is put aside, and for how long.
///
/// Afterwards it gets calls again; one more failure puts it aside again, and a success makes it
/// as good as new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cooldown {
    /// How many failures in a row it takes. A refusal that blames the request is none.
    pub after_failures: NonZeroU32,
    /// How long it gets no calls.
    pub rest: Duration,
}

impl Group {
    /// Two minutes. Slow answers fit; and the ten minutes that `OpenAI`'s own client libraries
    /// wait by default leave time for a whole chain.
    pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(120);

    /// Two minutes: models think in the middle of an answer as long as before it.
    pub const DEFAULT_STREAM_IDLE_TIMEOUT: Duration = Duration::from_secs(120);

    /// One minute, the longest that `OpenAI`'s own client libraries wait.
    pub const DEFAULT_MAX_RETRY_AFTER: Duration = Duration::from_secs(60);

    /// A group with one deployment, no retries and the recommended policy.
    ///
    /// Without a cooldown: asking a broken deployment once more costs an attempt, while putting a
    /// sound one aside by mistake costs its answers. Who asks to be left alone is.
    pub fn new(primary: Deployment) -> Self {
        Self {
            primary,
            fallbacks: Vec::new(),
            retries: 0,
            timeout: Self::DEFAULT_TIMEOUT,
            stream_idle_timeout: Self::DEFAULT_STREAM_IDLE_TIMEOUT,
            total_timeout: None,
            fallback_on: Condition::RECOMMENDED.to_vec(),
            cooldown: None,
            max_retry_after: Self::DEFAULT_MAX_RETRY_AFTER,
            on_context_length: Vec::new(),
            on_content_filter: Vec::new(),
        }
    }
}

/// One addressable model at a provider.
#[derive(Debug, Clone)]
pub struct Deployment {
    /// Which paths and which form of credential apply.
    pub surface: Surface,
    /// What the paths are appended to.
    pub base_url: BaseUrl,
    /// What replaces the client's `model`: the model's name on `OpenAI`, the deployment's on Azure.
    pub model: String,
    /// The provider's key.
    pub credential: Credential,
}

impl Deployment {
    /// Where requests for this endpoint go.
    ///
    /// <https://learn.microsoft.com/azure/ai-foundry/openai/reference> has Azure's legacy paths:
    /// the deployment stands in the path, except below `/responses`, where only the body names it.
    pub(crate) fn url(&self, endpoint: Endpoint) -> Url {
        let mut url = self.base_url.0.clone();
        {
            let mut path = url.path_segments_mut().expect("an http URL has a path");
            path.pop_if_empty();
            if let Surface::AzureLegacy { .. } = self.surface {
                path.push("openai");
                if !matches!(endpoint, Endpoint::Responses | Endpoint::ResponsesCompact) {
                    path.push("deployments").push(&self.model);
                }
            }
            path.extend(endpoint.path().split('/'));
        }
        if let Surface::AzureLegacy { api_version } = &self.surface {
            url.query_pairs_mut().append_pair("api-version", api_version);
        }
        url
    }
}

/// A set of paths with its own form of credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Surface {
    /// `{base}/chat/completions`, `Authorization: Bearer`; the base ends in `/v1`.
    OpenAi,
    /// `{base}/chat/completions`, `api-key`; the base ends in `/openai/v1`.
    AzureV1,
    /// `{base}/openai/deployments/{deployment}/chat/completions?api-version=`, `api-key`.
    ///
    /// The body's `model` is set to the deployment too. The published schema lacks it on these
    /// paths, but the service takes it, and `/openai/responses` needs it.
    AzureLegacy {
        /// A dated version, e.g. `2025-04-01-preview`.
        api_version: String,
    },
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn deployment(surface: Surface, base_url: &str, model: &str) -> Deployment {
        Deployment {
            surface,
            base_url: base_url.to_owned().try_into().expect("a valid base URL"),
            model: model.to_owned(),
            credential: "sk-whatever".to_owned().try_into().expect("a valid credential"),
        }
    }

    fn legacy() -> Surface {
        Surface::AzureLegacy { api_version: "2025-04-01-preview".to_owned() }
    }

    #[rstest]
    #[case::openai(Surface::OpenAi, Endpoint::ChatCompletions, "chat/completions")]
    #[case::openai_compact(Surface::OpenAi, Endpoint::ResponsesCompact, "responses/compact")]
    #[case::azure_v1(Surface::AzureV1, Endpoint::Embeddings, "embeddings")]
    #[case::legacy_chat(
        legacy(),
        Endpoint::ChatCompletions,
        "openai/deployments/gpt-5/chat/completions?api-version=2025-04-01-preview"
    )]
    #[case::legacy_embeddings(
        legacy(),
        Endpoint::Embeddings,
        "openai/deployments/gpt-5/embeddings?api-version=2025-04-01-preview"
    )]
    #[case::openai_speech(Surface::OpenAi, Endpoint::AudioSpeech, "audio/speech")]
    #[case::legacy_transcriptions(
        legacy(),
        Endpoint::AudioTranscriptions,
        "openai/deployments/gpt-5/audio/transcriptions?api-version=2025-04-01-preview"
    )]
    #[case::legacy_images(
        legacy(),
        Endpoint::ImagesGenerations,
        "openai/deployments/gpt-5/images/generations?api-version=2025-04-01-preview"
    )]
    #[case::legacy_responses(
        legacy(),
        Endpoint::Responses,
        "openai/responses?api-version=2025-04-01-preview"
    )]
    #[case::legacy_compact(
        legacy(),
        Endpoint::ResponsesCompact,
        "openai/responses/compact?api-version=2025-04-01-preview"
    )]
    fn each_surface_has_its_paths(
        #[case] surface: Surface,
        #[case] endpoint: Endpoint,
        #[case] tail: &str,
        #[values("http://host:1/x/y", "http://host:1/x/y/")] base_url: &str,
    ) {
        let url = deployment(surface, base_url, "gpt-5").url(endpoint);
        assert_eq!(url.as_str(), format!("http://host:1/x/y/{tail}"));
    }

    #[test]
    fn a_deployment_name_cannot_leave_its_path_segment() {
        let url = deployment(legacy(), "http://host", "a/b?c").url(Endpoint::Embeddings);
        assert_eq!(url.path(), "/openai/deployments/a%2Fb%3Fc/embeddings");
    }
}
