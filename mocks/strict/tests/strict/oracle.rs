//! Compares this crate with a general JSON Schema validator, the oracle: both must agree on which
//! bodies are valid.
//!
//! The two differ on purpose in two cases, which the generated bodies avoid: JSON Schema counts
//! `1.0` as an integer, and it cannot forbid duplicate keys. The oracle does not know the rules in
//! `x-rules`, so a body that violates only such a rule counts as valid here. Forms have their own
//! oracle in `forms.rs`.

use std::sync::LazyLock;

use crate::support::everywhere;
use fallproof_protocol::provider::{Endpoint, Surface};
use fallproof_strict::check;
use jsonschema::Validator;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use rstest::rstest;
use serde_json::{Map, Value, json};

/// The JSON Schema of one endpoint, and the messages of its rules.
struct Oracle {
    surface: Surface,
    endpoint: Endpoint,
    validator: Validator,
    rules: Vec<String>,
}

static ORACLES: LazyLock<Vec<Oracle>> = LazyLock::new(|| {
    let json = everywhere().filter(|(_, endpoint)| !endpoint.is_multipart());
    json.map(|(surface, endpoint)| oracle(surface, endpoint)).collect()
});

/// The endpoints with JSON requests.
const JSON_ENDPOINTS: [Endpoint; 8] = [
    Endpoint::ChatCompletions,
    Endpoint::Completions,
    Endpoint::Embeddings,
    Endpoint::Responses,
    Endpoint::ResponsesCompact,
    Endpoint::ImagesGenerations,
    Endpoint::AudioSpeech,
    Endpoint::Moderations,
];

fn oracle(surface: Surface, endpoint: Endpoint) -> Oracle {
    let schema = crate::support::schema(surface, endpoint);
    let sentence = |rule: &Value| rule["message"].as_str().expect("a sentence").to_owned();
    Oracle {
        surface,
        endpoint,
        validator: jsonschema::draft202012::new(&schema).expect("the file is a schema"),
        rules: schema["x-rules"].as_array().expect("a list").iter().map(sentence).collect(),
    }
}

