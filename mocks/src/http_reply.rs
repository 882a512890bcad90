//! A reply before it is framed, and those that Fallproof gives in its own name.

use serde_json::json;

/// A reply as a provider sends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// Names and values in the order sent.
    pub headers: Vec<(String, String)>,
    /// The body, byte for byte.
    pub body: Vec<u8>,
}

impl Reply {
    /// A refusal that no provider would send: Fallproof itself speaks, in an error of `OpenAI`'s
    /// form.
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
