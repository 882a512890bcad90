//! What a successful answer looks like.

mod wire_support;

use fallproof_mocks::behaviour::Behaviour;
use fallproof_mocks::brain::{Brain, Request};
use fallproof_mocks::errors::Reply;
use fallproof_mocks::marker::Marker;
use fallproof_mocks::provider::Surface;
use rstest::rstest;
use serde_json::{Value, json};
use wire_support::{CHAT, KEY, upstream};

const PREFIX: &str = "/test/primary";

fn brain(surface: Surface, model: &str, name: &str) -> Brain {
    let brain = Brain::default();
    let mut upstream = upstream(PREFIX, surface, vec![Behaviour::named("ok"); 3]);
    model.clone_into(&mut upstream.deployment.model);
    name.clone_into(&mut upstream.deployment.name);
    brain.plug(upstream).expect("a script that works");
    brain
}

fn ask(brain: &Brain, target: &str, body: &Value) -> Reply {
    let (bearer, body) = (format!("Bearer {KEY}"), body.to_string());
    let request = Request {
        method: "POST",
        target,
        headers: &[("authorization", bearer.as_bytes()), ("api-key", KEY.as_bytes())],
        body: body.as_bytes(),
    };
    let answer = brain.answer(PREFIX, &request).expect("plugged in");
    assert!(!answer.plan.refused, "{}", String::from_utf8_lossy(&answer.reply.body));
    answer.reply
}

fn json_of(reply: &Reply) -> Value {
    serde_json::from_slice(&reply.body).expect("JSON")
}

fn text(reply: &Reply) -> &str {
    std::str::from_utf8(&reply.body).expect("text")
}

fn header<'a>(reply: &'a Reply, name: &str) -> &'a str {
    let found = reply.headers.iter().find(|(key, _)| key == name);
    found.map_or_else(|| panic!("no header {name}"), |(_, value)| value.as_str())
}

fn target(surface: Surface, endpoint: &str) -> String {
    match surface {
        Surface::OpenAi => format!("/v1/{endpoint}"),
        Surface::AzureV1 => format!("/openai/v1/{endpoint}"),
        Surface::AzureLegacy if endpoint.starts_with("responses") => {
            format!("/openai/{endpoint}?api-version=2025-04-01-preview")
        }
        Surface::AzureLegacy => {
            format!("/openai/deployments/d/{endpoint}?api-version=2024-10-21")
        }
    }
}

#[rstest]
fn every_answer_holds_its_upstreams_marker_and_no_other(
    #[values(Surface::OpenAi, Surface::AzureV1, Surface::AzureLegacy)] surface: Surface,
    #[values("chat/completions", "embeddings", "responses", "responses/compact")] endpoint: &str,
) {
    let body = match endpoint {
        "chat/completions" => {
            json!({"model": "d", "messages": [{"role": "user", "content": "Hi"}]})
        }
        _ => json!({"model": "d", "input": "Hi"}),
    };
    let reply = ask(&brain(surface, "gpt-5", "d"), &target(surface, endpoint), &body);
    assert_eq!(reply.status, 200);
    assert_eq!(header(&reply, "content-type"), "application/json");
    assert!(Marker::new(PREFIX).found_in(&reply.body));
    assert!(!Marker::new("/test/backup").found_in(&reply.body));
}

#[test]
fn the_same_attempt_gives_the_same_bytes_and_the_next_one_other_ids() {
    let body: Value = serde_json::from_str(CHAT).expect("JSON");
    let (one, other) =
        (brain(Surface::OpenAi, "gpt-5", "gpt-5"), brain(Surface::OpenAi, "gpt-5", "gpt-5"));
    let first = ask(&one, "/v1/chat/completions", &body);
    assert_eq!(first, ask(&other, "/v1/chat/completions", &body));
    let second = ask(&one, "/v1/chat/completions", &body);
    assert_ne!(json_of(&first)["id"], json_of(&second)["id"]);
    assert_ne!(header(&first, "x-request-id"), header(&second, "x-request-id"));
}

#[test]
fn openai_chat_is_two_space_json_in_declaration_order() {
    let body = json!({"model": "gpt-5", "n": 2, "messages": [{"role": "user", "content": "Hi"}]});
    let reply = ask(&brain(Surface::OpenAi, "gpt-5", "gpt-5"), "/v1/chat/completions", &body);
    assert!(text(&reply).starts_with("{\n  \"id\": \"chatcmpl-"));
    assert!(text(&reply).ends_with("  \"system_fingerprint\": null\n}\n"));
    let answer = json_of(&reply);
    let members: Vec<_> = answer.as_object().expect("an object").keys().collect();
    assert_eq!(
        members,
        [
            "id",
            "object",
            "created",
            "model",
            "choices",
            "usage",
            "service_tier",
            "system_fingerprint"
        ]
    );
    assert_eq!(answer["choices"].as_array().map(Vec::len), Some(2));
    assert_eq!(answer["choices"][1]["index"], 1);
    let usage = &answer["usage"];
    let sum = usage["prompt_tokens"].as_u64().zip(usage["completion_tokens"].as_u64());
    assert_eq!(usage["total_tokens"].as_u64(), sum.map(|(prompt, completion)| prompt + completion));
    assert_eq!(header(&reply, "openai-version"), "2020-10-01");
    assert_eq!(header(&reply, "x-request-id").len(), "req_".len() + 32);
}

