//! Tests each AUTH requirement, with hand-made evidence.

use fallproof_protocol::provider::{Endpoint, Surface};
use rstest::rstest;

use crate::testing::{CALL, Case, GATEWAY_KEY, TWO};

#[track_caller]
fn assert_found(case: Case, wanted: &[&str]) {
    case.assert_found("AUTH", wanted);
}

fn two() -> Case {
    Case::with_policy("")
}

/// The API key of a deployment.
fn key_of(deployment: &str) -> String {
    two().deployment(deployment).key.clone()
}

/// A call from a client with this gateway key.
fn with_key(key: &str) -> Case {
    let call = CALL.replace("body:", &format!("key: {key}, body:"));
    Case::of(&format!("{TWO}group: {{ chain: [primary, backup] }}\nsteps:\n{call}"))
}

#[test]
fn attempts_with_their_own_credentials_violate_nothing() {
    assert_found(two().attempt("primary").failing(500, None).attempt("backup"), &[]);
    // No attempt was made.
    assert_found(two().got(503, "{}"), &[]);
}

// 01

#[test]
fn an_attempt_has_its_credential_exactly_once() {
    let bearer = format!("Bearer {}", key_of("primary"));
    let case = || two().attempt("primary");
    let without = || case().without_header("authorization");
    assert_found(without(), &["01 attempt 1 at `primary` has no `authorization` header"]);
    let other = "01 attempt 1 at `primary` does not carry its deployment's credential in \
                 `authorization`";
    assert_found(without().with_header("authorization", "Bearer sk-other"), &[other]);
    assert_found(without().with_header("Authorization", &bearer), &[]);
    let wanted = "01 attempt 1 at `primary` has 2 `authorization` headers";
    assert_found(case().with_header("authorization", &bearer), &[wanted]);
}

#[rstest]
#[case::newer(Surface::AzureV1, &[])]
#[case::older(Surface::AzureLegacy, &["01 attempt 1 at `backup` has no `api-key` header"])]
fn azure_accepts_a_bearer_only_on_v1_paths(#[case] surface: Surface, #[case] wanted: &[&str]) {
    let route = Some((surface, Endpoint::ChatCompletions));
    let bearer = format!("Bearer {}", key_of("backup"));
    let case = two().attempt("backup").without_header("api-key");
    assert_found(case.with_header("authorization", &bearer).asking_for("/", route), wanted);
}

// 02 and 03

#[rstest]
#[case::of_another_deployment(&key_of("backup"), "02 attempt 1 at `primary` carries the credential of `backup`")]
#[case::of_the_client(GATEWAY_KEY, "03 attempt 1 at `primary` carries the client's gateway key")]
fn no_attempt_carries_another_key(#[case] key: &str, #[case] wanted: &str) {
    let case = || two().attempt("primary");
    assert_found(case().with_header("x-key", key), &[wanted]);
    assert_found(case().with_instead("Hi", key), &[wanted]);
}

#[test]
fn a_key_shared_by_two_deployments_is_its_own() {
    let shared = key_of("primary");
    assert_found(two().attempt("primary").with_header("x-key", &shared), &[]);
}

// 04

#[rstest]
#[case::of_a_deployment(&key_of("backup"), "04 the response leaks the credential of `backup`")]
#[case::its_own(GATEWAY_KEY, "04 the response leaks the client's gateway key")]
fn no_response_leaks_a_key(#[case] key: &str, #[case] wanted: &str) {
    let case = || two().attempt("primary").failing(401, None);
    assert_found(case().got(401, format!("Wrong key: {key}.")), &[wanted]);
    assert_found(case().got_header("x-key", key), &[wanted]);
    assert_found(case(), &[]);
}

#[test]
fn a_key_that_the_client_sent_is_not_leaked() {
    let key = key_of("primary");
    let case = two().sending("x-key", &key).attempt("primary").failing(401, None);
    assert_found(case.got(401, format!("Wrong key: {key}.")), &[]);
}

// 05

#[rstest]
#[case::without_a_key("none", "a client without a gateway key")]
#[case::with_a_wrong_key("wrong", "a client with an invalid gateway key")]
fn an_unauthorized_client_is_rejected(#[case] key: &str, #[case] who: &str) {
    let asked = format!("05 attempt 1 at `primary` was made for {who}");
    let answered = format!("05 {who} got status 200, not 401");
    assert_found(with_key(key).attempt("primary"), &[&asked, &answered]);
    assert_found(with_key(key).got(200, "{}"), &[&answered]);
    assert_found(with_key(key).attempt("primary").got(401, "{}"), &[&asked]);
    assert_found(with_key(key).got(403, "{}"), &[]);
}

#[test]
fn a_client_with_the_right_key_is_accepted() {
    assert_found(with_key("right").attempt("primary"), &[]);
}
