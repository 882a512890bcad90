//! `POST /responses` and `POST /responses/compact`.

mod items;
mod stream;

use serde_json::{Value, json};

use super::{Body, Order, filter, pretty};
use items::Item;

pub(super) fn body(order: &Order<'_>) -> Body {
    let items = items::of(order);
    if order.is_streamed() {
        return stream::events(order, &items).into();
    }
    let mut response = response(order, &items);
    if !order.is_azure() {
        put_after(&mut response, "background", "billing", json!({ "payer": "developer" }));
    }
    Body::json(pretty(&response, ""))
}

/// The finished response, as it can be got again.
pub(super) fn stored(order: &Order<'_>) -> String {
    pretty(&response(order, &items::of(order)), "")
}

pub(super) fn compact_body(order: &Order<'_>) -> Body {
    Body::json(pretty(&compaction(order), ""))
}

/// A finished response: what was asked is repeated, as providers do.
fn response(order: &Order<'_>, items: &[Item]) -> Value {
    let output_tokens = items.iter().map(Item::tokens).sum();
    let answer_length: usize = items.iter().map(Item::length).sum();
    let output: Vec<_> = items.iter().map(|item| item.value.clone()).collect();
    let mut response = frame(order);
    response["status"] = json!("completed");
    response["completed_at"] = json!(order.created() + 1);
    response["output"] = json!(output);
    response["service_tier"] = json!(order.service_tier());
    response["usage"] = usage(order, output_tokens, items::reasoning_tokens(items));
    if order.is_azure() {
        response["content_filters"] =
            filter::response(order.members.tokens("input") * 4, answer_length);
    }
    response
}

/// A response that has only begun.
fn frame(order: &Order<'_>) -> Value {
    let asked = |name: &str, default: Value| order.members.or(name, default);
    let merged = |name: &str, mut default: Value| {
        if let (Value::Object(whole), Value::Object(asked)) =
            (&mut default, order.members.value(name))
        {
            whole.extend(asked);
        }
        default
    };
    let mut response = json!({
        "id": order.response_id(),
        "object": "response",
        "created_at": order.created(),
        "status": "in_progress",
        "background": asked("background", json!(false)),
        "completed_at": null,
        "error": null,
        "frequency_penalty": 0.0,
        "incomplete_details": null,
        "instructions": asked("instructions", Value::Null),
        "max_output_tokens": asked("max_output_tokens", Value::Null),
        "max_tool_calls": asked("max_tool_calls", Value::Null),
        "model": order.deployment.model,
        "moderation": null,
        "output": [],
        "parallel_tool_calls": asked("parallel_tool_calls", json!(true)),
        "presence_penalty": 0.0,
        "previous_response_id": asked("previous_response_id", Value::Null),
        "prompt_cache_key": asked("prompt_cache_key", Value::Null),
        "prompt_cache_retention": asked("prompt_cache_retention", Value::Null),
        "reasoning": merged(
            "reasoning",
            json!({ "context": null, "effort": null, "summary": null })
        ),
        "safety_identifier": asked("safety_identifier", Value::Null),
        "service_tier": asked("service_tier", json!("auto")),
        "store": asked("store", json!(true)),
        "temperature": asked("temperature", json!(1.0)),
        "text": merged("text", json!({ "format": { "type": "text" }, "verbosity": "medium" })),
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
        "usage": null,
        "user": asked("user", Value::Null),
        "metadata": asked("metadata", json!({}))
    });
    if order.is_azure() {
        put_after(&mut response, "completed_at", "content_filters", Value::Null);
    }
    response
}

/// Puts a member in where it stands in the recordings.
fn put_after(response: &mut Value, before: &str, name: &str, value: Value) {
    if let Value::Object(members) = response {
        let at = members.keys().position(|one| one == before).unwrap_or_default();
        members.shift_insert(at + 1, name.to_owned(), value);
    }
}

/// A compacted conversation: the user's messages, then one item that only the provider can read.
fn compaction(order: &Order<'_>) -> Value {
    let sealed = order.sealed("compaction");
    let output_tokens = super::tokens_in(&sealed);
    let mut output = user_messages(order);
    output.push(json!({
        "id": format!("cmp_{}", order.digits("compaction", 50)),
        "type": "compaction",
        "encrypted_content": sealed
    }));
    json!({
        "id": order.response_id(),
        "object": "response.compaction",
        "created_at": order.created(),
        "output": output,
        "usage": usage(order, output_tokens, 0)
    })
}

fn user_messages(order: &Order<'_>) -> Vec<Value> {
    let contents: Vec<Value> = match order.members.value("input") {
        text @ Value::String(_) => vec![text],
        Value::Array(items) => items
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

fn usage(order: &Order<'_>, output: usize, reasoning: usize) -> Value {
    let asked = ["input", "instructions", "tools"];
    let input: usize = asked.iter().map(|name| order.members.tokens(name)).sum();
    json!({
        "input_tokens": input,
        "input_tokens_details": { "cache_write_tokens": 0, "cached_tokens": 0 },
        "output_tokens": output,
        "output_tokens_details": { "reasoning_tokens": reasoning },
        "total_tokens": input + output
    })
}
