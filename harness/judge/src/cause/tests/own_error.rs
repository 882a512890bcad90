//! Errors that a target wrote itself, with hand-made evidence.

use crate::cause::OwnError;
use crate::testing::{Case, TWO};

const REFUSAL: &str = r#"{"error":{"message":"Unknown parameter: 'x'."}}"#;

/// A case with a plain call that succeeds, and a call with this body.
fn then(body: &str) -> Case {
    let plain = r#"{"model": "{{model}}", "messages": [], "user": "u"}"#;
    let call = |body: &str| {
        let body = serde_json::to_string(body).expect("a string serializes");
        format!("  - send: {{ endpoint: chat/completions, body_json: {body} }}\n")
    };
    let steps = call(plain) + &call(body);
    let case = Case::of(&format!("{TWO}group: {{ chain: [primary, backup] }}\nsteps:\n{steps}"));
    case.attempt("primary").answered(200, r#"{"choices":[]}"#).next_call()
}

fn own_error(case: Case) -> Option<OwnError> {
    case.judge().facts.calls.pop()?.own_error
}

fn sent(case: Case) -> Option<String> {
    own_error(case)?.sent.map(|it| it.to_string())
}

#[test]
fn an_error_of_the_target_is_kept_with_what_is_odd_about_the_call() {
    let odd = then(r#"{"model": "{{model}}", "messages": [null], "tools": {}}"#);
    let error = own_error(odd.got(500, r#"{"error":{"message":"no attribute\n 'get'"}}"#));
    let error = error.expect("the target's own error");
    assert_eq!(error.message, "no attribute 'get'");
    let sent = error.sent.map(|it| it.to_string());
    assert_eq!(sent.as_deref(), Some(r#""messages": [null], "tools": {}, no "user""#));
}

#[test]
fn an_error_without_a_message_is_kept_as_text() {
    let same = || then(r#"{"model": "{{model}}", "messages": [], "user": "u"}"#);
    let message = |body: &str| own_error(same().got(500, body)).map(|it| it.message);
    assert_eq!(message("Internal\n Server Error").as_deref(), Some("Internal Server Error"));
    assert_eq!(message("").as_deref(), Some(""));
    assert_eq!(sent(same().got(500, "")), None, "nothing is odd");
}

#[test]
fn an_error_of_a_provider_is_not_the_targets_own() {
    let refused = || then(r#"{"model": "{{model}}", "messages": []}"#).attempt("primary");
    assert_eq!(own_error(refused().answered(400, REFUSAL)), None);
    let wrapped = REFUSAL.replace("Unknown", "Provider error: Unknown");
    assert_eq!(own_error(refused().answered(400, REFUSAL).got(400, wrapped)), None);
    let other = own_error(refused().answered(400, REFUSAL).got(500, r#"{"detail":"Oh no"}"#));
    assert_eq!(other.map(|it| it.message).as_deref(), Some("Oh no"));
    assert_eq!(own_error(refused().answered(200, r#"{"choices":[]}"#)), None);
}

#[test]
fn without_an_earlier_call_the_start_of_the_body_is_kept_if_there_was_no_attempt() {
    let alone = || Case::with_body(r#"{"model": "{{model}}", "stop": null}"#);
    let start = sent(alone().got(500, "{}")).expect("the body");
    assert!(start.ends_with(r#""stop": null}"#), "{start}");
    assert_eq!(sent(alone().attempt("primary").failing(500, None).got(502, "{}")), None);
}

#[test]
fn the_member_that_provokes_a_failure_is_the_place_of_the_violation() {
    let judgment = |body| then(body).got(500, r#"{"error":{"message":"Oh no"}}"#).judge();
    let pointer = |body| judgment(body).violations.iter().find_map(|it| it.pointer.clone());
    let one = pointer(r#"{"model": "{{model}}", "messages": 7, "user": "u"}"#);
    assert_eq!(one.as_deref(), Some("/messages"));
    assert_eq!(pointer(r#"{"model": "{{model}}", "messages": 7, "user": 8}"#), None);
}
