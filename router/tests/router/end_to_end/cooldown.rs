//! Cooldowns, with a clock that the tests advance.

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use fallproof_router::{Cooldown, Group};
use rstest::rstest;

use super::streams::{CONTENT, STREAM};
use super::support::{
    Reply, Router, ScriptedDeployment, Strict, answer, chain, config, deployment, error, ok,
    stream_of,
};

const SECOND: Duration = Duration::from_secs(1);

fn limited(headers: &str) -> Reply {
    let headers = format!("content-type: application/json\r\n{headers}");
    answer(429, &headers, r#"{"error":{"message":"slow down"}}"#)
}

fn cooldown(group: &mut Group, after_failures: u32) {
    let after_failures = NonZeroU32::new(after_failures).expect("at least one");
    group.cooldown = Some(Cooldown { after_failures, duration: 5 * SECOND });
}

/// A primary with this script, and a strict provider as a backup that always answers.
async fn two<const N: usize>(script: [Reply; N]) -> (ScriptedDeployment, Strict, Group) {
    let primary = ScriptedDeployment::start(script).await;
    let backup = Strict::start("backup").await;
    let group = chain([deployment("primary", &primary.url()), backup.deployment()]);
    (primary, backup, group)
}

#[rstest]
#[case::seconds("retry-after: 7\r\n", 7_000)]
#[case::milliseconds("retry-after-ms: 1500\r\nretry-after: 2\r\n", 1_500)]
#[case::date(
    "date: Wed, 21 Oct 2026 07:28:00 GMT\r\nretry-after: Wed, 21 Oct 2026 07:28:07 GMT\r\n",
    7_000
)]
#[case::more_than_the_limit("retry-after: 86400\r\n", 60_000)]
#[tokio::test]
async fn retry_after_starts_a_cooldown_of_that_length(
    #[case] headers: &str,
    #[case] cooldown_ms: u64,
) {
    let (mut primary, _backup, group) = two([limited(headers), ok("primary")]).await;
    let (router, clock) = Router::with_manual_clock(config(group)).await;
    assert_eq!(router.ask().await.answered_by(), "backup");
    clock.advance(Duration::from_millis(cooldown_ms - 1));
    assert_eq!(router.ask().await.answered_by(), "backup");
    assert_eq!(primary.requests().len(), 1);
    clock.advance(Duration::from_millis(1));
    assert_eq!(router.ask().await.answered_by(), "primary");
}

#[rstest]
#[case::no_header(limited(""), |_: &mut Group| {})]
#[case::switched_off(limited("retry-after: 7\r\n"), |group: &mut Group| group.max_retry_after = Duration::ZERO)]
#[case::no_cooldown(error(500, "primary"), |_: &mut Group| {})]
#[case::not_often_enough(error(500, "primary"), |group: &mut Group| cooldown(group, 2))]
#[tokio::test]
async fn other_failures_start_no_cooldown(#[case] failure: Reply, #[case] adjust: fn(&mut Group)) {
    let (_primary, _backup, mut group) = two([failure, ok("primary")]).await;
    adjust(&mut group);
    let router = Router::start(config(group)).await;
    assert_eq!(router.ask().await.answered_by(), "backup");
    assert_eq!(router.ask().await.answered_by(), "primary");
}

#[tokio::test]
async fn repeated_failures_start_a_cooldown_and_the_deployment_comes_back() {
    let script = [error(500, "primary"), Reply::Reset, error(500, "primary"), ok("primary")];
    let (mut primary, _backup, mut group) = two(script).await;
    cooldown(&mut group, 2);
    let (router, clock) = Router::with_manual_clock(config(group)).await;
    for _ in 0..3 {
        assert_eq!(router.ask().await.answered_by(), "backup");
    }
    assert_eq!(primary.requests().len(), 2);
    clock.advance(5 * SECOND);
    for _ in 0..2 {
        assert_eq!(router.ask().await.answered_by(), "backup");
    }
    assert_eq!(primary.requests().len(), 1, "one more failure is enough");
    clock.advance(5 * SECOND);
    assert_eq!(router.ask().await.answered_by(), "primary");
}

