//! Which requests a deployment refuses before it plays its script, in which order it checks, and
//! how the script advances.

use crate::server_support::{CHAT, KEY, cut, mock, ok_but, says};
use fallproof_mocks::Reply;
use fallproof_mocks::behavior::{Behavior, CutEnd, CutPoint, ScriptError};
use fallproof_mocks::errors::{self, EdgeRefusal};
use fallproof_mocks::provider::{Endpoint, Names, Surface};
use fallproof_mocks::provider_set::{Answer, MockProviders, Request};
use fallproof_mocks::request_log::RequestKind;
use fallproof_strict::{self as strict, Strength};
use rstest::rstest;

const PREFIX: &str = "/test/primary";
const LEGACY_CHAT: &str = "/openai/deployments/gpt-5/chat/completions?api-version=2024-10-21";

struct MockDeployment {
    providers: MockProviders,
    surface: Surface,
}

impl MockDeployment {
    fn on(surface: Surface) -> Self {
        Self::playing(surface, vec![Behavior { count: 100, ..Behavior::named("ok") }])
    }

    fn playing(surface: Surface, script: Vec<Behavior>) -> Self {
        let providers = MockProviders::default();
        providers.mount(mock(PREFIX, surface, script)).expect("a valid script");
        Self { providers, surface }
    }

    fn ask(&self, method: &str, target: &str, key: &str, body: &str) -> Answer {
        let bearer = format!("Bearer {key}");
        let header = match self.surface {
            Surface::OpenAi => ("Authorization", bearer.as_bytes()),
            _ => ("api-key", key.as_bytes()),
        };
        self.ask_with(method, target, &[header], body)
    }

    fn ask_with(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &[u8])],
        body: &str,
    ) -> Answer {
        let request = Request { method, target, headers, body: body.as_bytes() };
        self.providers.answer(PREFIX, &request).expect("the mock is mounted")
    }

    fn post(&self, target: &str, body: &str) -> Answer {
        self.ask("POST", target, KEY, body)
    }

    fn edge(&self, endpoint: Option<Endpoint>, refusal: &EdgeRefusal) -> Reply {
        errors::edge(self.surface, endpoint, refusal)
    }
}

fn unknown_path(path: &str) -> EdgeRefusal {
    EdgeRefusal::UnknownPath { method: "POST".to_owned(), path: path.to_owned() }
}

#[rstest]
#[case(Surface::OpenAi, "/v1/chat/completions", Endpoint::ChatCompletions)]
#[case(Surface::OpenAi, "//v1///responses/compact", Endpoint::ResponsesCompact)]
#[case(Surface::OpenAi, "/v1/embeddings?api-version=x", Endpoint::Embeddings)]
#[case(Surface::AzureV1, "/openai/v1/responses", Endpoint::Responses)]
#[case(
    Surface::AzureV1,
    "/openai/v1/responses/compact?api-version=preview",
    Endpoint::ResponsesCompact
)]
#[case(Surface::AzureV1, "/openai/v1/chat/completions?api-version=v1", Endpoint::ChatCompletions)]
#[case(Surface::AzureLegacy, LEGACY_CHAT, Endpoint::ChatCompletions)]
#[case(
    Surface::AzureLegacy,
    "/openai//deployments/gpt-5/embeddings?a=b&api-version=2023-05-15",
    Endpoint::Embeddings
)]
#[case(
    Surface::AzureLegacy,
    "/openai/responses?api-version=2025-04-01-preview",
    Endpoint::Responses
)]
#[case(
    Surface::AzureLegacy,
    "/openai/responses/compact?api-version=2025-04-01-preview",
    Endpoint::ResponsesCompact
)]
#[case::escaped(
    Surface::AzureLegacy,
    "/openai/deployments/gpt%2D5/chat/completions?api-version=2024%2D10%2d21",
    Endpoint::ChatCompletions
)]
#[case::azure_serves_both(Surface::AzureV1, LEGACY_CHAT, Endpoint::ChatCompletions)]
#[case::azure_serves_both(
    Surface::AzureLegacy,
    "/openai/v1/responses/compact",
    Endpoint::ResponsesCompact
)]
fn every_provider_has_its_paths(
    #[case] surface: Surface,
    #[case] target: &str,
    #[case] endpoint: Endpoint,
) {
    let body = r#"{"model":"gpt-5","input":"Hello"}"#;
    let body = if endpoint == Endpoint::ChatCompletions { CHAT } else { body };
    let answer = MockDeployment::on(surface).post(target, body);
    let path_surface = match surface {
        Surface::OpenAi => Surface::OpenAi,
        _ if target.starts_with("/openai/v1/") => Surface::AzureV1,
        _ => Surface::AzureLegacy,
    };
    assert_eq!((answer.plan.route, answer.plan.refused), (Some((path_surface, endpoint)), false));
    assert_eq!(answer.reply.status, 200);
}

