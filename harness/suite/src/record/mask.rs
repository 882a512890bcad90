//! Removes secrets from evidence. The user's API keys are replaced with placeholders of the same
//! length, so positions and judgments do not change. API keys that Fallproof generates are not
//! secrets.

use std::collections::HashSet;
use std::mem;
use std::sync::OnceLock;

use aho_corasick::{AhoCorasick, MatchKind};
use memchr::memmem;
use serde_json::Value;

use super::large::{self, Part};
use crate::evidence::{CallEvidence, CaseResult, Evidence};
use crate::scenario::Scenario;
use crate::secret::{
    Lookalike, all_spellings, another, is_credential_header, is_secret, lookalikes,
};

/// The string that is repeated to make a placeholder.
const INSTEAD: &str = "Kept0Key";

/// Prefix of API keys that Fallproof generates.
const MADE_UP: &[u8] = b"sk-fallproof-";

/// The user's API keys and their placeholders.
#[derive(Debug)]
pub struct Mask {
    keys: AhoCorasick,
    placeholders: Vec<String>,
}

impl Mask {
    /// Creates a mask for these API keys, which belong to the user.
    pub fn new<'a>(keys: impl IntoIterator<Item = &'a str>) -> Self {
        let (mut patterns, mut words) = (Vec::new(), Vec::new());
        for key in keys.into_iter().filter(|key| is_secret(key)) {
            let instead = placeholder(key);
            let wrong = another(key);
            // If all characters of the key are the same, the wrong key starts with the key itself.
            let of_wrong = match wrong.strip_prefix(key) {
                Some(rest) => format!("{instead}{rest}"),
                // Code that reads the evidence has only the placeholder. It gets the wrong key by
                // calling `another` on the placeholder.
                None if another(&instead).len() == instead.len() => another(&instead),
                None => placeholder(&wrong).chars().rev().collect(),
            };
            for (key, instead) in [(key, &instead), (&wrong, &of_wrong)] {
                for (key, instead) in all_spellings(key).into_iter().zip(all_spellings(instead)) {
                    // The lengths differ only where the spelling of a letter depends on the letter.
                    let fits = instead.len() == key.len();
                    words.push(if fits { instead } else { placeholder(&key) });
                    patterns.push(key);
                }
            }
        }
        let keys = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(&patterns)
            .expect("an automaton can hold far more keys than a user has");
        Self { keys, placeholders: words }
    }

    /// The text without the user's API keys.
    pub(super) fn text(&self, text: &str) -> String {
        self.keys.replace_all(text, &self.placeholders)
    }

    /// Removes the user's API keys from every string in the value.
    pub(super) fn json(&self, value: &mut Value) {
        each_text(value, &mut |text| self.hide_own(text));
    }

    /// Removes all secrets from the bytes of a case.
    pub(super) fn bytes(&self, evidence: &mut Evidence, ours: &Ours<'_>) {
        large::each(evidence, |place, bytes| {
            self.hide(bytes, ours);
            if matches!(place.part(), Part::Head | Part::Traffic) {
                each_header(bytes, |name, value| hide_credential(name, value, ours));
            }
        });
        let CaseResult::Played(calls) = &mut evidence.result else { return };
        for CallEvidence { exchange, requests, misdirected, .. } in calls {
            let of_hits =
                requests.iter_mut().chain(misdirected).flat_map(|recorded| &mut recorded.headers);
            for (name, value) in exchange.headers.iter_mut().chain(of_hits) {
                self.hide(value, ours);
                hide_credential(name.as_bytes(), value, ours);
            }
        }
    }

    /// Removes all secrets from the strings of a case. `evidence` is the case as JSON.
    pub(super) fn texts(&self, evidence: &mut Value, ours: &Ours<'_>) {
        each_text(evidence, &mut |text| self.hide(text, ours));
    }

    fn hide(&self, bytes: &mut [u8], ours: &Ours<'_>) {
        self.hide_own(bytes);
        hide_unknown(bytes, ours);
    }

    /// Replaces the user's API keys with placeholders.
    fn hide_own(&self, bytes: &mut [u8]) {
        let found: Vec<_> = self.keys.find_iter(&*bytes).collect();
        for key in found {
            bytes[key.range()]
                .copy_from_slice(self.placeholders[key.pattern().as_usize()].as_bytes());
        }
    }
}

