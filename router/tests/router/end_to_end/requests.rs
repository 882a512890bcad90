//! Which requests reach the providers.

use fallproof_router::{Deployment, Surface};
use reqwest::header::{HeaderName, HeaderValue};
use rstest::rstest;

use super::support::{
    CHAT, Reply, Router, ScriptedDeployment, answer, chain, config, deployment, error, ok,
    on_surface,
};

const BODY: &str = "{ \"metadata\":{\"model\":\"summaries\"},\t\"model\" : \"summaries\",\r\n \
    \"temperature\":1e0, \"seed\":123456789012345678901234567890, \"user\":\"\\u00e9\\/ü🦀\", \
    \"user\":null, \"fallbacks\":[\"x\"], \"api_base\":\"http://evil\" }\n";

#[tokio::test]
async fn every_deployment_gets_the_clients_bytes_with_its_own_model() {
    let mut primary = ScriptedDeployment::start([error(500, "primary")]).await;
    let mut backup = ScriptedDeployment::start([ok("backup")]).await;
    let group = chain([deployment("primary", &primary.url()), deployment("backup", &backup.url())]);
    let router = Router::start(config(group)).await;
    let got = router.send(router.post("/v1/responses", BODY)).await;
    assert_eq!(got.answered_by(), "backup");

    let with =
        |model| BODY.replace("\"model\" : \"summaries\"", &format!("\"model\" : \"{model}\""));
    assert_eq!(primary.request().await.body, with("primary-model"));
    assert_eq!(backup.request().await.body, with("backup-model"));
}

