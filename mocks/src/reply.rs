//! Success replies, shaped by the request.
//!
//! Layout, member order and headers are those of recorded answers: `OpenAI` writes two-space JSON
//! in declaration order, Azure's chat one line in alphabetical order. Ids and times are derived
//! from the upstream and the attempt, so that the same scenario gives the same bytes each time.

mod chat;
mod embeddings;
mod responses;

use std::collections::HashMap;
use std::fmt::Write as _;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::errors::Reply;
use crate::marker::Marker;
use crate::provider::{Deployment, Endpoint, Surface};

/// The `created` of a first attempt: noon of the first of January 2026, UTC.
const FIRST_CREATED: u64 = 1_767_268_800;

/// The top-level members of a request's body, each as it was spelled.
#[derive(Debug, Default)]
pub struct Members<'a>(HashMap<String, &'a RawValue>);

impl<'a> Members<'a> {
    /// The members of a JSON text; of one name the last. A body that is no object has none.
    ///
    /// # Errors
    /// The text is not JSON.
    pub fn of(body: &'a [u8]) -> Result<Self, serde_json::Error> {
        let whole: &RawValue = serde_json::from_slice(body)?;
        Ok(Self(serde_json::from_str(whole.get()).unwrap_or_default()))
    }

    /// The member of this name, where it is there and of this type.
    pub fn get<T: Deserialize<'a>>(&self, name: &str) -> Option<T> {
        serde_json::from_str(self.0.get(name)?.get()).ok()
    }

    /// The member of this name as it was sent, or else `default`.
    fn or(&self, name: &str, default: Value) -> Value {
        self.get(name).unwrap_or(default)
    }

    /// About how many tokens a member holds, by the rule of thumb of four bytes a token.
    fn tokens(&self, name: &str) -> usize {
        self.0.get(name).map_or(0, |value| tokens_in(value.get()))
    }
}

/// All that a success reply is made of.
#[derive(Debug, Clone, Copy)]
pub struct Order<'a> {
    /// Who answers.
    pub deployment: &'a Deployment,
    /// Whose words the answer holds.
    pub marker: &'a Marker,
    /// Which attempt at the upstream this is, from 1.
    pub attempt: u32,
    /// What was asked.
    pub members: &'a Members<'a>,
}

impl Order<'_> {
    /// The provider's reply to a valid request.
    pub fn success(&self, endpoint: Endpoint) -> Reply {
        let body = match (endpoint, self.deployment.surface) {
            (Endpoint::ChatCompletions, Surface::OpenAi) => pretty(&chat::openai(self), "\n"),
            (Endpoint::ChatCompletions, _) => format!("{}\n", chat::azure(self)),
            (Endpoint::Embeddings, Surface::OpenAi) => pretty(&embeddings::list(self), ""),
            (Endpoint::Embeddings, _) => pretty(&embeddings::list(self), "\n"),
            (Endpoint::Responses, _) => pretty(&responses::response(self), ""),
            (Endpoint::ResponsesCompact, _) => pretty(&responses::compaction(self), ""),
        };
        Reply { status: 200, headers: self.headers(endpoint), body: body.into_bytes() }
    }

    /// The sentence that an assistant says: the marker in it survives every gateway we know.
    fn words(&self) -> String {
        format!("This is {} speaking.", self.marker.token())
    }

    /// Hexadecimal digits, other ones for each use of each attempt; at most 64.
    fn digits(&self, purpose: &str, length: usize) -> String {
        let seed = format!("{purpose} {} {}", self.marker.token(), self.attempt);
        let mut digits = Sha256::digest(seed).iter().fold(String::new(), |mut digits, byte| {
            let _ = write!(digits, "{byte:02x}");
            digits
        });
        digits.truncate(length);
        digits
    }

    fn uuid(&self, purpose: &str) -> String {
        let digits = self.digits(purpose, 32);
        let [node, clock, version] = [&digits[20..], &digits[17..20], &digits[13..16]];
        format!("{}-{}-4{version}-8{clock}-{node}", &digits[..8], &digits[8..12])
    }

    /// Seconds since 1970.
    fn created(&self) -> u64 {
        FIRST_CREATED + u64::from(self.attempt) - 1
    }

    fn headers(&self, endpoint: Endpoint) -> Vec<(String, String)> {
        let common = [
            ("content-type", "application/json".to_owned()),
            (
                "strict-transport-security",
                "max-age=31536000; includeSubDomains; preload".to_owned(),
            ),
            ("x-content-type-options", "nosniff".to_owned()),
        ];
        let own = match self.deployment.surface {
            Surface::OpenAi => self.openai_headers(),
            Surface::AzureV1 | Surface::AzureLegacy => self.azure_headers(endpoint),
        };
        common.into_iter().chain(own).map(|(name, value)| (name.to_owned(), value)).collect()
    }

    fn openai_headers(&self) -> Vec<(&'static str, String)> {
        vec![
            ("openai-processing-ms", "241".to_owned()),
            ("openai-version", "2020-10-01".to_owned()),
            ("x-ratelimit-limit-requests", "5000".to_owned()),
            ("x-ratelimit-limit-tokens", "2000000".to_owned()),
            ("x-ratelimit-remaining-requests", "4999".to_owned()),
            ("x-ratelimit-remaining-tokens", "1999967".to_owned()),
            ("x-ratelimit-reset-requests", "12ms".to_owned()),
            ("x-ratelimit-reset-tokens", "0s".to_owned()),
            ("x-request-id", format!("req_{}", self.digits("request", 32))),
        ]
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
            ]);
        }
        match endpoint {
            Endpoint::ChatCompletions => headers.extend([
                ("x-accel-buffering", "no".to_owned()),
                ("x-ms-deployment-name", self.deployment.name.clone()),
                ("x-ms-rai-invoked", "true".to_owned()),
            ]),
            Endpoint::Responses | Endpoint::ResponsesCompact => headers.extend([
                ("azureai-fe-is-streaming", "False".to_owned()),
                ("x-ms-served-model", self.deployment.model.clone()),
            ]),
            Endpoint::Embeddings => {}
        }
        headers
    }
}

/// A refusal that no provider would send: Fallproof itself speaks, in an error of `OpenAI`'s form.
pub(crate) fn own_refusal(status: u16, code: &str, message: &str) -> Reply {
    let body = json!({
        "error": {
            "message": message,
            "type": "invalid_request_error",
            "param": null,
            "code": code
        }
    });
    Reply {
        status,
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: pretty(&body, "\n").into_bytes(),
    }
}

/// Two-space JSON with this ending.
pub(crate) fn pretty(value: &Value, end: &str) -> String {
    format!("{value:#}{end}")
}

fn tokens_in(text: &str) -> usize {
    text.len().div_ceil(4)
}
