//! Each requirement of ROUTE on evidence made by hand.

use std::time::Duration;

use fallproof_protocol::condition::Condition;
use fallproof_protocol::provider::{Endpoint, Surface};
use fallproof_suite::evidence::Ending;
use rstest::rstest;

use crate::testing::{CALL, Case, TWO};

/// What a test says of the codes and sentences that are found.
#[track_caller]
fn assert_found(case: Case, told: &[&str]) {
    let told: Vec<_> = told.iter().map(|it| format!("FP-ROUTE-{it}")).collect();
    assert_eq!(case.found("ROUTE"), told);
}

fn two() -> Case {
    Case::with_policy("")
}

/// Calls of two deployments, with what is between them.
fn calls(policy: &str, steps: &[&str]) -> Case {
    let group = format!("group: {{ chain: [primary, backup], {policy} }}");
    Case::of(&format!("{TWO}{group}\nsteps:\n{}", steps.concat()))
}

fn wait(ms: u64) -> String {
    format!("  - advance_ms: {ms}\n")
}

#[test]
fn a_chain_that_is_asked_in_its_order_until_one_answers_is_right() {
    assert_found(two().attempt("primary"), &[]);
    assert_found(two().attempt("primary").failing(503, None).attempt("backup"), &[]);
}

// 01

#[test]
fn nobody_is_passed_over() {
    let case = two().attempt("backup");
    assert_found(case, &["01 attempt 1 went to backup before primary was asked"]);
}

#[test]
fn nobody_is_gone_back_to() {
    let case = two().attempt("primary").failing(500, None).attempt("backup").failing(500, None);
    let case = case.attempt("primary");
    let told = [
        "01 attempt 3 went back to primary, after backup was asked",
        "05 primary was asked 2 times; with retries 0 it is to be asked at most 1 times",
    ];
    assert_found(case, &told);
}

#[test]
fn a_deployment_for_refused_requests_is_asked_only_for_those() {
    let detour = "
deployments:
  primary: { provider: openai, model: gpt-4o, script: [ok] }
  large: { provider: openai, model: gpt-4o, script: [ok] }
group: { chain: [primary], on_context_length: [large] }
steps:
";
    let case = || Case::of(&format!("{detour}{CALL}")).attempt("primary");
    let uncalled = case().failing(500, None).attempt("large");
    let told = "01 attempt 2 went to large, which is for refused requests, and none was refused so";
    assert_found(uncalled, &[told]);
    let too_long = Some("context_length_exceeded");
    assert_found(case().failing(400, too_long).attempt("large"), &[]);
    let told = "10 attempt 1 was refused as too long and large was never asked";
    assert_found(case().failing(400, too_long), &[told]);
}

#[test]
fn a_deployment_may_be_passed_over_after_a_failure_where_that_is_declared() {
    let case = calls("", &[CALL, CALL]).attempt("primary").failing(500, None).attempt("backup");
    let case = case.next_call().attempt("backup");
    let case = case.declaring(|it| it.own_cooldown = Some("it rests at its own choice".to_owned()));
    let told = "attempt 1 went to backup before primary was asked";
    assert_found(case, &[&format!("01 (noted: it rests at its own choice) {told}")]);
}

// 02

#[test]
fn nobody_is_asked_after_a_success() {
    let case = two().attempt("primary").attempt("backup");
    assert_found(case, &["02 attempt 2 went to backup although attempt 1 had succeeded"]);
}

#[test]
fn an_answer_that_is_no_more_waited_for_is_no_success() {
    let case = two().attempt("primary").abandoned().attempt("backup");
    assert_found(case, &[]);
}

// 03

#[rstest]
#[case::overloaded(503, &["03 attempt 1 failed with 503 and backup was never asked"])]
#[case::rate_limited(429, &["03 attempt 1 failed with 429 and backup was never asked"])]
#[case::refused(400, &[])]
#[case::unauthorized(401, &[])]
fn a_failure_is_handed_over(#[case] status: u16, #[case] told: &[&str]) {
    assert_found(two().attempt("primary").failing(status, None), told);
}

