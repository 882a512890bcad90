//! Compares the messages of this crate with messages from the live APIs. Each group of cases links
//! to the source of its message; the bodies were written for these tests.

use fallproof_protocol::provider::Endpoint::{
    self, ChatCompletions as Chat, Embeddings, Responses, ResponsesCompact as Compact,
};
use fallproof_protocol::provider::Surface::{self, AzureLegacy, AzureV1, OpenAi};
use fallproof_strict::{Strength, Violation, check};
use rstest::rstest;
use serde_json::{Value, json};

fn refusal(surface: Surface, endpoint: Endpoint, model: &str, body: &Value) -> Violation {
    let body = body.to_string();
    check(surface, endpoint, model, body.as_bytes()).unwrap_or_else(|| panic!("taken: {body}"))
}

/// A chat body with these members in addition to a model and a message.
fn chat(more: Value) -> Value {
    with(json!({"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi"}]}), more)
}

/// A body of `/responses` with these members in addition to a model and an input.
fn responses(more: Value) -> Value {
    with(json!({"model": "gpt-4o", "input": "Hi"}), more)
}

fn with(mut body: Value, more: Value) -> Value {
    let (Value::Object(members), Value::Object(more)) = (&mut body, more) else {
        panic!("both are objects")
    };
    members.extend(more);
    body
}

fn calls(count: usize) -> Value {
    let call = json!({"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}});
    json!([
        {"role": "user", "content": "Hi"},
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": null, "tool_calls": vec![call; count]}
    ])
}

fn metadata(count: usize) -> Value {
    (0..count).map(|n| (format!("k{n}"), json!("v"))).collect::<serde_json::Map<_, _>>().into()
}

#[rstest]
// https://github.com/1jehuang/jcode/issues/1028
#[case(OpenAi, Responses, json!({"model": "gpt-5", "input": [
        {"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"},
        {"type": "reasoning", "id": "rs_1", "summary": [], "status": null}]}),
    "Unknown parameter: 'input[3].status'.", "input[3].status", "unknown_parameter")]
// https://github.com/i-am-bee/beeai-framework/issues/980
#[case(OpenAi, Chat, chat(json!({"response_format": {"type": "json_object", "strict": true}})),
    "Unknown parameter: 'response_format.strict'.", "response_format.strict", "unknown_parameter")]
// https://github.com/QuantumNous/new-api/issues/4461, https://github.com/ding113/claude-code-hub/issues/368
#[case(OpenAi, Compact, responses(json!({"client_metadata": {}})),
    "Unknown parameter: 'client_metadata'.", "client_metadata", "unknown_parameter")]
#[case(OpenAi, Compact, responses(json!({"stream": false})),
    "Unknown parameter: 'stream'.", "stream", "unknown_parameter")]
// https://github.com/BerriAI/litellm/pull/25454
#[case(AzureV1, Compact, responses(json!({"metadata": {}})),
    "Unknown parameter: 'metadata'.", "metadata", "unknown_parameter")]
#[case(AzureLegacy, Compact, responses(json!({"metadata": {}})),
    "Unknown parameter: 'metadata'.", "metadata", "unknown_parameter")]
// https://github.com/microsoft/agent-framework/issues/2203
#[case(AzureV1, Responses, json!({"model": "d", "input": [
        {"role": "user", "content": "a"}, {"role": "assistant", "content": "b", "metadata": {}}]}),
    "Unknown parameter: 'input[1].metadata'.", "input[1].metadata", "unknown_parameter")]
// https://github.com/BerriAI/litellm/issues/28553
#[case(AzureV1, Responses, responses(json!({"stream_options": {"include_usage": true}})),
    "Unknown parameter: 'stream_options.include_usage'.", "stream_options.include_usage", "unknown_parameter")]