/// Strings that look like secrets but are not, because they are generated or come from a scenario.
pub(super) struct Ours<'a> {
    /// The API keys that the target knows, with placeholders in place of the user's keys.
    pub(super) keys: &'a HashSet<String>,
    pub(super) scenario: &'a Scenario,
    pub(super) evidence: &'a Evidence,
    /// The scenario's text and the heads of the mocks' answers.
    pub(super) known: OnceLock<Vec<u8>>,
}

impl Ours<'_> {
    fn has(&self, credential: &[u8]) -> bool {
        let holds = |key: &String| memmem::find(credential, key.as_bytes()).is_some();
        std::str::from_utf8(credential).is_ok_and(|text| self.keys.contains(text))
            || memmem::find(self.known.get_or_init(|| self.all_known()), credential).is_some()
            || self.keys.iter().any(holds)
    }

    fn all_known(&self) -> Vec<u8> {
        let scripts = self.scenario.deployments.values().flat_map(|deployment| &deployment.script);
        let of_scripts = scripts.flat_map(|behavior| behavior.headers.values());
        let of_calls = self.scenario.calls().flat_map(|call| call.send.headers.values());
        let requests = self.evidence.calls().iter().flat_map(CallEvidence::all_requests);
        let heads = requests.map(|recorded| recorded.reply_head.as_slice());
        let headers = of_scripts.chain(of_calls).map(String::as_bytes);
        let mut known = serde_json::to_vec(self.scenario).unwrap_or_default();
        for text in headers.chain(heads) {
            known.push(b'\n');
            known.extend_from_slice(text);
        }
        known
    }
}

/// Returns a string of the same length that is not a secret. The length in JSON and in URLs is also
/// the same: characters that are escaped there are replaced with other characters that are escaped.
fn placeholder(key: &str) -> String {
    let mut letters = INSTEAD.chars().cycle();
    let mut instead = |byte: u8| match byte {
        b'"' | b'\\' => '"',
        b'*' | b'-' | b'.' | b'_' => letters.next().unwrap_or('K'),
        _ if byte.is_ascii_alphanumeric() => letters.next().unwrap_or('K'),
        _ => '/',
    };
    key.bytes().map(&mut instead).collect()
}

fn hide_credential(name: &[u8], value: &mut [u8], ours: &Ours<'_>) {
    if !std::str::from_utf8(name).is_ok_and(is_credential_header) {
        return;
    }
    let scheme = value.iter().position(|byte| *byte == b' ').filter(|end| {
        let scheme = &value[..*end];
        !scheme.is_empty() && scheme.iter().all(u8::is_ascii_alphabetic)
    });
    let credential = &mut value[scheme.map_or(0, |end| end + 1)..];
    if !credential.is_empty() && !ours.has(credential) {
        credential.fill(b'x');
    }
}

/// Hides strings that look like keys but are not generated by Fallproof, because a target may have been
/// started with a real key.
fn hide_unknown(bytes: &mut [u8], ours: &Ours<'_>) {
    for Lookalike { range, prefix } in lookalikes(bytes) {
        let key = &mut bytes[range];
        if !key.starts_with(MADE_UP) && !ours.has(key) {
            key[prefix..].fill(b'x');
        }
    }
}

/// Visits the name and value of each header in the head of a message, and in the interim heads
/// before it.
fn each_header(message: &mut [u8], mut show: impl FnMut(&[u8], &mut [u8])) {
    let mut is_interim = false;
    let mut is_first = true;
    for line in message.split_inclusive_mut(|byte| *byte == b'\n') {
        let end = line.trim_ascii_end().len();
        if mem::take(&mut is_first) {
            is_interim = line.starts_with(b"HTTP/1.1 1") || line.starts_with(b"HTTP/1.0 1");
            continue;
        }
        if end == 0 {
            if !is_interim {
                break;
            }
            is_first = true;
            continue;
        }
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let (name, value) = line[..end].split_at_mut(colon.min(end));
        let blank = value.iter().skip(1).take_while(|byte| byte.is_ascii_whitespace()).count();
        if let Some(value) = value.get_mut(blank + 1..) {
            show(name, value);
        }
    }
}

/// Visits every string in the value. The visitor may only replace ASCII with other ASCII.
fn each_text(value: &mut Value, change: &mut impl FnMut(&mut [u8])) {
    match value {
        Value::String(text) => {
            let mut bytes = mem::take(text).into_bytes();
            change(&mut bytes);
            *text = String::from_utf8(bytes).expect("ASCII was replaced with ASCII");
        }
        Value::Array(items) => items.iter_mut().for_each(|item| each_text(item, change)),
        Value::Object(members) => {
            members.values_mut().for_each(|member| each_text(member, change));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
