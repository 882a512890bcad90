//! The errors that a client gets if a call fails. They are in `OpenAI`'s format and name the real
//! cause.
//!
//! | what ended the call | status | `code` |
//! |---|---|---|
//! | a provider's error in `OpenAI`'s format | the provider's | the provider's, body unchanged |
//! | a provider's error in another format | the provider's | `upstream_error` |
//! | a provider's 401, 403 or 404 | 502 | `upstream_misconfigured` |
//! | no connection | 502 | `upstream_connection_error` |
//! | timeout | 504 | `upstream_timeout` |
//! | an invalid success | 502 | `upstream_invalid_response` |
//! | a success that contains `error` | 502 | `upstream_error`, with its message |
//! | all deployments cool down | 429, 503 | `all_deployments_cooling_down`, with `Retry-After` |
//!
//! A provider's 401, 403 or 404 concerns the operator's credential or deployment. If the router
//! forwarded it, the client would conclude that its own API key is invalid, or that the model does
//! not exist.
//!
//! If a stream breaks after its first content, the client already has the status and a part of the
//! answer. The client gets the error as the last event of the stream. Then the connection is
//! aborted rather than closed properly.

use std::time::Duration;

use axum::Json;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::event::Dialect;
use crate::outcome::{Answer, Failure, Unavailable};
use crate::provider_error::ProviderError;
use crate::splice::BadBody;

/// An error that this router creates.
#[derive(Debug)]
pub(crate) struct ApiError {
    status: StatusCode,
    body: Body,
    retry_after: Option<Duration>,
}

/// The body of an error: `OpenAI`'s members, in `OpenAI`'s order.
#[derive(Debug, Serialize)]
struct Body {
    message: String,
    r#type: &'static str,
    param: Option<&'static str>,
    code: Option<&'static str>,
}

