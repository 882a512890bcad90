//! Which deployments get attempts, how many, and in which order.

use std::time::{Duration, Instant};

use fallproof_router::{Condition, Group};
use rstest::rstest;

use super::support::{
    Got, Refusing, Reply, Router, ScriptedDeployment, Strict, answer, chain, config, deployment,
    error, json, ok,
};

/// Timeout for scripts in which a deployment sends nothing. It is long enough for other replies to
/// arrive, even on a busy machine.
const TIMEOUT: Duration = Duration::from_millis(200);

const WHOLE_HEAD: &str =
    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n";
const CHUNKED_HEAD: &str =
    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";

/// Sends one call to a router whose primary plays this script and whose backup is a strict
/// provider. Returns who answered, or the status of the error, and the number of attempts at each.
async fn ask_two(
    primary: impl IntoIterator<Item = Reply>,
    adjust: impl FnOnce(&mut Group),
) -> (String, [usize; 2]) {
    let mut primary = ScriptedDeployment::start(primary).await;
    let backup = Strict::start("backup").await;
    let mut group = chain([deployment("primary", &primary.url()), backup.deployment()]);
    adjust(&mut group);
    let got = Router::start(config(group)).await.ask().await;
    (answer_of(&got), [primary.requests().len(), backup.attempts().await])
}

/// Like [`ask_two`], but the backup plays a script, too. The call must fail.
async fn ask_failing(
    primary: impl IntoIterator<Item = Reply>,
    backup: impl IntoIterator<Item = Reply>,
    adjust: impl FnOnce(&mut Group),
) -> (String, [usize; 2]) {
    let mut primary = ScriptedDeployment::start(primary).await;
    let mut backup = ScriptedDeployment::start(backup).await;
    let mut group =
        chain([deployment("primary", &primary.url()), deployment("backup", &backup.url())]);
    adjust(&mut group);
    let got = Router::start(config(group)).await.ask().await;
    (answer_of(&got), [primary.requests().len(), backup.requests().len()])
}

fn answer_of(got: &Got) -> String {
    if got.status == 200 { got.answered_by() } else { got.status.to_string() }
}

#[tokio::test]
async fn the_chain_ends_at_the_first_success() {
    let [primary, backup] = [Strict::start("primary").await, Strict::start("backup").await];
    let group = chain([primary.deployment(), backup.deployment()]);
    assert_eq!(Router::start(config(group)).await.ask().await.answered_by(), "primary");
    assert_eq!([primary.attempts().await, backup.attempts().await], [1, 0]);
}

#[rstest]
#[case::server_error(error(500, "primary"))]
#[case::rate_limit(error(429, "primary"))]
#[case::bad_credential(error(401, "primary"))]
#[case::forbidden(error(403, "primary"))]
#[case::no_deployment(error(404, "primary"))]
#[case::request_timeout(error(408, "primary"))]
#[case::conflict(error(409, "primary"))]
#[case::reset(Reply::Reset)]
#[case::closed(Reply::Send(String::new()))]
#[case::not_http(Reply::Send("SSH-2.0-OpenSSH_9.9\r\n".to_owned()))]
#[case::cut_in_the_head(Reply::Send("HTTP/1.1 200 OK\r\ncontent-ty".to_owned()))]
#[case::cut_in_the_body(Reply::Send(format!("{WHOLE_HEAD}{{\"a\":1}}")))]
#[case::cut_in_a_chunk(Reply::Send(format!("{CHUNKED_HEAD}9\r\n{{\"a\":1}}")))]
#[case::cut_after_a_chunk(Reply::Send(format!("{CHUNKED_HEAD}7\r\n{{\"a\":1}}\r\n")))]
#[case::cut_where_the_json_goes_on(json(200, r#"{"a":1"#))]
#[case::empty(json(200, ""))]
#[case::no_content(answer(204, "", ""))]
#[case::null(json(200, "null"))]
#[case::not_json(json(200, "<html>ok</html>"))]
#[case::not_called_json(answer(200, "content-type: text/html\r\n", r#"{"a":1}"#))]
#[case::not_called_anything(answer(200, "", r#"{"a":1}"#))]
#[case::redirect(answer(302, "location: /elsewhere\r\n", ""))]
#[tokio::test]
async fn a_failure_falls_back_after_one_attempt(#[case] failure: Reply) {
    let outcome = ask_two([failure], |_| {}).await;
    assert_eq!(outcome, ("backup".to_owned(), [1, 1]));
}

