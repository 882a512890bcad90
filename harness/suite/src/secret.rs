//! Keys that a user gives: which of them are secrets, and how they are spelled where they turn up.

use serde_json::Value;

/// The longest key that evidence is read with: looking for a key takes memory for each of its bytes.
pub const LONGEST: usize = 4 * 1024;

/// A key that is shorter than this is no secret …
const SHORTEST: usize = 6;

/// … nor is one of nothing but lower-case letters that is no longer than a word.
const LONGEST_WORD: usize = 16;

/// Headers that carry credentials and nothing else.
const CREDENTIAL_HEADERS: [&str; 6] =
    ["authorization", "proxy-authorization", "api-key", "x-api-key", "cookie", "set-cookie"];

/// Whether a key is more than there because there has to be one (`test`, `anything`), so that its
/// letters are in no other words.
pub fn is_secret(key: &str) -> bool {
    let is_word = key.len() < LONGEST_WORD && key.bytes().all(|byte| byte.is_ascii_lowercase());
    key.len() >= SHORTEST && !is_word
}

/// The key as it is, and as it stands in JSON text and in the query of a URL.
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

/// Whether nothing but a credential can stand in this header.
pub fn is_credential_header(name: &str) -> bool {
    CREDENTIAL_HEADERS.iter().any(|it| name.eq_ignore_ascii_case(it))
}

/// Another key of the same length: two characters change places, which whoever adds up differences
/// takes for none.
pub fn another(right: &str) -> String {
    let mut key: Vec<_> = right.chars().collect();
    match (1..key.len()).rev().find(|&at| key[at] != key[at - 1]) {
        Some(at) => key.swap(at, at - 1),
        None => key.push('x'),
    }
    key.into_iter().collect()
}
