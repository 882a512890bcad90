//! Probes, and the responses that a deployment stores.

use crate::replies_support::{Mock, chat, events, input, json_of, names};
use fallproof_mocks::errors::{self, EdgeRefusal};
use fallproof_mocks::provider::{Endpoint, Surface};
use fallproof_mocks::provider_set::Answer;
use fallproof_mocks::request_log::RequestKind;
use rstest::rstest;
use serde_json::{Value, json};

/// The kind of the request, the number of the attempt, the status, and whether the request was
/// refused.
fn outcome(answer: &Answer) -> (RequestKind, u32, u16, bool) {
    (answer.plan.kind, answer.plan.attempt, answer.reply.status, answer.plan.refused)
}

#[rstest]
#[case(Surface::OpenAi, "/health")]
#[case(Surface::OpenAi, "/")]
#[case(Surface::OpenAi, "")]
#[case(Surface::AzureV1, "/openai")]
fn health_needs_no_key(#[case] surface: Surface, #[case] target: &str) {
    let mock = Mock::of(surface, "gpt-5");
    assert_eq!(outcome(&mock.get(target)), (RequestKind::Probe, 0, 200, false));
}

#[rstest]
#[case(Surface::OpenAi, "/v1/models", &["id", "object", "created", "owned_by"])]
#[case(Surface::AzureV1, "/openai/v1/models", &["id", "object", "created", "owned_by"])]
#[case(
    Surface::AzureLegacy,
    "/openai/models?api-version=2024-10-21",
    &["status", "capabilities", "lifecycle_status", "deprecation", "id", "created_at", "object"]
)]
fn models_are_listed_and_retrieved(
    #[case] surface: Surface,
    #[case] target: &str,
    #[case] members: &[&str],
) {
    let mock = Mock::of(surface, "gpt-5");
    let list = mock.get(target);
    assert_eq!(outcome(&list), (RequestKind::Probe, 0, 200, false));
    let told_version = list.reply.headers.iter().any(|(name, _)| name == "openai-version");
    assert_eq!(told_version, surface == Surface::OpenAi);
    assert!(list.reply.body.ends_with(b"]\n}"), "without a final line break");
    let list = json_of(&list.reply);
    assert_eq!((names(&list), &list["object"]), (vec!["object", "data"], &json!("list")));
    assert_eq!(list["data"][0]["id"], "d");
    let one = mock.get(&target.replace("models", "models/d"));
    assert_eq!(names(&json_of(&one.reply)), members);

    let escaped = mock.get(&target.replace("models", "models/%64"));
    assert_eq!(json_of(&escaped.reply), json_of(&one.reply), "a name may be escaped");

    let other = mock.get(&target.replace("models", "models/other"));
    let unlisted = EdgeRefusal::UnlistedModel { name: "other".to_owned() };
    assert_eq!(other.reply, errors::edge(surface, None, &unlisted));
    assert!(other.plan.refused);
}

#[rstest]
#[case(Surface::OpenAi, "/v1/models")]
#[case(Surface::AzureV1, "/openai/v1/models/d")]
#[case(Surface::AzureLegacy, "/openai/models?api-version=2024-10-21")]
#[case(Surface::AzureLegacy, "/openai/deployments?api-version=2023-03-15-preview")]
fn models_need_a_key(#[case] surface: Surface, #[case] target: &str) {
    let mock = Mock::of(surface, "gpt-5");
    assert_eq!(mock.get(target).reply.status, 200);
    let stranger = mock.get_as(target, None);
    assert_eq!(stranger.reply, errors::edge(surface, None, &EdgeRefusal::MissingKey));
    let liar = mock.get_as(target, Some("wrong"));
    let wrong = EdgeRefusal::WrongKey { key: "wrong".to_owned() };
    assert_eq!(liar.reply, errors::edge(surface, None, &wrong));
    assert_eq!((liar.plan.kind, liar.plan.refused), (RequestKind::Probe, true));
}

#[test]
fn the_layer_that_created_a_response_checks_the_key() {
    let mock = Mock::of(Surface::OpenAi, "gpt-5");
    for (key, refusal) in [
        (None, EdgeRefusal::MissingKey),
        (Some("wrong"), EdgeRefusal::WrongKey { key: "wrong".to_owned() }),
    ] {
        let stranger = mock.get_as("/v1/responses/resp_1", key);
        let expected = errors::edge(Surface::OpenAi, Some(Endpoint::Responses), &refusal);
        assert_eq!(stranger.reply, expected);
        assert_ne!(stranger.reply, errors::edge(Surface::OpenAi, None, &refusal));
        assert_eq!(stranger.plan.route, None, "it is not an attempt at the endpoint");
    }
}

