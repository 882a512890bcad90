//! The order of the events in streams.

use crate::replies_support::{
    Event, Mock, assert_adds_up, chat, chunks, events, header, input, joined, json_of, marker,
    names, text,
};
use fallproof_mocks::provider::Surface;
use rstest::rstest;
use serde_json::{Value, json};

const CHAT: &str = "chat/completions";

fn forced() -> Value {
    json!({
        "tools": [{ "type": "function", "function": {
            "name": "look",
            "parameters": {
                "type": "object",
                "properties": { "at": { "type": "string" } },
                "required": ["at"]
            }
        } }],
        "tool_choice": "required",
        "stream": true
    })
}

/// Members of a `/responses` request that force the call of a function.
fn forced_response() -> Value {
    json!({
        "tools": [{
            "type": "function",
            "name": "look",
            "parameters": {
                "type": "object",
                "properties": { "at": { "type": "string" } },
                "required": ["at"]
            },
            "strict": false
        }],
        "tool_choice": { "type": "function", "name": "look" },
        "stream": true
    })
}

/// The kind of a chunk, as one word.
fn step(chunk: &Value) -> &'static str {
    let choice = &chunk["choices"][0];
    let delta = &choice["delta"];
    if chunk.get("error").is_some() {
        "error"
    } else if chunk.get("prompt_filter_results").is_some() {
        "prompt"
    } else if choice.is_null() {
        "usage"
    } else if !choice["finish_reason"].is_null() {
        "finish"
    } else if delta.get("role").is_some() {
        "role"
    } else if delta.get("tool_calls").is_some() {
        "arguments"
    } else {
        "content"
    }
}

/// The steps of a stream, without consecutive duplicates.
fn steps(chunks: &[Value]) -> Vec<&'static str> {
    let mut steps: Vec<_> = chunks.iter().map(step).collect();
    steps.dedup();
    steps
}

#[rstest]
#[case(Surface::OpenAi, &["role", "content", "finish"])]
#[case(Surface::AzureV1, &["prompt", "role", "content", "finish"])]
#[case(Surface::AzureLegacy, &["prompt", "role", "content", "finish"])]
fn a_chat_is_streamed_piece_by_piece(#[case] surface: Surface, #[case] expected: &[&str]) {
    let mock = Mock::of(surface, "gpt-4o");
    let whole = json_of(&mock.ask(CHAT, &chat(json!({}))));
    let chunks = chunks(&mock.ask(CHAT, &chat(json!({ "stream": true }))));
    assert_eq!(steps(&chunks), expected);
    let content = joined(&chunks, 0, "/delta/content");
    assert_eq!(whole["choices"][0]["message"]["content"], content);
    let pieces = chunks.iter().filter(|chunk| step(chunk) == "content");
    assert!(pieces.clone().count() > 3, "several pieces");
    assert_eq!(pieces.filter(|it| it.to_string().contains(marker().token())).count(), 1);
    let own: Vec<_> = chunks.iter().filter(|chunk| step(chunk) != "prompt").collect();
    for chunk in own {
        assert_eq!(chunk["object"], "chat.completion.chunk");
        assert_eq!(chunk["id"], chunks[chunks.len() - 1]["id"]);
        assert_eq!(chunk.get("usage"), None);
    }
}

#[test]
fn openais_chunks_are_written_in_declaration_order() {
    let members = chat(json!({ "stream": true, "stream_options": { "include_usage": true } }));
    let chunks = chunks(&Mock::of(Surface::OpenAi, "gpt-4o").ask(CHAT, &members));
    let expected = [
        "id",
        "object",
        "created",
        "model",
        "service_tier",
        "system_fingerprint",
        "choices",
        "usage",
        "obfuscation",
    ];
    assert!(chunks.iter().all(|chunk| names(chunk) == expected));
    assert_eq!(
        chunks[0]["choices"],
        json!([{
            "index": 0,
            "delta": { "role": "assistant", "content": "", "refusal": null },
            "logprobs": null,
            "finish_reason": null
        }])
    );
}

