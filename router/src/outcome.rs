//! What comes of an attempt: an answer for the client, or the failure that may lead on.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::provider_error::{ProviderError, RefusalReason};

/// What the client gets of a deployment that did as it was asked.
#[derive(Debug)]
pub(crate) struct Success {
    /// Whole, or with a body that passes on what comes.
    pub(crate) response: Response,
    /// The id by which later calls may refer to it.
    pub(crate) response_id: Option<String>,
}

/// What a provider said that may be passed on.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// The cooldown that it asks for.
    pub(crate) wait: Option<Duration>,
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        (self.status, self.headers, Body::from(self.body)).into_response()
    }
}

/// Why an attempt brought no answer that is a success.
#[derive(Debug)]
pub(crate) enum Failure {
    /// No connection, or it ended before an answer began.
    Connection,
    /// The answer, or the first content of a stream, was not there in time.
    Timeout,
    /// A success that is not what was asked for, or not whole; or neither a success nor an error.
    InvalidResponse,
    /// A status that says success, and a body or a stream that says `error`.
    ErrorInSuccess(ProviderError),
    /// The provider answered with an error. Its body is empty where it did not arrive whole.
    Refused(Box<Answer>),
    /// There was no attempt: every deployment is in cooldown for so long.
    Unavailable(Unavailable),
}

impl Failure {
    /// Why the provider refused the request, if that is known here.
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

/// That a deployment gets no calls for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unavailable {
    /// For how much longer; more than nothing.
    pub(crate) remaining: Duration,
    /// Whether it has had too many calls, as its provider says.
    pub(crate) rate_limited: bool,
}