#[test]
fn a_broken_answer_is_handed_over() {
    let told = "03 attempt 1 failed without a complete answer and backup was never asked";
    assert_found(two().attempt("primary").broken(), &[told]);
}

#[test]
fn the_last_of_the_chain_is_not_handed_over() {
    assert_found(two().attempt("primary").broken().attempt("backup").failing(500, None), &[]);
}

#[test]
fn only_what_the_group_falls_back_on_is_handed_over() {
    let case = Case::with_policy(", fallback_on: [429]").attempt("primary");
    assert_found(case.failing(500, None), &[]);
    let case = Case::with_policy(", fallback_on: [429]").attempt("primary").failing(429, None);
    assert_found(case, &["03 attempt 1 failed with 429 and backup was never asked"]);
}

#[test]
fn what_a_target_does_not_fall_back_on_is_noted() {
    let case = two().attempt("primary").failing(500, None);
    let case = case.declaring(|it| it.fallback_on = Some(vec![Condition::Status(429)]));
    let told = "attempt 1 failed with 500 and backup was never asked";
    assert_found(case, &[&format!("03 (noted: the target does not fall back on this) {told}")]);
}

#[test]
fn nobody_is_asked_for_a_client_that_has_left_or_when_time_is_up() {
    assert_found(two().attempt("primary").failing(500, None).ended(Ending::Disconnected), &[]);
    let case = Case::with_policy(", total_timeout_ms: 1000").attempt("primary");
    assert_found(case.failing(500, None).lasting(Duration::from_millis(900)), &[]);
}

// 04

#[rstest]
#[case::mistake(400, None, &["04 attempt 2 sent again what primary had refused as the client's mistake"])]
#[case::too_large(413, None, &["04 attempt 2 sent again what primary had refused as the client's mistake"])]
#[case::too_long(400, Some("context_length_exceeded"), &[])]
#[case::unknown_model(404, None, &[])]
fn what_is_the_clients_mistake_is_not_sent_again(
    #[case] status: u16,
    #[case] code: Option<&str>,
    #[case] told: &[&str],
) {
    assert_found(two().attempt("primary").failing(status, code).attempt("backup"), told);
}

#[test]
fn refusals_may_lead_on_where_that_is_configured_or_declared() {
    let case = Case::with_policy(", fallback_on: [4xx]");
    assert_found(case.attempt("primary").failing(400, None).attempt("backup"), &[]);
    let case = two().attempt("primary").failing(400, None).attempt("backup");
    let case = case.declaring(|it| it.fallback_on = Some(vec![Condition::Any4xx]));
    let told = "attempt 2 sent again what primary had refused as the client's mistake";
    assert_found(case, &[&format!("04 (noted: the target falls back on refusals, too) {told}")]);
}

// 05 and 15

#[test]
fn nobody_is_asked_more_often_than_its_retries_allow() {
    let retries = |times: usize| {
        let case = Case::with_policy(", retries: 1");
        let case = (0..times).fold(case, |case, _| case.attempt("primary").failing(500, None));
        case.attempt("backup")
    };
    assert_found(retries(2), &[]);
    let told = "05 primary was asked 3 times; with retries 1 it is to be asked at most 2 times";
    assert_found(retries(3), &[told]);
}

#[rstest]
#[case::unauthorized(401, 0, &["15 attempt 2 went to primary, which had refused it with 401"])]
#[case::unknown_model(404, 5_000, &["15 attempt 2 went to primary, which had refused it with 404"])]
#[case::at_once(429, 0, &["15 attempt 2 went to primary, which had had too many calls 10 ms before"])]
#[case::later(429, 300, &[])]
#[case::mendable(500, 0, &[])]
fn what_a_retry_cannot_mend_is_not_retried(
    #[case] status: u16,
    #[case] later_ms: u64,
    #[case] told: &[&str],
) {
    let case = Case::with_policy(", retries: 1").attempt("primary").failing(status, None);
    assert_found(case.after(Duration::from_millis(later_ms)).attempt("primary"), told);
}