/// Bodies that every surface accepts, in many shapes.
fn valid_bodies(endpoint: Endpoint) -> Vec<Value> {
    match endpoint {
        Endpoint::ChatCompletions => vec![
            json!({"model": "m", "messages": [{"role": "user", "content": "Hi"}]}),
            json!({
                "model": "m", "temperature": 0.5, "top_p": 1, "n": 2, "seed": 7, "stop": ["a", "b"],
                "max_tokens": 16, "stream": true, "stream_options": {"include_usage": true},
                "logit_bias": {"50256": -100}, "logprobs": true, "top_logprobs": 3,
                "response_format": {"type": "json_schema", "json_schema":
                    {"name": "n", "schema": {"type": "object"}, "strict": true}},
                "tools": [{"type": "function", "function":
                    {"name": "f", "parameters": {"type": "object"}, "strict": null}}],
                "tool_choice": {"type": "function", "function": {"name": "f"}},
                "parallel_tool_calls": false, "store": true, "metadata": {"a": "b"}, "user": "u",
                "messages": [
                    {"role": "system", "content": [{"type": "text", "text": "Be brief."}]},
                    {"role": "user", "name": "n", "content": [
                        {"type": "text", "text": "Look"},
                        {"type": "image_url", "image_url": {"url": "https://example.com/a.png", "detail": "low"}},
                        {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}}]},
                    {"role": "assistant", "content": null, "tool_calls": [
                        {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
                    {"role": "tool", "tool_call_id": "c", "content": "done"}]
            }),
        ],
        Endpoint::Completions => vec![
            json!({"model": "m", "prompt": "Hi"}),
            json!({
                "model": "m", "prompt": ["a", "b"], "best_of": 2, "echo": true, "frequency_penalty": 0.5,
                "logit_bias": {"50256": -100}, "logprobs": 3, "max_tokens": 16, "n": 2, "presence_penalty": -1,
                "seed": 7, "stop": "x", "stream": true, "stream_options": {"include_usage": true},
                "suffix": null, "temperature": 0.5, "top_p": 1, "user": "u"
            }),
            json!({"model": "m", "prompt": [1, 2, 3], "stop": ["a", "b"]}),
            json!({"model": "m", "prompt": [[1, 2], [3]]}),
        ],
        Endpoint::Embeddings => vec![
            json!({"model": "m", "input": "Hi", "dimensions": 8, "encoding_format": "float"}),
            json!({"model": "m", "input": ["a", "b"], "user": "u"}),
            json!({"model": "m", "input": [1, 2, 3]}),
            json!({"model": "m", "input": [[1, 2], [3]]}),
        ],
        Endpoint::Responses => vec![
            json!({"model": "m", "input": "Hi"}),
            json!({
                "model": "m", "instructions": "Be brief.", "max_output_tokens": 64, "store": false,
                "include": ["reasoning.encrypted_content"], "truncation": "auto", "stream": false,
                "reasoning": {"effort": "low", "summary": "auto"}, "metadata": {"a": "b"},
                "text": {"format": {"type": "json_schema", "name": "n", "schema": {}}, "verbosity": "low"},
                "tools": [
                    {"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": true},
                    {"type": "file_search", "vector_store_ids": ["vs_1"], "filters":
                        {"type": "and", "filters": [
                            {"type": "eq", "key": "k", "value": 1},
                            {"type": "or", "filters": [{"type": "in", "key": "k", "value": ["a", 2]}]}]}},
                    {"type": "mcp", "server_label": "l", "server_url": "https://example.com",
                        "require_approval": "never", "allowed_tools": ["t"]}],
                "tool_choice": "auto",
                "input": input_items()
            }),
        ],
        Endpoint::ResponsesCompact => vec![
            json!({"model": "m", "input": "Hi", "instructions": "Be brief."}),
            json!({"model": "m", "input": input_items(), "previous_response_id": null}),
        ],
        Endpoint::ImagesGenerations => vec![
            json!({"prompt": "A cat"}),
            json!({
                "prompt": "A cat", "model": "m", "background": "auto", "n": 2, "output_compression": 80,
                "output_format": "webp", "partial_images": 1, "quality": "high", "response_format": null,
                "size": "1024x1024", "stream": false, "style": "vivid", "user": "u"
            }),
        ],
        Endpoint::AudioSpeech => vec![
            json!({"model": "m", "input": "Hi", "voice": "alloy"}),
            json!({"model": "m", "input": "Hi", "voice": {"id": "v"}, "response_format": "wav", "speed": 1.5}),
        ],
        Endpoint::Moderations => vec![
            json!({"input": "Hi"}),
            json!({"model": "m", "input": ["a", "b"]}),
            json!({"model": "m", "input": [
                {"type": "text", "text": "Look"},
                {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}]}),
        ],
        Endpoint::AudioTranscriptions | Endpoint::AudioTranslations => vec![],
    }
}

fn input_items() -> Value {
    json!([
        {"role": "user", "content": "Hi"},
        {"type": "message", "role": "user", "content": [
            {"type": "input_text", "text": "Look"},
            {"type": "input_image", "image_url": "https://example.com/a.png", "detail": "auto"}]},
        {"type": "message", "role": "assistant", "id": "msg_1", "status": "completed", "content": [
            {"type": "output_text", "text": "Yes", "annotations": []}]},
        {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "t"}],
            "encrypted_content": "x"},
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": "done"},
        {"type": "item_reference", "id": "msg_2"}
    ])
}

#[derive(Debug, Clone)]
enum Mutation {
    AddKey(String),
    RemoveKey(usize),
    Replace(Value),
    /// Replaces an array by this many copies of its first item.
    Repeat(usize),
    /// Adds this many members to an object.
    Fill(usize),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    prop_oneof![
        1 => select(NAMES).prop_map(|name| Mutation::AddKey(name.to_owned())),
        1 => (0..9usize).prop_map(Mutation::RemoveKey),
        4 => any_json().prop_map(Mutation::Replace),
        1 => select(LENGTHS).prop_map(Mutation::Repeat),
    ]
}

