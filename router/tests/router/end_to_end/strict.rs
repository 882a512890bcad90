//! Calls to strict mock providers, which refuse the same requests as the real providers, with the
//! same errors.

use fallproof_router::Surface;
use rstest::rstest;

use super::support::{CHAT, Router, Strict, chain, config};

const SURFACES: fn() -> [Surface; 3] = || {
    let api_version = "2025-04-01-preview".to_owned();
    [Surface::OpenAi, Surface::AzureV1, Surface::AzureLegacy { api_version }]
};

#[rstest]
#[case("chat/completions", CHAT)]
#[case("completions", r#"{"model":"summaries","prompt":"Hi"}"#)]
#[case("embeddings", r#"{"model":"summaries","input":"Hi"}"#)]
#[case("responses", r#"{"model":"summaries","input":"Hi"}"#)]
#[case("responses/compact", r#"{"model":"summaries","input":"Hi"}"#)]
#[case("images/generations", r#"{"model":"summaries","prompt":"A cat"}"#)]
#[case("audio/speech", r#"{"model":"summaries","input":"Hi","voice":"alloy"}"#)]
#[tokio::test]
async fn a_valid_request_is_valid_on_every_surface(#[case] path: &str, #[case] body: &str) {
    for surface in SURFACES() {
        let provider = Strict::playing(surface.clone(), "it", &["ok"]).await;
        let router = Router::start(config(chain([provider.deployment()]))).await;
        let response = router.post(&format!("/v1/{path}"), body).send().await.expect("an answer");
        let status = response.status();
        let answer = response.bytes().await.expect("a complete answer");
        assert_eq!(status, 200, "{surface:?}: {}", String::from_utf8_lossy(&answer));
        assert_eq!(provider.attempts().await, 1);
    }
}

#[rstest]
#[case("server_error")]
#[case("bad_gateway")]
#[case("overloaded")]
#[case("gateway_timeout")]
#[case("timeout_408")]
#[case("high_demand")]
#[case("rate_limited")]
#[case("rate_limited_date")]
#[case("rate_limited_no_hint")]
#[case("request_exceeds_rate_limit")]
#[case("quota_exceeded")]
#[case("unauthorized")]
#[case("missing_scope")]
#[case("forbidden")]
#[case("model_not_found")]
#[case("conflict")]
#[case("ok_with_error")]
#[case("empty_body")]
#[case("truncated_json")]
#[case("wrong_content_type")]
#[tokio::test]
async fn a_failing_provider_falls_back_to_one_of_another_surface(#[case] failure: &str) {
    let surfaces = SURFACES();
    for (at, surface) in surfaces.iter().enumerate() {
        let primary = Strict::playing(surface.clone(), "primary", &[failure]).await;
        let other = surfaces[(at + 1) % surfaces.len()].clone();
        let backup = Strict::playing(other, "backup", &["ok"]).await;
        let group = chain([primary.deployment(), backup.deployment()]);
        let got = Router::start(config(group)).await.ask().await;
        assert_eq!(got.answered_by(), "backup", "{surface:?}");
        assert!(backup.gave(&got) && !primary.gave(&got));
        assert_eq!([primary.attempts().await, backup.attempts().await], [1, 1]);
    }
}

#[rstest]
#[case("context_length_exceeded", "large")]
#[case("content_filter", "lenient")]
#[tokio::test]
async fn a_providers_refusal_leads_to_its_special_chain(
    #[case] refusal: &str,
    #[case] answer: &str,
) {
    for surface in SURFACES() {
        let primary = Strict::playing(surface.clone(), "primary", &[refusal]).await;
        let backup = Strict::start("backup").await;
        let [large, lenient] = [Strict::start("large").await, Strict::start("lenient").await];
        let mut group = chain([primary.deployment(), backup.deployment()]);
        group.on_context_length = vec![large.deployment()];
        group.on_content_filter = vec![lenient.deployment()];
        let got = Router::start(config(group)).await.ask().await;
        assert_eq!(got.answered_by(), answer, "{surface:?}");
        assert_eq!(backup.attempts().await, 0);
    }
}

#[rstest]
#[case::unknown(r#","max_token":5"#, "max_token")]
#[case::mistyped(r#","temperature":"hot""#, "temperature")]
#[tokio::test]
async fn a_client_error_is_reported_with_the_providers_message(
    #[case] mistake: &str,
    #[case] parameter: &str,
) {
    let body = format!("{}{mistake}}}", CHAT.strip_suffix('}').expect("an object"));
    for surface in SURFACES() {
        let primary = Strict::playing(surface.clone(), "primary", &["ok"]).await;
        let backup = Strict::start("backup").await;
        let group = chain([primary.deployment(), backup.deployment()]);
        let router = Router::start(config(group)).await;
        let got = router.send(router.post("/v1/chat/completions", &body)).await;
        assert_eq!((got.status, &got.json()["error"]["param"]), (400, &parameter.into()));
        assert_eq!([primary.attempts().await, backup.attempts().await], [1, 0], "{surface:?}");
    }
}
