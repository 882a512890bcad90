//! Success replies on responses (without streaming), embeddings, images, audio and moderations.
//! Also properties that all success replies have.

use crate::replies_support::{
    Mock, assert_adds_up, chat, events, header, input, json_of, marker, names, text,
};
use fallproof_mocks::Reply;
use fallproof_mocks::marker::Marker;
use fallproof_mocks::provider::{Endpoint, Surface};
use rstest::rstest;
use serde_json::{Value, json};

fn ask(mock: &Mock, endpoint: Endpoint) -> Reply {
    match endpoint {
        Endpoint::ChatCompletions => mock.ask(endpoint.path(), &chat(json!({}))),
        Endpoint::Completions | Endpoint::ImagesGenerations => {
            mock.ask(endpoint.path(), &json!({ "prompt": "Hi" }))
        }
        Endpoint::AudioSpeech => mock.ask(endpoint.path(), &input(json!({ "voice": "alloy" }))),
        Endpoint::AudioTranscriptions | Endpoint::AudioTranslations => {
            mock.ask_form(endpoint.path(), &[])
        }
        Endpoint::Embeddings
        | Endpoint::Responses
        | Endpoint::ResponsesCompact
        | Endpoint::Moderations => mock.ask(endpoint.path(), &input(json!({}))),
    }
}

fn model_for(endpoint: Endpoint) -> &'static str {
    match endpoint {
        Endpoint::ChatCompletions | Endpoint::Responses | Endpoint::ResponsesCompact => "gpt-5",
        Endpoint::Completions => "gpt-3.5-turbo-instruct",
        Endpoint::Embeddings => "text-embedding-3-small",
        Endpoint::ImagesGenerations => "dall-e-3",
        Endpoint::AudioSpeech => "tts-1",
        Endpoint::AudioTranscriptions | Endpoint::AudioTranslations => "whisper-1",
        Endpoint::Moderations => "omni-moderation-latest",
    }
}

#[rstest]
fn every_answer_contains_the_marker_of_its_deployment_only(
    #[values(Surface::OpenAi, Surface::AzureV1, Surface::AzureLegacy)] surface: Surface,
) {
    for endpoint in Endpoint::ALL.into_iter().filter(|endpoint| endpoint.is_on(surface)) {
        let reply = ask(&Mock::of(surface, model_for(endpoint)), endpoint);
        assert_eq!(reply.status, 200, "{endpoint:?}");
        assert!(marker().found_in(&reply.body), "{endpoint:?}");
        assert!(!Marker::new("/test/backup").found_in(&reply.body), "{endpoint:?}");
    }
}

#[test]
fn an_attempt_is_deterministic_and_the_next_one_has_other_ids() {
    for endpoint in Endpoint::ALL {
        let model = model_for(endpoint);
        let (one, other) = (Mock::of(Surface::OpenAi, model), Mock::of(Surface::OpenAi, model));
        let first = ask(&one, endpoint);
        assert_eq!(first, ask(&other, endpoint));
        let second = ask(&one, endpoint);
        assert_ne!(header(&first, "x-request-id"), header(&second, "x-request-id"));
    }
}

#[test]
fn a_response_repeats_the_request_parameters() {
    let members = input(json!({
        "instructions": "Be brief.", "store": false, "metadata": { "a": "b" },
        "max_output_tokens": 64, "text": { "verbosity": "low" }, "service_tier": "flex"
    }));
    let openai = Mock::of(Surface::OpenAi, "gpt-5").ask("responses", &members);
    assert!(text(&openai).starts_with("{\n  \"id\": \"resp_") && text(&openai).ends_with('}'));
    let answer = json_of(&openai);
    for name in ["instructions", "store", "metadata", "max_output_tokens", "service_tier"] {
        assert_eq!(answer[name], members[name]);
    }
    assert_eq!(answer["text"], json!({ "format": { "type": "text" }, "verbosity": "low" }));
    assert_eq!(answer["output"][0]["content"][0]["type"], "output_text");
    assert_eq!(answer.get("content_filters"), None);
    assert_eq!(names(&answer)[4..6], ["background", "billing"], "recorded so");
    assert_adds_up(&answer["usage"], ["input_tokens", "output_tokens"]);

    let members = input(json!({}));
    let azure = Mock::of(Surface::AzureV1, "gpt-5").ask("responses", &members);
    let answer = json_of(&azure);
    let at = names(&answer).iter().position(|name| *name == "completed_at").expect("there");
    assert_eq!(names(&answer)[at + 1], "content_filters", "recorded so");
    assert_eq!(answer["content_filters"][0]["blocked"], false);
    assert_eq!((answer.get("billing"), &answer["model"]), (None, &json!("gpt-5")));
    assert_eq!(header(&azure, "x-ms-served-model"), "gpt-5");
    assert_eq!(header(&azure, "azureai-fe-is-streaming"), "False");
}

