//! Replaces the value of `model` and preserves every other byte of the client's body.
//!
//! Parsing a body into values and serializing them again would change it: `1e0` becomes `1.0`,
//! large integers lose digits, escapes and whitespace change, and a form gets another boundary.
//! Therefore, the body is parsed only to find the value of `model`, and the new value is inserted
//! at this position.
//!
//! The router routes by `model` and `previous_response_id` only. Members such as `fallbacks` or
//! `api_base` are forwarded, and the provider decides whether to accept them.

mod form;
mod json;

use std::ops::Range;

use axum::body::Bytes;

/// A request body from a client: a JSON object or a form that has a `model`.
#[derive(Debug)]
pub(crate) struct ClientBody {
    bytes: Bytes,
    /// The model name that the client requests.
    pub(crate) model: String,
    /// Positions of all top-level `model` values, in order.
    spans: Vec<Range<usize>>,
    is_json: bool,
    pub(crate) hints: RequestHints,
}

/// What a request body says about the expected answer.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct RequestHints {
    /// Whether the body contains `stream: true`.
    pub(crate) stream: bool,
    /// The requested streaming format, for speech.
    pub(crate) stream_format: Option<String>,
    /// The requested format of a transcript.
    pub(crate) response_format: Option<String>,
    /// The id of the response that this call continues.
    pub(crate) previous_response_id: Option<String>,
}

/// Why a body cannot be routed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum BadBody {
    /// The body is not exactly one JSON object.
    NotAnObject,
    /// The body is not a complete form, or its content type has no boundary.
    NotAForm,
    /// The body has no top-level `model`.
    NoModel,
    /// `model` is not a string.
    ModelIsNoString,
}

impl ClientBody {
    /// The body with another `model`. If `model` occurs several times at the top level, every
    /// occurrence is replaced, because providers may differ in which one they read.
    pub(crate) fn with_model(&self, name: &str) -> Bytes {
        let value =
            if self.is_json { serde_json::Value::from(name).to_string() } else { name.to_owned() };
        let mut body = Vec::with_capacity(self.bytes.len() + self.spans.len() * value.len());
        let mut copied = 0;
        for span in &self.spans {
            body.extend_from_slice(&self.bytes[copied..span.start]);
            body.extend_from_slice(value.as_bytes());
            copied = span.end;
        }
        body.extend_from_slice(&self.bytes[copied..]);
        body.into()
    }
}

/// Position of `part` within `body`. It must be a subslice of it.
fn span(part: &[u8], body: &[u8]) -> Range<usize> {
    let start = part.as_ptr().addr() - body.as_ptr().addr();
    start..start + part.len()
}
