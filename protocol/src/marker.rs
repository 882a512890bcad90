//! Markers: tokens in the mocks' replies that identify the deployment that answered.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use memchr::memmem;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Number of values at the start of an embedding that make up the marker.
pub const NUMBERS: usize = 12;

/// Minimum number of values needed to tell deployments apart.
const FEWEST_NUMBERS: usize = 3;

/// Length of [`FEWEST_NUMBERS`] numbers in base64, in characters.
const FEWEST_CHARACTERS: usize = FEWEST_NUMBERS * 16 / 3;

/// Identifies the replies of one deployment.
///
/// In text, images and audio, the marker is a token. An embedding has no text, so the marker is its
/// first numbers. The numbers are multiples of 1/64, so a gateway that parses them as `f32` or
/// `f64` and writes them again preserves their values, even if it spells them differently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marker {
    token: String,
    /// The numbers in units of 1/64. Each is from -63 to 63, but never 0.
    numbers: [i8; NUMBERS],
}

impl Marker {
    /// The marker of the deployment with this prefix. The same prefix always has the same marker.
    pub fn new(prefix: &str) -> Self {
        // Credentials may be derived from a prefix too. The label makes the digests differ.
        let digest = Sha256::digest(format!("marker of {prefix}"));
        let numbers = std::array::from_fn(|index| {
            let byte = digest[8 + index];
            let size = (byte % 63 + 1).cast_signed();
            if byte & 0x80 == 0 { size } else { -size }
        });
        let token = format!("fp-{}", hex::encode(&digest[..8]));
        Self { token, numbers }
    }

    /// The token used in text, e.g. `fp-0123456789abcdef`.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// The numbers at the start of every embedding from this deployment.
    pub fn numbers(&self) -> [f32; NUMBERS] {
        self.numbers.map(|number| f32::from(number) / 64.0)
    }

    /// Whether a response body contains this deployment's reply. The reply is recognized by the
    /// token anywhere in the body, plain or within base64. In JSON, it is also recognized by an
    /// array that starts with the numbers, or by a string that starts with their base64 form.
    pub fn found_in(&self, body: &[u8]) -> bool {
        let contains = |text: &str| memmem::find(body, text.as_bytes()).is_some();
        let spellings = self.spellings();
        if spellings.iter().any(|spelling| contains(spelling)) {
            return true;
        }
        let vector = base64_of_f32(&self.numbers());
        // This cheap test avoids parsing most bodies.
        let may_be_in =
            contains("\\") || contains(&vector[..FEWEST_CHARACTERS]) || has_numbers(body);
        let is_in = |value: Value| self.is_in(&value, &spellings, &vector);
        may_be_in && serde_json::from_slice(body).is_ok_and(is_in)
    }

    /// The token and its base64 forms. Base64 maps three bytes to four characters, so the form
    /// depends on the token's offset within a group of three. Characters that also encode
    /// neighboring bytes are left out.
    fn spellings(&self) -> [String; 4] {
        let encoded = |before: usize| {
            let inner = &self.token.as_bytes()[before..];
            STANDARD.encode(&inner[..inner.len() / 3 * 3])
        };
        [self.token.clone(), encoded(0), encoded(1), encoded(2)]
    }

    fn is_in(&self, value: &Value, spellings: &[String], vector: &str) -> bool {
        let is_in = |value| self.is_in(value, spellings, vector);
        match value {
            Value::String(text) => {
                spellings.iter().any(|spelling| text.contains(spelling))
                    || starts_vector(text, vector)
            }
            Value::Array(items) => self.starts_array(items) || items.iter().any(is_in),
            Value::Object(members) => members.values().any(is_in),
            Value::Null | Value::Bool(_) | Value::Number(_) => false,
        }
    }

    fn starts_array(&self, items: &[Value]) -> bool {
        items.len() >= FEWEST_NUMBERS
            && items.iter().zip(self.numbers()).all(|(item, number)| {
                item.as_f64().is_some_and(|item| (item - f64::from(number)).abs() < 1e-9)
            })
    }
}

