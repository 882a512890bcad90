//! HTTP replies before the server frames them, and Fallproof's own error replies.

use serde_json::json;

/// A reply as a provider sends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// Status code.
    pub status: u16,
    /// Names and values, in the order sent.
    pub headers: Vec<(String, String)>,
    /// The body, byte for byte.
    pub body: Vec<u8>,
}

impl Reply {
    /// An error from Fallproof itself, in `OpenAI`'s format, for requests that no real provider
    /// would get.
    pub(crate) fn own_refusal(status: u16, code: &str, message: &str) -> Self {
        let body = json!({
            "error": {
                "message": message,
                "type": "invalid_request_error",
                "param": null,
                "code": code
            }
        });
        Self {
            status,
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: format!("{body:#}\n").into_bytes(),
        }
    }
}