#[rstest]
#[case(Surface::OpenAi, "/openai/v1/chat/completions")]
#[case(Surface::OpenAi, "/v1/chat/completions/")]
#[case(Surface::OpenAi, "/v1/chat%2Fcompletions")]
#[case(Surface::OpenAi, "/v1/chat/completions%FF")]
#[case(Surface::OpenAi, "/chat/completions")]
#[case(Surface::AzureV1, "/v1/chat/completions")]
#[case(Surface::AzureV1, "/openai/v1/moderations")]
#[case(Surface::AzureLegacy, "/openai/deployments/gpt-5/moderations")]
#[case(Surface::AzureLegacy, "/openai/images/generations")]
#[case(Surface::OpenAi, "/v1/responses/resp_1/cancel")]
#[case(Surface::AzureLegacy, "/openai/chat/completions")]
#[case(Surface::AzureLegacy, "/openai/deployments/gpt-5/responses")]
fn other_paths_are_refused_but_count_as_attempts(#[case] surface: Surface, #[case] path: &str) {
    let mock = MockDeployment::on(surface);
    let answer = mock.post(&format!("{path}?api-version=2024-10-21"), CHAT);
    assert_eq!(answer.reply, mock.edge(None, &unknown_path(path)));
    assert_eq!((answer.plan.kind, answer.plan.attempt), (RequestKind::Attempt, 1));
    assert_eq!((answer.plan.route, answer.plan.refused), (None, true));
}

#[rstest]
#[case(Surface::AzureLegacy, "/openai/deployments/gpt-5/chat/completions?api-version=latest")]
#[case(Surface::AzureLegacy, "/openai/deployments/gpt-5/chat/completions?api-version=2024-13-01")]
#[case(Surface::AzureLegacy, "/openai/deployments/gpt-5/chat/completions?api-version=2024-1-1")]
#[case(Surface::AzureV1, "/openai/v1/chat/completions?api-version=2024-10-21")]
fn an_impossible_api_version_is_refused_before_the_key(
    #[case] surface: Surface,
    #[case] target: &str,
) {
    let mock = MockDeployment::on(surface);
    let answer = mock.ask("POST", target, "wrong", CHAT);
    let endpoint = Some(Endpoint::ChatCompletions);
    assert_eq!(answer.reply, mock.edge(endpoint, &EdgeRefusal::ApiVersion));
    assert!(answer.plan.refused);
}

#[rstest]
#[case("deployments/gpt-5/chat/completions", Endpoint::ChatCompletions)]
#[case("deployments/gpt-5/chat/completions?api-version=", Endpoint::ChatCompletions)]
#[case("responses", Endpoint::Responses)]
fn the_legacy_surface_requires_an_api_version(#[case] path: &str, #[case] endpoint: Endpoint) {
    let mock = MockDeployment::on(Surface::AzureLegacy);
    let answer = mock.ask("POST", &format!("/openai/{path}"), "wrong", CHAT);
    assert_eq!(answer.reply, mock.edge(Some(endpoint), &EdgeRefusal::MissingApiVersion));
}

