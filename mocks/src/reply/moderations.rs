//! `POST /moderations`.

use serde_json::{Map, Value, json};

use super::{Body, ReplyContext, pretty};

const CATEGORIES: [&str; 13] = [
    "harassment",
    "harassment/threatening",
    "sexual",
    "hate",
    "hate/threatening",
    "illicit",
    "illicit/violent",
    "self-harm/intent",
    "self-harm/instructions",
    "self-harm",
    "sexual/minors",
    "violence",
    "violence/graphic",
];

/// Maximum number of results.
const MOST_INPUTS: usize = 1_000;

/// A reply that flags nothing. The marker is in the id, because the reply has no other free text.
pub(super) fn body(context: &ReplyContext<'_>) -> Body {
    let each = |value: Value| {
        CATEGORIES.iter().map(|name| ((*name).to_owned(), value.clone())).collect::<Map<_, _>>()
    };
    let result = json!({
        "flagged": false,
        "categories": each(json!(false)),
        "category_scores": each(json!(0.0)),
        "category_applied_input_types": each(json!([]))
    });
    let moderation = json!({
        "id": format!("modr-{}-{}", context.marker.token(), context.attempt),
        "model": context.deployment.model,
        "results": vec![result; results(context)]
    });
    Body::json(pretty(&moderation, ""))
}

/// Number of results: one per string in a list of strings, otherwise one.
fn results(context: &ReplyContext<'_>) -> usize {
    match context.members.value("input") {
        Value::Array(inputs) if inputs.iter().all(Value::is_string) => {
            inputs.len().min(MOST_INPUTS)
        }
        _ => 1,
    }
}