#[test]
fn azures_list_needs_an_api_version_and_other_paths_are_unknown() {
    let mock = Mock::of(Surface::AzureLegacy, "gpt-5");
    let missing = errors::edge(Surface::AzureLegacy, None, &EdgeRefusal::MissingApiVersion);
    assert_eq!(mock.get("/openai/models").reply, missing);
    for path in ["/v1/models", "/openai/v1/deployments", "/models", "/openai/v1/files"] {
        let (method, path) = ("GET".to_owned(), path.to_owned());
        let answer = mock.get(&path);
        let unknown = EdgeRefusal::UnknownPath { method, path };
        assert_eq!(answer.reply, errors::edge(Surface::AzureLegacy, None, &unknown));
    }
}

fn responses(surface: Surface) -> &'static str {
    match surface {
        Surface::OpenAi => "/v1/responses",
        Surface::AzureV1 => "/openai/v1/responses",
        Surface::AzureLegacy => "/openai/responses",
    }
}

fn get_response(mock: &Mock, surface: Surface, id: &str) -> Answer {
    let version =
        if surface == Surface::AzureLegacy { "?api-version=2025-04-01-preview" } else { "" };
    mock.get(&format!("{}/{id}{version}", responses(surface)))
}

#[rstest]
fn a_response_can_be_retrieved_and_continued(
    #[values(Surface::OpenAi, Surface::AzureV1, Surface::AzureLegacy)] surface: Surface,
    #[values(false, true)] stream: bool,
) {
    let mock = Mock::of(surface, "gpt-5");
    let reply = mock.ask("responses", &input(json!({ "stream": stream })));
    let mut answer = if stream {
        let events = events(&reply);
        events[events.len() - 1].1["response"].clone()
    } else {
        json_of(&reply)
    };
    if let Some(answer) = answer.as_object_mut() {
        answer.shift_remove("billing");
    }
    let id = answer["id"].as_str().expect("text");
    let got = get_response(&mock, surface, id);
    assert_eq!(outcome(&got), (RequestKind::Probe, 0, 200, false));
    assert_eq!(json_of(&got.reply), answer);

    let next = mock.ask("responses", &input(json!({ "previous_response_id": id })));
    assert_eq!(json_of(&next)["previous_response_id"], id);
    let compacted = json!({ "previous_response_id": id });
    assert_eq!(mock.ask("responses/compact", &compacted).status, 200);
}

#[rstest]
fn a_response_of_another_deployment_is_unknown(
    #[values(Surface::OpenAi, Surface::AzureV1)] surface: Surface,
    #[values("responses", "responses/compact")] endpoint: &str,
) {
    let mock = Mock::of(surface, "gpt-5");
    let answer = mock.try_ask(endpoint, &input(json!({ "previous_response_id": "resp_1" })));
    assert_eq!((answer.reply.status, answer.plan.refused), (400, true));
    let expected = json!({ "error": {
        "message": "Previous response with id 'resp_1' not found.",
        "type": "invalid_request_error",
        "param": "previous_response_id",
        "code": "previous_response_not_found"
    } });
    assert_eq!(json_of(&answer.reply), expected);
    let violation = answer.plan.violation.expect("it is reported");
    assert_eq!(violation.pointer, "/previous_response_id");

    let got = get_response(&mock, surface, "resp_1");
    assert_eq!(outcome(&got), (RequestKind::Probe, 0, 404, true));
    assert_eq!(json_of(&got.reply)["error"]["message"], "Response with id 'resp_1' not found.");
}

#[test]
fn only_completed_responses_that_may_be_stored_are_stored() {
    let id = |reply: &fallproof_mocks::Reply| json_of(reply)["id"].clone();
    let known = |mock: &Mock, id: &Value| {
        !mock.try_ask("responses", &input(json!({ "previous_response_id": id }))).plan.refused
    };
    let mock = Mock::of(Surface::OpenAi, "gpt-5");
    let kept = id(&mock.ask("responses", &input(json!({ "store": null }))));
    assert!(known(&mock, &kept));
    let not_kept = id(&mock.ask("responses", &input(json!({ "store": false }))));
    assert!(!known(&mock, &not_kept));
    let chat = id(&mock.ask("chat/completions", &chat(json!({}))));
    assert!(!known(&mock, &chat));

    let mock = Mock::playing(Surface::OpenAi, "gpt-5", "response_failed");
    let failed = events(&mock.ask("responses", &input(json!({ "stream": true }))));
    assert!(!known(&mock, &failed[0].1["response"]["id"]));
}

#[test]
fn other_methods_are_refused() {
    let mock = Mock::of(Surface::OpenAi, "gpt-5");
    let (method, path) = ("DELETE".to_owned(), "/v1/models/d".to_owned());
    let answer = mock.send(&method, &path, "", b"");
    let wrong = EdgeRefusal::WrongMethod { method, path };
    assert_eq!(answer.reply, errors::edge(Surface::OpenAi, None, &wrong));
    let place = mock.get("/v1/responses/compact").plan.route;
    assert_eq!(place, Some((Surface::OpenAi, Endpoint::ResponsesCompact)), "not a response");
}