#[test]
fn azure_chat_is_one_line_in_alphabetical_order_with_filter_results() {
    let body = json!({"messages": [{"role": "user", "content": "Hi"}]});
    let reply = ask(
        &brain(Surface::AzureLegacy, "gpt-5", "d"),
        &target(Surface::AzureLegacy, "chat/completions"),
        &body,
    );
    assert_eq!(text(&reply).matches('\n').count(), 1, "only at the end");
    let answer = json_of(&reply);
    let members: Vec<_> = answer.as_object().expect("an object").keys().collect();
    assert!(members.is_sorted(), "{members:?}");
    assert_eq!(answer["model"], "gpt-5", "the model, not the deployment");
    assert_eq!(answer["choices"][0]["content_filter_results"]["hate"]["severity"], "safe");
    assert_eq!(answer["prompt_filter_results"][0]["prompt_index"], 0);
    assert_eq!(header(&reply, "x-ms-deployment-name"), "d");
    assert_eq!(header(&reply, "apim-request-id").len(), 36);
}

#[rstest]
#[case(json!("one text"), 1)]
#[case(json!(["one", "two", "three"]), 3)]
#[case(json!([1, 2, 3]), 1)]
#[case(json!([[1, 2], [3]]), 2)]
fn there_is_one_embedding_for_each_input(#[case] input: Value, #[case] count: usize) {
    let body = json!({"model": "m", "input": input, "dimensions": 16});
    let reply = ask(&brain(Surface::OpenAi, "m", "m"), "/v1/embeddings", &body);
    let answer = json_of(&reply);
    let data = answer["data"].as_array().expect("a list");
    assert_eq!(data.len(), count);
    for (index, item) in data.iter().enumerate() {
        assert_eq!(
            (item["index"].as_u64(), item["object"].as_str()),
            (Some(index as u64), Some("embedding"))
        );
        assert_eq!(item["embedding"].as_array().map(Vec::len), Some(16));
    }
    assert_eq!(answer["usage"]["prompt_tokens"], answer["usage"]["total_tokens"]);
}

#[rstest]
#[case("text-embedding-3-small", 1536)]
#[case("text-embedding-3-large", 3072)]
fn an_embedding_is_as_long_as_its_model_gives(#[case] model: &str, #[case] length: usize) {
    let floats = json!({"model": model, "input": "Hi"});
    let base64 = json!({"model": model, "input": "Hi", "encoding_format": "base64"});
    let brain = brain(Surface::OpenAi, model, model);
    let reply = json_of(&ask(&brain, "/v1/embeddings", &floats));
    assert_eq!(reply["data"][0]["embedding"].as_array().map(Vec::len), Some(length));
    let reply = json_of(&ask(&brain, "/v1/embeddings", &base64));
    let encoded = reply["data"][0]["embedding"].as_str().expect("text");
    assert_eq!(encoded.len(), (length * 4).div_ceil(3) * 4);
}

#[test]
fn a_response_repeats_what_was_asked() {
    let body = json!({
        "model": "gpt-5", "input": "Hi", "instructions": "Be brief.", "store": false,
        "metadata": {"a": "b"}, "max_output_tokens": 64
    });
    let openai = ask(&brain(Surface::OpenAi, "gpt-5", "gpt-5"), "/v1/responses", &body);
    assert!(text(&openai).starts_with("{\n  \"id\": \"resp_") && text(&openai).ends_with('}'));
    let answer = json_of(&openai);
    for name in ["instructions", "store", "metadata", "max_output_tokens"] {
        assert_eq!(answer[name], body[name]);
    }
    assert_eq!(answer["output"][0]["content"][0]["type"], "output_text");
    assert_eq!(answer.get("content_filters"), None);

    let mut body = body;
    body["model"] = json!("d");
    let azure = ask(&brain(Surface::AzureV1, "gpt-5", "d"), "/openai/v1/responses", &body);
    let answer = json_of(&azure);
    assert_eq!(answer["content_filters"][0]["blocked"], false);
    assert_eq!((answer.get("billing"), &answer["model"]), (None, &json!("gpt-5")));
    assert_eq!(header(&azure, "x-ms-served-model"), "gpt-5");
}

#[test]
fn a_compaction_keeps_the_users_messages_and_seals_the_rest() {
    let body = json!({"model": "gpt-5", "input": [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello"},
        {"role": "user", "content": [{"type": "input_text", "text": "And now?"}]}
    ]});
    let reply = ask(&brain(Surface::OpenAi, "gpt-5", "gpt-5"), "/v1/responses/compact", &body);
    let answer = json_of(&reply);
    assert_eq!(answer["object"], "response.compaction");
    let output = answer["output"].as_array().expect("a list");
    let types: Vec<_> = output.iter().map(|item| &item["type"]).collect();
    assert_eq!(types, ["message", "message", "compaction"]);
    assert_eq!(output[0]["content"], json!([{"type": "input_text", "text": "Hi"}]));
    assert_eq!(output[1]["content"], body["input"][2]["content"]);
    let sealed = output[2]["encrypted_content"].as_str().expect("text");
    assert!(sealed.contains(Marker::new(PREFIX).token()));
}