#[test]
fn a_response_is_json_or_a_call_if_requested() {
    let mock = Mock::of(Surface::OpenAi, "gpt-4o");
    let schema = json!({
        "type": "object", "properties": { "say": { "type": "string" } }, "required": ["say"],
        "additionalProperties": false
    });
    let format = json!({ "type": "json_schema", "name": "s", "schema": schema });
    let answer = json_of(&mock.ask("responses", &input(json!({ "text": { "format": format } }))));
    let text = answer["output"][0]["content"][0]["text"].as_str().expect("text");
    let text: Value = serde_json::from_str(text).expect("JSON");
    assert!(text["say"].as_str().is_some_and(|it| it.contains(marker().token())));

    let tool = json!({ "type": "function", "name": "f", "parameters": schema, "strict": true });
    let members = input(json!({ "tools": [tool], "tool_choice": "required" }));
    let answer = json_of(&mock.ask("responses", &members));
    assert_eq!(
        names(&answer["output"][0]),
        ["id", "type", "status", "arguments", "call_id", "name"]
    );
    let arguments = answer["output"][0]["arguments"].as_str().expect("text");
    let expected = json!({ "say": marker().token() });
    assert_eq!(serde_json::from_str::<Value>(arguments).expect("JSON"), expected);
}

#[test]
fn a_response_includes_logprobs_if_requested() {
    let members = input(json!({ "include": ["message.output_text.logprobs"], "top_logprobs": 2 }));
    let answer = json_of(&Mock::of(Surface::OpenAi, "gpt-4o").ask("responses", &members));
    let part = &answer["output"][0]["content"][0];
    let logprobs = part["logprobs"].as_array().expect("a list");
    let tokens: String = logprobs.iter().filter_map(|it| it["token"].as_str()).collect();
    assert_eq!(part["text"], tokens);
    let tops = logprobs.iter().map(|it| it["top_logprobs"].as_array().map(Vec::len));
    assert!(tops.into_iter().all(|top| top == Some(2)));
}

#[test]
fn a_compaction_keeps_the_users_messages_and_seals_the_rest() {
    let members = json!({ "input": [
        { "role": "user", "content": "Hi" },
        { "role": "assistant", "content": "Hello" },
        { "role": "user", "content": [{ "type": "input_text", "text": "And now?" }] }
    ] });
    let answer = json_of(&Mock::of(Surface::OpenAi, "gpt-5").ask("responses/compact", &members));
    assert_eq!(answer["object"], "response.compaction");
    let output = answer["output"].as_array().expect("a list");
    let types: Vec<_> = output.iter().map(|item| &item["type"]).collect();
    assert_eq!(types, ["message", "message", "compaction"]);
    assert_eq!(output[0]["content"], json!([{ "type": "input_text", "text": "Hi" }]));
    assert_eq!(output[1]["content"], members["input"][2]["content"]);
    let sealed = output[2]["encrypted_content"].as_str().expect("text");
    assert!(sealed.contains(marker().token()));
}

