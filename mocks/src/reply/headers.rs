//! The headers of success replies, as recorded.

use super::ReplyContext;
use crate::provider::{Endpoint, Surface};

impl ReplyContext<'_> {
    pub(super) fn headers(&self, endpoint: Endpoint, content_type: &str) -> Vec<(String, String)> {
        let common = [
            ("content-type", content_type.to_owned()),
            (
                "strict-transport-security",
                "max-age=31536000; includeSubDomains; preload".to_owned(),
            ),
            ("x-content-type-options", "nosniff".to_owned()),
        ];
        let own = match self.deployment.surface {
            Surface::OpenAi => self.openai_headers(endpoint),
            Surface::AzureV1 | Surface::AzureLegacy => self.azure_headers(endpoint),
        };
        common.into_iter().chain(own).map(|(name, value)| (name.to_owned(), value)).collect()
    }

    fn openai_headers(&self, endpoint: Endpoint) -> Vec<(&'static str, String)> {
        let mut headers = vec![
            ("openai-processing-ms", "241".to_owned()),
            ("openai-version", "2020-10-01".to_owned()),
            ("x-ratelimit-limit-requests", "5000".to_owned()),
            ("x-ratelimit-limit-tokens", "2000000".to_owned()),
            ("x-ratelimit-remaining-requests", "4999".to_owned()),
            ("x-ratelimit-remaining-tokens", "1999967".to_owned()),
            ("x-ratelimit-reset-requests", "12ms".to_owned()),
            ("x-ratelimit-reset-tokens", "0s".to_owned()),
            ("x-request-id", format!("req_{}", self.digits("request", 32))),
        ];
        // This header was not seen on other endpoints.
        if matches!(
            endpoint,
            Endpoint::ChatCompletions
                | Endpoint::Completions
                | Endpoint::Embeddings
                | Endpoint::Responses
        ) {
            headers.push(("access-control-expose-headers", "X-Request-ID".to_owned()));
        }
        headers
    }

    fn azure_headers(&self, endpoint: Endpoint) -> Vec<(&'static str, String)> {
        let mut headers = vec![
            ("apim-request-id", self.uuid("apim")),
            ("x-ms-region", "East US 2".to_owned()),
            ("x-ratelimit-limit-requests", "5000".to_owned()),
            ("x-ratelimit-limit-tokens", "2000000".to_owned()),
            ("x-ratelimit-remaining-requests", "4999".to_owned()),
            ("x-ratelimit-remaining-tokens", "1999967".to_owned()),
            ("x-request-id", self.uuid("request")),
        ];
        if endpoint != Endpoint::Embeddings {
            headers.extend([
                ("skip-error-remapping", "true".to_owned()),
                ("x-ms-is-spilled-over", "false".to_owned()),
                ("x-ratelimit-abusepenalty-active", "False".to_owned()),
                ("x-ratelimit-key", self.deployment.name.clone()),
                ("x-ratelimit-renewalperiod-requests", "60".to_owned()),
                ("x-ratelimit-renewalperiod-tokens", "60".to_owned()),
                ("x-ratelimit-reset-requests", "0".to_owned()),
                ("x-ratelimit-reset-tokens", "0".to_owned()),
            ]);
        }
        match endpoint {
            Endpoint::ChatCompletions | Endpoint::Completions => headers.extend([
                ("x-accel-buffering", "no".to_owned()),
                ("x-ms-deployment-name", self.deployment.name.clone()),
                ("x-ms-rai-invoked", "true".to_owned()),
            ]),
            Endpoint::Responses | Endpoint::ResponsesCompact => {
                let streams = if self.is_streamed() { "True" } else { "False" };
                headers.extend([
                    ("azureai-fe-is-streaming", streams.to_owned()),
                    ("x-ms-served-model", self.deployment.model.clone()),
                ]);
            }
            _ => {}
        }
        headers
    }
}
