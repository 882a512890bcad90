//! One attempt: one request on the wire, and what came of it.

use std::time::Duration;

use axum::body::Bytes;
use axum::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use reqwest::{Client, Response, redirect, retry};
use serde_json::value::RawValue;

use crate::config::{Deployment, Endpoint, Surface};
use crate::splice::ClientBody;

const API_KEY: HeaderName = HeaderName::from_static("api-key");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// The client's headers that are part of the request and go upstream; everything else is between
/// the client and this router. `OpenAI-Beta` names the shape that a client expects of the API.
const FORWARDED: [HeaderName; 2] = [CONTENT_TYPE, HeaderName::from_static("openai-beta")];

/// The provider's headers that the client gets: what the body is, the id that the provider's
/// support asks for, and when to come back. Quotas, regions, organisations and deployment names
/// are the operator's business.
const RETURNED: [HeaderName; 4] = [
    CONTENT_TYPE,
    HeaderName::from_static("x-request-id"),
    RETRY_AFTER,
    HeaderName::from_static("retry-after-ms"),
];

/// What a client asks for, as far as it concerns the providers.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) endpoint: Endpoint,
    /// Made by [`forwarded`].
    pub(crate) headers: HeaderMap,
    pub(crate) body: ClientBody,
}

/// What of a client's headers goes upstream.
pub(crate) fn forwarded(headers: &HeaderMap) -> HeaderMap {
    pick(&FORWARDED, headers)
}

/// What a provider said that may be passed on.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// Why an attempt brought no answer that is a success.
#[derive(Debug)]
pub(crate) enum Failure {
    /// No connection, or it ended before an answer began.
    Connection,
    /// The answer was not complete in time.
    Timeout,
    /// A success without a whole JSON object, or neither a success nor an error.
    InvalidResponse,
    /// The provider answered with an error. Its body is empty where it did not arrive whole.
    Refused(Answer),
}

/// The way to the providers, shared by all groups.
#[derive(Debug)]
pub(crate) struct Upstreams {
    client: Client,
    body_limit: usize,
}

impl Upstreams {
    pub(crate) fn new(body_limit: usize) -> Self {
        // One attempt is one request, to the address that was configured. An idle connection
        // that the provider has closed meanwhile would fail an attempt that never reached it,
        // or be mended by a second request behind our back: each attempt gets its own.
        let client = Client::builder()
            .no_proxy()
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .pool_max_idle_per_host(0)
            .user_agent(concat!("fallproof-router/", env!("CARGO_PKG_VERSION")))
            .build()
            .expect("a client without TLS and with the system's resolver needs nothing");
        Self { client, body_limit }
    }

    /// Asks a deployment once. Dropping the future closes the connection.
    pub(crate) async fn attempt(
        &self,
        deployment: &Deployment,
        call: &Call,
        timeout: Duration,
    ) -> Result<Answer, Failure> {
        tokio::time::timeout(timeout, self.exchange(deployment, call))
            .await
            .unwrap_or(Err(Failure::Timeout))
    }

    async fn exchange(&self, deployment: &Deployment, call: &Call) -> Result<Answer, Failure> {
        let response = self
            .client
            .post(deployment.url(call.endpoint))
            .headers(headers_for(deployment, call))
            .body(call.body.with_model(&deployment.model))
            .send()
            .await
            .map_err(|_| Failure::Connection)?;

        let status = response.status();
        let is_json = is_json(response.headers());
        let headers = returned_headers(deployment, response.headers());
        let body = self.whole_body(response).await;
        let redact = |body| deployment.credential.redact(body);

        if status.is_success() {
            let body = body.filter(|body| is_json && is_object(body));
            let body = body.map(redact).ok_or(Failure::InvalidResponse)?;
            Ok(Answer { status, headers, body })
        } else if status.is_client_error() || status.is_server_error() {
            // The status stands even where the words are lost.
            let body = body.map(redact).unwrap_or_default();
            Err(Failure::Refused(Answer { status, headers, body }))
        } else {
            Err(Failure::InvalidResponse)
        }
    }

    /// The body, unless it is cut short or too large.
    async fn whole_body(&self, mut response: Response) -> Option<Bytes> {
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.ok()? {
            if body.len() + chunk.len() > self.body_limit {
                return None;
            }
            body.extend_from_slice(&chunk);
        }
        Some(body.into())
    }
}

/// The headers of a request, built anew around what is forwarded.
fn headers_for(deployment: &Deployment, call: &Call) -> HeaderMap {
    let mut headers = call.headers.clone();
    headers.entry(CONTENT_TYPE).or_insert(JSON);
    headers.insert(ACCEPT, JSON);
    match deployment.surface {
        Surface::OpenAi => {
            headers.insert(AUTHORIZATION, deployment.credential.header_value("Bearer "))
        }
        Surface::AzureV1 | Surface::AzureLegacy { .. } => {
            headers.insert(API_KEY, deployment.credential.header_value(""))
        }
    };
    headers
}

/// The headers of an answer that the client gets, without the deployment's credential.
fn returned_headers(deployment: &Deployment, headers: &HeaderMap) -> HeaderMap {
    let mut headers = pick(&RETURNED, headers);
    for value in headers.values_mut() {
        let clean = deployment.credential.redact(Bytes::copy_from_slice(value.as_bytes()));
        *value = HeaderValue::from_maybe_shared(clean).expect("a header without its key is one");
    }
    headers
}

/// The named headers with all their values.
fn pick(names: &[HeaderName], headers: &HeaderMap) -> HeaderMap {
    let values = |name| headers.get_all(name).iter().map(move |value| (name, value));
    names.iter().flat_map(values).map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Whether the content type is `application/json`, with whatever parameters.
fn is_json(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = content_type.and_then(|value| value.split(';').next()).unwrap_or_default();
    media_type.trim().eq_ignore_ascii_case("application/json")
}

/// Whether this is one whole JSON object.
fn is_object(json: &[u8]) -> bool {
    serde_json::from_slice::<&RawValue>(json).is_ok_and(|value| value.get().starts_with('{'))
}
