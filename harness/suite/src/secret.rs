//! API keys from the user: which of them are secrets, and their spellings in other formats.

use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use serde_json::Value;

/// Maximum length of an API key. The memory for the search grows with the total length of all keys.
pub const LONGEST: usize = 4 * 1024;

/// Minimum length of a secret.
const SHORTEST: usize = 6;

/// A key of only lower-case letters that is shorter than this is a word, not a secret.
const LONGEST_WORD: usize = 16;

/// Prefixes of keys: of OpenAI and others that follow it, GitHub, AWS, Google, Slack, Groq and
/// Hugging Face.
const KEY_PREFIXES: [&str; 10] =
    ["sk-", "ghp_", "gho_", "ghs_", "github_pat_", "AKIA", "AIza", "xoxb-", "gsk_", "hf_"];

/// Minimum length of the part of a key after its prefix.
const SHORTEST_AFTER_PREFIX: usize = 16;

/// Finds [`KEY_PREFIXES`].
static PREFIXES: LazyLock<AhoCorasick> =
    LazyLock::new(|| AhoCorasick::new(KEY_PREFIXES).expect("ten short patterns"));

/// Headers that carry only credentials.
const CREDENTIAL_HEADERS: [&str; 6] =
    ["authorization", "proxy-authorization", "api-key", "x-api-key", "cookie", "set-cookie"];

/// Whether an API key is a secret. A dummy such as `test` or `anything` is not, because it may
/// occur in other text.
pub fn is_secret(key: &str) -> bool {
    let is_word = key.len() < LONGEST_WORD && key.bytes().all(|byte| byte.is_ascii_lowercase());
    key.len() >= SHORTEST && !is_word
}

/// The spellings of an API key: plain, in JSON text, and in the query of a URL.
pub fn spellings(key: &str) -> Vec<String> {
    let json = Value::from(key).to_string();
    let mut spellings = vec![key.to_owned(), json[1..json.len() - 1].to_owned()];
    spellings.push(url::Url::parse_with_params("http://h/", [("k", key)]).map_or_else(
        |_| key.to_owned(),
        |url| url.query().unwrap_or_default()["k=".len()..].to_owned(),
    ));
    spellings.dedup();
    spellings
}

/// The spellings of a secret that must not be shown in any form: those of [`spellings`], upper and
/// lower case, hexadecimal, base64 (also within a longer text, such as `Bearer KEY`), and every
/// character escaped for JSON, for HTML or for a URL.
pub fn all_spellings(secret: &str) -> Vec<String> {
    let each = |escape: &dyn Fn(u8) -> String| secret.bytes().map(escape).collect::<String>();
    let mut all = spellings(secret);
    all.extend([secret.to_lowercase(), secret.to_uppercase()]);
    all.extend([hex::encode(secret), hex::encode_upper(secret)]);
    all.extend([each(&|byte| format!("%{byte:02x}")), each(&|byte| format!("%{byte:02X}"))]);
    all.extend([each(&|byte| format!("\\u{byte:04x}")), each(&|byte| format!("\\u{byte:04X}"))]);
    all.extend([each(&|byte| format!("&#{byte};")), each(&|byte| format!("&#x{byte:x};"))]);
    all.extend((0..3).flat_map(|before| within_base64(secret, before)));
    all
}

/// The part of base64 that depends on the secret alone, where `before` bytes precede it in a group of
/// three; in both alphabets.
fn within_base64(secret: &str, before: usize) -> [String; 2] {
    let padded = [&vec![0; before], secret.as_bytes()].concat();
    // A character holds six bits. Those that also hold bits of a neighbor are left out.
    let (first, last) = ((before * 8).div_ceil(6), padded.len() * 8 / 6);
    [STANDARD_NO_PAD.encode(&padded), URL_SAFE_NO_PAD.encode(&padded)]
        .map(|text| text[first..last].to_owned())
}

/// A string that looks like a key of a well-known service.
#[derive(Debug)]
pub struct Lookalike {
    /// Where it is.
    pub range: Range<usize>,
    /// Length of the prefix by which it is known.
    pub prefix: usize,
}

/// Everything in the text that looks like a key of a well-known service, in order.
pub fn lookalikes(text: &[u8]) -> Vec<Lookalike> {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_".contains(byte);
    let (mut all, mut from) = (Vec::new(), 0);
    while let Some(found) = PREFIXES.find(&text[from..]) {
        let start = from + found.start();
        let length = text[start..].iter().take_while(|byte| is_part(byte)).count();
        let begins = !text[..start].last().is_some_and(is_part);
        from = start + length;
        if begins && length >= found.len() + SHORTEST_AFTER_PREFIX {
            all.push(Lookalike { range: start..from, prefix: found.len() });
        }
    }
    all
}

/// Whether this header carries only a credential.
pub fn is_credential_header(name: &str) -> bool {
    CREDENTIAL_HEADERS.iter().any(|it| name.eq_ignore_ascii_case(it))
}

/// Returns an invalid API key. Swaps two characters: the length stays the same, and a faulty
/// comparison that only adds up differences would accept the key. If all characters are the same,
/// appends a character instead.
pub fn another(right: &str) -> String {
    let mut key: Vec<_> = right.chars().collect();
    match (1..key.len()).rev().find(|&at| key[at] != key[at - 1]) {
        Some(at) => key.swap(at, at - 1),
        None => key.push('x'),
    }
    key.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::upper_case("S3CRET-KEY/0123")]
    #[case::hexadecimal("7333637265742d6b65792f30313233")]
    #[case::base64("czNjcmV0LWtleS8wMTIz")]
    #[case::base64_of_a_header("QmVhcmVyIHMzY3JldC1rZXkvMDEyMw==")]
    #[case::base64_of_a_pair("dXM6czNjcmV0LWtleS8wMTIzLng=")]
    #[case::each_letter_in_a_url("%73%33%63%72%65%74%2d%6b%65%79%2f%30%31%32%33")]
    #[case::html(
        "&#115;&#51;&#99;&#114;&#101;&#116;&#45;&#107;&#101;&#121;&#47;&#48;&#49;&#50;&#51;"
    )]
    fn a_secret_is_known_in_every_spelling(#[case] text: &str) {
        let all = all_spellings("s3cret-key/0123");
        assert!(all.iter().any(|spelling| text.contains(spelling.as_str())), "{text}: {all:?}");
    }

    #[test]
    fn a_key_of_a_service_is_known_by_its_looks() {
        let text =
            b"sk-0123456789abcdef, ghp_0123456789abcdef01, sk-short, task-0123456789abcdef0123";
        let found: Vec<_> = lookalikes(text).into_iter().map(|it| (it.range, it.prefix)).collect();
        assert_eq!(found, [(0..19, 3), (21..43, 4)]);
    }
}
