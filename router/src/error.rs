//! What the client is told when there is no success: always in `OpenAI`'s shape, always true.
//!
//! | what ended the call | status | `code` |
//! |---|---|---|
//! | the provider's error in `OpenAI`'s shape | the provider's | the provider's, body as it came |
//! | the provider's error, unreadable | the provider's | `upstream_error` |
//! | the provider's 401, 403 or 404 | 502 | `upstream_misconfigured` |
//! | no connection | 502 | `upstream_connection_error` |
//! | no answer in time | 504 | `upstream_timeout` |
//! | a broken success | 502 | `upstream_invalid_response` |
//!
//! A provider's 401, 403 or 404 is about the operator's credential or deployment. Passed on, it
//! would tell the client that its own key is bad, or that its model does not exist.

use std::borrow::Cow;
use std::collections::BTreeMap;

use axum::http::header::{CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::attempt::{Answer, Failure};
use crate::splice::BadBody;

/// An error in the words of this router.
#[derive(Debug)]
pub(crate) struct ApiError {
    status: StatusCode,
    body: Body,
}

/// The body of every error: the members, and their order, of `OpenAI`'s.
#[derive(Debug, Serialize)]
struct Body {
    message: String,
    r#type: &'static str,
    param: Option<&'static str>,
    code: Option<&'static str>,
}

impl ApiError {
    /// A mistake of the client.
    fn request(status: StatusCode, message: impl Into<String>) -> Self {
        let kind = "invalid_request_error";
        let body = Body { message: message.into(), r#type: kind, param: None, code: None };
        Self { status, body }
    }

    /// Trouble behind this router.
    fn upstream(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        let kind = "server_error";
        let body = Body { message: message.into(), r#type: kind, param: None, code: Some(code) };
        Self { status, body }
    }

    fn param(mut self, param: &'static str) -> Self {
        self.body.param = Some(param);
        self
    }

    fn code(mut self, code: &'static str) -> Self {
        self.body.code = Some(code);
        self
    }

    /// The client presented no key, or none that is known here.
    pub(crate) fn unauthorized(presented: bool) -> Self {
        let message = if presented {
            "Incorrect API key provided."
        } else {
            "You didn't provide an API key. You need to provide your API key in an Authorization \
             header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY)."
        };
        Self::request(StatusCode::UNAUTHORIZED, message).code("invalid_api_key")
    }

    /// No such path.
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

    /// The body did not arrive: it is too large, or the client left.
    pub(crate) fn unread_body(status: StatusCode, limit: usize) -> Self {
        let message = match status {
            StatusCode::PAYLOAD_TOO_LARGE => {
                format!("Maximum content size limit ({limit} bytes) exceeded.")
            }
            _ => "The body of your request did not arrive whole.".to_owned(),
        };
        Self::request(status, message)
    }

    /// No group of this name. `OpenAI` says the same on chat; on `/responses` it says 400.
    pub(crate) fn unknown_model(model: &str) -> Self {
        let message =
            format!("The model `{model}` does not exist or you do not have access to it.");
        Self::request(StatusCode::NOT_FOUND, message).code("model_not_found")
    }

    /// This router has no streams.
    pub(crate) fn no_streams() -> Self {
        let message = "Unsupported value: 'stream' does not support true with this gateway.";
        Self::request(StatusCode::BAD_REQUEST, message).param("stream").code("unsupported_value")
    }
}

impl From<BadBody> for ApiError {
    fn from(bad: BadBody) -> Self {
        let request = |message| Self::request(StatusCode::BAD_REQUEST, message);
        match bad {
            BadBody::NotAnObject => request(
                "We could not parse the JSON body of your request. (HINT: It must be one JSON \
                 object.)"
                    .to_owned(),
            ),
            BadBody::NoModel => request("Missing required parameter: 'model'.".to_owned())
                .param("model")
                .code("missing_required_parameter"),
            BadBody::ModelIsNot(kind) => request(format!(
                "Invalid type for 'model': expected a string, but got {kind} instead."
            ))
            .param("model")
            .code("invalid_type"),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        #[derive(Serialize)]
        struct Envelope {
            error: Body,
        }
        let body = serde_json::to_vec(&Envelope { error: self.body }).expect("strings are JSON");
        let mut response =
            (self.status, [(CONTENT_TYPE, "application/json")], body).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            // RFC 9110, section 15.5.2: such an answer must say how to authenticate.
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response = Response::new(self.body.into());
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        match self {
            Self::Connection => ApiError::upstream(
                StatusCode::BAD_GATEWAY,
                "upstream_connection_error",
                "The connection to the model's provider failed.",
            )
            .into_response(),
            Self::Timeout => ApiError::upstream(
                StatusCode::GATEWAY_TIMEOUT,
                "upstream_timeout",
                "The model's provider did not answer in time.",
            )
            .into_response(),
            Self::InvalidResponse => ApiError::upstream(
                StatusCode::BAD_GATEWAY,
                "upstream_invalid_response",
                "The model's provider sent an answer that is incomplete or malformed.",
            )
            .into_response(),
            Self::Refused(answer) => refusal(answer),
        }
    }
}

/// The provider's own error where the client can make sense of it.
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
    if is_openai_shaped(&answer.body) {
        return answer.into_response();
    }
    let message = format!(
        "The model's provider answered {} without an error that can be read.",
        status.as_u16()
    );
    let mut response = ApiError::upstream(status, "upstream_error", message).into_response();
    let mut headers = answer.headers;
    headers.remove(CONTENT_TYPE);
    response.headers_mut().extend(headers);
    response
}

/// Whether this is a JSON object with an object under `error`.
fn is_openai_shaped(body: &[u8]) -> bool {
    serde_json::from_slice::<BTreeMap<Cow<'_, str>, &RawValue>>(body)
        .is_ok_and(|body| body.get("error").is_some_and(|error| error.get().starts_with('{')))
}
