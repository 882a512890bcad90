//! `POST /chat/completions`.

use serde_json::{Value, json};

use super::model_output::{Kind, ModelOutput, Tool};
use super::sse::Events;
use super::{Body, ReplyContext, filter, logprobs, pretty};
use crate::provider::Endpoint;

pub(super) fn body(context: &ReplyContext<'_>) -> Body {
    let choices: Vec<_> = (0..context.count()).map(|index| context.say(index)).collect();
    if context.is_streamed() {
        return stream(context, &choices).into();
    }
    let completion = completion(context, &choices);
    Body::json(if context.is_azure() {
        format!("{}\n", azure(completion))
    } else {
        pretty(&completion, "\n")
    })
}

fn completion(context: &ReplyContext<'_>, choices: &[ModelOutput]) -> Value {
    let listed: Vec<_> = choices
        .iter()
        .enumerate()
        .map(|(index, output)| {
            json!({
                "index": index,
                "message": message(output),
                "logprobs": logprobs(context, &output.kind, &output.pieces),
                "finish_reason": output.finish_reason
            })
        })
        .collect();
    json!({
        "id": id(context),
        "object": "chat.completion",
        "created": context.created(),
        "model": context.deployment.model,
        "choices": listed,
        "usage": usage(context, choices),
        "service_tier": context.service_tier(),
        "system_fingerprint": null
    })
}

fn message(output: &ModelOutput) -> Value {
    match &output.kind {
        Kind::Text => json!({
            "role": "assistant",
            "content": output.text(),
            "refusal": null,
            "annotations": []
        }),
        Kind::Refusal => json!({
            "role": "assistant",
            "content": null,
            "refusal": output.text(),
            "annotations": []
        }),
        Kind::Call { tool, id, name } => json!({
            "role": "assistant",
            "content": null,
            (calls_in(*tool)): call(*tool, id, name, &output.text()),
            "refusal": null,
            "annotations": []
        }),
    }
}

/// The member of a message that holds the calls of this kind of tool.
fn calls_in(tool: Tool) -> &'static str {
    match tool {
        Tool::Function | Tool::Custom => "tool_calls",
        Tool::OldFunction => "function_call",
    }
}

fn call(tool: Tool, id: &str, name: &str, with: &str) -> Value {
    match tool {
        Tool::Function => json!([{
            "id": id,
            "type": "function",
            "function": { "name": name, "arguments": with }
        }]),
        Tool::Custom => json!([{
            "id": id,
            "type": "custom",
            "custom": { "name": name, "input": with }
        }]),
        Tool::OldFunction => json!({ "name": name, "arguments": with }),
    }
}

/// The completion as Azure writes it: members in alphabetical order, with content filter results.
fn azure(mut completion: Value) -> Value {
    for choice in completion["choices"].as_array_mut().into_iter().flatten() {
        let message = &choice["message"];
        let is_text = message["content"].is_string() || message["refusal"].is_string();
        choice["content_filter_results"] = if is_text { filter::answer() } else { json!({}) };
    }
    completion["prompt_filter_results"] = Value::Null;
    completion.sort_all_objects();
    completion["prompt_filter_results"] = filter::prompts();
    completion
}

fn stream(context: &ReplyContext<'_>, choices: &[ModelOutput]) -> Events {
    let mut events = Events::default();
    if context.is_azure() {
        events.data(&json!({
            "choices": [],
            "created": 0,
            "id": "",
            "model": "",
            "object": "",
            "prompt_filter_results": filter::prompts()
        }));
    }
    let choices_at = |step| {
        let sent = |(index, output)| choice_at(context, index, output, step);
        choices.iter().enumerate().filter_map(sent).collect()
    };
    // The first step sends the role, and the second step sends the first content.
    let steps = choices.iter().map(|output| output.pieces.len() + 2).max().unwrap_or(0);
    let usage = usage(context, choices);
    context.stream_choices(events, Endpoint::ChatCompletions, [steps, 2], choices_at, chunk, &usage)
}