#[rstest]
#[case("2025-02-01-preview", true)]
#[case("2024-10-21", true)]
#[case("2025-03-01-preview", false)]
#[case("2025-04-01-preview", false)]
fn an_api_version_may_be_too_old_for_responses(#[case] version: &str, #[case] refused: bool) {
    let mock = MockDeployment::on(Surface::AzureLegacy);
    let body = r#"{"model":"gpt-5","input":"Hello"}"#;
    for (path, endpoint) in
        [("responses", Endpoint::Responses), ("responses/compact", Endpoint::ResponsesCompact)]
    {
        let answer = mock.post(&format!("/openai/{path}?api-version={version}"), body);
        assert_eq!(answer.plan.refused, refused);
        let too_old = mock.edge(Some(endpoint), &EdgeRefusal::ApiVersionTooOld);
        assert_eq!(answer.reply == too_old, refused);
    }
}

const PREDICTION: &str = r#""prediction":{"type":"content","content":"Hi"}"#;
const LIMIT: &str = r#""max_completion_tokens":16"#;
const LIMIT_REFUSED: &str = "Unrecognized request argument supplied: max_completion_tokens";

// https://github.com/openai/openai-java/issues/662, https://github.com/openai/openai-python/issues/1724
#[rstest]
#[case("gpt-5", "2024-10-21", PREDICTION, Some("2025-01-01-preview and later"))]
#[case("gpt-5", "2025-01-01-preview", PREDICTION, None)]
#[case("gpt-5", "2024-10-21", r#""prediction":null"#, None)]
#[case("gpt-4o", "2024-08-01-preview", LIMIT, Some(LIMIT_REFUSED))]
#[case("gpt-4o", "2024-09-01-preview", LIMIT, None)]
#[case("gpt-5", "2024-08-01-preview", LIMIT, None)]
fn an_api_version_may_be_too_old_for_a_parameter_of_chat(
    #[case] model: &str,
    #[case] version: &str,
    #[case] member: &str,
    #[case] refused: Option<&str>,
) {
    let providers = MockProviders::default();
    let script = vec![Behavior { count: 9, ..Behavior::named("ok") }];
    let mut played = mock(PREFIX, Surface::AzureLegacy, script);
    played.deployment.model = model.to_owned();
    providers.mount(played).expect("a valid script");
    let mock = MockDeployment { providers, surface: Surface::AzureLegacy };
    let target = LEGACY_CHAT.replace("2024-10-21", version);
    let answer = mock.post(&target, &format!("{{{member},{}", &CHAT[1..]));
    let body = String::from_utf8_lossy(&answer.reply.body).into_owned();
    let status = if refused.is_some() { 400 } else { 200 };
    assert_eq!((answer.reply.status, answer.plan.refused), (status, refused.is_some()), "{body}");
    assert!(body.contains(refused.unwrap_or_default()), "{body}");
    // The v1 surface does not have dated versions, so it accepts the member.
    let v1 = mock.post("/openai/v1/chat/completions", &format!("{{{member},{}", &CHAT[1..]));
    assert!(!v1.plan.refused);
}

#[rstest]
#[case(Surface::OpenAi, "/v1/chat/completions")]
#[case(Surface::AzureV1, "/openai/v1/chat/completions")]
#[case(Surface::AzureLegacy, LEGACY_CHAT)]
fn a_wrong_key_is_refused_before_the_body_is_read(#[case] surface: Surface, #[case] target: &str) {
    let mock = MockDeployment::on(surface);
    let endpoint = Some(Endpoint::ChatCompletions);
    let wrong = EdgeRefusal::WrongKey { key: "wrong".to_owned() };
    assert_eq!(mock.ask("POST", target, "wrong", "no json").reply, mock.edge(endpoint, &wrong));
    assert_eq!(
        mock.ask_with("POST", target, &[], "no json").reply,
        mock.edge(endpoint, &EdgeRefusal::MissingKey)
    );
}

