//! What the router forwards to the client, and what it never forwards.

use std::time::Duration;

use fallproof_router::Surface;
use reqwest::header::HeaderName;
use rstest::rstest;

use super::support::{
    Got, Refusing, Reply, Router, ScriptedDeployment, answer, chain, config, deployment, json,
    on_surface,
};

const HEADERS: &str = "content-type: application/json; charset=utf-8\r\nx-request-id: req_1\r\n\
    retry-after: 7\r\nretry-after-ms: 6500\r\nopenai-organization: org-operator\r\n\
    x-ms-deployment-name: it-model\r\nx-ratelimit-limit-requests: 10\r\nset-cookie: a=1\r\n\
    server: provider\r\n";

const JSON: &str = "content-type: application/json\r\n";

/// The response to a client call, if the only deployment sends this reply.
async fn ask(reply: Reply) -> Got {
    let scripted = ScriptedDeployment::start([reply]).await;
    Router::start(config(chain([deployment("it", &scripted.url())]))).await.ask().await
}

#[rstest]
#[case::success(201, "{\n  \"n\": 1e0, \"x\": \"\\u00e9\" }\n")]
#[case::error(429, "{\n    \"error\": {\n        \"message\": \"slow down\"\n    }\n}\n")]
#[case::azure_error(503, r#"{"error":{"code":"503","message": "busy"}}"#)]
#[case::mistake(400, r#"{"error":{"message":"no","type":"x","param":null,"code":null}}"#)]
#[tokio::test]
async fn the_providers_answer_is_forwarded_unchanged(#[case] status: u16, #[case] body: &str) {
    let got = ask(answer(status, HEADERS, body)).await;
    assert_eq!((got.status, got.body.as_str()), (status, body));
    let mut names: Vec<_> = got.headers.keys().map(HeaderName::as_str).collect();
    names.sort_unstable();
    let passed =
        ["content-length", "content-type", "date", "retry-after", "retry-after-ms", "x-request-id"];
    assert_eq!(names, passed);
    assert_eq!(got.headers["content-type"], "application/json; charset=utf-8");
    assert_eq!(got.headers["retry-after"], "7");
    assert_eq!(got.headers["x-request-id"], "req_1");
}

#[rstest]
#[case::reset(Reply::Reset, 502, "upstream_connection_error")]
#[case::closed(Reply::Send(String::new()), 502, "upstream_connection_error")]
#[case::silence(Reply::Hold(String::new()), 504, "upstream_timeout")]
#[case::stalled(Reply::Hold("HTTP/1.1 500 X\r\n\r\n{".to_owned()), 504, "upstream_timeout")]
#[case::empty(json(200, ""), 502, "upstream_invalid_response")]
#[case::cut(
    Reply::Send(format!("HTTP/1.1 200 OK\r\n{JSON}content-length: 9\r\n\r\n{{\"a\":1}}")),
    502,
    "upstream_invalid_response"
)]
#[case::bad_credential(
    json(401, r#"{"error":{"message":"bad key"}}"#),
    502,
    "upstream_misconfigured"
)]
#[case::forbidden(json(403, r#"{"error":{"message":"no"}}"#), 502, "upstream_misconfigured")]
#[case::no_deployment(
    json(404, r#"{"error":{"message":"it-model"}}"#),
    502,
    "upstream_misconfigured"
)]
#[case::unreadable(
    answer(500, "content-type: text/html\r\n", "<p>10.0.0.7 is down"),
    500,
    "upstream_error"
)]
#[case::unreadable_twice(
    answer(500, "content-type: text/html\r\ncontent-type: text/plain\r\n", "10.0.0.7"),
    500,
    "upstream_error"
)]
#[case::other_shape(json(500, r#"{"detail":"10.0.0.7 is down"}"#), 500, "upstream_error")]
#[case::error_in_a_word(json(500, r#"{"error":"10.0.0.7"}"#), 500, "upstream_error")]
#[case::cut_error(
    Reply::Send("HTTP/1.1 503 X\r\ncontent-length: 99\r\n\r\n{\"error\":{".to_owned()),
    503,
    "upstream_error"
)]
#[tokio::test]
async fn an_exhausted_chain_reports_what_ended_it(
    #[case] reply: Reply,
    #[case] status: u16,
    #[case] code: &str,
) {
    let scripted = ScriptedDeployment::start([reply]).await;
    let mut group = chain([deployment("it", &scripted.url())]);
    if status == 504 {
        group.timeout = Duration::from_millis(200);
    }
    let got = Router::start(config(group)).await.ask().await;
    assert_eq!((got.status, got.error_code().as_str()), (status, code));
    for internal in [scripted.url().trim_start_matches("http://"), "it-model", "sk-it", "10.0.0.7"]
    {
        assert!(!got.body.contains(internal), "{internal} in {}", got.body);
    }
}

