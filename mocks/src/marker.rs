//! Markers: a token in each mock answer that tells whose words the client got.

use serde_json::Value;
use sha2::{Digest, Sha256};

/// How many numbers at the start of an embedding carry the marker.
pub const NUMBERS: usize = 12;

/// With fewer numbers than this an embedding says too little to tell upstreams apart.
const FEWEST_NUMBERS: usize = 3;

/// What tells one upstream's answers from all others'.
///
/// In text it is a token; in an embedding, where there is no text, the first numbers. The numbers
/// are sixty-fourths, so a gateway that reads them as `f32` or `f64` and writes them again leaves
/// their value alone, however it spells them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marker {
    token: String,
    /// In sixty-fourths, from -63 to 63, never 0.
    numbers: [i8; NUMBERS],
}

impl Marker {
    /// The marker of the upstream with this prefix: the same one each time.
    pub fn new(prefix: &str) -> Self {
        // Credentials may be derived from a prefix too; the label keeps their digits apart.
        let digest = Sha256::digest(format!("marker of {prefix}"));
        let numbers = std::array::from_fn(|index| {
            let byte = digest[8 + index];
            let size = (byte % 63 + 1).cast_signed();
            if byte & 0x80 == 0 { size } else { -size }
        });
        let token =
            digest[..8].iter().fold("fp-".to_owned(), |token, byte| format!("{token}{byte:02x}"));
        Self { token, numbers }
    }

    /// The token in texts, e.g. `fp-0123456789abcdef`.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// The numbers that an embedding starts with.
    pub fn numbers(&self) -> [f32; NUMBERS] {
        self.numbers.map(|number| f32::from(number) / 64.0)
    }

    /// Whether this upstream's words are in a client's body: the token anywhere, or in JSON an
    /// array that starts with the numbers, or their base64 form.
    pub fn found_in(&self, body: &[u8]) -> bool {
        body.windows(self.token.len()).any(|window| window == self.token.as_bytes())
            || serde_json::from_slice(body).is_ok_and(|value| self.is_in(&value))
    }

    fn is_in(&self, value: &Value) -> bool {
        match value {
            Value::String(text) => text.contains(&self.token) || self.starts_base64(text),
            Value::Array(items) => {
                self.starts_array(items) || items.iter().any(|item| self.is_in(item))
            }
            Value::Object(members) => members.values().any(|member| self.is_in(member)),
            Value::Null | Value::Bool(_) | Value::Number(_) => false,
        }
    }

    fn starts_array(&self, items: &[Value]) -> bool {
        items.len() >= FEWEST_NUMBERS
            && items.iter().zip(self.numbers()).all(|(item, number)| {
                item.as_f64().is_some_and(|item| (item - f64::from(number)).abs() < 1e-9)
            })
    }

    /// Three numbers are twelve bytes are sixteen characters, so whole groups can be compared
    /// without decoding; a short embedding's padded last group is left out.
    fn starts_base64(&self, text: &str) -> bool {
        let whole = if text.ends_with('=') { text.len() - 4.min(text.len()) } else { text.len() };
        let ours = base64_of_f32(&self.numbers());
        let compared = whole.min(ours.len());
        compared >= FEWEST_NUMBERS * 16 / 3
            && text.as_bytes()[..compared] == ours.as_bytes()[..compared]
    }
}

/// The base64 form in which providers send an embedding: little-endian `f32`.
pub(crate) fn base64_of_f32(numbers: &[f32]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits = (0..3).fold(0_usize, |bits, index| {
            bits << 8 | usize::from(group.get(index).copied().unwrap_or(0))
        });
        for position in 0..4 {
            let padding = position > group.len();
            let sextet = bits >> (18 - 6 * position) & 0x3f;
            text.push(if padding { '=' } else { char::from(ALPHABET[sextet]) });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_is_the_same_each_time_and_another_for_another_prefix() {
        assert_eq!(Marker::new("/a/primary"), Marker::new("/a/primary"));
        assert_ne!(Marker::new("/a/primary").token(), Marker::new("/a/backup").token());
        assert_ne!(Marker::new("/a/primary").numbers, Marker::new("/a/backup").numbers);
    }

    #[test]
    fn the_token_is_found_in_any_bytes_and_behind_json_escapes() {
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
    fn base64_is_the_one_that_everybody_reads() {
        // 1.0 is 00 00 80 3f and -2.5 is 00 00 20 c0, lowest byte first.
        assert_eq!(base64_of_f32(&[1.0]), "AACAPw==");
        assert_eq!(base64_of_f32(&[1.0, -2.5]), "AACAPwAAIMA=");
        assert_eq!(base64_of_f32(&[1.0, -2.5, 1.0]), "AACAPwAAIMAAAIA/");
    }
}
