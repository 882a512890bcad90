//! Legacy wording, and behavior that depends on the model. The messages are from the live APIs.
//! Each group of cases links to its source.

use fallproof_protocol::provider::Endpoint::{
    self, AudioSpeech as Speech, ChatCompletions as Chat, Completions, Embeddings,
    ImagesGenerations as Images, Moderations, Responses,
};
use fallproof_protocol::provider::Surface::{self, AzureLegacy, AzureV1, OpenAi};
use fallproof_strict::{Strength, Violation, check};
use rstest::rstest;
use serde_json::{Value, json};

fn refusal(surface: Surface, endpoint: Endpoint, model: &str, body: &Value) -> Violation {
    let body = body.to_string();
    check(surface, endpoint, model, body.as_bytes()).unwrap_or_else(|| panic!("taken: {body}"))
}

/// A chat body with these members in addition to a message.
fn chat(more: Value) -> Value {
    with(json!({"model": "m", "messages": [{"role": "user", "content": "Hi"}]}), more)
}

fn image(more: Value) -> Value {
    with(json!({"prompt": "A cat"}), more)
}

fn speech(more: Value) -> Value {
    with(json!({"model": "tts-1", "input": "Hi", "voice": "alloy"}), more)
}

fn with(mut body: Value, more: Value) -> Value {
    let (Value::Object(members), Value::Object(more)) = (&mut body, more) else {
        panic!("both are objects")
    };
    members.extend(more);
    body
}

#[rstest]
// https://github.com/superagent-ai/grok-cli/issues/48
#[case(OpenAi, Chat, "gpt-4o", chat(json!({"search_parameters": {}})),
    "Unrecognized request argument supplied: search_parameters")]
// https://github.com/open-webui/open-webui/issues/14520
#[case(OpenAi, Chat, "chatgpt-4o-latest", chat(json!({"num_keep": 1})),
    "Unrecognized request argument supplied: num_keep")]
// https://github.com/quarkiverse/quarkus-langchain4j/issues/285: all names, in alphabetical order
#[case(AzureLegacy, Chat, "gpt-35-turbo", chat(json!({"topP": 1, "frequencyPenalty": 0, "presencePenalty": 0})),
    "Unrecognized request arguments supplied: frequencyPenalty, presencePenalty, topP")]
// https://github.com/musistudio/claude-code-router/issues/724
#[case(AzureV1, Chat, "gpt-4o-mini", chat(json!({"reasoning": {}})),
    "Unrecognized request argument supplied: reasoning")]
// https://github.com/openai-php/laravel/issues/21
#[case(OpenAi, Completions, "gpt-3.5-turbo-instruct", json!({"model": "m", "prompt": "Hi", "messages": []}),
    "Unrecognized request argument supplied: messages")]
// This message was seen on completions and is assumed for embeddings.
#[case(OpenAi, Embeddings, "text-embedding-3-small", json!({"model": "m", "input": "Hi", "truncate": "END"}),
    "Unrecognized request argument supplied: truncate")]
// https://github.com/transitive-bullshit/agentic/issues/531
#[case(OpenAi, Chat, "gpt-3.5-turbo", json!({"messages": [{"role": "user", "content": "Hi", "id": "1"}], "model": "m"}),
    "Additional properties are not allowed ('id' was unexpected) - 'messages.0'")]
// The plural form is from https://github.com/openai/openai-node/issues/1161
#[case(OpenAi, Chat, "gpt-4-32k",
    json!({"model": "m", "messages": [{"role": "user", "content": "Hi"}, {"role": "user", "content": "a", "y": 1, "x": 1}]}),
    "Additional properties are not allowed ('x', 'y' were unexpected) - 'messages.1'")]
// From the same source: `parsed` is a member that only newer models know. `refusal` has been seen
// to be accepted since then.
#[case(OpenAi, Chat, "gpt-4-turbo", chat(json!({"messages": [
        {"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hi", "parsed": null, "refusal": null, "x": 1}]})),
    "Additional properties are not allowed ('parsed', 'x' were unexpected) - 'messages.1'")]
// https://github.com/microsoft/semantic-kernel/issues/4261
#[case(AzureLegacy, Chat, "gpt-4", json!({"messages": [{"role": "user", "content": "Hi", "context": {}}]}),
    "Additional properties are not allowed ('context' was unexpected) - 'messages.0'")]
// https://github.com/davidmigloz/langchain_dart/issues/712: other models know this name
#[case(OpenAi, Chat, "gpt-4o-mini", chat(json!({"reasoning_effort": "low"})),
    "Unrecognized request argument supplied: reasoning_effort")]
