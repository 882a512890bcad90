//! The router's own replies to clients.

use std::time::Duration;

use fallproof_router::Config;
use reqwest::Method;
use rstest::rstest;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::support::{
    CHAT, Reply, Router, ScriptedDeployment, Strict, chain, config, deployment, ok,
};

const BAD_JSON: &str = "We could not parse the JSON body of your request.";

#[rstest]
#[case::not_json("{", 400, None, None, BAD_JSON)]
#[case::not_an_object("[]", 400, None, None, BAD_JSON)]
#[case::no_model(
    "{}",
    400,
    Some("model"),
    Some("missing_required_parameter"),
    "Missing required parameter: 'model'."
)]
#[case::model_of_another_type(
    r#"{"model":5}"#,
    400,
    Some("model"),
    Some("invalid_type"),
    "Invalid type for 'model': expected a string."
)]
#[case::unknown_model(
    r#"{"model":"gpt-6\""}"#,
    404,
    None,
    Some("model_not_found"),
    "The model `gpt-6\"` does not exist or you do not have access to it."
)]
#[tokio::test]
async fn a_request_that_cannot_be_routed_is_refused_in_openais_format(
    #[case] body: &str,
    #[case] status: u16,
    #[case] param: Option<&str>,
    #[case] code: Option<&str>,
    #[case] message: &str,
    #[values("chat/completions", "completions", "embeddings", "responses", "moderations")]
    path: &str,
) {
    let router = Router::start(Config::default()).await;
    let got = router.send(router.post(&format!("/v1/{path}"), body)).await;
    assert_eq!(got.status, status);
    got.error_code();
    let error = &got.json()["error"];
    assert_eq!((&error["param"], &error["code"]), (&json!(param), &json!(code)));
    assert_eq!(error["type"], "invalid_request_error");
    assert!(error["message"].as_str().is_some_and(|it| it.starts_with(message)), "{error}");
}

#[rstest]
#[case::path(Method::POST, "/v1/nothing", 404, "Invalid URL (POST /v1/nothing)")]
#[case::root(Method::GET, "/", 404, "Invalid URL (GET /)")]
#[case::slash(Method::POST, "/v1/responses/", 404, "Invalid URL (POST /v1/responses/)")]
#[case::method(Method::GET, "/v1/embeddings", 405, "Not allowed to GET on /v1/embeddings.")]
#[case::models(Method::POST, "/v1/models", 405, "Not allowed to POST on /v1/models.")]
#[tokio::test]
async fn an_unknown_path_or_method_is_refused_in_openais_format(
    #[case] method: Method,
    #[case] path: &str,
    #[case] status: u16,
    #[case] message: &str,
) {
    let router = Router::start(Config::default()).await;
    let got = router.send(router.client.request(method, format!("{}{path}", router.url))).await;
    assert_eq!((got.status, got.error_code().as_str()), (status, "none"));
    assert!(got.body.contains(message), "{}", got.body);
    assert_eq!(got.headers.contains_key("allow"), status == 405);
}

#[rstest]
#[case::missing(None, 401)]
#[case::wrong(Some("Bearer sk-cliend"), 401)]
#[case::part(Some("Bearer sk-clien"), 401)]
#[case::another_scheme(Some("Basic sk-client"), 401)]
#[case::no_scheme(Some("sk-client"), 401)]
#[case::a_deployments_key(Some("Bearer sk-it-key"), 401)]
#[case::right(Some("Bearer sk-client"), 200)]
#[case::second(Some("Bearer sk-client-2"), 200)]
#[case::lower_case_scheme(Some("bearer sk-client"), 200)]
#[tokio::test]
async fn only_known_clients_are_accepted(#[case] authorization: Option<&str>, #[case] status: u16) {
    let provider = Strict::start("it").await;
    let mut config = config(chain([provider.deployment()]));
    let key = |text: &str| text.to_owned().try_into().expect("a key");
    config.client_keys = Some(vec![key("sk-client"), key("sk-client-2")]);
    let router = Router::start(config).await;
    let calls = [
        router.post("/v1/chat/completions", CHAT),
        router.client.get(format!("{}/v1/models", router.url)),
    ];
    for mut call in calls {
        if let Some(authorization) = authorization {
            call = call.header("authorization", authorization);
        }
        let got = router.send(call).await;
        assert_eq!(got.status, status, "{}", got.body);
        if status == 401 {
            assert_eq!(got.error_code(), "invalid_api_key");
            assert_eq!(got.headers["www-authenticate"], "Bearer");
            assert!(!got.body.contains("sk-"), "{}", got.body);
        }
    }
    assert_eq!(provider.attempts().await, usize::from(status == 200));
}

#[tokio::test]
async fn the_models_are_the_groups() {
    let deployment = || deployment("it", "http://127.0.0.1:1");
    let mut config = config(chain([deployment()]));
    config.groups.insert("other".to_owned(), chain([deployment()]));
    let router = Router::start(config).await;
    let got = router.send(router.client.get(format!("{}/v1/models", router.url))).await;
    let model = |id| json!({"id": id, "object": "model", "created": 0, "owned_by": "fallproof"});
    assert_eq!(got.json(), json!({"object": "list", "data": [model("summaries"), model("other")]}));
    assert_eq!(got.headers["content-type"], "application/json");
}

#[tokio::test]
async fn health_needs_no_key() {
    let config = Config { client_keys: Some(vec![]), ..Config::default() };
    let router = Router::start(config).await;
    let got = router.send(router.client.get(format!("{}/health", router.url))).await;
    assert_eq!((got.status, got.json()), (200, json!({"status": "ok"})));
}

#[tokio::test]
async fn a_body_above_the_limit_is_refused() {
    let scripted = ScriptedDeployment::start([ok("it")]).await;
    let body = r#"{"model":"summaries"}"#;
    let mut config = config(chain([deployment("it", &scripted.url())]));
    config.body_limit = body.len();
    let router = Router::start(config).await;
    assert_eq!(router.send(router.post("/v1/embeddings", body)).await.answered_by(), "it");
    let got = router.send(router.post("/v1/embeddings", &format!("{body} "))).await;
    assert_eq!(got.status, 413);
    assert!(got.body.contains("Maximum content size limit (21 bytes) exceeded."), "{}", got.body);
}

#[tokio::test]
async fn a_shutdown_waits_for_the_calls_in_progress() {
    let (stop, stopped) = oneshot::channel::<()>();
    let mut scripted = ScriptedDeployment::start([Reply::Hold(String::new())]).await;
    let mut group = chain([deployment("it", &scripted.url())]);
    group.timeout = Duration::from_millis(200);

    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}/v1/responses", listener.local_addr().expect("a bound socket"));
    let shutdown = async { stopped.await.expect("the test sends") };
    let server = tokio::spawn(fallproof_router::serve(listener, config(group), shutdown));
    let client = reqwest::Client::builder().no_proxy().build().expect("a plain client");
    let call = tokio::spawn(client.post(url).body(r#"{"model":"summaries"}"#).send());
    scripted.request().await;
    stop.send(()).expect("the router listens");

    assert_eq!(call.await.expect("no panic").expect("an answer").status(), 504);
    server.await.expect("no panic").expect("a clean end");
}