fn an_unknown_parameter_is_refused_with_the_providers_message(
    #[case] surface: Surface,
    #[case] endpoint: Endpoint,
    #[case] body: Value,
    #[case] message: &str,
    #[case] param: &str,
    #[case] code: &str,
) {
    assert_refused(&refusal(surface, endpoint, "gpt-4o", &body), message, Some(param), Some(code));
}

#[rstest]
// https://github.com/teabranch/open-responses-server/issues/41
#[case("o4-mini", json!({"reasoning": {}}), "reasoning")]
// Measured on the live API on August 30, 2026:
// https://github.com/kangminlee-maker/local-OAuth-CLI-API-adapter
// (openai-chat-validation-parity.test.mjs)
#[case("gpt-5.6-terra", json!({"text": {"verbosity": "low"}}), "text")]
fn reasoning_models_name_the_unknown_parameter_of_a_chat(
    #[case] model: &str,
    #[case] more: Value,
    #[case] param: &str,
) {
    let message = format!("Unknown parameter: '{param}'.");
    let violation = refusal(OpenAi, Chat, model, &chat(more));
    assert_refused(&violation, &message, Some(param), Some("unknown_parameter"));
}

#[rstest]
// https://github.com/microsoft/vscode-copilot-release/issues/11157
#[case(Responses, responses(json!({"tools": [{"type": "function", "parameters": {}}]})), "tools[0].name")]
// https://github.com/wandb/wandb-mcp-server/pull/5
#[case(Responses, responses(json!({"tools": [{"type": "mcp", "server_url": "https://example.com"}]})),
    "tools[0].server_label")]
// Recorded in crewAIInc/crewAI, test_custom_llm_within_crew. The content part has neither `type`
// nor `text`, but two unknown members.
#[case(Chat, json!({"model": "gpt-4o", "messages": [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": [{"role": "system", "content": "Hi"}]}]}), "messages[1].content[0].type")]
#[case(Chat, json!({"model": "gpt-4o"}), "messages")]
#[case(Chat, json!({"model": "gpt-4o", "messages": [{"content": "Hi"}]}), "messages[0].role")]
#[case(Chat, chat(json!({"tools": [{"type": "function"}]})), "tools[0].function")]
#[case(Chat, chat(json!({"tools": [{"type": "function", "function": {}}]})), "tools[0].function.name")]
#[case(Chat, chat(json!({"response_format": {}})), "response_format.type")]
#[case(Compact, json!({"input": "Hi"}), "model")]
fn a_missing_parameter_is_named_with_its_path(
    #[case] endpoint: Endpoint,
    #[case] body: Value,
    #[case] param: &str,
) {
    let message = format!("Missing required parameter: '{param}'.");
    let code = Some("missing_required_parameter");
    assert_refused(&refusal(OpenAi, endpoint, "gpt-4o", &body), &message, Some(param), code);
}

#[rstest]
// https://github.com/danielmiessler/Fabric/issues/239
#[case(Chat, json!({"messages": [{"role": "user", "content": "Hi"}]}))]
#[case(Embeddings, json!({"input": "Hi"}))]
fn chat_and_embeddings_have_their_own_message_for_a_missing_model(
    #[case] endpoint: Endpoint,
    #[case] body: Value,
) {
    let violation = refusal(OpenAi, endpoint, "gpt-4o", &body);
    assert_refused(&violation, "you must provide a model parameter", None, None);
    assert_eq!(violation.pointer, "/model");
}