fn legacy_back_ends_report_neither_parameter_nor_code(
    #[case] surface: Surface,
    #[case] endpoint: Endpoint,
    #[case] model: &str,
    #[case] body: Value,
    #[case] message: &str,
) {
    let violation = refusal(surface, endpoint, model, &body);
    assert_eq!(violation.message, message);
    assert_eq!((violation.param, violation.code), (None, None));
    assert_eq!(violation.strength, Strength::Observed);
}

#[test]
fn an_undocumented_name_is_not_listed_with_the_unknown_ones() {
    let violation =
        refusal(AzureV1, Chat, "gpt-4o", &chat(json!({"service_tier": "auto", "zzz": 1})));
    assert_eq!(violation.message, "Unrecognized request argument supplied: zzz");
    let violation = refusal(AzureV1, Chat, "gpt-4o", &chat(json!({"service_tier": "auto"})));
    assert_eq!(violation.message, "Unrecognized request argument supplied: service_tier");
    assert_eq!(violation.strength, Strength::Documented);
}

#[rstest]
#[case("gpt-3.5-turbo", "refusal", None)]
#[case(
    "gpt-3.5-turbo",
    "parsed",
    Some("Additional properties are not allowed ('parsed' was unexpected) - 'messages.0'")
)]
#[case("gpt-4o", "parsed", None)]
#[case("gpt-4.1", "parsed", None)]
fn echoing_an_answer_depends_on_the_model(
    #[case] model: &str,
    #[case] member: &str,
    #[case] refused: Option<&str>,
) {
    let body = chat(json!({"messages": [{"role": "assistant", "content": "Hi", member: null}]}));
    let violation = check(OpenAi, Chat, model, body.to_string().as_bytes());
    assert_eq!(violation.map(|violation| violation.message).as_deref(), refused);
}

#[test]
fn newer_models_use_the_modern_wording_for_message_members() {
    let body = json!({"model": "m", "messages": [{"role": "user", "content": "Hi", "id": "1"}]});
    let violation = refusal(OpenAi, Chat, "gpt-4o", &body);
    assert_eq!(violation.message, "Unknown parameter: 'messages[0].id'.");
    assert_eq!(violation.strength, Strength::Documented);
}

#[rstest]
// The message and the null in `param` were measured on the live API on August 30, 2026:
// https://github.com/kangminlee-maker/local-OAuth-CLI-API-adapter
// (openai-responses-validation-parity.test.mjs)
#[case(json!({"model": "m", "input": "Hi", "messages": []}))]
#[case(json!({"model": "m", "messages": [{"role": "user", "content": "Hi"}], "zzz": 1}))]
fn messages_are_reported_as_moved_to_input(#[case] body: Value) {
    let violation = refusal(OpenAi, Responses, "gpt-5", &body);
    assert_eq!(
        violation.message,
        "Unsupported parameter: 'messages'. In the Responses API, this parameter has moved to 'input'. Try again \
         with the new parameter. See the API documentation for more information: \
         https://platform.openai.com/docs/api-reference/responses/create."
    );
    assert_eq!(violation.param, None);
    assert_eq!(violation.code.as_deref(), Some("unsupported_parameter"));
    assert_eq!((violation.pointer.as_str(), violation.strength), ("/messages", Strength::Observed));
}

#[rstest]
// https://github.com/openai/openai-node/issues/1284
#[case(speech(json!({"response_format": "ogg"})), "/response_format",
    "[{'type': 'enum', 'loc': ('body', 'response_format'), 'msg': \"Input should be 'mp3', 'opus', 'aac', 'flac', \
     'wav' or 'pcm'\", 'input': 'ogg', 'ctx': {'expected': \"'mp3', 'opus', 'aac', 'flac', 'wav' or 'pcm'\"}}]")]
// https://github.com/metadist/synaplan/issues/1665
#[case(speech(json!({"input": "a".repeat(5311)})), "/input",
    "[{'type': 'string_too_long', 'loc': ('body', 'input'), 'msg': 'String should have at most 4096 characters', \
     'ctx': {'max_length': 4096}}]")]
// This message was not seen. It is the one that the library has for this kind of error.
#[case(speech(json!({"speed": 5})), "/speed",
    "[{'type': 'less_than_equal', 'loc': ('body', 'speed'), 'msg': 'Input should be less than or equal to 4', \
     'input': 5, 'ctx': {'le': 4}}]")]
#[case(speech(json!({"speed": []})), "/speed",
    "[{'type': 'float_type', 'loc': ('body', 'speed'), 'msg': 'Input should be a valid number', 'input': []}]")]
