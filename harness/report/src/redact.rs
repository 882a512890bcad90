//! Redaction: every API key is replaced before anything is written to a report.

use std::collections::BTreeMap;

use aho_corasick::{AhoCorasick, MatchKind};
use fallproof_suite::plan::Plan;
use fallproof_suite::secret::{
    Lookalike, all_spellings, another, is_credential_header, is_secret, lookalikes, spellings,
};
use serde_json::Value;

use crate::texts::Texts;

/// Replacement for credentials that Fallproof did not issue.
const UNKNOWN: &str = "[unknown key]";

/// Redacts the API keys of a run in everything that is reported.
#[derive(Debug)]
pub struct Redactor {
    keys: AhoCorasick,
    /// Replacement for each of the API keys.
    replacements: Vec<String>,
}

impl Redactor {
    /// Creates a redactor for the API keys of the deployments, and for the API key that the client
    /// sends to the target.
    pub fn new(plan: &Plan, gateway_key: &str) -> Self {
        let deployments = plan.groups.iter().flat_map(|group| {
            group.deployments().map(|deployment| {
                let replacement = format!("[key of {}/{}]", group.scenario, deployment.name);
                (deployment.key.clone(), replacement)
            })
        });
        // The keys of deployments are made up. They are redacted to keep reports readable and
        // stable, so their usual spellings are enough.
        let made_up: BTreeMap<_, _> = deployments.collect();
        let made_up = made_up.into_iter().flat_map(|(key, it)| spelled(&key, &it, spellings));
        // Some scenarios send a wrong gateway key, from which the right one is easy to guess.
        let own = [
            (gateway_key.to_owned(), "[gateway key]"),
            (another(gateway_key), "[wrong gateway key]"),
        ];
        let own = own.into_iter().flat_map(|(key, it)| spelled(&key, it, all_spellings));
        Self::of_spellings(own.chain(made_up))
    }

    /// Creates a redactor for these secrets, in every spelling, each with its replacement.
    pub fn of(keys: impl IntoIterator<Item = (String, String)>) -> Self {
        let keys = keys.into_iter();
        Self::of_spellings(keys.flat_map(|(key, it)| spelled(&key, &it, all_spellings)))
    }

    /// Creates a redactor that shows these keys as they are, and redacts all others.
    pub fn except(keys: &[&str]) -> Self {
        Self::of_spellings(keys.iter().map(|key| ((*key).to_owned(), (*key).to_owned())))
    }

    fn of_spellings(keys: impl Iterator<Item = (String, String)>) -> Self {
        let (patterns, replacements): (Vec<_>, Vec<_>) = keys.unzip();
        let keys = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(&patterns)
            .expect("a plan has far fewer keys than the limit of an automaton");
        Self { keys, replacements }
    }

    /// Redacts the keys in every string of the value.
    pub fn clean(&self, value: &mut impl Texts) {
        value.each(&mut |text| {
            if let Some(cleaned) = self.changed(text) {
                *text = cleaned;
            }
        });
    }

