//! API keys. They are compared in constant time, and they are never printed or forwarded to
//! clients.

use std::fmt;

use axum::body::Bytes;
use axum::http::HeaderValue;
use serde::Deserialize;

use super::error::Invalid;

/// The text that replaces a credential.
const REDACTED: &[u8] = b"[redacted]";

/// An API key: of this router at a provider, or of a client at this router.
#[derive(Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct Credential(String);

impl Credential {
    /// Minimum length. When responses are redacted, ordinary text could be mistaken for a shorter
    /// key.
    const MIN_LENGTH: usize = 8;

    /// Whether the API key that a client presents is this one.
    pub(crate) fn is(&self, presented: &[u8]) -> bool {
        // Compare every byte, so that the time taken does not reveal how many bytes were right.
        let differences =
            self.0.bytes().zip(presented).fold(0, |bits, (ours, theirs)| bits | (ours ^ theirs));
        self.0.len() == presented.len() && differences == 0
    }

    /// The header value that consists of a scheme such as `Bearer ` and this key.
    pub(crate) fn header_value(&self, scheme: &str) -> HeaderValue {
        let mut value = HeaderValue::try_from(format!("{scheme}{}", self.0))
            .expect("a credential is visible ASCII");
        value.set_sensitive(true);
        value
    }

    /// Replaces every occurrence of this key in `text`. Returns `text` itself if the key does not
    /// occur.
    ///
    /// Recognizes all JSON spellings of the key: .NET escapes `+`, and PHP escapes `/`.
    pub(crate) fn redact(&self, text: Bytes) -> Bytes {
        let mut clean = Vec::new();
        let mut copied = 0;
        let mut at = 0;
        while at < text.len() {
            if let Some(length) = self.length_at_start_of(&text[at..]) {
                clean.extend_from_slice(&text[copied..at]);
                clean.extend_from_slice(REDACTED);
                at += length;
                copied = at;
            } else {
                at += 1;
            }
        }
        if copied == 0 {
            return text;
        }
        clean.extend_from_slice(&text[copied..]);
        clean.into()
    }

    /// The length of this key as it is spelled at the start of `text`, in bytes. `None` if `text`
    /// does not start with the key.
    fn length_at_start_of(&self, text: &[u8]) -> Option<usize> {
        let mut rest = text;
        for wanted in self.0.bytes() {
            rest = after(wanted, rest)?;
        }
        Some(text.len() - rest.len())
    }
}

/// What follows the character `wanted` at the start of `text`; `None` if `text` does not start with
/// it. The character may be spelled plainly, as `\/`, or as `\u002F`.
fn after(wanted: u8, text: &[u8]) -> Option<&[u8]> {
    let (spelled, rest) = match text {
        [b'\\', b'/', rest @ ..] => (u16::from(b'/'), rest),
        [b'\\', b'u', rest @ ..] => {
            let (hex, rest) = rest.split_at_checked(4)?;
            (u16::from_str_radix(str::from_utf8(hex).ok()?, 16).ok()?, rest)
        }
        [plain, rest @ ..] => (u16::from(*plain), rest),
        [] => return None,
    };
    (spelled == u16::from(wanted)).then_some(rest)
}

impl TryFrom<String> for Credential {
    type Error = Invalid;

    /// # Errors
    /// The key is shorter than eight characters, is not visible ASCII, or contains a quote or a
    /// backslash. Quotes and backslashes are not used in the keys of any provider, and JSON would
    /// escape them. The error message never contains the key.
    fn try_from(text: String) -> Result<Self, Invalid> {
        if !text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\') {
            return Err(Invalid::KeyCharacters);
        }
        if text.len() < Self::MIN_LENGTH {
            return Err(Invalid::ShortKey { min: Self::MIN_LENGTH });
        }
        Ok(Self(text))
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn credential(text: &str) -> Credential {
        text.to_owned().try_into().expect("a valid credential")
    }

    fn redacted(key: &str, text: &str) -> String {
        let clean = credential(key).redact(Bytes::copy_from_slice(text.as_bytes()));
        String::from_utf8(clean.into()).expect("ASCII stays ASCII")
    }

    #[rstest]
    #[case::plain("sk-secret", "bad key sk-secret.", "bad key [redacted].")]
    #[case::alone("sk-secret", "sk-secret", "[redacted]")]
    #[case::twice("sk-secret", "sk-secretsk-secret", "[redacted][redacted]")]
    #[case::after_a_false_start("aaaaaaab", "aaaaaaaab", "a[redacted]")]
    #[case::escaped_slash("sk/secret", r#""sk\/secret""#, r#""[redacted]""#)]
    #[case::escaped_plus("sk+secret", r#""sk\u002Bsecret""#, r#""[redacted]""#)]
    #[case::escaped_letters("sk-secret", r"\u0073k-secre\u0074!", "[redacted]!")]
    #[case::cut_short("sk-secret", "sk-secre", "sk-secre")]
    #[case::cut_inside_an_escape("sk-secret", r"sk-secre\u00", r"sk-secre\u00")]
    #[case::none("sk-secret", "no key here", "no key here")]
    fn a_key_is_found_however_it_is_spelled(
        #[case] key: &str,
        #[case] text: &str,
        #[case] clean: &str,
    ) {
        assert_eq!(redacted(key, text), clean);
    }

    #[test]
    fn a_key_never_shows_in_debug_output() {
        assert!(!format!("{:?}", credential("sk-secret")).contains("secret"));
        assert!(!format!("{:?}", credential("sk-secret").header_value("")).contains("secret"));
    }

    #[rstest]
    #[case("sk-secret", true)]
    #[case("sk-secreT", false)]
    #[case("sk-secre", false)]
    #[case("sk-secret2", false)]
    #[case("", false)]
    fn only_the_complete_key_matches(#[case] presented: &str, #[case] is: bool) {
        assert_eq!(credential("sk-secret").is(presented.as_bytes()), is);
    }

    #[rstest]
    #[case("short", "at least 8")]
    #[case("with blanks", "visible ASCII")]
    #[case("schlüssel", "visible ASCII")]
    #[case(r"back\slash", "backslashes")]
    fn a_key_that_cannot_be_used_is_refused(#[case] text: &str, #[case] why: &str) {
        let message = Credential::try_from(text.to_owned()).expect_err("refused").to_string();
        assert!(message.contains(why) && !message.contains(text), "{message}");
    }
}