#[rstest]
// https://github.com/Jeffser/Alpaca/issues/904
#[case(Chat, r#"{"max_tokens": 2048.0}"#, "max_tokens", "an integer", "a decimal number")]
#[case(Chat, r#"{"max_tokens": 1e0}"#, "max_tokens", "an integer", "a decimal number")]
// Recorded in alexrudall/ruby-openai, messages_modify.yml.
#[case(
    Responses,
    r#"{"metadata": {"modified": true}}"#,
    "metadata.modified",
    "a string",
    "a boolean"
)]
// The messages below were seen in public logs of the live API.
#[case(Chat, r#"{"temperature": "hot"}"#, "temperature", "a decimal", "a string")]
#[case(Chat, r#"{"n": "abc"}"#, "n", "an integer", "a string")]
#[case(Chat, r#"{"store": "yes"}"#, "store", "a boolean", "a string")]
#[case(Chat, r#"{"user": {"a": 1}}"#, "user", "a string", "an object")]
#[case(Chat, r#"{"tools": "none"}"#, "tools", "an array of objects", "a string")]
#[case(Chat, r#"{"response_format": "json"}"#, "response_format", "an object", "a string")]
#[case(Chat, r#"{"messages": "ping"}"#, "messages", "an array of objects", "a string")]
#[case(Chat, r#"{"messages": {}}"#, "messages", "an array of objects", "an object")]
#[case(Chat, r#"{"messages": ["ping"]}"#, "messages[0]", "an object", "a string")]
#[case(
    Chat,
    r#"{"messages": [{"role": "user", "content": 7}]}"#,
    "messages[0].content",
    "one of a string or array of objects",
    "an integer"
)]
#[case(
    Chat,
    r#"{"messages": [{"role": "user", "content": {}}]}"#,
    "messages[0].content",
    "one of a string or array of objects",
    "an object"
)]
#[case(
    Chat,
    r#"{"tool_choice": 7}"#,
    "tool_choice",
    "one of one of 'none', 'auto', or 'required' or object",
    "an integer"
)]
#[case(
    Chat,
    r#"{"messages": [{"role": "assistant", "content": "", "tool_calls": [{"type": null}]}]}"#,
    "messages[0].tool_calls[0].type",
    "one of 'custom' or 'function'",
    "null"
)]
#[case(
    Responses,
    r#"{"truncation": {"a": 1}}"#,
    "truncation",
    "one of 'auto' or 'disabled'",
    "an object"
)]
#[case(
    Responses,
    r#"{"input": {"a": 1}}"#,
    "input",
    "one of a string or array of input items",
    "an object"
)]
#[case(Responses, r#"{"tools": "x"}"#, "tools", "an array of tools", "a string")]
#[case(Responses, r#"{"metadata": "x"}"#, "metadata", "a metadata object", "a string")]
#[case(Responses, r#"{"reasoning": "low"}"#, "reasoning", "an object", "a string")]
#[case(Responses, r#"{"max_output_tokens": []}"#, "max_output_tokens", "an integer", "an array")]
fn a_wrong_type_is_reported_with_the_expected_and_the_actual_one(
    #[case] endpoint: Endpoint,
    #[case] more: &str,
    #[case] param: &str,
    #[case] expected: &str,
    #[case] got: &str,
) {
    // The member is inserted into the text of the body, since the spelling of a decimal matters.
    let base = json!({"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi"}]});
    let base = if endpoint == Chat { base } else { json!({"model": "gpt-4o", "input": "Hi"}) };
    let mut base = base;
    let members = base.as_object_mut().expect("an object");
    let name = param.split(['.', '[']).next().expect("a first piece");
    members.shift_remove(name);
    let base = base.to_string();
    let body = format!("{},{}", &base[..base.len() - 1], &more[1..]);

    let violation = check(OpenAi, endpoint, "gpt-4o", body.as_bytes()).expect("refused");
    let message =
        format!("Invalid type for '{param}': expected {expected}, but got {got} instead.");
    assert_refused(&violation, &message, Some(param), Some("invalid_type"));
}

#[rstest]
// https://github.com/jeremychone/rust-genai/pull/119
#[case(Responses, json!({"model": "m", "input": [{"role": "assistant", "content": [{"type": "input_text", "text": "a"}]}]}),
    "Invalid value: 'input_text'. Supported values are: 'output_text' and 'refusal'.", "input[0].content[0].type")]
