//! Success replies on chat and completions.

use crate::replies_support::{
    Mock, assert_adds_up, chat, chunks, header, joined, json_of, marker, names, text,
};
use fallproof_mocks::provider::Surface;
use rstest::rstest;
use serde_json::{Value, json};

const CHAT: &str = "chat/completions";
const COUNTS: [&str; 2] = ["prompt_tokens", "completion_tokens"];

/// A function with a parameter of each kind.
fn weather() -> Value {
    json!({ "type": "function", "function": {
        "name": "get_weather",
        "parameters": {
            "type": "object",
            "properties": {
                "city": { "type": "string" },
                "days": { "type": "integer", "minimum": 2 },
                "unit": { "enum": ["celsius", "fahrenheit"] }
            },
            "required": ["city", "days", "unit"],
            "additionalProperties": false
        }
    } })
}

fn named(name: &str) -> Value {
    json!({ "type": "function", "function": { "name": name } })
}

#[test]
fn openai_chat_is_two_space_json_in_declaration_order() {
    let reply = Mock::of(Surface::OpenAi, "gpt-4o").ask(CHAT, &chat(json!({ "n": 2 })));
    assert!(text(&reply).starts_with("{\n  \"id\": \"chatcmpl-"));
    assert!(text(&reply).ends_with("  \"system_fingerprint\": null\n}\n"));
    let answer = json_of(&reply);
    assert_eq!(
        names(&answer),
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
    assert_eq!(answer["model"], "gpt-4o", "the model, not the name");
    let choices = answer["choices"].as_array().expect("a list");
    assert_eq!((choices.len(), &choices[1]["index"]), (2, &json!(1)));
    assert_ne!(choices[0]["message"]["content"], choices[1]["message"]["content"]);
    assert_eq!(choices[0]["finish_reason"], "stop");
    assert_adds_up(&answer["usage"], COUNTS);
    assert_eq!(header(&reply, "content-type"), "application/json");
    assert_eq!(header(&reply, "openai-version"), "2020-10-01");
    assert_eq!(header(&reply, "access-control-expose-headers"), "X-Request-ID");
    assert_eq!(header(&reply, "x-request-id").len(), "req_".len() + 32);
}

#[rstest]
fn azure_chat_is_one_line_in_alphabetical_order_with_filter_results(
    #[values(Surface::AzureV1, Surface::AzureLegacy)] surface: Surface,
) {
    let reply = Mock::of(surface, "gpt-5").ask(CHAT, &chat(json!({})));
    assert_eq!(text(&reply).matches('\n').count(), 1, "at the end only");
    let answer = json_of(&reply);
    assert!(names(&answer).is_sorted(), "{:?}", names(&answer));
    assert!(names(&answer["choices"][0]).is_sorted());
    assert_eq!(answer["choices"][0]["content_filter_results"]["hate"]["severity"], "safe");
    let prompt = &answer["prompt_filter_results"][0];
    assert_eq!(names(prompt), ["prompt_index", "content_filter_results"], "recorded so");
    assert_eq!(header(&reply, "x-ms-deployment-name"), "d");
    assert_eq!(header(&reply, "apim-request-id").len(), 36);
    for limit in ["x-ratelimit-reset-requests", "x-ratelimit-reset-tokens"] {
        assert_eq!(header(&reply, limit), "0", "seconds without a unit");
    }
}

#[rstest]
#[case(named("get_weather"), "stop")]
#[case(json!("required"), "tool_calls")]
#[case(
    json!({ "type": "allowed_tools", "allowed_tools": {
        "mode": "required", "tools": [named("get_weather")]
    } }),
    "tool_calls"
)]
fn a_forced_function_is_called_with_valid_arguments(
    #[case] tool_choice: Value,
    #[case] finish_reason: &str,
    #[values(Surface::OpenAi, Surface::AzureV1)] surface: Surface,
) {
    let members = chat(json!({ "tools": [weather()], "tool_choice": tool_choice }));
    let reply = Mock::of(surface, "gpt-4o").ask(CHAT, &members);
    let answer = json_of(&reply);
    let choice = &answer["choices"][0];
    assert_eq!(choice["finish_reason"], finish_reason);
    assert_eq!(choice["message"]["content"], Value::Null);
    let call = &choice["message"]["tool_calls"][0];
    assert_eq!(
        (&call["type"], &call["function"]["name"]),
        (&json!("function"), &json!("get_weather"))
    );
    let id = call["id"].as_str().expect("text");
    assert!(id.starts_with("call_") && id.len() == "call_".len() + 24, "{id}");
    let arguments = call["function"]["arguments"].as_str().expect("JSON text");
    let arguments: Value = serde_json::from_str(arguments).expect("JSON");
    let expected = json!({ "city": marker().token(), "days": 2, "unit": "celsius" });
    assert_eq!(arguments, expected);
    if surface != Surface::OpenAi {
        assert_eq!(choice["content_filter_results"], json!({}));
    }
}