#[tokio::test]
async fn a_refused_connection_is_a_connection_error() {
    let nowhere = Refusing::bind();
    let got = Router::start(config(chain([deployment("it", &nowhere.url())]))).await.ask().await;
    assert_eq!((got.status, got.error_code().as_str()), (502, "upstream_connection_error"));
}

#[tokio::test]
async fn retry_after_is_forwarded_with_an_unreadable_body() {
    let got = ask(answer(503, "retry-after: 11\r\n", "busy")).await;
    assert_eq!((got.status, got.error_code().as_str()), (503, "upstream_error"));
    assert_eq!(got.headers["retry-after"], "11");
}

#[tokio::test]
async fn the_last_failure_is_reported() {
    let busy =
        ScriptedDeployment::start([answer(429, HEADERS, r#"{"error":{"message":"busy"}}"#)]).await;
    let gone = Refusing::bind();
    let group = chain([deployment("busy", &busy.url()), deployment("gone", &gone.url())]);
    let got = Router::start(config(group)).await.ask().await;
    assert_eq!((got.status, got.error_code().as_str()), (502, "upstream_connection_error"));
    assert!(!got.headers.contains_key("retry-after"));
}

#[rstest]
#[case::error(
    400,
    r#"{"error":{"message":"bad key sk-it-key."}}"#,
    r#"{"error":{"message":"bad key [redacted]."}}"#
)]
#[case::spelled_otherwise(
    500,
    r#"{"error":{"x":"\u0073k-it-key"}}"#,
    r#"{"error":{"x":"[redacted]"}}"#
)]
#[case::success(200, r#"{"echo":"sk-it-key"}"#, r#"{"echo":"[redacted]"}"#)]
#[tokio::test]
async fn a_credential_in_an_answer_is_redacted(
    #[case] status: u16,
    #[case] body: &str,
    #[case] clean: &str,
    #[values(Surface::OpenAi, Surface::AzureV1)] surface: Surface,
) {
    let headers = "content-type: application/json\r\nx-request-id: req-sk-it-key-1\r\n";
    let scripted = ScriptedDeployment::start([answer(status, headers, body)]).await;
    let group = chain([on_surface(surface, "it", &scripted.url())]);
    let got = Router::start(config(group)).await.ask().await;
    assert_eq!((got.status, got.body.as_str()), (status, clean));
    assert_eq!(got.headers["x-request-id"], "req-[redacted]-1");
}

#[tokio::test]
async fn an_answer_above_the_limit_is_a_failure() {
    let body = format!(r#"{{"x":"{}"}}"#, "y".repeat(100));
    for (limit, status) in [(body.len(), 200), (body.len() - 1, 502)] {
        let scripted = ScriptedDeployment::start([json(200, &body)]).await;
        let mut config = config(chain([deployment("it", &scripted.url())]));
        config.body_limit = limit;
        let got = Router::start(config).await.ask().await;
        assert_eq!(got.status, status, "with a limit of {limit}");
    }
}