// This message about roles is in many public logs, for instance for the roles 'tooool' and
// 'foobar'.
#[case(Chat, json!({"model": "m", "messages": [{"role": "foobar", "content": "Hi"}]}),
    "Invalid value: 'foobar'. Supported values are: 'system', 'assistant', 'user', 'function', 'tool', and 'developer'.",
    "messages[0].role")]
#[case(Chat, chat(json!({"response_format": {"type": "bogus"}})),
    "Invalid value: 'bogus'. Supported values are: 'json_object', 'json_schema', and 'text'.",
    "response_format.type")]
#[case(Chat, chat(json!({"tool_choice": "bogus"})),
    "Invalid value: 'bogus'. Supported values are: 'none', 'auto', and 'required'.", "tool_choice")]
#[case(Chat, chat(json!({"verbosity": "bogus"})),
    "Invalid value: 'bogus'. Supported values are: 'low', 'medium', and 'high'.", "verbosity")]
#[case(Responses, responses(json!({"truncation": "bogus"})),
    "Invalid value: 'bogus'. Supported values are: 'auto' and 'disabled'.", "truncation")]
// A long value is shortened in the message.
#[case(Responses, responses(json!({"truncation": "PINLOG-CTX-MARKER-205-abcdef"})),
    "Invalid value: 'PIN...def'. Supported values are: 'auto' and 'disabled'.", "truncation")]
fn an_unsupported_value_is_reported_with_the_supported_ones(
    #[case] endpoint: Endpoint,
    #[case] body: Value,
    #[case] message: &str,
    #[case] param: &str,
) {
    let violation = refusal(OpenAi, endpoint, "gpt-4o", &body);
    assert_refused(&violation, message, Some(param), Some("invalid_value"));
}

#[test]
fn an_unknown_item_type_is_reported_with_all_types_in_alphabetical_order() {
    // https://github.com/langfuse/langfuse/issues/17166
    let body = json!({"model": "m", "input": [{"type": ""}]});
    let violation = refusal(AzureV1, Responses, "gpt-4o", &body);
    let listed = violation.message.strip_prefix("Invalid value: ''. Supported values are: ");
    let listed: Vec<_> = listed.expect("the sentence").trim_end_matches('.').split(", ").collect();
    let mut sorted = listed.clone();
    sorted.sort_by_key(|value| value.trim_start_matches("and ").to_owned());
    assert_eq!(listed, sorted);
    assert!(listed.len() > 20 && listed.contains(&"'message'"), "{listed:?}");
    assert_eq!(violation.param.as_deref(), Some("input[0].type"));
}

#[rstest]
// https://github.com/AnswerDotAI/fastllm/issues/45
#[case(Responses, json!({"model": "m", "input": [
        {"type": "function_call_output", "call_id": "é".repeat(116), "output": ""}]}),
    "Invalid 'input[0].call_id': string too long. Expected a string with maximum length 64, but got a string \
     with length 116 instead.", "input[0].call_id", "string_above_max_length")]
// https://github.com/openai/openai-dotnet/issues/317
#[case(Chat, json!({"model": "m", "messages": calls(200)}),
    "Invalid 'messages[2].tool_calls': array too long. Expected an array with maximum length 128, but got an \
     array with length 200 instead.", "messages[2].tool_calls", "array_above_max_length")]
// Recorded in envoyproxy/ai-gateway, chat-no-messages.yaml.
#[case(Chat, json!({"model": "gpt-5-nano", "messages": []}),
    "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.",
    "messages", "empty_array")]
// https://github.com/thiswillbeyourgithub/openwebui_custom_pipes_filters/issues/3
#[case(Responses, responses(json!({"metadata": metadata(24)})),
    "Invalid 'metadata': too many properties. Expected an object with at most 16 properties, but got an object \
     with 24 properties instead.", "metadata", "object_above_max_properties")]
// Recorded in pydantic/pydantic-ai, test_openai_responses_model_http_error.yaml.
#[case(Responses, responses(json!({"temperature": -1})),
    "Invalid 'temperature': decimal below minimum value. Expected a value >= 0, but got -1 instead.",
    "temperature", "decimal_below_min_value")]
