//! Configuration: groups, their chains, and the deployments in them.
//!
//! The types rule out invalid configurations: a chain is never empty, a base URL is always valid,
//! and a credential is a valid header value. The module `file` reads a configuration from YAML.

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
    /// API keys that are accepted from clients in `Authorization: Bearer`. With `None`, every
    /// client is accepted; use this only on loopback.
    pub client_keys: Option<Vec<Credential>>,
    /// Maximum size of a body from a client or a provider, in bytes. In a stream, the limit applies
    /// only to what is buffered: a single event, or everything before the first content.
    pub body_limit: usize,
    /// Model groups, by the model name that clients request.
    pub groups: IndexMap<String, Group>,
}

impl Config {
    /// 64 MiB, which leaves room for images and files in a request.
    pub const DEFAULT_BODY_LIMIT: usize = 64 * 1024 * 1024;
}

impl Default for Config {
    /// A configuration without groups, which accepts every client.
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
    /// How often a deployment is retried after a temporary failure before the next deployment is
    /// tried.
    pub retries: u32,
    /// Time limit for one attempt. Within this time, the complete answer must arrive. If the answer
    /// is forwarded as it arrives (a stream or audio), only its first content must arrive within
    /// this time.
    pub timeout: Duration,
    /// Longest pause after the first content of an answer that is forwarded as it arrives.
    pub stream_idle_timeout: Duration,
    /// Time limit for all attempts of a call together, until the answer to the client begins.
    pub total_timeout: Option<Duration>,
    /// Failures after which the next deployment is tried.
    pub fallback_on: Vec<Condition>,
    /// When to cool down a deployment after consecutive failures. With `None`, only a `Retry-After`
    /// header starts a cooldown.
    pub cooldown: Option<Cooldown>,
    /// Longest cooldown that a 429 or 503 can request with `Retry-After`. If this is zero, such a
    /// header never starts a cooldown.
    pub max_retry_after: Duration,
    /// Special chain for requests that are too long for a deployment.
    pub on_context_length: Vec<Deployment>,
    /// Special chain for requests that a content filter refuses.
    pub on_content_filter: Vec<Deployment>,
}

/// When to cool down a deployment, and for how long.
///
/// After the cooldown, the deployment gets calls again. Another failure starts the next cooldown at
/// once; a success resets the count of failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cooldown {
    /// Number of consecutive failures that start a cooldown. Errors that blame the request do not
    /// count.
    pub after_failures: NonZeroU32,
    /// Length of a cooldown.
    pub duration: Duration,
}

impl Group {
    /// Two minutes, which is enough for slow answers. `OpenAI`'s client libraries wait ten minutes
    /// by default, so a client does not give up before several deployments were tried.
    pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(120);

    /// Two minutes, like the timeout: a model may pause for as long within an answer as before it.
    pub const DEFAULT_STREAM_IDLE_TIMEOUT: Duration = Duration::from_secs(120);

    /// One minute, the longest wait that `OpenAI`'s client libraries accept.
    pub const DEFAULT_MAX_RETRY_AFTER: Duration = Duration::from_secs(60);

    /// A group with one deployment, no retries and the default fallback conditions.
    ///
    /// Cooldown after failures is off: one more attempt at a broken deployment costs little, but a
    /// healthy deployment that cools down by mistake answers nothing. `Retry-After` is respected.
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
    /// The surface, which determines the paths and the form of the credential.
    pub surface: Surface,
    /// The URL to which all paths are appended.
    pub base_url: BaseUrl,
    /// The name that replaces the client's `model`: the model on `OpenAI`, the deployment on Azure.
    pub model: String,
    /// The API key for the provider.
    pub credential: Credential,
    /// Headers that are added to each request, such as `OpenAI-Organization`. They replace client
    /// headers with the same name.
    pub headers: HeaderMap,
    /// Query parameters that are added to the URL of each request.
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
    /// `{base}/chat/completions`, `Authorization: Bearer`. The base URL ends with `/v1`.
    OpenAi,
    /// `{base}/chat/completions`, `api-key`. The base URL ends with `/openai/v1`.
    AzureV1,
    /// `{base}/openai/deployments/{deployment}/chat/completions?api-version=`, `api-key`.
    ///
    /// The body's `model` is set to the deployment, too. On these paths, `model` is not in the
    /// published schema, but the service accepts it; `/openai/responses` requires it.
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
