//! Outcome of an attempt: an answer for the client, or a failure that may cause a fallback.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::provider_error::{ProviderError, RefusalReason};

/// A successful answer.
#[derive(Debug)]
pub(crate) struct Success {
    /// The response. Its body is either complete or still being received.
    pub(crate) response: Response,
    /// The id by which later calls may refer to the response.
    pub(crate) response_id: Option<String>,
}

/// An error response from a provider, which may be forwarded.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// How long the response asks clients to wait.
    pub(crate) wait: Option<Duration>,
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        (self.status, self.headers, Body::from(self.body)).into_response()
    }
}

/// Why an attempt did not succeed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The connection failed, or ended before a response began.
    Connection,
    /// The response, or the first content of a stream, did not arrive in time.
    Timeout,
    /// A success response that is incomplete or of the wrong kind, or a response that is neither a
    /// success nor an error.
    InvalidResponse,
    /// A response with a success status but with `error` in its body or stream.
    ErrorInSuccess(ProviderError),
    /// An error response from the provider. The body is empty if it was not received completely.
    Refused(Box<Answer>),
    /// No attempt was made: every deployment is cooling down.
    Unavailable(Unavailable),
}

impl Failure {
    /// Why the provider refused the request, if the reason is recognized.
    pub(crate) fn refusal_reason(&self) -> Option<RefusalReason> {
        match self {
            Self::Refused(answer) if answer.status.is_client_error() => {
                ProviderError::of_body(&answer.body)?.refusal_reason()
            }
            Self::ErrorInSuccess(error) => error.refusal_reason(),
            _ => None,
        }
    }
}

/// A cooldown in progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unavailable {
    /// Remaining time; never zero.
    pub(crate) remaining: Duration,
    /// Whether the cooldown was started by a 429.
    pub(crate) rate_limited: bool,
}