    /// Redacts the keys in every string of a JSON value, including member names.
    pub fn clean_json(&self, value: &mut Value) {
        match value {
            Value::String(text) => self.clean(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.clean_json(item)),
            Value::Object(members) => {
                *members = std::mem::take(members)
                    .into_iter()
                    .map(|(name, mut value)| {
                        self.clean_json(&mut value);
                        (self.text(&name), value)
                    })
                    .collect();
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// Returns the text with keys redacted.
    pub fn text(&self, text: &str) -> String {
        self.changed(text).unwrap_or_else(|| text.to_owned())
    }

    /// Returns the bytes with keys redacted. Unknown keys are found only if the bytes are UTF-8.
    pub fn bytes(&self, bytes: &[u8]) -> Vec<u8> {
        let known = self.keys.replace_all_bytes(bytes, &self.replacements);
        match String::from_utf8(known) {
            Ok(text) => without_unknown(&text).unwrap_or(text).into_bytes(),
            Err(other) => other.into_bytes(),
        }
    }

    /// Returns the head of a message with keys redacted, line by line.
    pub fn head(&self, head: &[u8]) -> Vec<u8> {
        let mut cleaned = Vec::with_capacity(head.len());
        for (number, line) in head.split_inclusive(|byte| *byte == b'\n').enumerate() {
            let text = line.trim_ascii_end();
            let end = &line[text.len()..];
            match text.iter().position(|byte| *byte == b':').filter(|_| number > 0) {
                Some(colon) => {
                    let name = String::from_utf8_lossy(&text[..colon]);
                    let value = &text[colon + 1..];
                    let blank = &value[..value.len() - value.trim_ascii_start().len()];
                    cleaned.extend_from_slice(&text[..=colon]);
                    cleaned.extend_from_slice(blank);
                    cleaned.extend(self.header(&name, value.trim_ascii_start()).into_bytes());
                }
                None => cleaned.extend(self.bytes(text)),
            }
            cleaned.extend_from_slice(end);
        }
        cleaned
    }

    /// Returns the value of a header with keys redacted. In headers that carry only credentials,
    /// unknown values are redacted too: the target may have been started with a real key.
    pub fn header(&self, name: &str, value: &[u8]) -> String {
        let text = String::from_utf8_lossy(value);
        let cleaned = self.text(&text);
        if !is_credential_header(name) || self.keys.is_match(&*text) {
            return cleaned;
        }
        match text.split_once(' ') {
            Some((scheme, _)) if scheme.bytes().all(|byte| byte.is_ascii_alphabetic()) => {
                format!("{scheme} {UNKNOWN}")
            }
            _ => UNKNOWN.to_owned(),
        }
    }

    /// Returns the text with its API keys redacted, or `None` if `text` does not contain an API
    /// key.
    fn changed(&self, text: &str) -> Option<String> {
        let mut cleaned = String::new();
        let mut end = 0;
        for known in self.keys.find_iter(text) {
            let before = &text[end..known.start()];
            cleaned.push_str(without_unknown(before).as_deref().unwrap_or(before));
            cleaned.push_str(&self.replacements[known.pattern().as_usize()]);
            end = known.end();
        }
        let rest = without_unknown(&text[end..]);
        if end == 0 {
            return rest;
        }
        cleaned.push_str(rest.as_deref().unwrap_or(&text[end..]));
        Some(cleaned)
    }
}

/// The spellings of a key, each with the replacement; none if the key is no secret.
fn spelled(
    key: &str,
    replacement: &str,
    spellings: impl Fn(&str) -> Vec<String>,
) -> Vec<(String, String)> {
    let spellings = if is_secret(key) { spellings(key) } else { Vec::new() };
    spellings.into_iter().map(|spelling| (spelling, replacement.to_owned())).collect()
}

/// Returns the text with everything redacted that looks like a key of a well-known service, or
/// `None` if there is no such key.
fn without_unknown(text: &str) -> Option<String> {
    let found = lookalikes(text.as_bytes());
    if found.is_empty() {
        return None;
    }
    let mut cleaned = text.to_owned();
    for Lookalike { range, .. } in found.into_iter().rev() {
        cleaned.replace_range(range, UNKNOWN);
    }
    Some(cleaned)
}

#[cfg(test)]
mod tests {
    use fallproof_suite::plan::Addresses;
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn redactor(key: &str) -> Redactor {
        Redactor::of([(key.to_owned(), "[key of a/primary]".to_owned())])
    }

    #[rstest]
    #[case::plain(
        "s3cret/+key",
        "the key s3cret/+key is wrong",
        "the key [key of a/primary] is wrong"
    )]
    #[case::twice("s3cret/+key", "s3cret/+keys3cret/+key", "[key of a/primary][key of a/primary]")]
    #[case::in_a_url(
        "s3cret/+key",
        "GET /v1?k=s3cret%2F%2Bkey&x",
        "GET /v1?k=[key of a/primary]&x"
    )]
    #[case::in_json("a\"key\\", r#"{"k":"a\"key\\"}"#, r#"{"k":"[key of a/primary]"}"#)]
    #[case::of_someone_else(
        "s3cret",
        "Incorrect API key provided: sk-proj-0123456789abcdef_-.",
        "Incorrect API key provided: [unknown key]."
    )]
    #[case::of_github(
        "s3cret",
        "x ghp_0123456789abcdefABCDEF0123456789abcd y",
        "x [unknown key] y"
    )]
    #[case::of_aws("s3cret", "id=AKIAIOSFODNN7EXAMPLE", "id=[unknown key]")]
    #[case::in_base64(
        "s3cret/+key",
        "Basic eDpzM2NyZXQvK2tleQ==",
        "Basic eDp[key of a/primary]Q=="
    )]
    #[case::masked_already("s3cret", "key sk-pro***********ef", "key sk-pro***********ef")]
    #[case::within_a_word("s3cret", "task-0123456789abcdef0123", "task-0123456789abcdef0123")]
    fn a_key_is_replaced_anywhere(#[case] key: &str, #[case] text: &str, #[case] cleaned: &str) {
        assert_eq!(redactor(key).text(text), cleaned);
        assert_eq!(redactor(key).bytes(text.as_bytes()), cleaned.as_bytes());
    }

    #[test]
    fn the_wrong_key_that_a_client_sends_is_redacted_too() {
        let plan = Plan::new([], &Addresses::stable(([127, 0, 0, 1], 9100).into()));
        let redactor = Redactor::new(&plan, "s3cret+gateway/key");
        let cleaned = redactor.text("s3cret+gateway/kye, not s3cret+gateway/key");
        assert_eq!(cleaned, "[wrong gateway key], not [gateway key]");
    }

    #[rstest]
    #[case::short("1234", "after 1234 ms")]
    #[case::a_word("anything", "anything else")]
    fn a_placeholder_key_is_not_replaced_in_other_text(#[case] key: &str, #[case] text: &str) {
        assert_eq!(redactor(key).text(text), text);
    }

    #[rstest]
    #[case::known("authorization", "Bearer s3cret", "Bearer [key of a/primary]")]
    #[case::unknown("Authorization", "Bearer 0123abcd", "Bearer [unknown key]")]
    #[case::without_a_scheme("api-key", "0123abcd", "[unknown key]")]
    #[case::cookie("set-cookie", "session=0123; Path=/", "[unknown key]")]
    #[case::another_header("x-request-id", "0123abcd", "0123abcd")]
    fn a_credential_header_shows_no_credential(
        #[case] name: &str,
        #[case] value: &str,
        #[case] cleaned: &str,
    ) {
        assert_eq!(redactor("s3cret").header(name, value.as_bytes()), cleaned);
    }

    #[test]
    fn only_keys_that_are_not_excepted_are_redacted() {
        let redactor = Redactor::except(&["sk-fallproof-openai"]);
        let (own, other) = ("Bearer sk-fallproof-openai", "Bearer sk-0123456789abcdef0123");
        assert_eq!(redactor.header("authorization", own.as_bytes()), own);
        assert_eq!(redactor.header("authorization", other.as_bytes()), "Bearer [unknown key]");
        assert_eq!(
            redactor.text(&format!("{own}, {other}")),
            format!("{own}, Bearer [unknown key]")
        );
    }

    #[test]
    fn every_string_of_a_value_is_redacted_and_bytes_that_are_not_utf8_are_preserved() {
        let redactor = redactor("s3cret");
        let mut value = json!({ "a s3cret": [{ "b": "s3cret" }, 1, null] });
        let cleaned = json!({ "a [key of a/primary]": [{ "b": "[key of a/primary]" }, 1, null] });
        redactor.clean_json(&mut value);
        assert_eq!(value, cleaned);
        assert_eq!(redactor.bytes(b"\xff s3cret"), b"\xff [key of a/primary]");
    }
}
