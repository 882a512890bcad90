//! The message of an error that any server may have sent.

use serde_json::Value;

/// Maximum length of a message, in characters.
const MAX_CHARS: usize = 100;

/// JSON pointers to the message in the errors of common servers.
const PLACES: [&str; 5] =
    ["/error/message", "/error", "/message", "/detail", "/response/error/message"];

/// Returns the message of an error in JSON, on one line. A long message is cut.
pub fn error_message(body: &[u8]) -> Option<String> {
    let message = error_text(body)?;
    match message.char_indices().nth(MAX_CHARS) {
        Some((end, _)) => Some(format!("{}…", &message[..end])),
        None => Some(message),
    }
}

/// Returns the whole message of an error in JSON, on one line. `None` if it is empty.
pub fn error_text(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let message = PLACES.iter().find_map(|place| body.pointer(place)?.as_str())?;
    let words: Vec<_> = message.split_whitespace().collect();
    Some(words.join(" ")).filter(|message| !message.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_of_an_error_is_found() {
        for (body, expected) in [
            (r#"{"error":{"message":"Unknown path\n /v1/a"}}"#, Some("Unknown path /v1/a")),
            (r#"{"error":"Not found"}"#, Some("Not found")),
            (r#"{"detail":"Not Found"}"#, Some("Not Found")),
            (r#"{"error":{"message":""}}"#, None),
            ("<html>", None),
        ] {
            assert_eq!(error_message(body.as_bytes()).as_deref(), expected, "{body}");
        }
    }

    #[test]
    fn a_long_message_is_cut() {
        let body = format!(r#"{{"message":"{}"}}"#, "é".repeat(101));
        assert_eq!(error_message(body.as_bytes()), Some(format!("{}…", "é".repeat(100))));
    }
}