// From a traceback in a public repository.
#[case(Chat, chat(json!({"temperature": 2.5})),
    "Invalid 'temperature': decimal above maximum value. Expected a value <= 2, but got 2.5 instead.",
    "temperature", "decimal_above_max_value")]
// https://github.com/OpenBMB/ChatDev/issues/446
#[case(Chat, chat(json!({"max_tokens": -15335})),
    "Invalid 'max_tokens': integer below minimum value. Expected a value >= 1, but got -15335 instead.",
    "max_tokens", "integer_below_min_value")]
#[case(Chat, chat(json!({"top_logprobs": 21, "logprobs": true})),
    "Invalid 'top_logprobs': integer above maximum value. Expected a value <= 20, but got 21 instead.",
    "top_logprobs", "integer_above_max_value")]
// https://github.com/brekkylab/ailoy/pull/109
#[case(Chat, chat(json!({"tools": [{"type": "function", "function": {"name": "a.b"}}]})),
    "Invalid 'tools[0].function.name': string does not match pattern. Expected a string that matches the \
     pattern '^[a-zA-Z0-9_-]+$'.", "tools[0].function.name", "invalid_value")]
fn a_value_beyond_a_limit_is_reported_with_the_limit(
    #[case] endpoint: Endpoint,
    #[case] body: Value,
    #[case] message: &str,
    #[case] param: &str,
    #[case] code: &str,
) {
    let violation = refusal(OpenAi, endpoint, "gpt-4o", &body);
    assert_refused(&violation, message, Some(param), Some(code));
}

#[rstest]
// Recorded in crewAIInc/crewAI, test_llm_call_when_stop_is_unsupported.yaml.
#[case(OpenAi, Chat, "o1-mini", chat(json!({"stop": ["stop"]})),
    "Unsupported parameter: 'stop' is not supported with this model.", Some("stop"), Some("unsupported_parameter"))]
// Recorded in envoyproxy/ai-gateway, chat-bad-request.yaml: the API reports only one of four
// errors, and not the one that comes first in the body.
#[case(OpenAi, Chat, "gpt-5-nano",
    json!({"max_tokens": 0, "messages": [{"content": null, "role": "user"}], "model": "gpt-5-nano", "temperature": -0.5}),
    "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
    Some("max_tokens"), Some("unsupported_parameter"))]
// https://github.com/obot-platform/obot/issues/2862
#[case(AzureLegacy, Chat, "o4-mini", chat(json!({"temperature": 0.0})),
    "Unsupported value: 'temperature' does not support 0.0 with this model. Only the default (1) value is supported.",
    Some("temperature"), Some("unsupported_value"))]
// https://github.com/tailcallhq/forgecode/issues/1177
#[case(OpenAi, Chat, "o1-mini", json!({"model": "o1-mini", "messages": [{"role": "system", "content": "Hi"}]}),
    "Unsupported value: 'messages[0].role' does not support 'system' with this model.",
    Some("messages[0].role"), Some("unsupported_value"))]
// https://github.com/sbintuitions/JMTEB/pull/14
#[case(OpenAi, Embeddings, "text-embedding-ada-002", json!({"model": "m", "input": "Hi", "dimensions": 8}),
    "This model does not support specifying dimensions.", None, None)]
// https://github.com/BerriAI/litellm/issues/5803
#[case(OpenAi, Chat, "gpt-4o", chat(json!({"stream_options": {"include_usage": true}})),
    "The 'stream_options' parameter is only allowed when 'stream' is enabled.", Some("stream_options"), None)]
// https://github.com/tmc/langchaingo/issues/1484
#[case(OpenAi, Chat, "gpt-4o", chat(json!({"metadata": {"a": "b"}})),
    "The 'metadata' parameter is only allowed when 'store' is enabled.", Some("metadata"), None)]
