//! Benchmarks of request validation: `cargo bench -p fallproof-strict`.
//!
//! Targets: under 100 µs for a chat of 1 kB, under 2 ms for a `/responses` request of 60 kB.

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use fallproof_protocol::provider::{Endpoint, Surface};
use fallproof_strict::check;
use serde_json::{Value, json};

fn main() {
    divan::main();
}

/// Measures the first request to an endpoint, which also parses the schema of the endpoint. Only
/// one sample per endpoint is possible. This benchmark must run before the others, which also parse
/// the schemas; its name puts it first in alphabetical order.
#[divan::bench(args = [Endpoint::ChatCompletions, Endpoint::Responses], sample_count = 1, sample_size = 1)]
fn a_first_use(bencher: Bencher<'_, '_>, endpoint: Endpoint) {
    bencher.bench_local(|| check(Surface::OpenAi, endpoint, "m", black_box(b"{}")));
}

#[divan::bench]
fn chat_1_kb(bencher: Bencher<'_, '_>) {
    valid(bencher, Endpoint::ChatCompletions, "gpt-4o", &chat());
}

#[divan::bench]
fn responses_60_kb(bencher: Bencher<'_, '_>) {
    valid(bencher, Endpoint::Responses, "gpt-5", &responses());
}

/// Measures a valid body, for which all checks run to the end.
fn valid(bencher: Bencher<'_, '_>, endpoint: Endpoint, model: &str, body: &Value) {
    let body = body.to_string();
    assert_eq!(check(Surface::OpenAi, endpoint, model, body.as_bytes()), None);
    bencher
        .counter(BytesCount::of_str(&body))
        .bench_local(|| check(Surface::OpenAi, endpoint, model, black_box(body.as_bytes())));
}

fn chat() -> Value {
    json!({
        "model": "gpt-4o", "temperature": 0.2, "max_tokens": 200, "stream": true,
        "stream_options": {"include_usage": true},
        "messages": [
            {"role": "system", "content": "You answer questions about the weather, in one sentence. ".repeat(7)},
            {"role": "user", "content": "What will the weather be like in Paris tomorrow?"},
            {"role": "assistant", "content": null, "tool_calls": [{"id": "call_1", "type": "function",
                "function": {"name": "get_weather", "arguments": "{\"city\":\"Paris\"}"}}]},
            {"role": "tool", "tool_call_id": "call_1", "content": "Sunny, 21 degrees"}],
        "tools": [{"type": "function", "function": {"name": "get_weather", "description": "Tells the weather.",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}}]
    })
}

/// A request as an agent sends it after many turns, with several types of items and a dozen tools.
fn responses() -> Value {
    let turn = |n: usize| {
        [
            json!({"role": "user", "content": [{"type": "input_text", "text": "Look at the next file. ".repeat(8)}]}),
            json!({"type": "reasoning", "id": format!("rs_{n}"), "summary": [], "encrypted_content": "gAAAA".repeat(60)}),
            json!({"type": "function_call", "call_id": format!("call_{n}"), "name": "read", "arguments": "{\"path\":\"a.rs\"}"}),
            json!({"type": "function_call_output", "call_id": format!("call_{n}"), "output": "line of code\n".repeat(40)}),
            json!({"type": "message", "role": "assistant", "id": format!("msg_{n}"), "status": "completed",
                "content": [{"type": "output_text", "text": "It reads a file. ".repeat(10), "annotations": []}]}),
        ]
    };
    let tool = |n: usize| {
        json!({"type": "function", "name": format!("tool_{n}"), "description": "Does one thing well.", "strict": true,
            "parameters": {"type": "object", "additionalProperties": false, "required": ["path"],
                "properties": {"path": {"type": "string", "description": "Where the file is."}}}})
    };
    json!({
        "model": "gpt-5", "instructions": "Be brief.", "store": false, "include": ["reasoning.encrypted_content"],
        "reasoning": {"effort": "low", "summary": "auto"}, "parallel_tool_calls": true,
        "tools": (0..12).map(tool).collect::<Vec<_>>(),
        "input": (0..38).flat_map(turn).collect::<Vec<_>>(),
    })
}