/// Mutations of one value. They replace it with values of every kind, and with values of its own
/// kind just inside and just outside each limit.
fn single_mutations(target: &Value) -> Vec<Mutation> {
    let others = [
        json!(null),
        json!(true),
        json!(7),
        json!(0.5),
        json!("zzz"),
        json!([]),
        json!({}),
        json!(["a"]),
    ];
    let mut out: Vec<_> = others.map(Mutation::Replace).into();
    match target {
        Value::Number(_) => out.extend(NUMBERS.iter().map(|&n| Mutation::Replace(n.into()))),
        Value::String(_) => {
            out.extend(STRINGS.iter().map(|&text| Mutation::Replace(text.into())));
            let long =
                [64, 65, 512, 513].map(|length| Mutation::Replace("é".repeat(length).into()));
            out.extend(long);
        }
        Value::Array(items) => {
            // The limits for arrays of objects are lower.
            let most = if items.iter().any(Value::is_object) { 200 } else { usize::MAX };
            out.extend(
                LENGTHS.iter().filter(|&&l| l < most).map(|&length| Mutation::Repeat(length)),
            );
        }
        Value::Object(members) => {
            out.extend((0..members.len()).map(Mutation::RemoveKey));
            out.extend(["zzz", "type"].map(|name| Mutation::AddKey(name.to_owned())));
            out.extend([15, 16].map(Mutation::Fill));
        }
        _ => {}
    }
    out
}

/// Member names. Most of them are known names somewhere in a schema.
const NAMES: &[&str] = &[
    "zzz", "type", "role", "content", "text", "name", "id", "status", "input", "metadata",
    "function", "model", "strict", "summary", "call_id", "output", "detail", "filters", "key",
    "value", "a/b", "~",
];

const LENGTHS: &[usize] = &[0, 4, 5, 128, 129, 2048, 2049];
const NUMBERS: &[i64] =
    &[-101, -3, -2, -1, 0, 1, 2, 3, 8, 9, 15, 16, 20, 21, 128, 129, i64::MAX, i64::MIN];
const STRINGS: &[&str] = &[
    "",
    "auto",
    "none",
    "low",
    "function",
    "text",
    "message",
    "user",
    "assistant",
    "developer",
    "input_text",
    "output_text",
    "json_object",
    "reasoning",
    "and",
    "eq",
    "completed",
    "a b",
];

/// Values of every kind, except decimals with an integral value.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        select(NUMBERS).prop_map(Value::from),
        select(&[-0.5, 0.5, 1.5, 2.5, 1e-9][..]).prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        select(STRINGS).prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((select(NAMES), inner), 0..5).prop_map(|members| {
                Value::from(
                    members.into_iter().map(|(k, v)| (k.to_owned(), v)).collect::<Map<_, _>>(),
                )
            }),
        ]
    })
}

/// JSON pointers to all values in `value`, starting with the root.
fn pointers(value: &Value) -> Vec<String> {
    let mut out = vec![String::new()];
    let below = |key: &str, value| {
        pointers(value)
            .into_iter()
            .map(move |pointer| format!("/{key}{pointer}"))
            .collect::<Vec<_>>()
    };
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                out.extend(below(&key.replace('~', "~0").replace('/', "~1"), value));
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                out.extend(below(&index.to_string(), item));
            }
        }
        _ => {}
    }
    out
}

fn mutate(body: &mut Value, pointer: &str, mutation: &Mutation) {
    let target = body.pointer_mut(pointer).expect("a pointer to a value in the body");
    match (mutation, target) {
        // Never replace the root: a body that is not an object is refused before the schema is
        // used.
        (Mutation::Replace(_), _) if pointer.is_empty() => {}
        (Mutation::Replace(new), target) => *target = new.clone(),
        (Mutation::AddKey(name), Value::Object(members)) => {
            members.insert(name.clone(), json!("x"));
        }
        (Mutation::RemoveKey(which), Value::Object(members)) => {
            let key = members.keys().nth(*which).cloned();
            key.map(|key| members.shift_remove(&key));
        }
        (Mutation::Repeat(times), Value::Array(items)) => {
            *items = items.first().cloned().into_iter().cycle().take(*times).collect();
        }
        (Mutation::Fill(count), Value::Object(members)) => {
            members.extend((0..*count).map(|n| (format!("k{n}"), json!("x"))));
        }
        _ => {}
    }
}

