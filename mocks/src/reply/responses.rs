//! `POST /responses` and `POST /responses/compact`.

mod items;
mod stream;

use serde_json::{Value, json};

use super::{Body, ReplyContext, filter, pretty};
use items::Item;

pub(super) fn body(context: &ReplyContext<'_>) -> Body {
    let items = items::of(context);
    if context.is_streamed() {
        return stream::events(context, &items).into();
    }
    let mut response = response(context, &items);
    if !context.is_azure() {
        put_after(&mut response, "background", "billing", json!({ "payer": "developer" }));
    }
    Body::json(pretty(&response, ""))
}

/// The completed response, as it can be retrieved later.
pub(super) fn stored(context: &ReplyContext<'_>) -> String {
    pretty(&response(context, &items::of(context)), "")
}

pub(super) fn compact_body(context: &ReplyContext<'_>) -> Body {
    Body::json(pretty(&compaction(context), ""))
}

/// A completed response. It repeats the request's parameters, as the providers' responses do.
fn response(context: &ReplyContext<'_>, items: &[Item]) -> Value {
    let output_tokens = items.iter().map(Item::tokens).sum();
    let answer_length: usize = items.iter().map(Item::length).sum();
    let output: Vec<_> = items.iter().map(|item| item.value.clone()).collect();
    let mut response = frame(context);
    response["status"] = json!("completed");
    response["completed_at"] = json!(context.created() + 1);
    response["output"] = json!(output);
    response["service_tier"] = json!(context.service_tier());
    response["usage"] = usage(context, output_tokens, items::reasoning_tokens(items));
    if context.is_azure() {
        response["content_filters"] =
            filter::response(context.members.tokens("input") * 4, answer_length);
    }
    response
}

/// A response that is still in progress.
fn frame(context: &ReplyContext<'_>) -> Value {
    let member = |name: &str, default: Value| context.members.or(name, default);
    let merged = |name: &str, mut default: Value| {
        if let (Value::Object(resolved), Value::Object(member)) =
            (&mut default, context.members.value(name))
        {
            resolved.extend(member);
        }
        default
    };
    let mut response = json!({
        "id": context.response_id(),
        "object": "response",
        "created_at": context.created(),
        "status": "in_progress",
        "background": member("background", json!(false)),
        "completed_at": null,
        "error": null,
        "frequency_penalty": 0.0,
        "incomplete_details": null,
        "instructions": member("instructions", Value::Null),
        "max_output_tokens": member("max_output_tokens", Value::Null),
        "max_tool_calls": member("max_tool_calls", Value::Null),
        "model": context.deployment.model,
        "moderation": null,
        "output": [],
        "parallel_tool_calls": member("parallel_tool_calls", json!(true)),
        "presence_penalty": 0.0,
        "previous_response_id": member("previous_response_id", Value::Null),
        "prompt_cache_key": member("prompt_cache_key", Value::Null),
        "prompt_cache_retention": member("prompt_cache_retention", Value::Null),
        "reasoning": merged(
            "reasoning",
            json!({ "context": null, "effort": null, "summary": null })
        ),
        "safety_identifier": member("safety_identifier", Value::Null),
        "service_tier": member("service_tier", json!("auto")),
        "store": member("store", json!(true)),
        "temperature": member("temperature", json!(1.0)),
        "text": merged("text", json!({ "format": { "type": "text" }, "verbosity": "medium" })),
        "tool_choice": member("tool_choice", json!("auto")),
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
        "tools": member("tools", json!([])),
        "top_logprobs": member("top_logprobs", json!(0)),
        "top_p": member("top_p", json!(1.0)),
        "truncation": member("truncation", json!("disabled")),
        "usage": null,
        "user": member("user", Value::Null),
        "metadata": member("metadata", json!({}))
    });
    if context.is_azure() {
        put_after(&mut response, "completed_at", "content_filters", Value::Null);
    }
    response
}

/// Inserts a member after the member named `before`, as in the recordings.
fn put_after(response: &mut Value, before: &str, name: &str, value: Value) {
    if let Value::Object(members) = response {
        let at = members.keys().position(|one| one == before).unwrap_or_default();
        members.shift_insert(at + 1, name.to_owned(), value);
    }
}

/// A compacted conversation: the user's messages, followed by one opaque item.
fn compaction(context: &ReplyContext<'_>) -> Value {
    let sealed = context.sealed("compaction");
    let output_tokens = super::tokens_in(&sealed);
    let mut output = user_messages(context);
    output.push(json!({
        "id": format!("cmp_{}", context.digits("compaction", 50)),
        "type": "compaction",
        "encrypted_content": sealed
    }));
    json!({
        "id": context.response_id(),
        "object": "response.compaction",
        "created_at": context.created(),
        "output": output,
        "usage": usage(context, output_tokens, 0)
    })
}

fn user_messages(context: &ReplyContext<'_>) -> Vec<Value> {
    let contents: Vec<Value> = match context.members.value("input") {
        text @ Value::String(_) => vec![text],
        Value::Array(items) => items
            .into_iter()
            .filter(|item| item["role"] == "user")
            .map(|mut item| item["content"].take())
            .collect(),
        _ => Vec::new(),
    };
    let message = |(index, given): (usize, Value)| {
        let parts = match given {
            Value::String(text) => json!([{ "type": "input_text", "text": text }]),
            parts => parts,
        };
        json!({
            "id": format!("msg_{}", context.digits(&format!("message {index}"), 50)),
            "type": "message",
            "status": "completed",
            "content": parts,
            "role": "user"
        })
    };
    contents.into_iter().enumerate().map(message).collect()
}

fn usage(context: &ReplyContext<'_>, output: usize, reasoning: usize) -> Value {
    let counted = ["input", "instructions", "tools"];
    let input: usize = counted.iter().map(|name| context.members.tokens(name)).sum();
    json!({
        "input_tokens": input,
        "input_tokens_details": { "cache_write_tokens": 0, "cached_tokens": 0 },
        "output_tokens": output,
        "output_tokens_details": { "reasoning_tokens": reasoning },
        "total_tokens": input + output
    })
}