impl ApiError {
    /// An error caused by the client.
    fn request(status: StatusCode, message: impl Into<String>) -> Self {
        let kind = "invalid_request_error";
        let body = Body { message: message.into(), r#type: kind, param: None, code: None };
        Self { status, body, retry_after: None }
    }

    /// An error caused by a provider, or by the connection to it.
    fn upstream(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        let kind = "server_error";
        let body = Body { message: message.into(), r#type: kind, param: None, code: Some(code) };
        Self { status, body, retry_after: None }
    }

    fn param(mut self, param: &'static str) -> Self {
        self.body.param = Some(param);
        self
    }

    fn code(mut self, code: &'static str) -> Self {
        self.body.code = Some(code);
        self
    }

    /// The client's API key is missing or unknown.
    pub(crate) fn unauthorized(presented: bool) -> Self {
        let message = if presented {
            "Incorrect API key provided."
        } else {
            "You didn't provide an API key. You need to provide your API key in an Authorization \
             header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY)."
        };
        Self::request(StatusCode::UNAUTHORIZED, message).code("invalid_api_key")
    }

    /// The path does not exist.
    pub(crate) fn unknown_path(method: &Method, path: &str) -> Self {
        Self::request(StatusCode::NOT_FOUND, format!("Invalid URL ({method} {path})"))
    }

    /// The path exists, but not for this method.
    pub(crate) fn wrong_method(method: &Method, path: &str) -> Self {
        let message = format!(
            "Not allowed to {method} on {path}. (HINT: Perhaps you meant to use a different HTTP \
             method?)"
        );
        Self::request(StatusCode::METHOD_NOT_ALLOWED, message)
    }

    /// The body could not be read: it is too large, or the client disconnected.
    pub(crate) fn unread_body(status: StatusCode, limit: usize) -> Self {
        let message = match status {
            StatusCode::PAYLOAD_TOO_LARGE => {
                format!("Maximum content size limit ({limit} bytes) exceeded.")
            }
            _ => "The body of your request is incomplete.".to_owned(),
        };
        Self::request(status, message)
    }

    /// There is no group with this name. On chat, `OpenAI` returns the same error for an unknown
    /// model; on `/responses`, it returns a 400.
    pub(crate) fn unknown_model(model: &str) -> Self {
        let message =
            format!("The model `{model}` does not exist or you do not have access to it.");
        Self::request(StatusCode::NOT_FOUND, message).code("model_not_found")
    }

    fn connection() -> Self {
        let message = "The connection to the model's provider failed.";
        Self::upstream(StatusCode::BAD_GATEWAY, "upstream_connection_error", message)
    }

    pub(crate) fn timeout() -> Self {
        let message = "The model's provider did not answer in time.";
        Self::upstream(StatusCode::GATEWAY_TIMEOUT, "upstream_timeout", message)
    }

    pub(crate) fn invalid_response() -> Self {
        let message = "The model's provider sent an answer that is incomplete or malformed.";
        Self::upstream(StatusCode::BAD_GATEWAY, "upstream_invalid_response", message)
    }

    fn error_in_success(error: &ProviderError) -> Self {
        let end = match &*error.message {
            "" => ".".to_owned(),
            message => format!(": {message}"),
        };
        let message = format!("The model's provider sent an error with a success status{end}");
        Self::upstream(StatusCode::BAD_GATEWAY, "upstream_error", message)
    }

    fn unavailable(unavailable: Unavailable) -> Self {
        let Unavailable { remaining, rate_limited } = unavailable;
        let (status, why) = if rate_limited {
            (StatusCode::TOO_MANY_REQUESTS, "rate limited")
        } else {
            (StatusCode::SERVICE_UNAVAILABLE, "cooling down after failures")
        };
        let message = format!(
            "All deployments of the model are {why}. Please retry \
             after {} seconds.",
            whole_seconds(remaining)
        );
        let error = Self::upstream(status, "all_deployments_cooling_down", message);
        Self { retry_after: Some(remaining), ..error }
    }

    /// The error as an event, for a stream whose success status was already sent.
    ///
    /// On chat and completions, this is a chunk with `error`. On other endpoints, it is an event of
    /// type `error` with a nested `error` object, as the live service sends it; the documentation
    /// shows the event without nesting.
    pub(crate) fn into_event(self, dialect: Dialect, sequence_number: u64) -> Vec<u8> {
        #[derive(Serialize)]
        struct Typed {
            r#type: &'static str,
            sequence_number: u64,
            error: Body,
        }
        let (name, data) = match dialect {
            Dialect::Choices => ("", serde_json::to_string(&Envelope { error: self.body })),
            Dialect::Typed => {
                let error = Typed { r#type: "error", sequence_number, error: self.body };
                ("event: error\n", serde_json::to_string(&error))
            }
        };
        format!("{name}data: {}\n\n", data.expect("strings and numbers are JSON")).into_bytes()
    }
}

/// The time in seconds, rounded up so that clients do not retry too early.
fn whole_seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

#[derive(Debug, Serialize)]
struct Envelope {
    error: Body,
}

impl From<BadBody> for ApiError {
    fn from(bad: BadBody) -> Self {
        let request = |message: &str| Self::request(StatusCode::BAD_REQUEST, message);
        match bad {
            BadBody::NotAnObject => request(
                "We could not parse the JSON body of your request. (HINT: It must be one JSON \
                 object.)",
            ),
            BadBody::NotAForm => request(
                "We could not parse the form in your request. (HINT: It must be \
                 multipart/form-data, with its boundary in the content type.)",
            ),
            BadBody::NoModel => request("Missing required parameter: 'model'.")
                .param("model")
                .code("missing_required_parameter"),
            BadBody::ModelIsNoString => request("Invalid type for 'model': expected a string.")
                .param("model")
                .code("invalid_type"),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(Envelope { error: self.body })).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            // RFC 9110, section 15.5.2, requires a challenge in a 401.
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(wait) = self.retry_after {
            response.headers_mut().insert(RETRY_AFTER, whole_seconds(wait).into());
        }
        response
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let error = match self {
            Self::Connection => ApiError::connection(),
            Self::Timeout => ApiError::timeout(),
            Self::InvalidResponse => ApiError::invalid_response(),
            Self::ErrorInSuccess(error) => ApiError::error_in_success(&error),
            Self::Unavailable(unavailable) => ApiError::unavailable(unavailable),
            Self::Refused(answer) => return refusal(*answer),
        };
        error.into_response()
    }
}

/// Forwards the provider's own error if the client can understand it. Otherwise, creates an error
/// of this router.
fn refusal(answer: Answer) -> Response {
    let status = answer.status;
    if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND) {
        let message = format!(
            "The model's provider answered {}: this gateway's credential or deployment is not \
             accepted there. Your own request and key are not at fault.",
            status.as_u16()
        );
        return ApiError::upstream(StatusCode::BAD_GATEWAY, "upstream_misconfigured", message)
            .into_response();
    }
    if ProviderError::of_body(&answer.body).is_some() {
        return answer.into_response();
    }
    let message = format!(
        "The model's provider answered {} with an error that could not be read.",
        status.as_u16()
    );
    let mut response = ApiError::upstream(status, "upstream_error", message).into_response();
    let mut headers = answer.headers;
    headers.remove(CONTENT_TYPE);
    response.headers_mut().extend(headers);
    response
}