/// The chunk of a choice at this step; `None` once the choice has finished.
fn choice_at(
    context: &ReplyContext<'_>,
    index: usize,
    output: &ModelOutput,
    step: usize,
) -> Option<Value> {
    let finished = output.pieces.len() + 1;
    let sent = step.checked_sub(1).and_then(|at| output.pieces.get(at..=at)).unwrap_or_default();
    let delta = match step {
        0 => first_delta(output),
        _ if step == finished => json!({}),
        _ => delta(output, sent.first()?),
    };
    let mut choice = json!({
        "index": index,
        "delta": delta,
        "logprobs": if sent.is_empty() { Value::Null } else { logprobs(context, &output.kind, sent) },
        "finish_reason": if step == finished { json!(output.finish_reason) } else { Value::Null }
    });
    if context.is_azure() {
        let is_filtered = !sent.is_empty() && !output.is_call();
        choice["content_filter_results"] = if is_filtered { filter::answer() } else { json!({}) };
    }
    Some(choice)
}

fn first_delta(output: &ModelOutput) -> Value {
    match &output.kind {
        Kind::Text => json!({ "role": "assistant", "content": "", "refusal": null }),
        Kind::Refusal => json!({ "role": "assistant", "content": null, "refusal": "" }),
        Kind::Call { tool, id, name } => {
            let mut call = call(*tool, id, name, "");
            if let Some(Value::Object(listed)) = call.get_mut(0) {
                listed.shift_insert(0, "index".to_owned(), json!(0));
            }
            json!({
                "role": "assistant",
                "content": null,
                (calls_in(*tool)): call,
                "refusal": null
            })
        }
    }
}

/// The delta that sends one piece of the output. For custom tools, its form is from a [report],
/// because the published schema does not describe it.
///
/// [report]: https://github.com/openai/openai-openapi/issues/576
fn delta(output: &ModelOutput, piece: &str) -> Value {
    match output.kind {
        Kind::Text => json!({ "content": piece }),
        Kind::Refusal => json!({ "refusal": piece }),
        Kind::Call { tool, .. } => match tool {
            Tool::Function => {
                json!({ "tool_calls": [{ "index": 0, "function": { "arguments": piece } }] })
            }
            Tool::Custom => json!({ "tool_calls": [{ "index": 0, "custom": { "input": piece } }] }),
            Tool::OldFunction => json!({ "function_call": { "arguments": piece } }),
        },
    }
}

fn chunk(context: &ReplyContext<'_>, event: usize, choices: &Value, usage: &Value) -> Value {
    let mut chunk = json!({
        "id": id(context),
        "object": "chat.completion.chunk",
        "created": context.created(),
        "model": context.deployment.model,
        "service_tier": context.service_tier(),
        "system_fingerprint": null,
        "choices": choices
    });
    if context.includes_usage() {
        chunk["usage"] = usage.clone();
    }
    if let Some(obfuscation) = context.obfuscation(event) {
        chunk["obfuscation"] = obfuscation.into();
    }
    if context.is_azure() {
        chunk.sort_all_objects();
    }
    chunk
}

fn id(context: &ReplyContext<'_>) -> String {
    format!("chatcmpl-{}", context.digits("chat completion", 29))
}

fn usage(context: &ReplyContext<'_>, choices: &[ModelOutput]) -> Value {
    let members = ["messages", "tools", "functions"];
    let prompt: usize = members.iter().map(|name| context.members.tokens(name)).sum();
    let completion: usize = choices.iter().map(|output| output.pieces.len()).sum();
    json!({
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": { "cached_tokens": 0, "audio_tokens": 0 },
        "completion_tokens_details": {
            "reasoning_tokens": 0,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0
        }
    })
}

fn logprobs(context: &ReplyContext<'_>, kind: &Kind, pieces: &[String]) -> Value {
    if context.members.get("logprobs") != Some(true) {
        return Value::Null;
    }
    let pieces: Vec<_> = pieces.iter().map(|piece| logprobs::entry(context, piece)).collect();
    match kind {
        Kind::Text => json!({ "content": pieces, "refusal": null }),
        Kind::Refusal => json!({ "content": null, "refusal": pieces }),
        Kind::Call { .. } => Value::Null,
    }
}