/// Whether the text and this base64 vector have the same beginning. Three numbers are twelve bytes,
/// which base64 encodes as sixteen characters, so complete groups can be compared without decoding.
/// The padded last group of a short embedding is ignored.
fn starts_vector(text: &str, vector: &str) -> bool {
    let length = if text.ends_with('=') { text.len() - 4.min(text.len()) } else { text.len() };
    let compared = length.min(vector.len());
    compared >= FEWEST_CHARACTERS && text.as_bytes()[..compared] == vector.as_bytes()[..compared]
}

/// Whether this JSON text may contain an array of numbers.
fn has_numbers(json: &[u8]) -> bool {
    memchr::memchr_iter(b'[', json).any(|start| {
        let mut items = json[start + 1..].iter().skip_while(|byte| byte.is_ascii_whitespace());
        items.next().is_some_and(|first| matches!(first, b'-' | b'0'..=b'9'))
    })
}

/// The base64 form of an embedding as providers send it: little-endian `f32`.
pub fn base64_of_f32(numbers: &[f32]) -> String {
    let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
    STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_depends_on_the_prefix_only() {
        assert_eq!(Marker::new("/a/primary"), Marker::new("/a/primary"));
        assert_ne!(Marker::new("/a/primary").token(), Marker::new("/a/backup").token());
        assert_ne!(Marker::new("/a/primary").numbers, Marker::new("/a/backup").numbers);
    }

    #[test]
    fn the_token_is_found_in_any_bytes_and_in_json_escapes() {
        let marker = Marker::new("/a/primary");
        let token = marker.token();
        assert!(marker.found_in(format!("data: {{\"delta\":\"{token}\"}}\n\n").as_bytes()));
        let escaped = token.replace('-', "\\u002d");
        assert!(marker.found_in(format!("{{\"text\":\"hi {escaped}\"}}").as_bytes()));
        assert!(!Marker::new("/a/backup").found_in(token.as_bytes()));
        assert!(!marker.found_in(b""));
    }

    #[test]
    fn the_numbers_are_found_in_any_spelling() {
        let marker = Marker::new("/a/primary");
        let spelled: Vec<String> = marker.numbers().iter().map(|it| format!("{it:e}")).collect();
        let exponents = format!("{{\"data\":[{{\"embedding\":[{},0.1]}}]}}", spelled.join(", "));
        assert!(marker.found_in(exponents.as_bytes()));
        let spelled: Vec<String> = marker.numbers().iter().map(|it| format!("{it:.12}")).collect();
        let zeros = format!("[{}]", spelled[..4].join(","));
        assert!(marker.found_in(zeros.as_bytes()));
        assert!(!Marker::new("/a/backup").found_in(exponents.as_bytes()));
        assert!(!marker.found_in(format!("[{}]", spelled[..2].join(",")).as_bytes()));
    }

    #[test]
    fn base64_embeddings_of_any_length_are_found() {
        let marker = Marker::new("/a/primary");
        let mut vector = marker.numbers().to_vec();
        vector.extend([0.25; 30]);
        for length in 4..vector.len() {
            let body = format!("{{\"embedding\":\"{}\"}}", base64_of_f32(&vector[..length]));
            assert!(marker.found_in(body.as_bytes()), "{length} numbers");
            assert!(!Marker::new("/a/backup").found_in(body.as_bytes()), "{length} numbers");
        }
    }

    #[test]
    fn the_token_is_found_within_base64_wherever_it_stands() {
        let marker = Marker::new("/a/primary");
        for before in 0..6 {
            let bytes = format!("{}{}...", "x".repeat(before), marker.token());
            let body = format!("{{\"b64_json\":\"{}\"}}", STANDARD.encode(bytes));
            assert!(marker.found_in(body.as_bytes()), "{before} bytes before");
            assert!(!Marker::new("/a/backup").found_in(body.as_bytes()), "{before} bytes before");
        }
    }

    #[test]
    fn an_embedding_is_little_endian_in_base64() {
        // 1.0 is 00 00 80 3f and -2.5 is 00 00 20 c0, lowest byte first.
        assert_eq!(base64_of_f32(&[1.0]), "AACAPw==");
        assert_eq!(base64_of_f32(&[1.0, -2.5]), "AACAPwAAIMA=");
    }
}