#[test]
fn each_surface_accepts_the_key_in_its_own_forms_only() {
    let bearer = format!("Bearer {KEY}");
    let mock = MockDeployment::on(Surface::OpenAi);
    let target = "/v1/chat/completions";
    let api_key = [("api-key", KEY.as_bytes())];
    let answer = mock.ask_with("POST", target, &api_key, CHAT);
    let endpoint = Some(Endpoint::ChatCompletions);
    assert_eq!(answer.reply, mock.edge(endpoint, &EdgeRefusal::MissingKey));
    let lower = format!("bearer {KEY}");
    let authorization = [("AUTHORIZATION", lower.as_bytes())];
    assert!(!mock.ask_with("POST", target, &authorization, CHAT).plan.refused);

    assert_eq!(KEY, "sk-test-0001", "the key encoded in base64 below");
    let basic = [("authorization", &b"Basic OnNrLXRlc3QtMDAwMQ=="[..])];
    assert!(!mock.ask_with("POST", target, &basic, CHAT).plan.refused, "a password");
    let of_somebody = [("authorization", &b"Basic dTpzay10ZXN0LTAwMDE="[..])];
    let answer = mock.ask_with("POST", target, &of_somebody, CHAT);
    assert_eq!(
        answer.reply,
        mock.edge(endpoint, &EdgeRefusal::MissingKey),
        "the user must be empty"
    );

    let authorization = [("authorization", bearer.as_bytes())];
    let mock = MockDeployment::on(Surface::AzureLegacy);
    let answer = mock.ask_with("POST", LEGACY_CHAT, &authorization, CHAT);
    let wrong = EdgeRefusal::WrongKey { key: KEY.to_owned() };
    assert_eq!(answer.reply, mock.edge(endpoint, &wrong), "a key is not a token there");

    let mock = MockDeployment::on(Surface::AzureV1);
    for form in [authorization, api_key] {
        let answer = mock.ask_with("POST", "/openai/v1/chat/completions", &form, CHAT);
        assert!(!answer.plan.refused, "Azure v1 accepts the key in either form");
    }
}

#[rstest]
#[case("")]
#[case("{\"model\":")]
#[case("{\"model\":\"other\"} x")]
fn invalid_json_is_refused_before_the_model(#[case] body: &str) {
    let mock = MockDeployment::on(Surface::OpenAi);
    let answer = mock.post("/v1/chat/completions", body);
    let endpoint = Some(Endpoint::ChatCompletions);
    assert_eq!(answer.reply, mock.edge(endpoint, &EdgeRefusal::InvalidJson));
}

#[rstest]
#[case(Surface::OpenAi, "/v1/chat/completions", r#"{"model":"gpt-6"}"#)]
#[case(Surface::AzureV1, "/openai/v1/chat/completions", r#"{"model":"gpt-5","model":"gpt-6"}"#)]
#[case(
    Surface::AzureLegacy,
    "/openai/deployments/gpt-6/chat/completions?api-version=2024-10-21",
    CHAT
)]
#[case(
    Surface::AzureLegacy,
    "/openai/responses?api-version=2025-04-01-preview",
    r#"{"model":"gpt-6","input":"Hello"}"#
)]
fn another_model_or_deployment_does_not_exist(
    #[case] surface: Surface,
    #[case] target: &str,
    #[case] body: &str,
) {
    let mock = MockDeployment::on(surface);
    let answer = mock.post(target, body);
    let unknown = EdgeRefusal::UnknownModel { name: "gpt-6".to_owned() };
    assert_eq!(answer.reply, mock.edge(answer.plan.route.map(|(_, endpoint)| endpoint), &unknown));
    assert!(answer.plan.refused);
}

#[rstest]
#[case("/openai/deployments//chat/completions")]
#[case("//openai//deployments///chat//completions")]
fn an_empty_deployment_name_does_not_exist(#[case] path: &str) {
    let mock = MockDeployment::on(Surface::AzureLegacy);
    let answer = mock.post(&format!("{path}?api-version=2024-10-21"), CHAT);
    let unknown = EdgeRefusal::UnknownModel { name: String::new() };
    assert_eq!(answer.reply, mock.edge(Some(Endpoint::ChatCompletions), &unknown));
    assert_eq!(answer.plan.route, Some((Surface::AzureLegacy, Endpoint::ChatCompletions)));
}