#[test]
fn azure_first_sends_the_filter_results_of_the_prompt() {
    let reply =
        Mock::of(Surface::AzureLegacy, "gpt-4o").ask(CHAT, &chat(json!({ "stream": true })));
    assert!(text(&reply).starts_with(
        "data: {\"choices\":[],\"created\":0,\"id\":\"\",\"model\":\"\",\"object\":\"\",\
         \"prompt_filter_results\":[{\"prompt_index\":0,"
    ));
    let chunks = chunks(&reply);
    assert!(chunks.iter().all(|chunk| names(chunk).is_sorted()));
    for chunk in &chunks[1..] {
        let results = &chunk["choices"][0]["content_filter_results"];
        assert_eq!(results == &json!({}), step(chunk) != "content", "{chunk}");
    }
}

#[rstest]
fn usage_is_a_separate_chunk_if_requested(
    #[values(Surface::OpenAi, Surface::AzureV1, Surface::AzureLegacy)] surface: Surface,
    #[values(json!({}), forced())] more: Value,
) {
    let mut members = chat(more);
    let mock = Mock::of(surface, "gpt-4o");
    members["stream"] = json!(false);
    let whole = json_of(&mock.ask(CHAT, &members));
    members["stream"] = json!(true);
    members["stream_options"] = json!({ "include_usage": true });
    let chunks = chunks(&mock.ask(CHAT, &members));
    let (last, others) = chunks.split_last().expect("chunks");
    assert_eq!(last["choices"], json!([]));
    assert_adds_up(&last["usage"], ["prompt_tokens", "completion_tokens"]);
    assert_eq!(last["usage"], whole["usage"]);
    let others = others.iter().filter(|chunk| step(chunk) != "prompt");
    assert!(others.clone().all(|chunk| chunk.get("usage") == Some(&Value::Null)));
}

#[rstest]
#[case(Surface::OpenAi, &["role", "arguments", "finish"])]
#[case(Surface::AzureV1, &["prompt", "role", "arguments", "finish"])]
fn a_call_is_named_first_and_then_given_its_arguments(
    #[case] surface: Surface,
    #[case] expected: &[&str],
) {
    let chunks = chunks(&Mock::of(surface, "gpt-4o").ask(CHAT, &chat(forced())));
    assert_eq!(steps(&chunks), expected);
    let calls: Vec<_> = chunks
        .iter()
        .map(|chunk| &chunk["choices"][0]["delta"]["tool_calls"][0])
        .filter(|call| !call.is_null())
        .collect();
    assert_eq!(
        (&calls[0]["function"]["name"], &calls[0]["type"]),
        (&json!("look"), &json!("function"))
    );
    assert_eq!(calls[0]["function"]["arguments"], "");
    assert!(calls[1..].iter().all(|call| call.get("id").is_none() && call["index"] == 0));
    let arguments = joined(&chunks, 0, "/delta/tool_calls/0/function/arguments");
    let arguments: Value = serde_json::from_str(&arguments).expect("JSON");
    assert_eq!(arguments, json!({ "at": marker().token() }));
    assert_eq!(chunks[chunks.len() - 1]["choices"][0]["finish_reason"], "tool_calls");
}

#[test]
fn several_choices_come_in_turn() {
    let members = chat(json!({ "stream": true, "n": 3 }));
    let mock = Mock::of(Surface::OpenAi, "gpt-4o");
    let streamed = chunks(&mock.ask(CHAT, &members));
    let first: Vec<_> = streamed[..4].iter().map(|it| &it["choices"][0]["index"]).collect();
    assert_eq!(first, [0, 1, 2, 0]);
    let whole = json_of(&mock.ask(CHAT, &chat(json!({ "n": 3 }))));
    for index in 0..3_u64 {
        let content = joined(&streamed, index, "/delta/content");
        let at = usize::try_from(index).expect("the number is small");
        assert_eq!(whole["choices"][at]["message"]["content"], content);
        assert_eq!(joined(&streamed, index, "/finish_reason"), "stop");
    }
}

#[test]
fn filler_hides_the_length_of_pieces_unless_disabled() {
    let mock = Mock::of(Surface::OpenAi, "gpt-4o");
    let filled = chunks(&mock.ask(CHAT, &chat(json!({ "stream": true }))));
    let mut lengths: Vec<_> =
        filled.iter().map(|it| it["obfuscation"].as_str().map(str::len)).collect();
    lengths.dedup();
    assert!(lengths.len() > 3 && !lengths.contains(&None));
    let members =
        chat(json!({ "stream": true, "stream_options": { "include_obfuscation": false } }));
    let bare = chunks(&mock.ask(CHAT, &members));
    assert!(bare.iter().all(|chunk| chunk.get("obfuscation").is_none()));
}

