use std::time::Duration;

use fallproof_protocol::behavior::{Behavior, Cut, CutEnd, CutPoint};
use fallproof_protocol::json::Tree;
use fallproof_protocol::provider::{Endpoint, Surface};
use fallproof_suite::scenario::{Cooldown, Expect};

use crate::case::{CaseDeployment, FuzzCase, Request, Step};
use crate::formatting::Formatting;
use crate::oracle::expect;
use crate::repair::Acceptor;

/// The expectations for each call of a case: attempts, status and answering deployment.
fn expected(case: &FuzzCase) -> Vec<(String, u16, Option<String>)> {
    let summary = |it: Expect| {
        let attempts = it.attempts.expect("the oracle always expects attempts").join(" ");
        (attempts, it.status.expect("the oracle always expects a status"), it.answered_by)
    };
    expect(case).into_iter().map(summary).collect()
}

/// A chat case with one call, and with one deployment for each script.
fn case(scripts: &[&[&str]], body: &str) -> FuzzCase {
    let deployment = |script: &&[&str]| CaseDeployment {
        acceptor: Acceptor { surface: Surface::OpenAi, model: "gpt-4o".to_owned() },
        name: "gpt-4o".to_owned(),
        script: script.iter().map(|&name| Behavior::named(name)).collect(),
    };
    FuzzCase {
        endpoint: Endpoint::ChatCompletions,
        group: None,
        chain: scripts.iter().map(deployment).collect(),
        retries: 0,
        timeout: None,
        total_timeout: None,
        cooldown: None,
        max_retry_after: None,
        steps: vec![call(body)],
    }
}

fn call(body: &str) -> Step {
    let body = Tree::parse(body.as_bytes()).expect("valid JSON");
    Step::Call(Request { headers: Vec::new(), body, formatting: Formatting::default() })
}

const PLAIN: &str = r#"{"messages": [{"role": "user", "content": "Hi."}]}"#;
const STREAMED: &str = r#"{"messages": [{"role": "user", "content": "Hi."}], "stream": true}"#;

fn answer(attempts: &str, by: &str) -> (String, u16, Option<String>) {
    (attempts.to_owned(), 200, Some(by.to_owned()))
}

fn error(attempts: &str, status: u16) -> (String, u16, Option<String>) {
    (attempts.to_owned(), status, None)
}

#[test]
fn a_failure_triggers_a_fallback_or_ends_the_call() {
    let of = |scripts: &[&[&str]]| expected(&case(scripts, PLAIN));
    assert_eq!(of(&[&["ok"], &["ok"]]), [answer("primary", "primary")]);
    assert_eq!(of(&[&["server_error"], &["ok"]]), [answer("primary backup", "backup")]);
    assert_eq!(of(&[&["ok_with_error"], &["ok"]]), [answer("primary backup", "backup")]);
    assert_eq!(of(&[&["truncated_json"], &["ok"]]), [answer("primary backup", "backup")]);
    assert_eq!(of(&[&["connection_refused"], &["ok"]]), [answer("backup", "backup")]);
    assert_eq!(of(&[&["context_length_exceeded"], &["ok"]]), [error("primary", 400)]);
    assert_eq!(of(&[&["server_error"], &["unauthorized"]]), [error("primary backup", 502)]);
    assert_eq!(of(&[&["connection_reset"]]), [error("primary", 502)]);
}

#[test]
fn transient_failures_are_retried() {
    let of = |scripts: &[&[&str]]| expected(&FuzzCase { retries: 1, ..case(scripts, PLAIN) });
    assert_eq!(of(&[&["server_error", "ok"]]), [answer("primary primary", "primary")]);
    assert_eq!(of(&[&["model_not_found"], &["ok"]]), [answer("primary backup", "backup")]);
    // `rate_limited` sends `Retry-After`, so it is not retried.
    assert_eq!(of(&[&["rate_limited"], &["ok"]]), [answer("primary backup", "backup")]);
}

#[test]
fn a_deployment_gets_no_calls_while_it_cools_down() {
    let failing: [&[&str]; 2] = [&["server_error", "server_error", "ok"], &["ok"]];
    let cooldown = Some(Cooldown { after_failures: 2, duration: Duration::from_secs(10) });
    let wait = |seconds| Step::Advance(Duration::from_secs(seconds));
    let again = || call(PLAIN);
    let steps = vec![again(), again(), again(), wait(9), again(), wait(1), again()];
    let backup = || answer("primary backup", "backup");
    assert_eq!(
        expected(&FuzzCase { cooldown, steps, ..case(&failing, PLAIN) }),
        [
            backup(),
            backup(),
            answer("backup", "backup"),
            answer("backup", "backup"),
            answer("primary", "primary")
        ]
    );

    let mut limited = case(&[&["rate_limited"], &["rate_limited"]], PLAIN);
    limited.steps = vec![again(), again()];
    assert_eq!(expected(&limited), [error("primary backup", 429), error("", 429)]);
}

#[test]
fn a_stream_counts_as_an_answer_once_it_has_content() {
    let of = |scripts: &[&[&str]]| expected(&case(scripts, STREAMED));
    assert_eq!(of(&[&["ok"]]), [answer("primary", "primary")]);
    assert_eq!(of(&[&["stream_error_first"], &["ok"]]), [answer("primary backup", "backup")]);
    assert_eq!(of(&[&["stream_error"], &["ok"]]), [error("primary", 200)]);

    let mut cut = case(&[&["ok"], &["ok"]], STREAMED);
    let mut after = |events| {
        let at = CutPoint::Events(events);
        cut.chain[0].script[0].wire.cut = Some(Cut { at, end: CutEnd::Close });
        expected(&cut)
    };
    assert_eq!(after(0), [answer("primary backup", "backup")]);
    assert_eq!(after(3), [error("primary", 200)]);
}

/// Found by a property test: if no other deployment is available, the error of the stream is the
/// last failure.
#[test]
fn a_stream_fails_while_the_next_deployment_cools_down() {
    let mut case =
        case(&[&["rate_limited_no_hint", "stream_error_first"], &["rate_limited"]], STREAMED);
    case.steps.push(call(STREAMED));
    assert_eq!(expected(&case), [error("primary backup", 429), error("primary", 502)]);
}

/// Found by a property test: a legacy function call does not have an id that could hold the marker.
#[test]
fn the_answering_deployment_is_not_expected_if_the_marker_may_be_missing() {
    let of = |body| expected(&case(&[&["ok"]], body));
    let function = r#"{"messages": [{"role": "user", "content": "Hi."}],
        "functions": [{"name": "f"}], "function_call": {"name": "f"}}"#;
    assert_eq!(of(function), [error("primary", 200)]);
    let formed = r#"{"messages": [{"role": "user", "content": "Hi."}],
        "response_format": {"type": "json_object"}}"#;
    assert_eq!(of(formed), [error("primary", 200)]);
}

#[test]
fn a_provider_rejects_an_invalid_request() {
    let invalid = r#"{"messages": [], "zzz": 1}"#;
    assert_eq!(expected(&case(&[&["ok"], &["ok"]], invalid)), [error("primary", 400)]);
}
