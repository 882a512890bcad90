//! Configuration: groups, their chains, and the deployments in them.
//!
//! The types rule out invalid configurations: a chain is never empty, a base URL has been parsed,
//! and a credential is a valid header value. `file` reads the configuration from YAML.

mod base_url;
mod condition;
mod credential;
mod error;
mod file;

use std::num::NonZeroU32;
use std::time::Duration;

use axum::http::HeaderMap;
use indexmap::IndexMap;
use reqwest::Url;

use crate::endpoint::Endpoint;

pub use base_url::BaseUrl;
pub use condition::Condition;
pub use credential::Credential;
pub use error::{ConfigError, Invalid};

/// Configuration of a router.
#[derive(Debug, Clone)]
pub struct Config {
    /// Keys accepted from clients in `Authorization: Bearer`. `None` accepts every client, for use
    /// on loopback only.
    pub client_keys: Option<Vec<Credential>>,
    /// Maximum size of a body from a client or a provider, in bytes. For a stream, which is
    /// forwarded as it arrives, this limits what is buffered: one event, or everything before the
    /// first content.
    pub body_limit: usize,
    /// Model groups, by the model name that clients request.
    pub groups: IndexMap<String, Group>,
}

impl Config {
    /// 64 MiB, which leaves room for images and files in a request.
    pub const DEFAULT_BODY_LIMIT: usize = 64 * 1024 * 1024;
}

impl Default for Config {
    /// No groups, and no client authentication.
    fn default() -> Self {
        Self { client_keys: None, body_limit: Self::DEFAULT_BODY_LIMIT, groups: IndexMap::new() }
    }
}

/// A model name that clients request, with its fallback chain.
#[derive(Debug, Clone)]
pub struct Group {
    /// The first deployment of the chain.
    pub primary: Deployment,
    /// The other deployments of the chain, in order.
    pub fallbacks: Vec<Deployment>,
    /// Number of retries at a deployment after a temporary failure, before the next deployment is
    /// tried.
    pub retries: u32,
    /// Time limit for one attempt, until its answer is complete or, if the answer is forwarded as
    /// it arrives, until its first content.
    pub timeout: Duration,
    /// Longest pause in an answer that is forwarded as it arrives.
    pub stream_idle_timeout: Duration,
    /// Time limit for a call over all its attempts, until the answer to the client begins.
    pub total_timeout: Option<Duration>,
    /// Failures after which the next deployment is tried.
    pub fallback_on: Vec<Condition>,
    /// When to cool down a deployment after failures in a row. With `None`, only a `Retry-After`
    /// header starts a cooldown.
    pub cooldown: Option<Cooldown>,
    /// Longest cooldown that a 429 or 503 can request with `Retry-After`. Zero ignores such
    /// requests.
    pub max_retry_after: Duration,
    /// Special chain for requests that are too long for a deployment.
    pub on_context_length: Vec<Deployment>,
    /// Special chain for requests that a content filter refuses.
    pub on_content_filter: Vec<Deployment>,
}

/// When to cool down a deployment, and for how long.
///
/// After the cooldown, the deployment gets calls again. One more failure cools it down again; a
/// success resets the count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cooldown {
    /// Number of failures in a row that start a cooldown. A refusal that blames the request does
    /// not count.
    pub after_failures: NonZeroU32,
    /// Length of a cooldown.
    pub duration: Duration,
}

impl Group {
    /// Two minutes. This is enough for slow answers, and `OpenAI`'s client libraries, which wait
    /// ten minutes by default, leave time for a complete chain.
    pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(120);

    /// Two minutes: a model may think as long in the middle of an answer as before it.
    pub const DEFAULT_STREAM_IDLE_TIMEOUT: Duration = Duration::from_secs(120);

    /// One minute, the longest wait that `OpenAI`'s client libraries accept.
    pub const DEFAULT_MAX_RETRY_AFTER: Duration = Duration::from_secs(60);

    /// A group with one deployment, no retries and the default fallback conditions.
    ///
    /// Cooldown after failures is off: one more attempt at a broken deployment costs little, but
    /// cooling down a healthy one by mistake loses its answers. `Retry-After` is respected.
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

/// A model at a provider.
#[derive(Debug, Clone)]
pub struct Deployment {
    /// Determines the paths and the form of the credential.
    pub surface: Surface,
    /// Base of all paths.
    pub base_url: BaseUrl,
    /// Replaces the client's `model`: the model on `OpenAI`, the deployment on Azure.
    pub model: String,
    /// The provider's key.
    pub credential: Credential,
    /// Further headers of each request, such as `OpenAI-Organization`. They replace a client's.
    pub headers: HeaderMap,
    /// Further parameters of each request's query.
    pub query: Vec<(String, String)>,
}

impl Deployment {
    /// The URL for this endpoint.
    ///
    /// Azure's legacy paths contain the deployment, except below `/responses`, where only the body
    /// names it: <https://learn.microsoft.com/azure/ai-foundry/openai/reference>.
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
        for (name, value) in &self.query {
            url.query_pairs_mut().append_pair(name, value);
        }
        url
    }
}

/// A set of paths with its own form of credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Surface {
    /// `{base}/chat/completions`, `Authorization: Bearer`. The base ends with `/v1`.
    OpenAi,
    /// `{base}/chat/completions`, `api-key`. The base ends with `/openai/v1`.
    AzureV1,
    /// `{base}/openai/deployments/{deployment}/chat/completions?api-version=`, `api-key`.
    ///
    /// The body's `model` is also set to the deployment. The published schema lacks it on these
    /// paths, but the service accepts it, and `/openai/responses` requires it.
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
            headers: HeaderMap::new(),
            query: Vec::new(),
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

    #[rstest]
    #[case(Surface::OpenAi, "http://host/embeddings?region=eu%261")]
    #[case(
        legacy(),
        "http://host/openai/deployments/gpt-5/embeddings?api-version=2025-04-01-preview&region=eu%261"
    )]
    fn a_query_comes_after_the_version(#[case] surface: Surface, #[case] wanted: &str) {
        let query = vec![("region".to_owned(), "eu&1".to_owned())];
        let deployment = Deployment { query, ..deployment(surface, "http://host", "gpt-5") };
        assert_eq!(deployment.url(Endpoint::Embeddings).as_str(), wanted);
    }

    #[test]
    fn a_deployment_name_cannot_leave_its_path_segment() {
        let url = deployment(legacy(), "http://host", "a/b?c").url(Endpoint::Embeddings);
        assert_eq!(url.path(), "/openai/deployments/a%2Fb%3Fc/embeddings");
    }
}