#[tokio::test]
async fn retries_end_when_a_cooldown_starts() {
    let (mut primary, _backup, mut group) =
        two([error(500, "primary"), error(500, "primary"), ok("primary")]).await;
    cooldown(&mut group, 2);
    group.retries = 5;
    assert_eq!(Router::start(config(group)).await.ask().await.answered_by(), "backup");
    assert_eq!(primary.requests().len(), 2);
}

#[rstest]
#[case::rate_limited(limited("retry-after: 7\r\n"), 429, "are rate limited")]
#[case::failed(answer(503, "retry-after: 7\r\n", ""), 503, "are cooling down after failures")]
#[tokio::test]
async fn while_all_are_cooling_down_the_client_gets_retry_after(
    #[case] refusal: Reply,
    #[case] status: u16,
    #[case] why: &str,
) {
    let mut one = ScriptedDeployment::start([limited("retry-after: 30\r\n")]).await;
    let mut other = ScriptedDeployment::start([refusal, ok("other")]).await;
    let group = chain([deployment("one", &one.url()), deployment("other", &other.url())]);
    let (router, clock) = Router::with_manual_clock(config(group)).await;
    assert_eq!(router.ask().await.status, status);
    clock.advance(Duration::from_millis(500));
    let got = router.ask().await;
    assert_eq!((got.status, got.error_code().as_str()), (status, "all_deployments_cooling_down"));
    assert_eq!(got.headers["retry-after"], "7");
    assert!(got.body.contains(why), "{}", got.body);
    assert_eq!((one.requests().len(), other.requests().len()), (1, 1));
    clock.advance(Duration::from_millis(6_500));
    assert_eq!(router.ask().await.answered_by(), "other");
}

#[tokio::test]
async fn a_cooldown_affects_one_group_only() {
    let (primary, _backup, group) = two([limited("retry-after: 7\r\n"), ok("primary")]).await;
    let mut config = config(group);
    config.groups.insert("other".to_owned(), chain([deployment("primary", &primary.url())]));
    let router = Router::start(config).await;
    assert_eq!(router.ask().await.answered_by(), "backup");
    let other = router.post("/v1/chat/completions", r#"{"model":"other"}"#);
    assert_eq!(router.send(other).await.answered_by(), "primary");
}

#[tokio::test]
async fn a_stream_that_breaks_counts_as_a_failure() {
    let (mut primary, _backup, mut group) = two([Reply::Send(stream_of(CONTENT))]).await;
    cooldown(&mut group, 1);
    let router = Router::start(config(group)).await;
    assert!(!router.stream("/v1/chat/completions", STREAM).await.is_complete);
    assert_eq!(router.ask().await.answered_by(), "backup");
    assert_eq!(primary.requests().len(), 1);
}

#[tokio::test]
async fn a_call_has_a_time_limit_over_all_its_attempts() {
    let silence = || Reply::Hold(String::new());
    let mut primary = ScriptedDeployment::start([silence(), silence(), silence()]).await;
    let mut group = chain([deployment("primary", &primary.url())]);
    group.retries = 9;
    group.timeout = Duration::from_millis(80);
    group.total_timeout = Some(Duration::from_millis(120));
    let start = Instant::now();
    let got = Router::start(config(group)).await.ask().await;
    assert_eq!((got.status, got.error_code().as_str()), (504, "upstream_timeout"));
    assert!(start.elapsed() >= Duration::from_millis(120), "{:?}", start.elapsed());
    primary.hangup().await;
    assert!((1..=2).contains(&primary.requests().len()));
}

#[tokio::test]
async fn a_client_that_disconnects_before_the_answer_starts_no_cooldown() {
    let (mut primary, _backup, mut group) = two([Reply::Hold(String::new()), ok("primary")]).await;
    cooldown(&mut group, 1);
    let router = Router::start(config(group)).await;
    let call = tokio::spawn(router.post("/v1/chat/completions", STREAM).send());
    primary.request().await;
    call.abort();
    primary.hangup().await;
    assert_eq!(router.ask().await.answered_by(), "primary");
}