fn a_value_excluded_by_the_model_or_another_parameter_is_refused(
    #[case] surface: Surface,
    #[case] endpoint: Endpoint,
    #[case] model: &str,
    #[case] body: Value,
    #[case] message: &str,
    #[case] param: Option<&str>,
    #[case] code: Option<&str>,
) {
    assert_refused(&refusal(surface, endpoint, model, &body), message, param, code);
}

#[rstest]
#[case("gpt-4o", chat(json!({"max_tokens": 16, "stop": ["x"], "temperature": 0})))]
#[case("gpt-5-chat-latest", chat(json!({"max_tokens": 16})))]
#[case("gpt-5", chat(json!({"temperature": 1, "max_completion_tokens": 16})))]
#[case("gpt-4o", chat(json!({"stream": true, "stream_options": {"include_usage": true}})))]
#[case("gpt-4o", chat(json!({"store": true, "metadata": {"a": "b"}})))]
#[case("gpt-4o", chat(json!({"metadata": null, "stream_options": null})))]
fn a_value_that_the_rules_allow_is_accepted(#[case] model: &str, #[case] body: Value) {
    assert_eq!(check(OpenAi, Chat, model, body.to_string().as_bytes()), None);
}

#[rstest]
// Recorded in envoyproxy/ai-gateway, embeddings-bad-request.
#[case(json!({"model": "m", "input": "Hi", "dimensions": -1}), "-1 is less than the minimum of 1 - 'dimensions'")]
// https://github.com/lm-sys/FastChat/pull/2281
#[case(json!({"model": "m", "input": "Hi", "encoding_format": "md5"}),
    "Invalid value for 'encoding_format' = md5. Supported values: ['float', 'base64'].")]
// The wording is from https://github.com/agentcoinorg/evo.ninja/pull/381
#[case(json!({"model": "m", "input": "Hi", "dimensions": 139.75}), "139.75 is not of type 'integer' - 'dimensions'")]
// https://github.com/embeddings-benchmark/mteb/issues/1200
#[case(json!({"model": "m", "input": {}}),
    "'$.input' is invalid. Please check the API reference: https://platform.openai.com/docs/api-reference.")]
#[case(json!({"model": "m", "input": ["a", 1]}),
    "'$.input' is invalid. Please check the API reference: https://platform.openai.com/docs/api-reference.")]
fn embeddings_use_legacy_wording_without_a_parameter(#[case] body: Value, #[case] message: &str) {
    assert_refused(&refusal(OpenAi, Embeddings, "m", &body), message, None, None);
}

#[test]
fn the_best_matching_branch_determines_the_error() {
    // The first item is a string, so the second one is at fault.
    let body = json!({"model": "m", "input": ["a", 1]});
    assert_eq!(refusal(OpenAi, Embeddings, "m", &body).pointer, "/input/1");
    let body = json!({"model": "m", "input": [[1, 2], [3, "a"]]});
    assert_eq!(refusal(OpenAi, Embeddings, "m", &body).pointer, "/input/1/1");
}

#[rstest]
#[case(b"")]
#[case(b"{")]
#[case(b"{} {}")]
#[case(b"[]")]
#[case(b"null")]
#[case(b"{\"model\": \"\\ud800\"}")]
#[case(b"{\"model\": \"\xff\"}")]
fn a_body_that_is_not_an_object_is_refused_as_invalid_json(#[case] body: &[u8]) {
    let violation = check(OpenAi, Chat, "m", body).expect("refused");
    assert!(violation.message.starts_with("We could not parse the JSON body of your request."));
    assert_eq!((violation.param, violation.code), (None, None));
    assert_eq!((violation.pointer.as_str(), violation.strength), ("", Strength::Observed));
}