/// Fails unless this crate and the oracle agree whether this body is valid, on each of these
/// surfaces. Returns whether all surfaces accept the body.
fn agree(surfaces: &[Surface], endpoint: Endpoint, body: &Value) -> Result<bool, TestCaseError> {
    let text = body.to_string();
    let mut all_take_it = true;
    let asked =
        |oracle: &&Oracle| oracle.endpoint == endpoint && surfaces.contains(&oracle.surface);
    for oracle in ORACLES.iter().filter(asked) {
        let valid = oracle.validator.is_valid(body);
        all_take_it &= valid;
        let Some(violation) = check(oracle.surface, endpoint, "", text.as_bytes()) else {
            prop_assert!(valid, "refused by the oracle only, {:?}: {}", oracle.surface, text);
            continue;
        };
        let only_a_rule = oracle.rules.contains(&violation.message);
        prop_assert!(!valid || only_a_rule, "{:?} {:?}: {}", oracle.surface, violation, text);
        let above = violation.pointer.rsplit_once('/').map_or("", |(above, _)| above);
        prop_assert!(body.pointer(above).is_some(), "points nowhere: {}", violation.pointer);
    }
    Ok(all_take_it)
}

#[test]
fn both_accept_every_valid_body() {
    for endpoint in JSON_ENDPOINTS {
        for body in valid_bodies(endpoint) {
            assert!(matches!(agree(&Surface::ALL, endpoint, &body), Ok(true)), "{body}");
        }
    }
}

#[rstest]
#[case(Endpoint::ChatCompletions)]
#[case(Endpoint::Completions)]
#[case(Endpoint::Embeddings)]
#[case(Endpoint::Responses)]
#[case(Endpoint::ResponsesCompact)]
#[case(Endpoint::ImagesGenerations)]
#[case(Endpoint::AudioSpeech)]
#[case(Endpoint::Moderations)]
fn both_find_every_single_defect_everywhere(#[case] endpoint: Endpoint) {
    let (mut taken, mut refused) = (0, 0);
    for body in valid_bodies(endpoint) {
        for pointer in pointers(&body) {
            let target = body.pointer(&pointer).expect("a pointer to a value in the body");
            for mutation in single_mutations(target) {
                let mut mutated = body.clone();
                mutate(&mut mutated, &pointer, &mutation);
                if mutated == body {
                    continue;
                }
                match agree(&[Surface::OpenAi], endpoint, &mutated) {
                    Ok(true) => taken += 1,
                    Ok(false) => refused += 1,
                    Err(error) => panic!("{mutation:?} at {pointer}: {error}"),
                }
            }
        }
    }
    assert!(taken > 8 && refused > 30, "{taken} taken, {refused} refused");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn both_agree_on_bodies_with_any_defects(
        endpoint in select(&JSON_ENDPOINTS[..]),
        base in any::<Index>(),
        mutations in prop::collection::vec((any::<Index>(), mutation()), 1..4),
    ) {
        let mut body = base.get(&valid_bodies(endpoint)).clone();
        for (pointer, mutation) in &mutations {
            let pointer = pointer.get(&pointers(&body)).clone();
            mutate(&mut body, &pointer, mutation);
        }
        agree(&Surface::ALL, endpoint, &body)?;
    }

    #[test]
    fn the_check_never_panics(
        endpoint in select(&Endpoint::ALL[..]),
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        text in "[\\[\\]{}\",:0-9eE.+\\-a-z\\\\ \n]{0,80}",
        json in any_json(),
    ) {
        for surface in Surface::ALL {
            check(surface, endpoint, "gpt-5", &bytes);
            check(surface, endpoint, "gpt-5", text.as_bytes());
            check(surface, endpoint, "gpt-5", json.to_string().as_bytes());
        }
    }
}