#[rstest]
#[case::openai(Surface::OpenAi, "authorization", "Bearer sk-it-key", "/base/PATH")]
#[case::azure_v1(Surface::AzureV1, "api-key", "sk-it-key", "/base/PATH")]
#[case::legacy(
    Surface::AzureLegacy { api_version: "2025-04-01-preview".to_owned() },
    "api-key",
    "sk-it-key",
    "/base/openai/DEPLOYMENTPATH?api-version=2025-04-01-preview"
)]
#[tokio::test]
async fn each_surface_gets_its_path_and_its_credential(
    #[case] surface: Surface,
    #[case] name: &str,
    #[case] value: &str,
    #[case] target: &str,
    #[values(
        "chat/completions",
        "completions",
        "embeddings",
        "responses",
        "responses/compact",
        "images/generations",
        "moderations"
    )]
    path: &str,
) {
    let mut scripted = ScriptedDeployment::start([ok("it")]).await;
    let group = chain([on_surface(surface, "it", &format!("{}/base", scripted.url()))]);
    let router = Router::start(config(group)).await;
    let got = router.send(router.post(&format!("/v1/{path}"), r#"{"model":"summaries"}"#)).await;
    assert_eq!(got.answered_by(), "it");

    let request = scripted.request().await;
    let prefix = if path.starts_with("responses") { "" } else { "deployments/it-model/" };
    let target = target.replace("DEPLOYMENT", prefix).replace("PATH", path);
    assert_eq!(request.request_line, format!("POST {target} HTTP/1.1"));
    assert_eq!(request.body, r#"{"model":"it-model"}"#);
    assert_eq!(request.header(name), Some(value));
    let other = if name == "api-key" { "authorization" } else { "api-key" };
    assert_eq!(request.header(other), None);
}

#[tokio::test]
async fn each_deployment_gets_its_own_headers_and_query() {
    let mut first = ScriptedDeployment::start([error(500, "first")]).await;
    let mut second = ScriptedDeployment::start([ok("second")]).await;
    let team = |deployment: Deployment, team: &'static str| Deployment {
        headers: [(HeaderName::from_static("openai-organization"), HeaderValue::from_static(team))]
            .into_iter()
            .collect(),
        query: vec![("team".to_owned(), team.to_owned())],
        ..deployment
    };
    let one = team(deployment("first", &first.url()), "one");
    let two = team(deployment("second", &second.url()), "two");
    let router = Router::start(config(chain([one, two]))).await;
    let request = router.post("/v1/chat/completions", CHAT).header("openai-organization", "client");
    assert_eq!(router.send(request).await.answered_by(), "second");
    for (scripted, team) in [(&mut first, "one"), (&mut second, "two")] {
        let request = scripted.request().await;
        assert_eq!(request.header("openai-organization"), Some(team));
        let target = format!("/chat/completions?team={team} HTTP/1.1");
        assert!(request.request_line.ends_with(&target), "{}", request.request_line);
    }
}

#[tokio::test]
async fn only_listed_client_headers_are_forwarded() {
    let mut scripted = ScriptedDeployment::start([ok("it")]).await;
    let mut config = config(chain([deployment("it", &scripted.url())]));
    config.client_keys = Some(vec!["sk-client".to_owned().try_into().expect("a key")]);
    let router = Router::start(config).await;
    let request = router
        .post("/v1/chat/completions?api-version=1&key=sk-client", r#"{"model":"summaries"}"#)
        .header("authorization", "Bearer sk-client")
        .header("api-key", "sk-client")
        .header("x-api-key", "sk-client")
        .header("cookie", "session=1")
        .header("x-forwarded-for", "10.0.0.1")
        .header("forwarded", "for=10.0.0.1")
        .header("via", "1.1 somewhere")
        .header("traceparent", "00-1-1-00")
        .header("openai-organization", "org-client")
        .header("openai-project", "proj-client")
        .header("openai-beta", "responses=v1")
        .header("accept", "text/event-stream")
        .header("accept-encoding", "gzip")
        .header("user-agent", "client/1")
        .header("x-stainless-lang", "python")
        .header("x-portkey-config", r#"{"custom_host":"http://evil"}"#)
        .header("x-litellm-api-base", "http://evil")
        .header("x-fallbacks", "evil")
        .header("x-http-method-override", "GET")
        .header("helicone-fallbacks", "[]");
    assert_eq!(router.send(request).await.answered_by(), "it");

    let request = scripted.request().await;
    let mut names: Vec<_> = request.headers.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    let listed = [
        "accept",
        "authorization",
        "content-length",
        "content-type",
        "host",
        "openai-beta",
        "user-agent",
    ];
    assert_eq!(names, listed);
    assert_eq!(request.request_line, "POST /chat/completions HTTP/1.1");
    assert_eq!(request.header("authorization"), Some("Bearer sk-it-key"));
    assert_eq!(request.header("accept"), Some("application/json"));
    assert_eq!(request.header("content-type"), Some("application/json"));
    assert_eq!(request.header("openai-beta"), Some("responses=v1"));
    assert!(request.header("user-agent").is_some_and(|it| it.starts_with("fallproof-router/")));
}

#[rstest]
#[case("chat/completions", "{}", "application/json")]
#[case("chat/completions", r#"{"stream":true}"#, "text/event-stream")]
#[case("embeddings", r#"{"stream":true}"#, "application/json")]
#[case("audio/speech", "{}", "*/*")]
#[tokio::test]
async fn the_accept_header_matches_the_clients_request(
    #[case] path: &str,
    #[case] body: &str,
    #[case] accept: &str,
) {
    let mut scripted = ScriptedDeployment::start([error(400, "it")]).await;
    let router = Router::start(config(chain([deployment("it", &scripted.url())]))).await;
    let body = format!("{{\"model\":\"summaries\",{}", &body[1..]).replace(",}", "}");
    assert_eq!(router.send(router.post(&format!("/v1/{path}"), &body)).await.status, 400);
    assert_eq!(scripted.request().await.header("accept"), Some(accept));
}

#[tokio::test]
async fn the_content_type_is_the_clients_or_json() {
    let mut scripted = ScriptedDeployment::start([ok("it"), ok("it")]).await;
    let router = Router::start(config(chain([deployment("it", &scripted.url())]))).await;
    let url = format!("{}/v1/chat/completions", router.url);
    let bare = router.client.post(url).body(r#"{"model":"summaries"}"#);
    let with = bare.try_clone().expect("a body in memory");
    router.send(with.header("content-type", "application/json; charset=utf-8")).await.answered_by();
    router.send(bare).await.answered_by();

    let types: Vec<_> =
        scripted.requests().iter().map(|it| it.header("content-type").map(str::to_owned)).collect();
    let expected = ["application/json; charset=utf-8", "application/json"];
    assert_eq!(types, expected.map(|it| Some(it.to_owned())));
}

#[tokio::test]
async fn one_attempt_is_one_request() {
    let mut scripted =
        ScriptedDeployment::start([ok("it"), Reply::Send(String::new()), ok("it")]).await;
    let router = Router::start(config(chain([deployment("it", &scripted.url())]))).await;
    assert_eq!(router.ask().await.answered_by(), "it");
    assert_eq!(router.ask().await.error_code(), "upstream_connection_error");
    assert_eq!(scripted.requests().len(), 2);
}

/// A scripted deployment replies only to the first request on a connection, so the second call
/// would fail if the router reused the connection.
#[tokio::test]
async fn every_attempt_has_a_connection_of_its_own() {
    let Reply::Send(reply) = ok("it") else { unreachable!("`ok` sends") };
    let held = || Reply::Hold(reply.clone());
    let scripted = ScriptedDeployment::start([held(), held()]).await;
    let router = Router::start(config(chain([deployment("it", &scripted.url())]))).await;
    for _ in 0..2 {
        assert_eq!(router.ask().await.answered_by(), "it");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let mut elsewhere = ScriptedDeployment::start([ok("elsewhere")]).await;
    let location = format!("location: {}/v1/chat/completions\r\n", elsewhere.url());
    let mut scripted = ScriptedDeployment::start([answer(307, &location, "")]).await;
    let router = Router::start(config(chain([deployment("it", &scripted.url())]))).await;
    assert_eq!(router.ask().await.error_code(), "upstream_invalid_response");
    assert_eq!((scripted.requests().len(), elsewhere.requests().len()), (1, 0));
}

#[rstest]
#[case::before_the_answer("")]
#[case::inside_the_answer("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{")]
#[tokio::test]
async fn a_client_disconnect_cancels_the_call_to_the_provider(#[case] started: &str) {
    let mut primary = ScriptedDeployment::start([Reply::Hold(started.to_owned())]).await;
    let mut backup = ScriptedDeployment::start([ok("backup")]).await;
    let group = chain([deployment("primary", &primary.url()), deployment("backup", &backup.url())]);
    let router = Router::start(config(group)).await;
    let call = router.post("/v1/chat/completions", r#"{"model":"summaries"}"#);
    let client = tokio::spawn(call.send());
    primary.request().await;
    client.abort();
    primary.hangup().await;
    assert_eq!(backup.requests().len(), 0);
}