#[test]
fn nesting_beyond_127_levels_is_no_json() {
    let nested = |levels: usize| {
        let (open, close) = ("[".repeat(levels - 1), "]".repeat(levels - 1));
        check(OpenAi, Chat, "m", format!("{{\"x\":{open}{close}}}").as_bytes())
            .expect("refused")
            .message
    };
    assert_eq!(nested(127), "Missing required parameter: 'messages'.");
    assert!(nested(128).starts_with("We could not parse"));
    assert!(nested(20_000).starts_with("We could not parse"));
}

#[rstest]
#[case("9007199254740993", None)]
#[case("9223372036854775807", None)]
#[case("-9223372036854775808", None)]
#[case("-0", None)]
#[case(
    "9223372036854775808",
    Some("Expected a value <= 9223372036854775807, but got 9223372036854775808 instead.")
)]
#[case(
    "123456789012345678901234567890123456789012345678901234567890",
    Some("got 12345678901234567890")
)]
#[case("1.0", Some("got a decimal number instead"))]
#[case("1e0", Some("got a decimal number instead"))]
#[case("1e999", Some("got a decimal number instead"))]
fn integers_of_any_size_are_read_as_spelled(#[case] number: &str, #[case] refusal: Option<&str>) {
    let body =
        format!(r#"{{"model":"m","messages":[{{"role":"user","content":"Hi"}}],"seed":{number}}}"#);
    let message = check(OpenAi, Chat, "m", body.as_bytes()).map(|violation| violation.message);
    match refusal {
        Some(part) => assert!(message.as_ref().is_some_and(|m| m.contains(part)), "{message:?}"),
        None => assert_eq!(message, None),
    }
}

#[test]
fn the_last_value_of_a_duplicate_key_counts_and_the_key_is_a_warning() {
    let twice = r#"{"model":"m","input":7,"input":"Hi","metadata":{"a":"b","a":"c"}}"#;
    let violation = check(OpenAi, Responses, "m", twice.as_bytes()).expect("a warning");
    assert_refused(&violation, "Duplicate key: 'input'.", Some("input"), Some("duplicate_key"));
    assert_eq!((violation.pointer.as_str(), violation.strength), ("/input", Strength::Documented));

    let inner = r#"{"model":"m","input":"Hi","metadata":{"a":"b","a":"c"}}"#;
    let violation = check(OpenAi, Responses, "m", inner.as_bytes()).expect("a warning");
    assert_eq!(violation.pointer, "/metadata/a");
    let worse = r#"{"model":"m","input":"Hi","input":7}"#;
    let violation = check(OpenAi, Responses, "m", worse.as_bytes()).expect("refused");
    assert_eq!(violation.code.as_deref(), Some("invalid_type"));
}

#[rstest]
// Missing names come before unknown names, and unknown names before invalid values.
#[case(json!({"model": "m", "zzz": 1}), "messages")]
#[case(chat(json!({"n": "abc", "zzz": 1})), "zzz")]
#[case(chat(json!({"zzz": 1, "aaa": 1})), "zzz")]
// Invalid values are reported in body order.
#[case(chat(json!({"user": 7, "n": "abc"})), "user")]
#[case(chat(json!({"n": "abc", "user": 7})), "n")]
// An observed violation is reported even if a documented one comes before it in the body.
#[case(chat(json!({"top_p": 7, "temperature": 7})), "temperature")]
#[case(chat(json!({"audio": {"zzz": 1}, "user": 7})), "user")]
fn one_error_is_reported_in_the_documented_order(#[case] body: Value, #[case] param: &str) {
    assert_eq!(refusal(OpenAi, Chat, "o3", &body).param.as_deref(), Some(param));
}

#[rstest]
#[case(OpenAi, Chat, chat(json!({"zzz": 1})), Strength::Observed)]
#[case(OpenAi, Chat, chat(json!({"n": "abc"})), Strength::Observed)]
#[case(OpenAi, Chat, chat(json!({"verbosity": "bogus"})), Strength::Observed)]
#[case(OpenAi, Chat, json!({"model": "m"}), Strength::Observed)]
#[case(OpenAi, Chat, chat(json!({"temperature": 3})), Strength::Observed)]
#[case(OpenAi, Chat, chat(json!({"response_format": {"type": "text", "zzz": 1}})), Strength::Observed)]
// These violations were observed, although they are below the top level. The source for the `type`
// of a content part is https://github.com/aallam/openai-kotlin/issues/320. The sources of the other
// cases are with their messages above.
#[case(OpenAi, Chat, chat(json!({"messages": [{"role": "user", "content": [{"text": "Hi"}]}]})), Strength::Observed)]
#[case(OpenAi, Chat, chat(json!({"messages": [{"role": "user", "content": [{"type": "image"}]}]})), Strength::Observed)]
#[case(OpenAi, Responses, responses(json!({"tools": [{}]})), Strength::Observed)]
#[case(OpenAi, Responses, responses(json!({"tools": [{"type": "function"}]})), Strength::Observed)]
#[case(OpenAi, Responses, responses(json!({"tools": [{"type": "mcp"}]})), Strength::Observed)]
#[case(OpenAi, Responses, responses(json!({"input": [{"type": "bogus"}]})), Strength::Observed)]
#[case(AzureV1, Responses, responses(json!({"input": [{"type": ""}]})), Strength::Observed)]
#[case(OpenAi, Responses, responses(json!({"input": [
        {"role": "assistant", "content": [{"type": "input_text", "text": "Hi"}]}]})), Strength::Observed)]
