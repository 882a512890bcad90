//! Each requirement of AUTH on evidence made by hand.

use fallproof_protocol::provider::{Endpoint, Surface};
use rstest::rstest;

use crate::testing::{CALL, Case, GATEWAY_KEY, TWO};

#[track_caller]
fn assert_found(case: Case, told: &[&str]) {
    case.assert_found("AUTH", told);
}

fn two() -> Case {
    Case::with_policy("")
}

/// The key of a deployment.
fn key_of(deployment: &str) -> String {
    two().deployment(deployment).key.clone()
}

/// A call of a client with another key.
fn stranger(key: &str) -> Case {
    let call = CALL.replace("body:", &format!("key: {key}, body:"));
    Case::of(&format!("{TWO}group: {{ chain: [primary, backup] }}\nsteps:\n{call}"))
}

#[test]
fn attempts_with_their_own_credentials_break_nothing() {
    assert_found(two().attempt("primary").failing(500, None).attempt("backup"), &[]);
    // Nobody was asked.
    assert_found(two().got(503, "{}"), &[]);
}

// 01

#[test]
fn an_attempt_has_its_credential_once() {
    let bearer = format!("Bearer {}", key_of("primary"));
    let case = || two().attempt("primary");
    let without = || case().without_header("authorization");
    assert_found(without(), &["01 attempt 1 at primary has no `authorization` header"]);
    let other = "01 attempt 1 at primary has another `authorization` header than its deployment's";
    let other = other.replace("`authorization` header", "`authorization`");
    assert_found(without().with_header("authorization", "Bearer sk-other"), &[&other]);
    assert_found(without().with_header("Authorization", &bearer), &[]);
    let told = "01 attempt 1 at primary has 2 `authorization` headers";
    assert_found(case().with_header("authorization", &bearer), &[told]);
}

#[rstest]
#[case::newer(Surface::AzureV1, &[])]
#[case::older(Surface::AzureLegacy, &["01 attempt 1 at backup has no `api-key` header"])]
fn azure_takes_a_bearer_on_its_newer_paths_alone(#[case] surface: Surface, #[case] told: &[&str]) {
    let chain_index = Some((surface, Endpoint::ChatCompletions));
    let bearer = format!("Bearer {}", key_of("backup"));
    let case = two().attempt("backup").without_header("api-key");
    assert_found(case.with_header("authorization", &bearer).asking_for("/", chain_index), told);
}

// 02 and 03

#[rstest]
#[case::of_another_deployment(&key_of("backup"), "02 attempt 1 at primary carries the credential of backup")]
#[case::of_the_client(
    GATEWAY_KEY,
    "03 attempt 1 at primary carries the client's key for the gateway"
)]
fn no_attempt_carries_another_key(#[case] key: &str, #[case] told: &str) {
    let case = || two().attempt("primary");
    assert_found(case().with_header("x-key", key), &[told]);
    assert_found(case().with_instead("Hi", key), &[told]);
}

#[test]
fn a_key_that_two_deployments_share_is_the_own_one() {
    let shared = key_of("primary");
    assert_found(two().attempt("primary").with_header("x-key", &shared), &[]);
}

// 04

#[rstest]
#[case::of_a_deployment(&key_of("backup"), "04 the answer to the client shows the credential of backup")]
#[case::its_own(GATEWAY_KEY, "04 the answer to the client shows its own key")]
fn no_answer_shows_a_key(#[case] key: &str, #[case] told: &str) {
    let case = || two().attempt("primary").failing(401, None);
    assert_found(case().got(401, format!("Wrong key: {key}.")), &[told]);
    assert_found(case().got_header("x-key", key), &[told]);
    assert_found(case(), &[]);
}

#[test]
fn a_client_that_brings_a_key_along_learns_nothing_from_it() {
    let key = key_of("primary");
    let case = two().sending("x-key", &key).attempt("primary").failing(401, None);
    assert_found(case.got(401, format!("Wrong key: {key}.")), &[]);
}

// 05

#[rstest]
#[case::without_a_key("none", "a client without a key")]
#[case::with_a_wrong_key("wrong", "a client with a key that it never gave out")]
fn a_stranger_is_turned_away(#[case] key: &str, #[case] who: &str) {
    let asked = format!("05 attempt 1 at primary was made for {who}");
    let answered = format!("05 {who} was answered 200, not 401");
    assert_found(stranger(key).attempt("primary"), &[&asked, &answered]);
    assert_found(stranger(key).got(200, "{}"), &[&answered]);
    assert_found(stranger(key).attempt("primary").got(401, "{}"), &[&asked]);
    assert_found(stranger(key).got(403, "{}"), &[]);
}

#[test]
fn a_client_with_the_right_key_is_no_stranger() {
    assert_found(stranger("right").attempt("primary"), &[]);
}
