//! `POST /responses` and `POST /responses/compact`.

use serde_json::{Value, json};

use super::{Order, tokens_in};
use crate::provider::Surface;

/// A finished response: what was asked is repeated, as providers do.
pub(super) fn response(order: &Order<'_>) -> Value {
    let asked = |name: &str, default: Value| order.members.or(name, default);
    let words = order.words();
    let mut response = json!({
        "id": format!("resp_{}", order.digits("response", 50)),
        "object": "response",
        "created_at": order.created(),
        "status": "completed",
        "background": asked("background", json!(false)),
    });
    match order.deployment.surface {
        Surface::OpenAi => {
            response["billing"] = json!({ "payer": "developer" });
            response["completed_at"] = json!(order.created() + 1);
        }
        Surface::AzureV1 | Surface::AzureLegacy => {
            response["completed_at"] = json!(order.created() + 1);
            response["content_filters"] = json!([{
                "blocked": false,
                "source_type": "prompt",
                "content_filter_raw": [],
                "content_filter_results": {},
                "content_filter_offsets": {
                    "start_offset": 0,
                    "end_offset": order.members.tokens("input") * 4,
                    "check_offset": 0
                }
            }]);
        }
    }
    let rest = json!({
        "error": null,
        "frequency_penalty": 0.0,
        "incomplete_details": null,
        "instructions": asked("instructions", Value::Null),
        "max_output_tokens": asked("max_output_tokens", Value::Null),
        "max_tool_calls": asked("max_tool_calls", Value::Null),
        "model": order.deployment.model,
        "moderation": null,
        "output": [{
            "id": format!("msg_{}", order.digits("message", 50)),
            "type": "message",
            "status": "completed",
            "content": [
                { "type": "output_text", "annotations": [], "logprobs": [], "text": words }
            ],
            "role": "assistant"
        }],
        "parallel_tool_calls": asked("parallel_tool_calls", json!(true)),
        "presence_penalty": 0.0,
        "previous_response_id": asked("previous_response_id", Value::Null),
        "prompt_cache_key": asked("prompt_cache_key", Value::Null),
        "prompt_cache_retention": asked("prompt_cache_retention", Value::Null),
        "reasoning": asked("reasoning", json!({ "context": null, "effort": null, "summary": null })),
        "safety_identifier": asked("safety_identifier", Value::Null),
        "service_tier": "default",
        "store": asked("store", json!(true)),
        "temperature": asked("temperature", json!(1.0)),
        "text": asked("text", json!({ "format": { "type": "text" }, "verbosity": "medium" })),
        "tool_choice": asked("tool_choice", json!("auto")),
        "tool_usage": {
            "image_gen": {
                "input_tokens": 0,
                "input_tokens_details": { "image_tokens": 0, "text_tokens": 0 },
                "output_tokens": 0,
                "output_tokens_details": { "image_tokens": 0, "text_tokens": 0 },
                "total_tokens": 0
            },
            "web_search": { "num_requests": 0 }
        },
        "tools": asked("tools", json!([])),
        "top_logprobs": asked("top_logprobs", json!(0)),
        "top_p": asked("top_p", json!(1.0)),
        "truncation": asked("truncation", json!("disabled")),
        "usage": usage(order, tokens_in(&words)),
        "user": asked("user", Value::Null),
        "metadata": asked("metadata", json!({}))
    });
    if let (Value::Object(response), Value::Object(rest)) = (&mut response, rest) {
        response.extend(rest);
    }
    response
}

/// A compacted conversation: the user's messages, then one item that only the provider can read.
pub(super) fn compaction(order: &Order<'_>) -> Value {
    let sealed = format!(
        "gAAAAABp{}{}{}",
        order.digits("seal", 64),
        order.marker.token(),
        order.digits("seal again", 64)
    );
    let output_tokens = tokens_in(&sealed);
    let mut output = user_messages(order);
    output.push(json!({
        "id": format!("cmp_{}", order.digits("compaction", 50)),
        "type": "compaction",
        "encrypted_content": sealed
    }));
    json!({
        "id": format!("resp_{}", order.digits("response", 50)),
        "object": "response.compaction",
        "created_at": order.created(),
        "output": output,
        "usage": usage(order, output_tokens)
    })
}

fn user_messages(order: &Order<'_>) -> Vec<Value> {
    let contents: Vec<Value> = match order.members.get::<Value>("input") {
        Some(text @ Value::String(_)) => vec![text],
        Some(Value::Array(items)) => items
            .into_iter()
            .filter(|item| item["role"] == "user")
            .map(|mut item| item["content"].take())
            .collect(),
        _ => Vec::new(),
    };
    let message = |(index, content): (usize, Value)| {
        let content = match content {
            Value::String(text) => json!([{ "type": "input_text", "text": text }]),
            parts => parts,
        };
        json!({
            "id": format!("msg_{}", order.digits(&format!("message {index}"), 50)),
            "type": "message",
            "status": "completed",
            "content": content,
            "role": "user"
        })
    };
    contents.into_iter().enumerate().map(message).collect()
}

fn usage(order: &Order<'_>, output: usize) -> Value {
    let input = order.members.tokens("input") + order.members.tokens("instructions");
    json!({
        "input_tokens": input,
        "input_tokens_details": { "cache_write_tokens": 0, "cached_tokens": 0 },
        "output_tokens": output,
        "output_tokens_details": { "reasoning_tokens": 0 },
        "total_tokens": input + output
    })
}
