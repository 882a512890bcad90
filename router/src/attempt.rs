//! A single attempt: one HTTP request and its outcome.

use std::time::SystemTime;

use axum::body::{Body, Bytes};
use axum::response::IntoResponse;
use reqwest::{Client, redirect, retry};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::call::Call;
use crate::config::Group;
use crate::endpoint::Shape;
use crate::headers::{media_type, request_headers, returned};
use crate::outcome::{Answer, Failure, Success};
use crate::provider_error::ProviderError;
use crate::reader::Reader;
use crate::retry_after;
use crate::route::Candidate;
use crate::stream;

/// HTTP client for all providers, shared by all groups.
#[derive(Debug)]
pub(crate) struct HttpClient {
    client: Client,
    body_limit: usize,
}

impl HttpClient {
    pub(crate) fn new(body_limit: usize) -> Self {
        // One attempt is one request to the configured address. Each attempt opens a new
        // connection, because the provider may have closed an idle connection without the client
        // noticing. A request on such a connection would fail without reaching the provider, or the
        // HTTP client would silently repeat it.
        let client = Client::builder()
            .no_proxy()
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .pool_max_idle_per_host(0)
            .user_agent(concat!("fallproof-router/", env!("CARGO_PKG_VERSION")))
            .build()
            .expect("a client without TLS and with the system's resolver can be built");
        Self { client, body_limit }
    }

    /// Sends one request to a deployment. Dropping the future closes the connection.
    pub(crate) async fn attempt(
        &self,
        group: &Group,
        candidate: &Candidate,
        call: &Call,
    ) -> Result<Success, Failure> {
        let outcome = tokio::time::timeout(group.timeout, self.exchange(group, candidate, call))
            .await
            .unwrap_or(Err(Failure::Timeout));
        if let Err(failure) = &outcome {
            candidate.health.failed(failure);
        }
        outcome
    }

    async fn exchange(
        &self,
        group: &Group,
        candidate: &Candidate,
        call: &Call,
    ) -> Result<Success, Failure> {
        let deployment = &candidate.deployment;
        let response = self
            .client
            .post(deployment.url(call.endpoint))
            .headers(request_headers(deployment, call))
            .body(call.body.with_model(&deployment.model))
            .send()
            .await
            .map_err(|_| Failure::Connection)?;

        let status = response.status();
        let headers = returned(deployment, response.headers());
        if status.is_client_error() || status.is_server_error() {
            let wait = retry_after::wait(response.headers(), SystemTime::now());
            // The status counts even if the body did not arrive completely.
            let body = self.complete_body(response).await.unwrap_or_default();
            let body = deployment.credential.redact(body);
            return Err(Failure::Refused(Box::new(Answer { status, headers, body, wait })));
        }
        if !status.is_success() {
            return Err(Failure::InvalidResponse);
        }

        let shape = call.endpoint.shape(&call.body.hints, &media_type(response.headers()));
        let shape = shape.ok_or(Failure::InvalidResponse)?;
        let dialect = match shape {
            Shape::Audio => None,
            Shape::Events(dialect) => Some(dialect),
            Shape::Object | Shape::Text => {
                let body = self.complete_body(response).await.ok_or(Failure::InvalidResponse)?;
                let body = deployment.credential.redact(body);
                let response_id = match shape {
                    Shape::Object => id_of_object(&body)?,
                    _ if body.is_empty() || str::from_utf8(&body).is_err() => {
                        return Err(Failure::InvalidResponse);
                    }
                    _ => None,
                };
                candidate.health.succeeded();
                let response = (status, headers, Body::from(body)).into_response();
                return Ok(Success { response, response_id });
            }
        };
        let reader = Reader::new(dialect, deployment.credential.clone(), self.body_limit);
        let idle = group.stream_idle_timeout;
        let (body, response_id) =
            stream::open(response, reader, candidate.health.clone(), idle).await?;
        Ok(Success { response: (status, headers, body).into_response(), response_id })
    }

    /// The complete body; `None` if it is truncated or too large.
    async fn complete_body(&self, mut response: reqwest::Response) -> Option<Bytes> {
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

/// The `id` in a body that must be a single JSON object; `None` if the object has no `id`. Fails if
/// the body is something else, or if the object contains `error`: some compatible servers report
/// errors in this way, and so do failed responses.
fn id_of_object(json: &[u8]) -> Result<Option<String>, Failure> {
    #[derive(Deserialize)]
    struct Object<'a> {
        #[serde(borrow)]
        id: Option<&'a RawValue>,
        #[serde(borrow)]
        error: Option<&'a RawValue>,
    }

    if !json.trim_ascii_start().starts_with(b"{") {
        return Err(Failure::InvalidResponse);
    }
    match serde_json::from_slice(json) {
        Ok(Object { error: Some(error), .. }) => {
            Err(Failure::ErrorInSuccess(ProviderError::of(error)))
        }
        Ok(Object { id, error: None }) => Ok(id.and_then(|id| serde_json::from_str(id.get()).ok())),
        Err(_) => Err(Failure::InvalidResponse),
    }
}