#[test]
fn completions_are_streamed_without_a_role() {
    let mock = Mock::of(Surface::OpenAi, "gpt-3.5-turbo-instruct");
    let whole = json_of(&mock.ask("completions", &json!({ "prompt": "Hi" })));
    let members =
        json!({ "prompt": "Hi", "stream": true, "stream_options": { "include_usage": true } });
    let chunks = chunks(&mock.ask("completions", &members));
    assert_eq!(names(&chunks[0]), ["id", "object", "created", "choices", "model", "usage"]);
    assert_eq!(whole["choices"][0]["text"], joined(&chunks, 0, "/text"));
    let [.., finish, usage] = &chunks[..] else { panic!("few chunks") };
    assert_eq!(
        (&finish["choices"][0]["text"], &finish["choices"][0]["finish_reason"]),
        (&json!(""), &json!("stop"))
    );
    assert_eq!((&usage["choices"], &usage["usage"]), (&json!([]), &whole["usage"]));
}

#[rstest]
#[case(Surface::OpenAi, CHAT, "text/event-stream; charset=utf-8")]
#[case(Surface::OpenAi, "completions", "text/event-stream")]
#[case(Surface::OpenAi, "responses", "text/event-stream; charset=utf-8")]
#[case(Surface::AzureV1, CHAT, "text/event-stream; charset=utf-8")]
fn only_openais_completions_omit_the_charset(
    #[case] surface: Surface,
    #[case] endpoint: &str,
    #[case] content_type: &str,
) {
    let members = match endpoint {
        CHAT => chat(json!({ "stream": true })),
        "responses" => input(json!({ "stream": true })),
        _ => json!({ "prompt": "Hi", "stream": true }),
    };
    let reply = Mock::of(surface, "gpt-4o").ask(endpoint, &members);
    assert_eq!(header(&reply, "content-type"), content_type);
}

/// The event names in a stream from `/responses`, without consecutive duplicates. Also checks that
/// the data of each event repeats its name, and that the events are numbered.
fn kinds(events: &[Event]) -> Vec<&str> {
    let mut kinds = Vec::new();
    for (number, (name, data)) in events.iter().enumerate() {
        let name = name.as_deref().expect("a name");
        assert_eq!((&data["type"], &data["sequence_number"]), (&json!(name), &json!(number)));
        assert!(names(data)[0] == "type" && names(data)[1..].is_sorted(), "{:?}", names(data));
        kinds.push(name.strip_prefix("response.").unwrap_or(name));
    }
    kinds.dedup();
    kinds
}

const TEXT: [&str; 6] = [
    "output_item.added",
    "content_part.added",
    "output_text.delta",
    "output_text.done",
    "content_part.done",
    "output_item.done",
];

#[rstest]
fn a_response_is_streamed_event_by_event(
    #[values(Surface::OpenAi, Surface::AzureV1, Surface::AzureLegacy)] surface: Surface,
) {
    let mock = Mock::of(surface, "gpt-4o");
    let reply = mock.ask("responses", &input(json!({ "stream": true })));
    let events = events(&reply);
    let expected: Vec<_> =
        ["created", "in_progress"].into_iter().chain(TEXT).chain(["completed"]).collect();
    assert_eq!(kinds(&events), expected);

    let begun = &events[0].1["response"];
    assert_eq!(
        (&begun["status"], &begun["output"], &begun["usage"]),
        (&json!("in_progress"), &json!([]), &Value::Null)
    );
    let completed = &events[events.len() - 1].1["response"];
    assert_eq!(completed["status"], "completed");
    assert_adds_up(&completed["usage"], ["input_tokens", "output_tokens"]);
    assert_eq!(names(begun), names(completed), "the same members from the first to the last");
    let deltas: String = events.iter().filter_map(|(_, it)| it["delta"].as_str()).collect();
    assert_eq!(completed["output"][0]["content"][0]["text"], deltas);
    let done = events.iter().find(|(_, it)| it["type"] == "response.output_item.done");
    assert_eq!(done.map(|(_, it)| &it["item"]), Some(&completed["output"][0]));
    let filters = (begun.get("content_filters"), completed.get("content_filters"));
    if surface == Surface::OpenAi {
        assert_eq!(filters, (None, None));
    } else {
        assert_eq!(filters.0, Some(&Value::Null));
        assert_eq!(filters.1.map(|it| &it[1]["source_type"]), Some(&json!("completion")));
        assert_eq!(header(&reply, "azureai-fe-is-streaming"), "True");
    }
}