#[rstest]
#[case::before_the_head("")]
#[case::in_the_head("HTTP/1.1 200 OK\r\n")]
#[case::in_the_body(&format!("{WHOLE_HEAD}{{\"a\":"))]
#[case::after_a_chunk(&format!("{CHUNKED_HEAD}7\r\n{{\"a\":1}}\r\n"))]
#[tokio::test]
async fn silence_falls_back_after_the_timeout(#[case] held: &str) {
    let start = Instant::now();
    let silence = Reply::Hold(held.to_owned());
    let outcome = ask_two([silence], |group| group.timeout = TIMEOUT).await;
    assert_eq!(outcome, ("backup".to_owned(), [1, 1]));
    assert!(start.elapsed() >= TIMEOUT, "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_refused_connection_falls_back() {
    let primary = Refusing::bind();
    let backup = Strict::start("backup").await;
    let group = chain([deployment("primary", &primary.url()), backup.deployment()]);
    assert_eq!(Router::start(config(group)).await.ask().await.answered_by(), "backup");
}

#[rstest]
#[case(400)]
#[case(405)]
#[case(413)]
#[case(415)]
#[case(422)]
#[case(451)]
#[tokio::test]
async fn a_client_error_does_not_fall_back(#[case] status: u16) {
    let outcome = ask_two([error(status, "primary")], |group| group.retries = 3).await;
    assert_eq!(outcome, (status.to_string(), [1, 0]));
}

#[tokio::test]
async fn a_chain_is_walked_once_and_in_order() {
    let mut deployments = Vec::new();
    for name in ["a", "b", "c"] {
        deployments.push(ScriptedDeployment::start([error(500, name)]).await);
    }
    let [a, b, c] = &mut deployments[..] else { unreachable!("three were started") };
    let group =
        chain([deployment("a", &a.url()), deployment("b", &b.url()), deployment("c", &c.url())]);
    let got = Router::start(config(group)).await.ask().await;
    assert_eq!((got.status, &got.json()["error"]["message"]), (500, &"c says 500".into()));
    for scripted in &mut deployments {
        assert_eq!(scripted.requests().len(), 1);
    }
}

#[tokio::test]
async fn a_temporary_failure_is_retried_at_the_same_deployment() {
    let script = [error(500, "primary"), Reply::Reset, ok("primary")];
    let outcome = ask_two(script, |group| group.retries = 2).await;
    assert_eq!(outcome, ("primary".to_owned(), [3, 0]));
}

#[tokio::test]
async fn each_deployment_has_its_own_retries() {
    let failing = |name| [error(503, name), error(503, name), error(503, name)];
    let outcome =
        ask_failing(failing("primary"), failing("backup"), |group| group.retries = 1).await;
    assert_eq!(outcome, ("503".to_owned(), [2, 2]));
}

#[rstest]
#[case::rate_limit(error(429, "primary"))]
#[case::bad_credential(error(401, "primary"))]
#[case::asks_to_wait(answer(503, "content-type: application/json\r\nretry-after: 1\r\n", "{}"))]
#[tokio::test]
async fn a_permanent_failure_is_not_retried(#[case] failure: Reply) {
    let outcome = ask_two([failure], |group| group.retries = 3).await;
    assert_eq!(outcome, ("backup".to_owned(), [1, 1]));
}

#[tokio::test]
async fn every_attempt_has_the_full_timeout() {
    let timeout = Duration::from_millis(80);
    let silence = || [Reply::Hold(String::new()), Reply::Hold(String::new())];
    let start = Instant::now();
    let outcome = ask_failing(silence(), silence(), |group| {
        group.timeout = timeout;
        group.retries = 1;
    })
    .await;
    assert_eq!(outcome, ("504".to_owned(), [2, 2]));
    assert!(start.elapsed() >= 4 * timeout, "{:?}", start.elapsed());
}

#[tokio::test]
async fn without_conditions_failures_are_retried_but_do_not_fall_back() {
    let outcome = ask_two([error(500, "primary"), error(502, "primary")], |group| {
        group.fallback_on = vec![];
        group.retries = 1;
    })
    .await;
    assert_eq!(outcome, ("502".to_owned(), [2, 0]));
}

#[rstest]
#[case::status(Condition::Status(400), error(400, "primary"), error(422, "primary"), "422")]
#[case::class(Condition::Any4xx, error(422, "primary"), error(500, "primary"), "500")]
#[case::server_errors(Condition::Any5xx, error(501, "primary"), Reply::Reset, "502")]
#[case::connection(Condition::Connection, Reply::Reset, json(200, ""), "502")]
#[case::invalid(Condition::InvalidResponse, json(200, ""), Reply::Reset, "502")]
#[case::timeout(Condition::Timeout, Reply::Hold(String::new()), Reply::Reset, "502")]
#[tokio::test]
async fn a_condition_covers_its_failure_and_no_other(
    #[case] condition: Condition,
    #[case] covered: Reply,
    #[case] other: Reply,
    #[case] status: &str,
) {
    let only = |group: &mut Group| {
        group.fallback_on = vec![condition];
        group.timeout = TIMEOUT;
    };
    let outcome = ask_two([covered], only).await;
    assert_eq!(outcome, ("backup".to_owned(), [1, 1]), "covered");
    let outcome = ask_two([other], only).await;
    assert_eq!(outcome, (status.to_owned(), [1, 0]), "not covered");
}

#[tokio::test]
async fn groups_do_not_affect_each_other() {
    let broken = ScriptedDeployment::start([error(500, "broken"), error(500, "broken")]).await;
    let sound = Strict::start("sound").await;
    let mut config = config(chain([sound.deployment()]));
    config.groups.insert("broken".to_owned(), chain([deployment("broken", &broken.url())]));
    let router = Router::start(config).await;
    for _ in 0..2 {
        let got = router.send(router.post("/v1/responses", r#"{"model":"broken"}"#)).await;
        assert_eq!(got.status, 500);
    }
    assert_eq!(router.ask().await.answered_by(), "sound");
}
