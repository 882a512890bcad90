//! `FP-CLIENT-01`: the client gets the provider's content unaltered. `FP-CLIENT-02`: it also gets
//! the provider's metadata unaltered.

use fallproof_suite::requirement::Code;
use serde_json::Value;

use super::model;
use crate::collector::Collector;
use crate::observe::Attempt;
use crate::violation::ClientViolation::{Changed, ChangedBytes, NotJson};

/// The members of a response that hold the content, on any endpoint.
pub(super) const CONTENT_MEMBERS: [&str; 5] = ["choices", "data", "output", "results", "text"];

/// Metadata that providers put next to a piece of content.
const REMARKS: [&str; 3] = ["/content_filter_results", "/prompt_filter_results", "/finish_reason"];

/// Compares a response that is not streamed with the provider's answer to the attempt `answering`.
pub(super) fn check(found: &mut Collector<'_>, answering: &Attempt<'_>) {
    let body = &found.view.observed.exchange.body;
    let answered = || answering.deployment.name.clone();
    let Ok(Value::Object(given)) = serde_json::from_slice(&answering.recorded.reply) else {
        return same_bytes(found, answering);
    };
    let Ok(shown) = serde_json::from_slice::<Value>(body) else {
        found.breach(Code::Client01, NotJson { answered: answered() });
        return;
    };
    // If the attempt went to another endpoint, the answer was translated and cannot be compared.
    let asked = found.view.planned.send.endpoint;
    let translated = answering.recorded.route.is_none() || answering.is_translated(asked);
    for (name, given) in given.iter().filter(|_| !translated) {
        let requirement = match name.as_str() {
            "model" => continue,
            name if CONTENT_MEMBERS.contains(&name) => Code::Client01,
            _ => Code::Client02,
        };
        let pointer = format!("/{name}");
        let wants_base64 = wants_base64(&found.view.observed.exchange.sent);
        if let Some(pointer) = missing(given, &shown[name.as_str()], &pointer, wants_base64) {
            let is_remark = REMARKS.iter().any(|remark| pointer.contains(remark));
            let requirement = if is_remark { Code::Client02 } else { requirement };
            found.breach(requirement, Changed { answered: answered() }).pointing(&pointer);
        }
    }
    if let Some(named) = shown["model"].as_str() {
        model::truthful(found, answering, named);
    }
}

/// Compares audio and text byte for byte. Ignores leading and trailing whitespace of text.
fn same_bytes(found: &mut Collector<'_>, answering: &Attempt<'_>) {
    let (given, got) = (&answering.recorded.reply, &found.view.observed.exchange.body);
    let is_text = answering.recorded.route.is_some_and(|(_, endpoint)| endpoint.is_multipart());
    if answering.recorded.reply_cut.is_none()
        && given != got
        && !(is_text && given.trim_ascii() == got.trim_ascii())
    {
        let answered = answering.deployment.name.clone();
        let kind = ChangedBytes { answered, given: given.len(), got: got.len() };
        found.breach(Code::Client01, kind);
    }
}

/// Returns a pointer to the first value of the provider's answer that is missing from the response;
/// remarks are checked last. Additional values are allowed. Null and empty values count as absent,
/// and an embedding must be in the format that the client requested.
fn missing(given: &Value, shown: &Value, pointer: &str, wants_base64: bool) -> Option<String> {
    let below = |part: &str| format!("{pointer}/{}", part.replace('~', "~0").replace('/', "~1"));
    let same = match (given, shown) {
        (Value::Null, _) => true,
        (Value::Array(given), Value::Array(shown)) => {
            let pairs = given.iter().zip(shown).enumerate();
            let inner = |(at, (given, shown))| {
                missing(given, shown, &below(&format!("{at}")), wants_base64)
            };
            if let Some(found) = { pairs }.find_map(inner) {
                return Some(found);
            }
            given.len() == shown.len()
        }
        (Value::Object(given), shown) if shown.is_object() || given.is_empty() => {
            let remark = |name: &str| REMARKS.iter().any(|remark| remark[1..] == *name);
            let (remarks, content): (Vec<_>, Vec<_>) =
                given.iter().partition(|(name, _)| remark(name));
            let inner = |(name, given): (&String, _)| {
                missing(given, &shown[name], &below(name), wants_base64)
            };
            return content.into_iter().chain(remarks).find_map(inner);
        }
        (Value::Array(given), Value::Null) => given.is_empty(),
        (Value::Array(_), Value::String(_)) => pointer.ends_with("/embedding") && wants_base64,
        (Value::String(_), Value::Array(_)) => pointer.ends_with("/embedding") && !wants_base64,
        (Value::Number(given), Value::Number(shown)) => given.as_f64() == shown.as_f64(),
        (given, shown) => given == shown,
    };
    (!same).then(|| pointer.to_owned())
}

/// Whether the client requested embeddings in base64.
fn wants_base64(sent: &[u8]) -> bool {
    let sent: Value = serde_json::from_slice(sent).unwrap_or_default();
    sent["encoding_format"] == "base64"
}