#[test]
fn on_the_legacy_path_the_body_may_name_any_model() {
    let body = CHAT.replace("gpt-5", "whatever");
    assert!(!MockDeployment::on(Surface::AzureLegacy).post(LEGACY_CHAT, &body).plan.refused);
}

#[test]
fn an_observed_violation_is_refused_and_a_documented_one_logged() {
    let mock = MockDeployment::on(Surface::OpenAi);
    let bodies = [
        CHAT.replace("\"Hello\"", "\"Hello\",\"nonsense\":1"),
        CHAT.replace("\"messages\"", "\"nonsense\":1,\"messages\""),
        CHAT.replace("\"Hello\"", "7"),
    ];
    let mut refused = 0;
    for body in bodies {
        let (surface, endpoint) = (Surface::OpenAi, Endpoint::ChatCompletions);
        let violation = strict::check(surface, endpoint, "gpt-5", body.as_bytes());
        let answer = mock.post("/v1/chat/completions", &body);
        assert_eq!(answer.plan.violation, violation, "{body}");
        match violation {
            Some(found) if found.strength == Strength::Observed => {
                assert_eq!(answer.reply, errors::refusal(surface, endpoint, &found));
                assert!(answer.plan.refused);
                refused += 1;
            }
            _ => assert_eq!((answer.reply.status, answer.plan.refused), (200, false)),
        }
    }
    assert!(refused > 0, "one of these was seen to be refused");
}

#[test]
fn a_script_is_played_in_order_with_counts() {
    let script = vec![Behavior { count: 2, ..says(500, "first") }, says(500, "second")];
    let mock = MockDeployment::playing(Surface::OpenAi, script);
    let replies: Vec<_> = (0..4)
        .map(|_| {
            let answer = mock.post("/v1/chat/completions", CHAT);
            (answer.plan.attempt, String::from_utf8_lossy(&answer.reply.body).into_owned())
        })
        .collect();
    assert_eq!(replies[..3], [(1, "first".into()), (2, "first".into()), (3, "second".into())]);
    assert_eq!(replies[3].0, 4);
    assert!(replies[3].1.contains("fallproof_unexpected_attempt"), "{}", replies[3].1);
}

#[test]
fn a_script_can_insert_the_credential_in_headers_and_body() {
    let header = ("x-seen".to_owned(), "Bearer {{key}}".to_owned());
    let quoting = Behavior { headers: [header].into_iter().collect(), ..says(403, "no {{key}}") };
    let reply = MockDeployment::playing(Surface::OpenAi, vec![quoting])
        .post("/v1/chat/completions", CHAT)
        .reply;
    assert!(reply.headers.contains(&("x-seen".to_owned(), format!("Bearer {KEY}"))));
    assert_eq!(reply.body, format!("no {KEY}").into_bytes());
}

#[test]
fn a_scripted_wait_header_replaces_both_of_the_reply() {
    let waits = |headers: &[(&str, &str)]| {
        let own = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let script = Behavior { headers: own.collect(), ..Behavior::named("rate_limited") };
        let mock = MockDeployment::playing(Surface::OpenAi, vec![script]);
        let reply = mock.post("/v1/chat/completions", CHAT).reply;
        let wait = |(name, _): &(String, String)| name.to_lowercase().starts_with("retry-after");
        let mut waits: Vec<_> = reply.headers.into_iter().filter(wait).collect();
        waits.sort();
        waits.into_iter().map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>()
    };
    assert_eq!(waits(&[]), ["retry-after: 1", "retry-after-ms: 494"]);
    assert_eq!(waits(&[("Retry-After", "20")]), ["Retry-After: 20"]);
    assert_eq!(waits(&[("retry-after-ms", "20")]), ["retry-after-ms: 20"]);
    let both = [("retry-after", "20"), ("retry-after-ms", "")];
    assert_eq!(waits(&both), ["retry-after: 20", "retry-after-ms: "]);
}