// 06, 07 and 08

#[rstest]
#[case::at_once(1, Some("59999"))]
#[case::early(50_000, Some("10000"))]
#[case::in_time(61_000, None)]
fn who_asks_to_be_left_alone_is(#[case] later_ms: u64, #[case] left_ms: Option<&str>) {
    let case = calls("", &[CALL, &wait(later_ms), CALL]).attempt("primary");
    let case = case.failing(429, None).answered_with("retry-after", "60").attempt("backup");
    let told = left_ms.map(|ms| {
        format!("06 attempt 1 went to primary, which had asked to be left alone for {ms} ms more")
    });
    assert_found(case.next_call().attempt("primary"), told.as_deref().as_slice());
}

#[test]
fn no_longer_than_the_group_allows() {
    let policy = "max_retry_after_ms: 1000";
    let case = calls(policy, &[CALL, &wait(2_000), CALL]).attempt("primary");
    let case = case.failing(429, None).answered_with("retry-after", "60").attempt("backup");
    assert_found(case.next_call().attempt("primary"), &[]);
}

const COOLDOWN: &str = "cooldown: { after_failures: 1, duration_ms: 30000 }";

#[test]
fn who_keeps_failing_is_put_aside() {
    let case = |later_ms: u64| {
        let case = calls(COOLDOWN, &[CALL, &wait(later_ms), CALL]);
        case.attempt("primary").failing(500, None).attempt("backup").next_call()
    };
    let told = "07 attempt 1 went to primary, which was to get no calls for 20000 ms more";
    assert_found(case(10_000).attempt("primary"), &[told]);
    assert_found(case(10_000).attempt("backup"), &[]);
    assert_found(case(31_000).attempt("primary"), &[]);
}

#[test]
fn who_was_put_aside_comes_back() {
    let case = || {
        let case = calls(COOLDOWN, &[CALL, &wait(31_000), CALL]);
        case.attempt("primary").failing(500, None).attempt("backup").failing(500, None).next_call()
    };
    let told = "08 attempt 1 went to backup before primary was asked, whose rest is over";
    assert_found(case().attempt("backup"), &[told]);
    let told = "08 nobody was asked, although the rest of primary is over";
    assert_found(case().got(503, "{}"), &[told]);
}

// 09 and 14

#[test]
fn a_call_stays_in_its_group() {
    let groups = "
deployments:
  primary: { provider: openai, model: gpt-4o, script: [ok] }
  other: { provider: openai, model: gpt-4o, script: [ok] }
groups: { eu: { chain: [primary] }, us: { chain: [other] } }
steps:
  - send: { to: eu, endpoint: chat/completions, body: { messages: [{ role: user, content: Hi }] } }
";
    assert_found(Case::of(groups).attempt("primary"), &[]);
    let case = Case::of(groups).attempt("primary").failing(500, None).attempt("other");
    assert_found(case, &["09 a call for eu was sent to other, which belongs to us"]);
}

