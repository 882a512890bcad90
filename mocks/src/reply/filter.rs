//! Azure's content filter results.

use serde_json::{Value, json};

fn safe() -> Value {
    json!({ "filtered": false, "severity": "safe" })
}

fn undetected() -> Value {
    json!({ "detected": false, "filtered": false })
}

/// The results for the text of an answer.
pub(super) fn answer() -> Value {
    json!({
        "hate": safe(),
        "protected_material_code": undetected(),
        "protected_material_text": undetected(),
        "self_harm": safe(),
        "sexual": safe(),
        "violence": safe()
    })
}

fn prompt() -> Value {
    json!({
        "hate": safe(),
        "jailbreak": undetected(),
        "self_harm": safe(),
        "sexual": safe(),
        "violence": safe()
    })
}

/// The `prompt_filter_results` of chat. In the recordings, these are the only members that are not
/// in alphabetical order.
pub(super) fn prompts() -> Value {
    json!([{ "prompt_index": 0, "content_filter_results": prompt() }])
}

/// The `content_filters` of a completed response.
pub(super) fn response(prompt_length: usize, answer_length: usize) -> Value {
    let found = |source: &str, results: Value, length: usize| {
        json!({
            "blocked": false,
            "source_type": source,
            "content_filter_raw": [],
            "content_filter_results": results,
            "content_filter_offsets": { "start_offset": 0, "end_offset": length, "check_offset": 0 }
        })
    };
    json!([found("prompt", prompt(), prompt_length), found("completion", answer(), answer_length)])
}
