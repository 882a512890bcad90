//! The items of a response's output.

use serde_json::{Value, json};

use crate::reply::model_output::{Kind, ModelOutput, Tool, pieces};
use crate::reply::{ReplyContext, logprobs};

/// Number of tokens that is reported for a reasoning item.
const REASONING_TOKENS: usize = 64;

/// An output item, and how a stream sends it.
pub(super) struct Item {
    /// The completed item.
    pub(super) value: Value,
    pub(super) content: Content,
}

pub(super) enum Content {
    /// Pieces of the summary; empty if there is no summary.
    Reasoning(Vec<String>),
    /// A text, a refusal or a tool call.
    ModelOutput(ModelOutput),
}

impl Item {
    pub(super) fn id(&self) -> &str {
        self.value["id"].as_str().unwrap_or_default()
    }

    pub(super) fn tokens(&self) -> usize {
        match &self.content {
            Content::Reasoning(_) => REASONING_TOKENS,
            Content::ModelOutput(output) => output.pieces.len(),
        }
    }

    /// Length of the text, in bytes.
    pub(super) fn length(&self) -> usize {
        match &self.content {
            Content::Reasoning(_) => 0,
            Content::ModelOutput(output) => output.pieces.iter().map(String::len).sum(),
        }
    }
}

pub(super) fn of(context: &ReplyContext<'_>) -> Vec<Item> {
    reasoning(context).into_iter().chain([answer(context)]).collect()
}

pub(super) fn reasoning_tokens(items: &[Item]) -> usize {
    let thoughts = items.iter().filter(|item| matches!(item.content, Content::Reasoning(_)));
    thoughts.map(Item::tokens).sum()
}

/// The reasoning item. Present only for a reasoning model, and only if the request configures
/// reasoning or asks for encrypted reasoning.
fn reasoning(context: &ReplyContext<'_>) -> Option<Item> {
    let reasoning = context.members.value("reasoning");
    let is_sealed = includes(context, "reasoning.encrypted_content");
    let thinks = reasoning.as_object().is_some_and(|reasoning| !reasoning.is_empty());
    if !reasons(&context.deployment.model)
        || !(thinks || is_sealed)
        || reasoning["effort"] == "none"
    {
        return None;
    }
    let summary = if reasoning["summary"].is_string() {
        pieces(&format!("{} thought about it.", context.marker.token()))
    } else {
        Vec::new()
    };
    let texts: Vec<_> = (!summary.is_empty())
        .then(|| json!({ "type": "summary_text", "text": summary.concat() }))
        .into_iter()
        .collect();
    let mut value = json!({
        "id": format!("rs_{}", context.digits("reasoning", 50)),
        "type": "reasoning",
        "content": [],
        "encrypted_content": context.sealed("reasoning"),
        "summary": texts
    });
    if let (false, Some(members)) = (is_sealed, value.as_object_mut()) {
        members.shift_remove("encrypted_content");
    }
    Some(Item { value, content: Content::Reasoning(summary) })
}

fn reasons(model: &str) -> bool {
    let is_series = |series: &str| model.starts_with(series);
    ["o1", "o3", "o4", "gpt-5"].iter().any(|series| is_series(series)) && !model.contains("-chat")
}

fn answer(context: &ReplyContext<'_>) -> Item {
    let output = context.say(0);
    let value = match &output.kind {
        Kind::Text => message(
            context,
            &json!({ "type": "output_text",
                "annotations": [],
                "logprobs": logprobs(context, &output.pieces),
                "text": output.text()
            }),
        ),
        Kind::Refusal => message(context, &json!({ "type": "refusal", "refusal": output.text() })),
        Kind::Call { tool: Tool::Custom, id, name } => json!({
            "id": format!("ctc_{}", context.digits("custom tool call", 50)),
            "type": "custom_tool_call",
            "status": "completed",
            "call_id": id,
            "input": output.text(),
            "name": name
        }),
        Kind::Call { id, name, .. } => json!({
            "id": format!("fc_{}", context.digits("function call", 50)),
            "type": "function_call",
            "status": "completed",
            "arguments": output.text(),
            "call_id": id,
            "name": name
        }),
    };
    Item { value, content: Content::ModelOutput(output) }
}

fn message(context: &ReplyContext<'_>, part: &Value) -> Value {
    json!({
        "id": format!("msg_{}", context.digits("message", 50)),
        "type": "message",
        "status": "completed",
        "content": [part],
        "role": "assistant"
    })
}

/// The log probabilities, with one entry per piece; empty if the request does not ask for them.
pub(super) fn logprobs(context: &ReplyContext<'_>, pieces: &[String]) -> Value {
    if !includes(context, "message.output_text.logprobs") {
        return json!([]);
    }
    pieces.iter().map(|piece| logprobs::entry(context, piece)).collect()
}

fn includes(context: &ReplyContext<'_>, what: &str) -> bool {
    let included: Vec<String> = context.members.get("include").unwrap_or_default();
    included.iter().any(|it| it == what)
}