#[rstest]
#[case(json!("one text"), 1)]
#[case(json!(["one", "two", "three"]), 3)]
#[case(json!([1, 2, 3]), 1)]
#[case(json!([[1, 2], [3]]), 2)]
fn there_is_one_embedding_for_each_input(#[case] texts: Value, #[case] count: usize) {
    let members = json!({ "input": texts, "dimensions": 16 });
    let mock = Mock::of(Surface::OpenAi, "text-embedding-3-small");
    let answer = json_of(&mock.ask("embeddings", &members));
    let data = answer["data"].as_array().expect("a list");
    assert_eq!(data.len(), count);
    for (index, item) in data.iter().enumerate() {
        let expected = (Some(index as u64), Some("embedding"));
        assert_eq!((item["index"].as_u64(), item["object"].as_str()), expected);
        assert_eq!(item["embedding"].as_array().map(Vec::len), Some(16));
    }
    assert_eq!(answer["usage"]["prompt_tokens"], answer["usage"]["total_tokens"]);
}

#[rstest]
#[case("text-embedding-3-small", 1536)]
#[case("text-embedding-3-large", 3072)]
fn an_embedding_has_the_length_of_its_model(#[case] model: &str, #[case] length: usize) {
    let mock = Mock::of(Surface::OpenAi, model);
    let answer = json_of(&mock.ask("embeddings", &input(json!({}))));
    assert_eq!(answer["data"][0]["embedding"].as_array().map(Vec::len), Some(length));
    let answer = json_of(&mock.ask("embeddings", &input(json!({ "encoding_format": "base64" }))));
    let encoded = answer["data"][0]["embedding"].as_str().expect("text");
    assert_eq!(encoded.len(), (length * 4).div_ceil(3) * 4);
}

#[rstest]
#[case("dall-e-2", json!({}), &["url"])]
#[case("dall-e-2", json!({ "response_format": "b64_json" }), &["b64_json"])]
#[case("dall-e-3", json!({}), &["revised_prompt", "url"])]
#[case("gpt-image-1", json!({}), &["b64_json"])]
fn an_image_has_the_form_of_its_model(
    #[case] model: &str,
    #[case] more: Value,
    #[case] expected: &[&str],
) {
    let mut members = more;
    members["prompt"] = json!("A cat");
    members["n"] = json!(2);
    let reply = Mock::of(Surface::OpenAi, model).ask("images/generations", &members);
    let answer = json_of(&reply);
    let images = answer["data"].as_array().expect("a list");
    assert_eq!(images.len(), 2);
    assert!(images.iter().all(|image| names(image) == expected));
    assert!(marker().found_in(&reply.body));
    if model == "gpt-image-1" {
        assert_adds_up(&answer["usage"], ["input_tokens", "output_tokens"]);
        assert_eq!(answer["output_format"], "png");
    }
}

#[test]
fn an_image_can_be_streamed() {
    let members = json!({ "prompt": "A cat", "stream": true, "partial_images": 2 });
    let reply = Mock::of(Surface::OpenAi, "gpt-image-1").ask("images/generations", &members);
    let events = events(&reply);
    let kinds: Vec<_> = events.iter().filter_map(|(name, _)| name.as_deref()).collect();
    let partial = "image_generation.partial_image";
    assert_eq!(kinds, [partial, partial, "image_generation.completed"]);
    assert_eq!(events[1].1["partial_image_index"], 1);
    assert!(marker().found_in(&reply.body));
}

#[rstest]
#[case("mp3", "audio/mpeg", b"ID3")]
#[case("opus", "audio/opus", b"OggS")]
#[case("aac", "audio/aac", b"ID3")]
#[case("flac", "audio/flac", b"fLaC")]
#[case("wav", "audio/wav", b"RIFF")]
#[case("pcm", "audio/pcm", b"fp-")]
fn speech_has_the_requested_format(
    #[case] format: &str,
    #[case] content_type: &str,
    #[case] start: &[u8],
) {
    let mock = Mock::of(Surface::OpenAi, "gpt-4o-mini-tts");
    let members = input(json!({ "voice": "alloy", "response_format": format }));
    let reply = mock.ask("audio/speech", &members);
    assert_eq!(header(&reply, "content-type"), content_type);
    assert!(reply.body.starts_with(start));
    assert!(marker().found_in(&reply.body));

    let mut streamed = members;
    streamed["stream_format"] = json!("sse");
    let reply = mock.ask("audio/speech", &streamed);
    let events = events(&reply);
    let kinds: Vec<_> = events.iter().map(|(_, data)| &data["type"]).collect();
    assert_eq!(kinds, ["speech.audio.delta", "speech.audio.done"]);
    assert!(marker().found_in(&reply.body), "within base64");
}