#[test]
fn a_conversation_goes_on_where_it_began() {
    let call =
        |more: &str| format!("  - send: {{ endpoint: responses, body: {{ input: Hi{more} }} }}\n");
    let case = || {
        let case = calls("", &[&call(""), &call(", previous_response_id: resp_1")]);
        let case = case.attempt("primary").failing(500, None).attempt("backup");
        case.answered(200, r#"{"id":"resp_1","object":"response"}"#).next_call()
    };
    assert_found(case().attempt("backup"), &[]);
    let told = "14 attempt 1 went to primary; the response that the call goes on from is of backup";
    assert_found(case().attempt("primary"), &[told]);
}

// 11

#[test]
fn what_a_filter_refuses_goes_where_it_is_taken() {
    let detour = "
deployments:
  primary: { provider: openai, model: gpt-4o, script: [ok] }
  open: { provider: openai, model: gpt-4o, script: [ok] }
group: { chain: [primary], on_content_filter: [open] }
steps:
";
    let filtered = Some("content_filter");
    let case = || Case::of(&format!("{detour}{CALL}")).attempt("primary").failing(400, filtered);
    let told = "11 attempt 1 was refused by a content filter and open was never asked";
    assert_found(case(), &[told]);
    assert_found(case().attempt("open"), &[]);
}

// 12 and 13

const LIMIT: &str = ", timeout_ms: 500";

#[test]
fn no_attempt_takes_longer_than_its_timeout() {
    let ms = Duration::from_millis;
    let case = || Case::with_policy(LIMIT).attempt("primary");
    let told = "12 attempt 1 took 1000 ms and was waited for; the limit is 500 ms";
    assert_found(case().held_back_for(ms(1_000)), &[told]);
    assert_found(case().held_back_for(ms(999)), &[]);
    let told = "12 attempt 1 was given up after 5501 ms; the limit is 500 ms";
    assert_found(case().given_up_after(ms(5_501)).attempt("backup"), &[told]);
    assert_found(case().given_up_after(ms(5_500)).attempt("backup"), &[]);
}

#[test]
fn what_hangs_is_given_up() {
    let case = || Case::with_policy(LIMIT).attempt("primary").failing(500, None).attempt("backup");
    let told = "12 attempt 2 hangs, and was never given up; the limit is 500 ms";
    assert_found(case().hanging().ended(Ending::TimedOut), &[told]);
    assert_found(case().hanging().got(504, "{}"), &[]);
}

#[test]
fn no_attempt_begins_when_the_time_of_the_call_is_up() {
    let case = |later: u64| {
        let case = Case::with_policy(", total_timeout_ms: 1000").attempt("primary");
        case.failing(500, None).after(Duration::from_millis(later)).attempt("backup")
    };
    let told = "13 attempt 2 began 1501 ms after the first one; the whole call may take 1000 ms";
    assert_found(case(1_481), &[told]);
    assert_found(case(1_480), &[]);
}

// 16 and 17

#[test]
fn a_path_is_one_that_the_provider_has() {
    let case = two().attempt("primary").asking_for("/v1/chat", None);
    assert_found(
        case,
        &["16 attempt 1 asked primary (openai) for /v1/chat, which it does not have"],
    );
}

#[test]
fn an_endpoint_that_the_provider_lacks_has_no_right_path_there() {
    let text = "
deployments: { azure: { provider: azure, model: omni-moderation-latest, script: [ok] } }
group: { chain: [azure] }
steps:
  - send: { endpoint: moderations, body: { input: Hi } }
";
    let case = Case::of(text).attempt("azure").asking_for("/openai/v1/moderations", None);
    assert_found(case, &[]);
}

#[rstest]
#[case::own("?api-version=2024-10-21", &[])]
#[case::another("?api-version=2023-05-15", &["17 attempt 1 at primary asks for the API version 2023-05-15; its deployment has 2024-10-21"])]
#[case::none("", &["17 attempt 1 at primary asks for the API version none; its deployment has 2024-10-21"])]
fn an_api_version_is_that_of_the_deployment(#[case] query: &str, #[case] told: &[&str]) {
    let text = "
deployments:
  primary: { provider: azure, surface: legacy, api_version: 2024-10-21, model: gpt-4o, script: [ok] }
group: { chain: [primary] }
steps:
";
    let chain_index = Some((Surface::AzureLegacy, Endpoint::ChatCompletions));
    let path = format!("/openai/deployments/gpt-4o/chat/completions{query}");
    let case = Case::of(&format!("{text}{CALL}")).attempt("primary").asking_for(&path, chain_index);
    assert_found(case, told);
}