#[test]
fn a_reasoning_model_thinks_first() {
    let mock = Mock::of(Surface::OpenAi, "gpt-5");
    let ask = |more: Value| events(&mock.ask("responses", &input(more)));
    let sealed = ask(json!({ "stream": true, "include": ["reasoning.encrypted_content"] }));
    let thoughts = ["created", "in_progress", "output_item.added", "output_item.done"];
    assert_eq!(kinds(&sealed)[..4], thoughts);
    assert_eq!(kinds(&sealed)[4..10], TEXT);
    let item = &sealed[3].1["item"];
    assert_eq!((&item["type"], &item["summary"]), (&json!("reasoning"), &json!([])));
    assert!(item["encrypted_content"].as_str().is_some_and(|it| it.starts_with("gAAAA")));

    let summarized =
        ask(json!({ "stream": true, "reasoning": { "effort": "low", "summary": "auto" } }));
    assert_eq!(
        kinds(&summarized)[2..8],
        [
            "output_item.added",
            "reasoning_summary_part.added",
            "reasoning_summary_text.delta",
            "reasoning_summary_text.done",
            "reasoning_summary_part.done",
            "output_item.done"
        ]
    );
    let completed = &summarized[summarized.len() - 1].1["response"];
    assert_eq!(completed["output"][0].get("encrypted_content"), None);
    assert!(completed["output"][0]["summary"][0]["text"].is_string());
    assert!(completed["usage"]["output_tokens_details"]["reasoning_tokens"].as_u64() > Some(0));

    let plain = ask(json!({ "stream": true }));
    assert_eq!(kinds(&plain)[2..8], TEXT, "no reasoning was requested");
}

#[test]
fn a_response_that_calls_a_function_streams_its_arguments() {
    let events =
        events(&Mock::of(Surface::OpenAi, "gpt-4o").ask("responses", &input(forced_response())));
    assert_eq!(
        kinds(&events),
        [
            "created",
            "in_progress",
            "output_item.added",
            "function_call_arguments.delta",
            "function_call_arguments.done",
            "output_item.done",
            "completed"
        ]
    );
    let begun = &events[2].1["item"];
    assert_eq!(
        (&begun["arguments"], &begun["status"], &begun["name"]),
        (&json!(""), &json!("in_progress"), &json!("look"))
    );
    let deltas: String = events.iter().filter_map(|(_, it)| it["delta"].as_str()).collect();
    let item = &events[events.len() - 1].1["response"]["output"][0];
    assert_eq!((&item["type"], &item["arguments"]), (&json!("function_call"), &json!(deltas)));
    assert!(item["call_id"].as_str().is_some_and(|id| id.starts_with("call_")));
}

#[test]
fn a_response_that_calls_a_custom_tool_streams_its_input() {
    let tool = json!({ "type": "custom", "name": "note" });
    let members = input(json!({ "tools": [tool], "tool_choice": tool, "stream": true }));
    let events = events(&Mock::of(Surface::OpenAi, "gpt-5").ask("responses", &members));
    let input = ["custom_tool_call_input.delta", "custom_tool_call_input.done"];
    assert_eq!(kinds(&events)[3..5], input);
    assert_eq!(
        (&events[2].1["item"]["status"], &events[2].1["item"]["input"]),
        (&json!("in_progress"), &json!(""))
    );
    let deltas: String = events.iter().filter_map(|(_, it)| it["delta"].as_str()).collect();
    let done = events.iter().find(|(_, it)| it["type"] == format!("response.{}", input[1]));
    assert_eq!(done.map(|(_, it)| &it["input"]), Some(&json!(deltas)));
    let item = &events[events.len() - 1].1["response"]["output"][0];
    assert_eq!(names(item), ["id", "type", "status", "call_id", "input", "name"], "recorded so");
    assert_eq!((&item["type"], &item["input"]), (&json!("custom_tool_call"), &json!(deltas)));
    assert!(deltas.contains(marker().token()));
}

