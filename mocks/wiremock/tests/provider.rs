//! Strict providers on a wiremock server.

use std::time::{Duration, Instant};

use fallproof_protocol::behavior::{self, Behavior, Cut, CutEnd, CutPoint, WireFault};
use fallproof_wiremock::{
    Deployment, Names, Provider, Script, ScriptError, Strength, Surface, ViolationKind,
};
use rstest::rstest;
use serde_json::{Value, json};
use wiremock::MockServer;

const KEY: &str = "sk-test";

fn deployment(surface: Surface) -> Deployment {
    let (model, name, key) = ("gpt-5".to_owned(), "gpt-5".to_owned(), KEY.to_owned());
    Deployment { surface, model, name, key }
}

fn chat() -> Value {
    json!({ "model": "gpt-5", "messages": [{ "role": "user", "content": "Hi" }] })
}

async fn ask(url: &str, body: &Value) -> (u16, String) {
    let client = reqwest::Client::builder().no_proxy().build().expect("a plain client");
    let call = client.post(url).bearer_auth(KEY).header("api-key", KEY).body(body.to_string());
    let answer = call.send().await.expect("an answer");
    (answer.status().as_u16(), answer.text().await.expect("a complete answer"))
}

#[rstest]
#[case::openai(Surface::OpenAi, "/chat/completions")]
#[case::azure_v1(Surface::AzureV1, "/chat/completions")]
#[case::azure_legacy(
    Surface::AzureLegacy,
    "/openai/deployments/gpt-5/chat/completions?api-version=2025-04-01-preview"
)]
#[tokio::test]
async fn a_valid_request_is_answered_and_an_invalid_one_refused(
    #[case] surface: Surface,
    #[case] path: &str,
) {
    let server = MockServer::start().await;
    let provider = Provider::new(deployment(surface)).mount(&server).await;
    let url = provider.base_url(&server) + path;
    let (status, body) = ask(&url, &chat()).await;
    assert_eq!(status, 200, "{body}");
    assert!(body.contains(provider.token()), "{body}");
    assert_eq!(provider.violations(), []);

    let mut unknown = chat();
    unknown["max_token"] = json!(5);
    let (status, body) = ask(&url, &unknown).await;
    assert_eq!(status, 400, "{body}");
    let violations = provider.violations();
    assert_eq!(violations.len(), 1);
    assert_eq!(
        (violations[0].kind, violations[0].strength),
        (ViolationKind::Unknown, Strength::Observed)
    );
}

#[tokio::test]
async fn a_script_is_played_in_order_and_its_last_behavior_repeats() {
    let script = Script::named(["rate_limited", "server_error", "ok"]).expect("complete replies");
    let server = MockServer::start().await;
    let provider = Provider::openai("gpt-5", KEY).playing(script).mount(&server).await;
    let url = provider.base_url(&server) + "/chat/completions";
    for status in [429, 500, 200, 200] {
        assert_eq!(ask(&url, &chat()).await.0, status);
    }
}

#[tokio::test]
async fn another_name_is_refused_unless_it_is_accepted() {
    let server = MockServer::start().await;
    let provider = Provider::openai("other", KEY).mount(&server).await;
    let url = provider.base_url(&server) + "/chat/completions";
    assert_eq!(ask(&url, &chat()).await.0, 404);
    server.reset().await;
    provider.taking(Names::Any).mount(&server).await;
    assert_eq!(ask(&url, &chat()).await.0, 200);
}

#[tokio::test]
async fn a_reply_can_be_delayed() {
    let wire = WireFault { delay_ms: Some(80), ..WireFault::default() };
    let late = vec![Behavior { wire, ..Behavior::named("ok") }];
    let server = MockServer::start().await;
    let script = late.try_into().expect("a delay is allowed");
    let provider = Provider::openai("gpt-5", KEY).playing(script).mount(&server).await;
    let start = Instant::now();
    assert_eq!(ask(&(provider.base_url(&server) + "/chat/completions"), &chat()).await.0, 200);
    assert!(start.elapsed() >= Duration::from_millis(80));
}

#[rstest]
#[case::cut_by_its_name("connection_reset")]
#[case::cut_body("truncated_body")]
#[case::no_listener("connection_refused")]
#[case::no_answer("connect_timeout")]
fn connection_faults_are_refused(#[case] name: &str) {
    assert_eq!(Script::named(["ok", name]), Err(ScriptError::WireFault(name.to_owned())));
}

#[test]
fn invalid_behaviors_are_refused() {
    let cut = Some(Cut { at: CutPoint::AfterHead, end: CutEnd::Reset });
    let wire = WireFault { cut, ..WireFault::default() };
    let cut = Behavior { wire, ..Behavior::named("server_error") };
    let error = Script::try_from(vec![cut]).expect_err("a cut");
    assert_eq!(error, ScriptError::WireFault("server_error".to_owned()));
    assert!(error.to_string().contains("fallproof_mocks::server"), "{error}");
    let unknown = behavior::ScriptError::UnknownBehavior("nonsense".to_owned());
    assert_eq!(Script::named(["nonsense"]), Err(ScriptError::Invalid(unknown)));
    assert_eq!(Script::named::<&str>([]), Err(ScriptError::Empty));
}
