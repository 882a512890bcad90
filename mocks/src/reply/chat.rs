//! `POST /chat/completions`.

use serde_json::{Value, json};

use super::{Order, tokens_in};

/// The most choices that a provider gives.
const MOST_CHOICES: u64 = 128;

/// `OpenAI`'s form, in declaration order.
pub(super) fn openai(order: &Order<'_>) -> Value {
    let usage = Usage::of(order);
    json!({
        "id": id(order),
        "object": "chat.completion",
        "created": order.created(),
        "model": order.deployment.model,
        "choices": choices(order, |index, content| json!({
            "index": index,
            "message": {
                "role": "assistant",
                "content": content,
                "refusal": null,
                "annotations": []
            },
            "logprobs": null,
            "finish_reason": "stop"
        })),
        "usage": {
            "prompt_tokens": usage.prompt,
            "completion_tokens": usage.completion,
            "total_tokens": usage.prompt + usage.completion,
            "prompt_tokens_details": { "cached_tokens": 0, "audio_tokens": 0 },
            "completion_tokens_details": {
                "reasoning_tokens": 0,
                "audio_tokens": 0,
                "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0
            }
        },
        "service_tier": "default",
        "system_fingerprint": null
    })
}

/// Azure's form: alphabetical order, with what its content filter found.
pub(super) fn azure(order: &Order<'_>) -> Value {
    let usage = Usage::of(order);
    let safe = || json!({ "filtered": false, "severity": "safe" });
    let undetected = || json!({ "detected": false, "filtered": false });
    json!({
        "choices": choices(order, |index, content| json!({
            "content_filter_results": {
                "hate": safe(),
                "protected_material_code": undetected(),
                "protected_material_text": undetected(),
                "self_harm": safe(),
                "sexual": safe(),
                "violence": safe()
            },
            "finish_reason": "stop",
            "index": index,
            "logprobs": null,
            "message": {
                "annotations": [],
                "content": content,
                "refusal": null,
                "role": "assistant"
            }
        })),
        "created": order.created(),
        "id": id(order),
        "model": order.deployment.model,
        "object": "chat.completion",
        // Recorded so: inside, the index comes first.
        "prompt_filter_results": [{
            "prompt_index": 0,
            "content_filter_results": {
                "hate": safe(),
                "jailbreak": undetected(),
                "self_harm": safe(),
                "sexual": safe(),
                "violence": safe()
            }
        }],
        "service_tier": "default",
        "system_fingerprint": null,
        "usage": {
            "completion_tokens": usage.completion,
            "completion_tokens_details": {
                "accepted_prediction_tokens": 0,
                "audio_tokens": 0,
                "reasoning_tokens": 0,
                "rejected_prediction_tokens": 0
            },
            "prompt_tokens": usage.prompt,
            "prompt_tokens_details": { "audio_tokens": 0, "cached_tokens": 0 },
            "total_tokens": usage.prompt + usage.completion
        }
    })
}

fn id(order: &Order<'_>) -> String {
    format!("chatcmpl-{}", order.digits("chat completion", 29))
}

fn choices(order: &Order<'_>, choice: impl Fn(u64, String) -> Value) -> Vec<Value> {
    (0..count(order)).map(|index| choice(index, order.words())).collect()
}

fn count(order: &Order<'_>) -> u64 {
    order.members.get::<u64>("n").map_or(1, |count| count.clamp(1, MOST_CHOICES))
}

struct Usage {
    prompt: usize,
    completion: usize,
}

impl Usage {
    fn of(order: &Order<'_>) -> Self {
        let choices = usize::try_from(count(order)).expect("at most 128");
        Self {
            prompt: order.members.tokens("messages"),
            completion: choices * tokens_in(&order.words()),
        }
    }
}