#[rstest]
#[case(json!({ "type": "custom", "custom": { "name": "note" } }), "stop")]
#[case(json!("required"), "tool_calls")]
fn a_forced_custom_tool_is_called_with_text(
    #[case] tool_choice: Value,
    #[case] finish_reason: &str,
    #[values(Surface::OpenAi, Surface::AzureV1)] surface: Surface,
) {
    let tool = json!({ "type": "custom", "custom": { "name": "note" } });
    let members = chat(json!({ "tools": [tool], "tool_choice": tool_choice }));
    let mock = Mock::of(surface, "gpt-5");
    let choice = &json_of(&mock.ask(CHAT, &members))["choices"][0];
    assert_eq!((&choice["finish_reason"], called(choice)), (&json!(finish_reason), true));
    let call = &choice["message"]["tool_calls"][0];
    assert_eq!((&call["type"], &call["custom"]["name"]), (&json!("custom"), &json!("note")));
    let input = call["custom"]["input"].as_str().expect("text");
    assert!(input.contains(marker().token()));

    let mut streamed = members;
    streamed["stream"] = json!(true);
    let streamed = chunks(&mock.ask(CHAT, &streamed));
    assert_eq!(joined(&streamed, 0, "/delta/tool_calls/0/custom/input"), input);
    assert_eq!(joined(&streamed, 0, "/delta/tool_calls/0/custom/name"), "note");
}

#[rstest]
fn a_forced_legacy_function_is_called(
    #[values(Surface::OpenAi, Surface::AzureLegacy)] surface: Surface,
) {
    let function = weather()["function"].clone();
    let members = chat(json!({
        "functions": [{ "name": "other" }, function], "function_call": { "name": "get_weather" }
    }));
    let mock = Mock::of(surface, "gpt-4o");
    let choice = &json_of(&mock.ask(CHAT, &members))["choices"][0];
    assert_eq!((&choice["finish_reason"], called(choice)), (&json!("stop"), true));
    let call = &choice["message"]["function_call"];
    assert_eq!(call["name"], "get_weather");
    let arguments = call["arguments"].as_str().expect("JSON text");
    let expected = json!({ "city": marker().token(), "days": 2, "unit": "celsius" });
    assert_eq!(serde_json::from_str::<Value>(arguments).expect("JSON"), expected);

    let mut streamed = members;
    streamed["stream"] = json!(true);
    let streamed = chunks(&mock.ask(CHAT, &streamed));
    assert_eq!(joined(&streamed, 0, "/delta/function_call/arguments"), arguments);
    assert_eq!(joined(&streamed, 0, "/delta/function_call/name"), "get_weather");
}

/// Whether the choice contains a call and neither text nor filter results.
fn called(choice: &Value) -> bool {
    let found = choice.get("content_filter_results");
    choice["message"]["content"].is_null() && found.is_none_or(|found| *found == json!({}))
}

#[rstest]
#[case(json!("auto"))]
#[case(json!("none"))]
fn a_function_that_is_not_forced_is_not_called(#[case] tool_choice: Value) {
    let members = chat(json!({ "tools": [weather()], "tool_choice": tool_choice }));
    let answer = json_of(&Mock::of(Surface::OpenAi, "gpt-4o").ask(CHAT, &members));
    assert_eq!(answer["choices"][0]["message"].get("tool_calls"), None);
}

#[rstest]
#[case(json!({ "type": "json_object" }), "answer")]
#[case(
    json!({ "type": "json_schema", "json_schema": { "name": "s", "schema": {
        "type": "object", "properties": { "say": { "type": "string" } }, "required": ["say"]
    } } }),
    "say"
)]
fn json_is_returned_if_requested(#[case] format: Value, #[case] member: &str) {
    let members = chat(json!({ "response_format": format }));
    let answer = json_of(&Mock::of(Surface::OpenAi, "gpt-4o").ask(CHAT, &members));
    let content = answer["choices"][0]["message"]["content"].as_str().expect("text");
    let content: Value = serde_json::from_str(content).expect("JSON");
    assert!(content[member].as_str().is_some_and(|it| it.contains(marker().token())));
}

