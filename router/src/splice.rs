//! Another value for `model`, and every other byte as the client sent it.
//!
//! Reading a body into values and writing it again changes it: `1e0` becomes `1.0`, big
//! integers lose digits, escapes and blanks go, a form gets another boundary. So the body is read
//! only to learn where the value of `model` stands, and the new value is put between what was
//! before and after it.
//!
//! Nothing else of a body steers the router: members like `fallbacks` or `api_base` are the
//! provider's to take or to refuse.

mod form;
mod json;

use std::ops::Range;

use axum::body::Bytes;

/// A client's body: one JSON object, or one form, with a `model`.
#[derive(Debug)]
pub(crate) struct ClientBody {
    bytes: Bytes,
    /// The name that the client asks for.
    pub(crate) model: String,
    /// Where each top-level `model`'s value stands, in order.
    spans: Vec<Range<usize>>,
    is_json: bool,
    pub(crate) hints: RequestHints,
}

/// What a body says of the answer that its sender expects.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct RequestHints {
    /// `stream: true`
    pub(crate) stream: bool,
    /// How speech is to be streamed.
    pub(crate) stream_format: Option<String>,
    /// How a transcript is to be written.
    pub(crate) response_format: Option<String>,
    /// The answer that this call goes on from.
    pub(crate) previous_response_id: Option<String>,
}

/// Why a body cannot be routed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum BadBody {
    /// Not one JSON object.
    NotAnObject,
    /// Not a form with a boundary in its content type and an end.
    NotAForm,
    /// No `model` at the top level.
    NoModel,
    /// A `model` that is no text.
    ModelIsNoString,
}

impl ClientBody {
    /// The body with another `model`, in every place where it stands at the top level, so that
    /// whichever of them a provider reads is its own.
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

/// Where in the body this part of it stands.
fn span(part: &[u8], body: &[u8]) -> Range<usize> {
    let start = part.as_ptr().addr() - body.as_ptr().addr();
    start..start + part.len()
}
