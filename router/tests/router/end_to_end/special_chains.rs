//! Refusals that lead to a special chain, and calls that continue an earlier response.

use fallproof_router::Group;
use rstest::rstest;

use super::streams::{CREATED, DELTA, STREAM};
use super::support::{
    Reply, Router, ScriptedDeployment, chain, config, deployment, error, json, ok, stream,
};

const TOO_LONG: &str = r#"{"error":{"message":"too long","code":"context_length_exceeded"}}"#;
const FILTERED: &str = r#"{"error":{"message":"The response was filtered due to the prompt triggering Azure OpenAI's content management policy.","code":null}}"#;

/// Sends one call. Returns who answered, or the status of an error, and the number of requests at
/// each deployment. The scripts are for the primary, its fallback, two large deployments and a
/// lenient deployment, in this order.
async fn walk(scripts: [Vec<Reply>; 5], adjust: fn(&mut Group)) -> (String, Vec<usize>) {
    let mut deployments = Vec::new();
    for script in scripts {
        deployments.push(ScriptedDeployment::start(script).await);
    }
    let [primary, backup, large, larger, lenient] =
        ["primary", "backup", "large", "larger", "lenient"];
    let at = |index: usize, name| deployment(name, &deployments[index].url());
    let mut group = chain([at(0, primary), at(1, backup)]);
    group.on_context_length = vec![at(2, large), at(3, larger)];
    group.on_content_filter = vec![at(4, lenient)];
    adjust(&mut group);
    let got = Router::start(config(group)).await.ask().await;
    let answer = if got.status == 200 { got.answered_by() } else { got.status.to_string() };
    (answer, deployments.iter_mut().map(|scripted| scripted.requests().len()).collect())
}

#[rstest]
#[case::too_long([vec![json(400, TOO_LONG)], vec![], vec![ok("large")], vec![], vec![]], "large", &[1, 0, 1, 0, 0])]
#[case::filtered([vec![json(400, FILTERED)], vec![], vec![], vec![], vec![ok("lenient")]], "lenient", &[1, 0, 0, 0, 1])]
#[case::at_the_backup(
    [vec![error(500, "primary")], vec![json(400, TOO_LONG)], vec![ok("large")], vec![], vec![]],
    "large",
    &[1, 1, 1, 0, 0]
)]
#[case::still_too_long(
    [vec![json(400, TOO_LONG)], vec![], vec![json(400, TOO_LONG)], vec![ok("larger")], vec![]],
    "larger",
    &[1, 0, 1, 1, 0]
)]
#[case::far_too_long(
    [vec![json(400, TOO_LONG)], vec![], vec![json(400, TOO_LONG)], vec![json(400, TOO_LONG)], vec![]],
    "400",
    &[1, 0, 1, 1, 0]
)]
#[case::large_one_is_down(
    [vec![json(400, TOO_LONG)], vec![], vec![error(500, "large")], vec![ok("larger")], vec![]],
    "larger",
    &[1, 0, 1, 1, 0]
)]
#[case::one_after_the_other(
    [vec![json(400, TOO_LONG)], vec![], vec![json(400, FILTERED)], vec![], vec![json(400, TOO_LONG)]],
    "400",
    &[1, 0, 1, 0, 1]
)]
#[case::an_error_in_a_success([vec![json(200, TOO_LONG)], vec![], vec![ok("large")], vec![], vec![]], "large", &[1, 0, 1, 0, 0])]
#[case::another_mistake([vec![error(400, "primary")], vec![], vec![], vec![], vec![]], "400", &[1, 0, 0, 0, 0])]
#[tokio::test]
async fn a_recognized_refusal_leads_to_its_special_chain(
    #[case] scripts: [Vec<Reply>; 5],
    #[case] answer: &str,
    #[case] asked: &[usize],
) {
    assert_eq!(walk(scripts, |_| {}).await, (answer.to_owned(), asked.to_vec()));
}

#[tokio::test]
async fn without_a_special_chain_the_refusal_is_returned() {
    let scripts = [vec![json(400, TOO_LONG)], vec![ok("backup")], vec![], vec![], vec![]];
    let outcome = walk(scripts, |group| group.on_context_length.clear()).await;
    assert_eq!(outcome, ("400".to_owned(), vec![1, 0, 0, 0, 0]));
}

const FIRST: &str = r#"{"id":"resp_1","object":"response","answered_by":"backup"}"#;

#[rstest]
#[case::complete(json(200, FIRST), r#"{"model":"summaries"}"#)]
#[case::streamed(
    stream(&[CREATED, DELTA, "data: {\"type\":\"response.completed\"}\n\n"].concat()),
    STREAM
)]
#[tokio::test]
async fn a_call_goes_first_to_the_deployment_of_its_previous_response(
    #[case] first: Reply,
    #[case] body: &str,
) {
    let primary =
        ScriptedDeployment::start([error(500, "primary"), ok("primary"), ok("primary")]).await;
    let backup = ScriptedDeployment::start([first, ok("backup"), error(500, "backup")]).await;
    let group = chain([deployment("primary", &primary.url()), deployment("backup", &backup.url())]);
    let router = Router::start(config(group)).await;
    assert_eq!(router.stream("/v1/responses", body).await.status, 200);
    let after = |id: &str| {
        let body = format!(r#"{{"model":"summaries","previous_response_id":"{id}"}}"#);
        router.send(router.post("/v1/responses", &body))
    };
    assert_eq!(after("resp_1").await.answered_by(), "backup");
    assert_eq!(after("resp_0").await.answered_by(), "primary");
    assert_eq!(
        after("resp_1").await.answered_by(),
        "primary",
        "the other responses are still known"
    );
}

#[rstest]
#[case::an_error(r#"{"error":{"message":"boom","code":null}}"#, "boom")]
#[case::a_sentence(r#"{"error":"boom"}"#, "boom")]
#[case::a_failed_response(r#"{"id":"r","status":"failed","error":{"message":"boom"}}"#, "boom")]
#[tokio::test]
async fn a_success_that_contains_an_error_is_a_failure(#[case] body: &str, #[case] expected: &str) {
    let scripted =
        ScriptedDeployment::start([json(200, body), json(200, r#"{"error":null}"#)]).await;
    let router = Router::start(config(chain([deployment("it", &scripted.url())]))).await;
    let call = || router.post("/v1/responses", r#"{"model":"summaries"}"#);
    let got = router.send(call()).await;
    assert_eq!((got.status, got.error_code().as_str()), (502, "upstream_error"));
    assert!(got.body.contains(expected), "{}", got.body);
    assert_eq!(router.send(call()).await.status, 200);
}