#[rstest]
#[case("json", "application/json", "{\"text\":\"fp-")]
#[case("text", "text/plain; charset=utf-8", "fp-")]
#[case("srt", "text/plain; charset=utf-8", "1\n00:00:00,000 --> 00:00:01,000\nfp-")]
#[case("vtt", "text/plain; charset=utf-8", "WEBVTT\n\n00:00:00.000 --> ")]
#[case("verbose_json", "application/json", "{\"task\":\"transcribe\",")]
fn a_transcript_has_the_requested_format(
    #[case] format: &str,
    #[case] content_type: &str,
    #[case] start: &str,
) {
    let mock = Mock::of(Surface::OpenAi, "whisper-1");
    let reply = mock.ask_form("audio/transcriptions", &[("response_format", format)]);
    assert_eq!(header(&reply, "content-type"), content_type);
    assert!(text(&reply).starts_with(start), "{}", text(&reply));
}

#[test]
fn a_transcript_has_the_requested_timestamps() {
    let mock = Mock::of(Surface::OpenAi, "whisper-1");
    let verbose = ("response_format", "verbose_json");
    let granularity = "timestamp_granularities[]";
    let ask = |fields: &[(&str, &str)]| json_of(&mock.ask_form("audio/transcriptions", fields));
    let segments = ask(&[verbose]);
    assert!(segments["segments"].is_array() && segments.get("words").is_none());
    let words = ask(&[verbose, (granularity, "word")]);
    assert!(words["words"].is_array() && words.get("segments").is_none());
    let both = ask(&[verbose, (granularity, "word"), (granularity, "segment")]);
    assert!(both["words"].is_array() && both["segments"].is_array());
}

#[test]
fn a_transcript_can_be_streamed_by_models_that_support_it() {
    let fields = [("stream", "true")];
    let mock = Mock::of(Surface::OpenAi, "gpt-4o-transcribe");
    let events = events(&mock.ask_form("audio/transcriptions", &fields));
    let (last, deltas) = events.split_last().expect("events");
    assert_eq!(last.1["type"], "transcript.text.done");
    let text: String = deltas.iter().filter_map(|(_, it)| it["delta"].as_str()).collect();
    assert_eq!(last.1["text"], text);
    assert_adds_up(&last.1["usage"], ["input_tokens", "output_tokens"]);
    let whisper = Mock::of(Surface::OpenAi, "whisper-1");
    let answer = json_of(&whisper.ask_form("audio/transcriptions", &fields));
    assert_eq!(answer["usage"], json!({ "type": "duration", "seconds": 1 }));
}

#[test]
fn a_translation_is_indented_json_without_usage() {
    let reply = Mock::of(Surface::OpenAi, "whisper-1").ask_form("audio/translations", &[]);
    assert!(text(&reply).starts_with("{\n  \"text\": \"fp-"));
    assert_eq!(names(&json_of(&reply)), ["text"]);
}

#[rstest]
#[case(json!("one"), 1)]
#[case(json!(["one", "two"]), 2)]
#[case(json!([{ "type": "text", "text": "one" }]), 1)]
fn moderations_flag_nothing(#[case] texts: Value, #[case] count: usize) {
    let mock = Mock::of(Surface::OpenAi, "omni-moderation-latest");
    let answer = json_of(&mock.ask("moderations", &json!({ "input": texts })));
    let results = answer["results"].as_array().expect("a list");
    assert_eq!(results.len(), count);
    for result in results {
        assert_eq!(result["flagged"], false);
        assert_eq!(names(&result["categories"]).len(), 13);
        assert_eq!(names(&result["categories"]), names(&result["category_scores"]));
    }
}