// These similar violations were not observed.
#[case(OpenAi, Chat, chat(json!({"messages": [{"role": "user", "content": ["Hi"]}]})), Strength::Documented)]
#[case(OpenAi, Chat, chat(json!({"messages": [{"role": "system", "content": [{"text": "Hi"}]}]})), Strength::Documented)]
#[case(AzureV1, Chat, chat(json!({"messages": [{"role": "user", "content": [{"text": "Hi"}]}]})), Strength::Documented)]
#[case(OpenAi, Responses, responses(json!({"tools": [{"type": "function", "name": "f", "zzz": 1}]})), Strength::Documented)]
#[case(OpenAi, Responses, responses(json!({"tools": [{"type": "bogus"}]})), Strength::Documented)]
#[case(AzureLegacy, Responses, responses(json!({"input": [{"type": "bogus"}]})), Strength::Documented)]
#[case(OpenAi, Compact, responses(json!({"input": [{"type": "bogus"}]})), Strength::Documented)]
// Ranges and unknown members below the top level that are only documented, and refusals without a
// source.
#[case(OpenAi, Chat, chat(json!({"top_p": 3})), Strength::Documented)]
#[case(OpenAi, Chat, chat(json!({"prediction": {"type": "content", "content": "", "zzz": 1}})), Strength::Documented)]
#[case(OpenAi, Chat, chat(json!({"prediction": {"type": "content"}})), Strength::Documented)]
#[case(OpenAi, Embeddings, json!({"model": "m", "input": "Hi", "zzz": 1}), Strength::Observed)]
#[case(AzureV1, Chat, chat(json!({"service_tier": "auto"})), Strength::Documented)]
#[case(AzureV1, Chat, chat(json!({"zzz": 1})), Strength::Observed)]
#[case(AzureV1, Compact, responses(json!({"metadata": {}})), Strength::Observed)]
fn a_violation_is_as_strong_as_its_evidence(
    #[case] surface: Surface,
    #[case] endpoint: Endpoint,
    #[case] body: Value,
    #[case] strength: Strength,
) {
    let violation = refusal(surface, endpoint, "gpt-4o", &body);
    assert_eq!(violation.strength, strength, "{}", violation.message);
}

#[track_caller]
fn assert_refused(violation: &Violation, message: &str, param: Option<&str>, code: Option<&str>) {
    assert_eq!(violation.message, message);
    assert_eq!(violation.param.as_deref(), param);
    assert_eq!(violation.code.as_deref(), code);
    assert_eq!(violation.error_type, "invalid_request_error");
}