#[test]
fn after_its_end_a_script_repeats_only_with_repeat_last() {
    let once = MockDeployment::playing(Surface::OpenAi, vec![]);
    let answer = once.post("/v1/chat/completions", CHAT);
    assert_eq!((answer.reply.status, answer.plan.behavior.as_str()), (400, "unexpected"));
    assert!(!answer.plan.refused, "not a provider's refusal");

    let providers = MockProviders::default();
    let mut forever = mock(PREFIX, Surface::OpenAi, vec![says(500, "a"), says(502, "b")]);
    forever.repeat_last = true;
    providers.mount(forever).expect("a valid script");
    let forever = MockDeployment { providers, surface: Surface::OpenAi };
    let statuses: Vec<_> =
        (0..4).map(|_| forever.post("/v1/chat/completions", CHAT).reply.status).collect();
    assert_eq!(statuses, [500, 502, 502, 502]);
}

#[test]
fn an_updated_script_starts_over_and_keeps_stored_responses() {
    let mock = MockDeployment::playing(Surface::OpenAi, vec![Behavior::named("ok")]);
    let ask = |more: &str| {
        let body = format!(r#"{{"model":"gpt-5","input":"Hello"{more}}}"#);
        mock.post("/v1/responses", &body)
    };
    let id = |answer: &Answer| {
        let body: serde_json::Value = serde_json::from_slice(&answer.reply.body).expect("JSON");
        body["id"].as_str().expect("an id").to_owned()
    };
    let first = id(&ask(""));
    let goes_on = format!(r#","previous_response_id":"{first}""#);
    let script = || {
        crate::server_support::mock(
            PREFIX,
            Surface::OpenAi,
            vec![says(500, "a"), Behavior::named("ok")],
        )
    };
    mock.providers.update(script()).expect("a valid script");
    let answer = ask(&goes_on);
    assert_eq!((answer.reply.body, answer.plan.attempt), (b"a".to_vec(), 2));
    let second = ask(&goes_on);
    assert_eq!(second.reply.status, 200);
    assert_ne!(id(&second), first);
    assert_eq!(ask("").plan.behavior, "unexpected", "its end");

    let empty = MockProviders::default();
    empty.update(script()).expect("a valid script");
    assert!(empty.knows(PREFIX), "a missing deployment is added");

    mock.providers.mount(script()).expect("a valid script");
    let answer = ask(&goes_on);
    assert_eq!((answer.plan.refused, answer.plan.attempt), (true, 1), "forgotten");
}

#[test]
fn a_refused_request_consumes_its_behavior_and_gets_its_fault() {
    let broken = cut(CutPoint::BeforeHead, CutEnd::Reset);
    let script = vec![ok_but(broken.clone()), says(500, "second")];
    let mock = MockDeployment::playing(Surface::OpenAi, script);
    let answer = mock.post("/v1/nowhere", CHAT);
    assert_eq!((answer.plan.refused, answer.plan.wire), (true, broken));
    assert_eq!(answer.plan.behavior, "ok", "the scheduled behavior");
    assert_eq!(mock.post("/v1/chat/completions", CHAT).reply.body, b"second");
}

#[test]
fn other_methods_are_refused_and_not_attempts() {
    let mock = MockDeployment::on(Surface::OpenAi);
    let (method, path) = ("PUT".to_owned(), "/v1/chat/completions".to_owned());
    let answer = mock.ask(&method, &path, KEY, CHAT);
    let endpoint = Some(Endpoint::ChatCompletions);
    let wrong = EdgeRefusal::WrongMethod { method, path };
    assert_eq!(answer.reply, mock.edge(endpoint, &wrong));
    assert_eq!((answer.plan.kind, answer.plan.refused), (RequestKind::Probe, true));
    let (method, path) = ("GET".to_owned(), "/v1/files".to_owned());
    let answer = mock.ask(&method, &path, KEY, "");
    assert_eq!(answer.reply, mock.edge(None, &EdgeRefusal::UnknownPath { method, path }));
    assert_eq!(mock.post("/v1/chat/completions", CHAT).plan.attempt, 1);
}

#[test]
fn read_only_paths_refuse_a_post() {
    let mock = MockDeployment::on(Surface::OpenAi);
    for path in ["/v1/models", "/v1/models/gpt-5", "/v1/responses/resp_1"] {
        let (method, path) = ("POST".to_owned(), path.to_owned());
        let answer = mock.post(&path, CHAT);
        assert_eq!(answer.reply, mock.edge(None, &EdgeRefusal::WrongMethod { method, path }));
    }
}

#[test]
fn a_deployment_may_accept_other_names_and_runs_their_models() {
    for names in [Names::Any, Names::Listed(vec!["o3-mini".to_owned()])] {
        let providers = MockProviders::default();
        let script = vec![Behavior { count: 9, ..Behavior::named("ok") }];
        let played = mock(PREFIX, Surface::OpenAi, script);
        providers
            .mount(fallproof_mocks::provider_set::MockDeployment { names, ..played })
            .expect("a valid script");
        let mock = MockDeployment { providers, surface: Surface::OpenAi };
        for model in ["gpt-5", "o3-mini"] {
            let answer = mock.post("/v1/chat/completions", &CHAT.replace("gpt-5", model));
            let body: serde_json::Value = serde_json::from_slice(&answer.reply.body).expect("JSON");
            assert_eq!((answer.reply.status, &body["model"]), (200, &model.into()));
        }
    }
    let listed = MockDeployment::on(Surface::OpenAi);
    let body = CHAT.replace("gpt-5", "o3-mini");
    assert!(listed.post("/v1/chat/completions", &body).plan.refused, "other names are refused");
}

#[test]
fn an_error_names_the_requested_model() {
    let providers = MockProviders::default();
    let script = vec![Behavior { count: 9, ..Behavior::named("rate_limited") }];
    let played = mock(PREFIX, Surface::OpenAi, script);
    providers
        .mount(fallproof_mocks::provider_set::MockDeployment { names: Names::Any, ..played })
        .expect("a valid script");
    let mock = MockDeployment { providers, surface: Surface::OpenAi };
    for model in ["gpt-5", "o3-mini"] {
        let answer = mock.post("/v1/chat/completions", &CHAT.replace("gpt-5", model));
        let message = String::from_utf8_lossy(&answer.reply.body).into_owned();
        assert!(message.contains(&format!("Rate limit reached for {model} in")), "{message}");
    }
}

#[rstest]
#[case("primary")]
#[case("/primary")]
#[case("/a/b/c")]
#[case("/a/")]
#[case("/a/b?c")]
fn a_prefix_is_two_segments(#[case] prefix: &str) {
    let error = MockProviders::default().mount(mock(prefix, Surface::OpenAi, vec![]));
    assert_eq!(error, Err(ScriptError::Prefix(prefix.to_owned())));
}

#[test]
fn an_invalid_script_is_refused_when_mounted() {
    let mount =
        |behavior| MockProviders::default().mount(mock(PREFIX, Surface::OpenAi, vec![behavior]));
    let unknown = mount(Behavior::named("sever_error")).expect_err("no such behavior");
    assert_eq!(unknown.to_string(), "unknown behavior `sever_error`");
    let never = Behavior { count: 0, ..Behavior::named("ok") };
    assert_eq!(mount(never), Err(ScriptError::Never));
    assert_eq!(mount(says(101, "")), Err(ScriptError::Status(101)));
    assert_eq!(mount(says(600, "")), Err(ScriptError::Status(600)));
    for (name, value, words) in [
        ("a b", "x", "`a b: x` is not a valid header"),
        ("x", "a\nb", "`x: a\nb` is not a valid header"),
        ("Content-Length", "7", "written by the server"),
    ] {
        let mut behavior = says(200, "");
        behavior.headers.insert(name.to_owned(), value.to_owned());
        let error = mount(behavior).expect_err("a header reserved for the server").to_string();
        assert!(error.contains(words), "{error}");
    }
}