#[case(speech(json!({"stream": true})), "/stream",
    "[{'type': 'extra_forbidden', 'loc': ('body', 'stream'), 'msg': 'Extra inputs are not permitted', 'input': True}]")]
#[case(json!({"model": "tts-1", "input": "Hi"}), "/voice",
    "[{'type': 'missing', 'loc': ('body', 'voice'), 'msg': 'Field required'}]")]
fn audio_uses_the_wording_of_its_library(
    #[case] body: Value,
    #[case] pointer: &str,
    #[case] message: &str,
) {
    let violation = refusal(OpenAi, Speech, "tts-1", &body);
    assert_eq!(violation.message, message);
    assert_eq!((violation.param, violation.code), (None, None));
    assert_eq!(violation.pointer, pointer);
}

#[rstest]
// Recorded in traceloop/openllmetry, test_image_gen_metrics.yaml.
#[case("dall-e-2", image(json!({"quality": "standard"})), "Unknown parameter: 'quality'.",
    Some("quality"), "unknown_parameter", Strength::Observed)]
// https://github.com/GetfroggyHoe/universal-immersion-engine/issues/5
#[case("gpt-image-1.5", image(json!({"response_format": "b64_json"})), "Unknown parameter: 'response_format'.",
    Some("response_format"), "unknown_parameter", Strength::Observed)]
// https://github.com/griptape-ai/griptape-nodes-engine/issues/1031
#[case("gpt-image-1", image(json!({"quality": "standard"})),
    "Invalid value: 'standard'. Supported values are: 'low', 'medium', 'high', and 'auto'.",
    Some("quality"), "invalid_value", Strength::Observed)]
// https://github.com/redevrx/chat_gpt_sdk/issues/93
#[case("dall-e-3", image(json!({"size": "256x256"})), "The size is not supported by this model.",
    None, "invalid_size", Strength::Observed)]
// This refusal is only documented.
#[case("dall-e-3", image(json!({"background": "opaque"})), "Unknown parameter: 'background'.",
    Some("background"), "unknown_parameter", Strength::Documented)]
fn each_family_of_image_models_has_its_own_parameters(
    #[case] model: &str,
    #[case] body: Value,
    #[case] message: &str,
    #[case] param: Option<&str>,
    #[case] code: &str,
    #[case] strength: Strength,
) {
    let violation = refusal(OpenAi, Images, model, &body);
    assert_eq!(violation.message, message);
    assert_eq!(violation.param.as_deref(), param);
    assert_eq!(violation.code.as_deref(), Some(code));
    assert_eq!(violation.strength, strength);
}

#[rstest]
#[case("dall-e-3", image(json!({"quality": "hd", "size": "1024x1792", "style": "vivid", "response_format": "url"})))]
#[case("dall-e-2", image(json!({"size": "256x256", "n": 2, "response_format": "b64_json"})))]
#[case("gpt-image-1", image(json!({"quality": "high", "background": "transparent", "output_format": "png"})))]
fn each_family_of_image_models_accepts_its_own_parameters(
    #[case] model: &str,
    #[case] body: Value,
) {
    assert_eq!(check(OpenAi, Images, model, body.to_string().as_bytes()), None);
}

#[rstest]
// Recorded in envoyproxy/ai-gateway, completion-bad-request: the API reports only the first of two
// errors.
#[case(Completions, json!({"max_tokens": -1, "model": "babbage-002", "prompt": "Hi", "temperature": 3}),
    "Invalid 'max_tokens': integer below minimum value. Expected a value >= 0, but got -1 instead.",
    Some("max_tokens"), Some("integer_below_min_value"))]
// These messages were seen on other endpoints and are assumed for these.
#[case(Completions, json!({"prompt": "Hi"}), "you must provide a model parameter", None, None)]
#[case(Moderations, json!({"input": "Hi", "zzz": 1}), "Unknown parameter: 'zzz'.", Some("zzz"), Some("unknown_parameter"))]
#[case(Moderations, json!({}), "Missing required parameter: 'input'.", Some("input"), Some("missing_required_parameter"))]
fn completions_and_moderations_use_the_modern_wording_for_values(
    #[case] endpoint: Endpoint,
    #[case] body: Value,
    #[case] message: &str,
    #[case] param: Option<&str>,
    #[case] code: Option<&str>,
) {
    let violation = refusal(OpenAi, endpoint, "m", &body);
    assert_eq!(violation.message, message);
    assert_eq!(violation.param.as_deref(), param);
    assert_eq!(violation.code.as_deref(), code);
}