#[test]
fn a_refused_response_streams_its_refusal() {
    let mock = Mock::playing(Surface::OpenAi, "gpt-4o", "refusal");
    let events = events(&mock.ask("responses", &input(json!({ "stream": true }))));
    assert_eq!(
        kinds(&events)[3..7],
        ["content_part.added", "refusal.delta", "refusal.done", "content_part.done"]
    );
    assert_eq!(events[3].1["part"], json!({ "type": "refusal", "refusal": "" }));
    let part = &events[events.len() - 1].1["response"]["output"][0]["content"][0];
    assert_eq!(part["type"], "refusal");
}

#[rstest]
#[case("stream_error", &["role", "content", "error"])]
#[case("stream_error_first", &["error"])]
#[case("response_failed", &["error"])]
fn a_chat_stream_can_fail(#[case] behavior: &str, #[case] expected: &[&str]) {
    let mock = Mock::playing(Surface::OpenAi, "gpt-4o", behavior);
    let reply = mock.ask(CHAT, &chat(json!({ "stream": true, "n": 2 })));
    assert_eq!(reply.status, 200);
    let chunks = chunks(&reply);
    assert_eq!(steps(&chunks), expected);
    let error = &chunks[chunks.len() - 1]["error"];
    assert_eq!(names(error), ["message", "type", "param", "code"]);
    assert_eq!(error["type"], "server_error");
    assert_eq!(marker().found_in(&reply.body), expected.contains(&"content"));
}

#[rstest]
#[case("stream_error", 1)]
#[case("stream_error_first", 0)]
fn a_stream_of_completions_can_fail(#[case] behavior: &str, #[case] contents: usize) {
    let mock = Mock::playing(Surface::OpenAi, "gpt-3.5-turbo-instruct", behavior);
    let chunks = chunks(&mock.ask("completions", &json!({ "prompt": "Hi", "stream": true })));
    assert_eq!(chunks.len(), contents + 1);
    assert_eq!(chunks[contents]["error"]["type"], "server_error");
}

#[rstest]
#[case("stream_error", &["created", "in_progress", "output_item.added", "content_part.added", "output_text.delta", "error"])]
#[case("stream_error_first", &["created", "in_progress", "error"])]
#[case("response_failed", &["created", "in_progress", "error", "failed"])]
fn a_stream_of_a_response_can_fail(#[case] behavior: &str, #[case] expected: &[&str]) {
    let mock = Mock::playing(Surface::OpenAi, "gpt-4o", behavior);
    let reply = mock.ask("responses", &input(json!({ "stream": true })));
    let events = events(&reply);
    assert_eq!(kinds(&events), expected);
    assert_eq!(marker().found_in(&reply.body), behavior == "stream_error");
    let error = events.iter().find(|(_, it)| it["type"] == "error").map(|(_, it)| &it["error"]);
    let error = error.expect("an error event");
    assert_eq!(names(error), ["type", "code", "message", "param"]);
    if behavior == "response_failed" {
        let failed = &events[events.len() - 1].1["response"];
        assert_eq!(failed["status"], "failed");
        let expected = json!({ "code": error["code"], "message": error["message"] });
        assert_eq!(failed["error"], expected);
    }
}

#[rstest]
fn without_streaming_a_failing_stream_is_a_server_error(
    #[values("stream_error", "stream_error_first", "response_failed")] behavior: &str,
    #[values("chat/completions", "responses", "embeddings")] endpoint: &str,
) {
    let mock = Mock::playing(Surface::AzureV1, "gpt-4o", behavior);
    let members = if endpoint == CHAT { chat(json!({})) } else { input(json!({})) };
    let expected = Mock::playing(Surface::AzureV1, "gpt-4o", "server_error");
    let reply = mock.ask(endpoint, &members);
    assert_eq!(reply.status, 500);
    assert_eq!(reply, expected.ask(endpoint, &members));
}

#[test]
fn a_stream_is_deterministic() {
    let ask = || {
        let mock = Mock::of(Surface::AzureV1, "gpt-5");
        let members = input(json!({ "stream": true, "reasoning": { "summary": "auto" } }));
        mock.ask("responses", &members).body
    };
    assert_eq!(ask(), ask());
}