#[test]
fn an_answer_is_limited_but_keeps_the_marker() {
    let mock = Mock::of(Surface::OpenAi, "gpt-4o");
    let ask = |more: Value| json_of(&mock.ask(CHAT, &chat(more)));
    let short = ask(json!({ "max_tokens": 1 }));
    let choice = &short["choices"][0];
    assert_eq!(choice["message"]["content"], marker().token());
    assert_eq!(
        (&choice["finish_reason"], &short["usage"]["completion_tokens"]),
        (&json!("length"), &json!(1))
    );
    let stopped = ask(json!({ "stop": ["nowhere", " —"] }));
    let choice = &stopped["choices"][0];
    let expected = format!("{} speaking", marker().token());
    assert_eq!(
        (&choice["message"]["content"], &choice["finish_reason"]),
        (&json!(expected), &json!("stop"))
    );
    let whole = ask(json!({ "max_tokens": 1000, "stop": "fp" }));
    assert_eq!(whole["choices"][0]["finish_reason"], "stop");
    assert!(whole["usage"]["completion_tokens"].as_u64() > Some(2));
}

#[test]
fn logprobs_are_returned_for_each_piece_if_requested() {
    let members = chat(json!({ "logprobs": true, "top_logprobs": 2 }));
    let mock = Mock::of(Surface::OpenAi, "gpt-4o");
    let answer = json_of(&mock.ask(CHAT, &members));
    let logprobs = answer["choices"][0]["logprobs"]["content"].as_array().expect("a list");
    let tokens: String = logprobs.iter().filter_map(|it| it["token"].as_str()).collect();
    assert_eq!(answer["choices"][0]["message"]["content"], tokens);
    for piece in logprobs {
        let top = piece["top_logprobs"].as_array().expect("a list");
        assert_eq!((top.len(), &top[0]["token"]), (2, &piece["token"]));
        assert_ne!(top[0]["token"], top[1]["token"]);
        assert!(top[0]["logprob"].as_f64() > top[1]["logprob"].as_f64());
    }
    let mut streamed = members;
    streamed["stream"] = json!(true);
    let streamed = chunks(&mock.ask(CHAT, &streamed));
    assert_eq!(joined(&streamed, 0, "/logprobs/content/0/token"), tokens);
}

#[test]
fn a_refusal_has_a_member_of_its_own() {
    let mock = Mock::playing(Surface::OpenAi, "gpt-4o", "refusal");
    let message = &json_of(&mock.ask(CHAT, &chat(json!({}))))["choices"][0]["message"];
    assert_eq!(message["content"], Value::Null);
    assert!(message["refusal"].as_str().is_some_and(|it| it.contains(marker().token())));
    let streamed = chunks(&mock.ask(CHAT, &chat(json!({ "stream": true }))));
    assert_eq!(message["refusal"], joined(&streamed, 0, "/delta/refusal"));
    assert_eq!(joined(&streamed, 0, "/delta/content"), "");
}

#[test]
fn each_prompt_is_completed() {
    let mock = Mock::of(Surface::OpenAi, "gpt-3.5-turbo-instruct");
    let members = json!({ "prompt": ["One", "Two"], "n": 2, "best_of": 3, "echo": true });
    let reply = mock.ask("completions", &members);
    let answer = json_of(&reply);
    assert_eq!(names(&answer), ["id", "object", "created", "model", "choices", "usage"]);
    assert!(answer["id"].as_str().is_some_and(|id| id.starts_with("cmpl-")));
    let texts: Vec<_> = answer["choices"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|choice| choice["text"].as_str().expect("text"))
        .collect();
    assert_eq!(texts.len(), 4);
    assert!(texts[..2].iter().all(|text| text.starts_with("Onefp-")), "{texts:?}");
    assert!(texts[2..].iter().all(|text| text.starts_with("Twofp-")), "{texts:?}");
    assert_adds_up(&answer["usage"], COUNTS);
}

#[test]
fn the_logprobs_of_a_completion_are_lists() {
    let mock = Mock::of(Surface::OpenAi, "gpt-3.5-turbo-instruct");
    let answer = json_of(&mock.ask("completions", &json!({ "prompt": "Hi", "logprobs": 3 })));
    let logprobs = &answer["choices"][0]["logprobs"];
    let lengths: Vec<_> = ["tokens", "token_logprobs", "top_logprobs", "text_offset"]
        .iter()
        .map(|name| logprobs[name].as_array().map(Vec::len))
        .collect();
    assert!(lengths[0] > Some(1) && lengths.iter().all(|length| *length == lengths[0]));
    let first = logprobs["tokens"][0].as_str().expect("text");
    assert_eq!(logprobs["text_offset"][1], first.chars().count());
    let top = &logprobs["top_logprobs"][0];
    assert_eq!((names(top).len(), &top[first]), (3, &logprobs["token_logprobs"][0]));
}

#[test]
fn azure_completions_have_filter_results() {
    let mock = Mock::of(Surface::AzureLegacy, "gpt-35-turbo-instruct");
    let answer = json_of(&mock.ask("completions", &json!({ "prompt": "Hi" })));
    assert!(names(&answer).is_sorted());
    assert_eq!(answer["choices"][0]["content_filter_results"]["violence"]["filtered"], false);
    assert_eq!(answer["prompt_filter_results"][0]["prompt_index"], 0);
}
