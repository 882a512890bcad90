//! API keys from the user: which of them are secrets, and their spellings in other formats.

use serde_json::Value;

/// Maximum length of an API key. The memory for the search grows with the total length of all keys.
pub const LONGEST: usize = 4 * 1024;

/// Minimum length of a secret.
const SHORTEST: usize = 6;

/// A key of only lower-case letters that is shorter than this is a word, not a secret.
const LONGEST_WORD: usize = 16;

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
