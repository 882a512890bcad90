//! Tests each ROUTE requirement, with hand-made evidence.

use std::time::Duration;

use fallproof_protocol::behavior::CutEnd;
use fallproof_protocol::condition::Condition;
use fallproof_protocol::provider::{Endpoint, Surface};
use fallproof_suite::evidence::Ending;
use fallproof_suite::requirement::FAILURE_RULES;
use rstest::rstest;

use crate::testing::{CALL, Case, TWO};

/// Asserts the codes and sentences of the violations.
#[track_caller]
fn assert_found(case: Case, wanted: &[&str]) {
    let wanted: Vec<_> = wanted.iter().map(|it| format!("FP-ROUTE-{it}")).collect();
    assert_eq!(case.found("ROUTE"), wanted);
}

fn two() -> Case {
    Case::with_policy("")
}

/// Calls to two deployments, and the steps between them.
fn calls(policy: &str, steps: &[&str]) -> Case {
    let group = format!("group: {{ chain: [primary, backup], {policy} }}");
    Case::of(&format!("{TWO}{group}\nsteps:\n{}", steps.concat()))
}

fn wait(ms: u64) -> String {
    format!("  - advance_ms: {ms}\n")
}

#[test]
fn trying_the_chain_in_order_until_one_answers_is_correct() {
    assert_found(two().attempt("primary"), &[]);
    assert_found(two().attempt("primary").failing(503, None).attempt("backup"), &[]);
}

// 01

#[test]
fn no_deployment_is_passed_over() {
    let case = two().attempt("backup");
    assert_found(case, &["01 attempt 1 went to `backup` before `primary` was tried"]);
}

#[test]
fn no_attempt_goes_back_in_the_chain() {
    let case = two().attempt("primary").failing(500, None).attempt("backup").failing(500, None);
    let case = case.attempt("primary");
    let wanted = [
        "01 attempt 3 went back to `primary` after `backup` had been tried",
        "05 `primary` was tried 2 times; with `retries: 0` the limit is 1",
    ];
    assert_found(case, &wanted);
}

#[test]
fn a_special_fallback_is_tried_only_for_its_cause() {
    let detour = "
deployments:
  primary: { provider: openai, model: gpt-4o, script: [ok] }
  large: { provider: openai, model: gpt-4o, script: [ok] }
group: { chain: [primary], on_context_length: [large] }
steps:
";
    let case = || Case::of(&format!("{detour}{CALL}")).attempt("primary");
    let uncalled = case().failing(500, None).attempt("large");
    let wanted = "01 attempt 2 went to `large`, a special fallback, but no earlier attempt \
                was refused for its cause";
    assert_found(uncalled, &[wanted]);
    let too_long = Some("context_length_exceeded");
    assert_found(case().failing(400, too_long).attempt("large"), &[]);
    let wanted =
        "10 attempt 1 was refused because the request is too long, but `large` was never tried";
    assert_found(case().failing(400, too_long), &[wanted]);
}

#[test]
fn a_call_that_names_no_group_is_not_sent_to_a_deployment() {
    for model in ["", "null", "7", r#"[\"gpt-4o\"]"#, r#"\"\""#] {
        let call = CALL.replace("body:", &format!("model_json: \"{model}\", body:"));
        let case = || calls("", &[&call]);
        assert_found(case().got(400, "{}"), &[]);
        let wanted = "09 attempt 1 went to `primary` although the call names no model group";
        assert_found(case().attempt("primary"), &[wanted]);
    }
}

#[test]
fn a_failed_deployment_may_be_passed_over_if_declared() {
    let case = calls("", &[CALL, CALL]).attempt("primary").failing(500, None).attempt("backup");
    let case = case.next_call().attempt("backup");
    let case = case.declaring(|it| it.own_cooldown = Some("it has cooldowns".to_owned()));
    let wanted = "attempt 1 went to `backup` before `primary` was tried";
    assert_found(case, &[&format!("01 (exempt: it has cooldowns) {wanted}")]);
}

// 02

#[test]
fn no_attempt_follows_a_success() {
    let case = two().attempt("primary").attempt("backup");
    assert_found(case, &["02 attempt 2 went to `backup` although attempt 1 had succeeded"]);
}

#[test]
fn an_answer_after_the_target_gave_up_is_not_a_success() {
    let case = two().attempt("primary").client_gone().attempt("backup");
    assert_found(case, &[]);
}

// 03

#[rstest]
#[case::overloaded(503, &["03 attempt 1 failed with 503, but `backup` was never tried"])]
#[case::rate_limited(429, &["03 attempt 1 failed with 429, but `backup` was never tried"])]
#[case::refused(400, &[])]
#[case::unauthorized(401, &[])]
fn a_failure_causes_a_fallback(#[case] status: u16, #[case] wanted: &[&str]) {
    assert_found(two().attempt("primary").failing(status, None), wanted);
}

#[test]
fn an_incomplete_answer_causes_a_fallback() {
    let wanted = "03 attempt 1 failed without a complete answer, but `backup` was never tried";
    assert_found(two().attempt("primary").broken(), &[wanted]);
}

#[test]
fn the_last_deployment_has_no_fallback() {
    assert_found(two().attempt("primary").broken().attempt("backup").failing(500, None), &[]);
}

/// Azure has no moderations.
#[test]
fn a_deployment_that_lacks_the_endpoint_is_not_required() {
    let case = |provider: &str| {
        let deployments = format!(
            "
deployments:
  primary: {{ provider: openai, model: omni-moderation-latest, script: [ok] }}
  second: {{ provider: {provider}, model: omni-moderation-latest, script: [ok] }}
  third: {{ provider: openai, model: omni-moderation-latest, script: [ok] }}
group: {{ chain: [primary, second, third] }}
steps:
  - send: {{ endpoint: moderations, body: {{ input: Hi }} }}
"
        );
        Case::of(&deployments).attempt("primary").failing(500, None)
    };
    assert_found(case("azure").attempt("third"), &[]);
    let wanted = "03 attempt 1 failed with 500, but `third` was never tried";
    assert_found(case("azure"), &[wanted]);
    let wanted = "01 attempt 2 went to `third` before `second` was tried";
    assert_found(case("openai").attempt("third"), &[wanted]);
}

#[test]
fn only_configured_conditions_cause_a_fallback() {
    let case = Case::with_policy(", fallback_on: [429]").attempt("primary");
    assert_found(case.failing(500, None), &[]);
    let case = Case::with_policy(", fallback_on: [429]").attempt("primary").failing(429, None);
    assert_found(case, &["03 attempt 1 failed with 429, but `backup` was never tried"]);
}

const REFUSING: &str = "
deployments:
  primary: { provider: openai, model: gpt-4o, script: [connection_refused] }
  backup: { provider: openai, model: gpt-4o, script: [ok] }
";

/// The judge does what `fallproof show FP-ROUTE-03` says of each status.
#[test]
fn each_status_has_the_consequences_that_are_told() {
    let found = |case: Case, code: &str| case.found("ROUTE").iter().any(|it| it.contains(code));
    for rule in &FAILURE_RULES {
        for &status in rule.statuses {
            let yes = |text: &str| text.starts_with("yes");
            let failing =
                |policy: &str| Case::with_policy(policy).attempt("primary").failing(status, None);
            assert_eq!(
                found(failing("").attempt("backup"), "ROUTE-04"),
                !yes(rule.falls_back) && matches!(status, 400 | 413 | 422),
                "{status} falls back"
            );
            let leads_on =
                Condition::RECOMMENDED.iter().any(|it| it.covers(Condition::Status(status)));
            assert_eq!(leads_on, yes(rule.falls_back), "{status} falls back by default");
            if yes(rule.falls_back) {
                let retried = failing(", retries: 1").attempt("primary");
                let is_wrong = found(retried, "ROUTE-15");
                assert_eq!(is_wrong, rule.is_retried == "no", "{status} is retried");
            }
            let again = calls(COOLDOWN, &[CALL, CALL]).attempt("primary").failing(status, None);
            let counts = found(again.next_call().attempt("primary"), "ROUTE-07");
            assert_eq!(counts, yes(rule.counts), "{status} counts");
        }
    }
}

/// Attempts at a deployment that refuses connections are not observed.
#[test]
fn a_call_falls_back_from_a_deployment_that_accepts_no_connections() {
    let text =
        |policy: &str| format!("{REFUSING}group: {{ chain: [primary, backup]{policy} }}\nsteps:\n");
    let case = |policy: &str| Case::of(&(text(policy) + CALL)).wired();
    let wanted = ["03 `primary` accepts no connections, and `backup` was never tried"];
    assert_found(case("").got(502, "{}"), &wanted);
    assert_found(case("").attempt("backup"), &[]);
    assert_found(case(", fallback_on: [429]").got(502, "{}"), &[]);
    assert_found(case(", total_timeout_ms: 900").got(504, "{}"), &[]);
    assert_found(case("").got(404, "{}"), &[]);
    let without_key = CALL.replace("body:", "key: none, body:");
    assert_found(Case::of(&(text("") + &without_key)).wired().got(500, "{}"), &[]);
    // The group may not be wired to the mocks.
    let unknown = Case::of(&(text("") + CALL)).got(502, "{}");
    assert_found(unknown, &[]);
}

#[test]
fn a_declared_lack_of_fallback_is_exempt() {
    let case = two().attempt("primary").failing(500, None);
    let case = case.declaring(|it| it.fallback_on = Some(vec![Condition::Status(429)]));
    let wanted = "attempt 1 failed with 500, but `backup` was never tried";
    assert_found(case, &[&format!("03 (exempt: the target does not fall back on `500`) {wanted}")]);
}

#[test]
fn no_fallback_after_a_disconnect_or_the_total_timeout() {
    assert_found(two().attempt("primary").failing(500, None).ended_with(Ending::Disconnected), &[]);
    let case = Case::with_policy(", total_timeout_ms: 1000").attempt("primary");
    assert_found(case.failing(500, None).lasting(Duration::from_millis(900)), &[]);
}

/// It pauses between its attempts, and the total timeout ends the pause.
#[rstest]
#[case::at_the_timeout(1_000, &[])]
#[case::long_before(700, &["03 attempt 1 failed with 500, but `backup` was never tried"])]
fn no_fallback_if_the_total_timeout_ends_a_pause(#[case] took: u64, #[case] wanted: &[&str]) {
    let case = Case::with_policy(", total_timeout_ms: 1000, retries: 9").attempt("primary");
    let case = case.failing(500, None).lasting(Duration::from_millis(100));
    assert_found(case.taking(Duration::from_millis(took)), wanted);
}

// 04

#[rstest]
#[case::mistake(400, None, &["04 attempt 2 resent a request that `primary` had refused as the client's mistake"])]
#[case::too_large(413, None, &["04 attempt 2 resent a request that `primary` had refused as the client's mistake"])]
#[case::too_long(400, Some("context_length_exceeded"), &[])]
#[case::unknown_model(404, None, &[])]
fn a_client_error_is_not_resent(
    #[case] status: u16,
    #[case] code: Option<&str>,
    #[case] wanted: &[&str],
) {
    assert_found(two().attempt("primary").failing(status, code).attempt("backup"), wanted);
}

#[test]
fn refusals_may_fall_back_if_configured_or_declared() {
    let case = Case::with_policy(", fallback_on: [4xx]");
    assert_found(case.attempt("primary").failing(400, None).attempt("backup"), &[]);
    let case = two().attempt("primary").failing(400, None).attempt("backup");
    let case = case.declaring(|it| it.fallback_on = Some(vec![Condition::Any4xx]));
    let wanted = "attempt 2 resent a request that `primary` had refused as the client's mistake";
    assert_found(case, &[&format!("04 (exempt: the target also falls back on refusals) {wanted}")]);
}

// 05 and 15

#[test]
fn no_deployment_gets_more_attempts_than_its_retries_allow() {
    let retries = |times: usize| {
        let case = Case::with_policy(", retries: 1");
        let case = (0..times).fold(case, |case, _| case.attempt("primary").failing(500, None));
        case.attempt("backup")
    };
    assert_found(retries(2), &[]);
    let wanted = "05 `primary` was tried 3 times; with `retries: 1` the limit is 2";
    assert_found(retries(3), &[wanted]);
}

#[rstest]
#[case::unauthorized(401, 0, &["15 attempt 2 retried `primary`, which had refused the call with 401"])]
#[case::unknown_model(404, 5_000, &["15 attempt 2 retried `primary`, which had refused the call with 404"])]
#[case::at_once(429, 0, &["15 attempt 2 retried `primary` 10 ms after its 429"])]
#[case::later(429, 300, &[])]
#[case::retryable(500, 0, &[])]
fn a_failure_that_a_retry_cannot_fix_is_not_retried(
    #[case] status: u16,
    #[case] later_ms: u64,
    #[case] wanted: &[&str],
) {
    let case = Case::with_policy(", retries: 1").attempt("primary").failing(status, None);
    assert_found(case.after(Duration::from_millis(later_ms)).attempt("primary"), wanted);
}

// 06, 07 and 08

#[rstest]
#[case::at_once(1, Some("59999"))]
#[case::early(50_000, Some("10000"))]
#[case::in_time(61_000, None)]
fn no_attempt_before_retry_after(#[case] later_ms: u64, #[case] left_ms: Option<&str>) {
    let case = calls("", &[CALL, &wait(later_ms), CALL]).attempt("primary");
    let case = case.failing(429, None).answered_with("retry-after", "60").attempt("backup");
    let wanted = left_ms.map(|ms| {
        format!("06 attempt 1 went to `primary`, which had sent Retry-After; its cooldown ends in {ms} ms")
    });
    assert_found(case.next_call().attempt("primary"), wanted.as_deref().as_slice());
}

/// The wait runs from the answer: 20 ms after the start of the call.
#[rstest]
#[case::at_once(0, Some(494), &["06", "15"])]
#[case::early(200, Some(494), &["06", "15"])]
#[case::waited_out(600, Some(494), &[])]
#[case::a_short_wait(110, Some(100), &[])]
#[case::too_short(300, None, &[])]
fn a_wait_may_be_waited_out_within_the_call(
    #[case] later_ms: u64,
    #[case] asked_ms: Option<u64>,
    #[case] wanted: &[&str],
) {
    let case = Case::with_policy(", retries: 1").attempt("primary").failing(429, None);
    let asked = asked_ms.map_or("soon".to_owned(), |ms| ms.to_string());
    let case = case.answered_with("retry-after-ms", &asked);
    let found = case.after(Duration::from_millis(later_ms)).attempt("primary").found("ROUTE");
    let codes: Vec<_> = found.iter().map(|it| &it["FP-ROUTE-".len()..][..2]).collect();
    assert_eq!(codes, wanted, "{found:?}");
}

#[test]
fn a_cooldown_may_end_while_the_call_is_made() {
    let case = |lasting: u64| {
        let case =
            calls("retries: 1", &[CALL, &wait(1_000), CALL]).attempt("primary").failing(500, None);
        let case = case.attempt("backup").failing(503, None).answered_with("retry-after", "2");
        let case = case.next_call().attempt("primary").failing(500, None);
        case.lasting(Duration::from_millis(lasting)).attempt("backup")
    };
    let wanted =
        "06 attempt 2 went to `backup`, which had sent Retry-After; its cooldown ends in 1000 ms";
    assert_found(case(500), &[wanted]);
    assert_found(case(900), &[]);
}

#[test]
fn retry_after_is_capped_at_the_groups_limit() {
    let policy = "max_retry_after_ms: 1000";
    let case = calls(policy, &[CALL, &wait(2_000), CALL]).attempt("primary");
    let case = case.failing(429, None).answered_with("retry-after", "60").attempt("backup");
    assert_found(case.next_call().attempt("primary"), &[]);
}

const COOLDOWN: &str = "cooldown: { after_failures: 1, duration_ms: 30000 }";

#[test]
fn repeated_failures_start_a_cooldown() {
    let case = |later_ms: u64| {
        let case = calls(COOLDOWN, &[CALL, &wait(later_ms), CALL]);
        case.attempt("primary").failing(500, None).attempt("backup").next_call()
    };
    let wanted = "07 attempt 1 went to `primary`, which had failed repeatedly; its cooldown ends in \
                20000 ms";
    assert_found(case(10_000).attempt("primary"), &[wanted]);
    assert_found(case(10_000).attempt("backup"), &[]);
    assert_found(case(31_000).attempt("primary"), &[]);
}

/// Whether the count of failures survives the cooldown is up to the gateway.
#[rstest]
#[case::once_more(1, &[])]
#[case::twice_more(2, &["07 attempt 1 went to `primary`, which had failed repeatedly; its cooldown ends in 30000 ms"])]
fn failures_may_be_counted_anew_after_a_cooldown(#[case] more: usize, #[case] wanted: &[&str]) {
    let policy = "cooldown: { after_failures: 2, duration_ms: 30000 }";
    let case = || {
        let case = calls(policy, &[CALL, CALL, &wait(31_000), CALL, CALL, CALL]);
        (0..2 + more).fold(case, |case, _| {
            case.attempt("primary").failing(500, None).attempt("backup").next_call()
        })
    };
    assert_found(case().attempt("primary"), wanted);
    assert_found(case().attempt("backup"), &[]);
}

#[test]
fn a_failure_that_does_not_lead_on_by_declaration_starts_no_cooldown() {
    let case = || {
        let case = calls(COOLDOWN, &[CALL, CALL]).attempt("primary").failing(409, None);
        case.next_call().attempt("primary").failing(409, None)
    };
    let wanted = "07 attempt 1 went to `primary`, which had failed repeatedly; its cooldown ends in \
                30000 ms";
    assert_found(case(), &[wanted]);
    let others = Condition::RECOMMENDED.iter().filter(|it| **it != Condition::Status(409));
    let others = others.copied().collect();
    assert_found(case().declaring(|it| it.fallback_on = Some(others)), &[]);
}

#[test]
fn a_deployment_is_back_after_its_cooldown() {
    let case = || {
        let case = calls(COOLDOWN, &[CALL, &wait(31_000), CALL]);
        case.attempt("primary").failing(500, None).attempt("backup").failing(500, None).next_call()
    };
    let wanted = "08 attempt 1 went to `backup` although the cooldown of `primary` is over";
    assert_found(case().attempt("backup"), &[wanted]);
    let wanted = "08 no deployment was tried, although the cooldown of `primary` is over";
    assert_found(case().got(503, "{}"), &[wanted]);
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
    assert_found(case, &["09 a call for `eu` was sent to `other`, which belongs to `us`"]);
}

#[test]
fn a_conversation_stays_at_its_deployment() {
    let call =
        |more: &str| format!("  - send: {{ endpoint: responses, body: {{ input: Hi{more} }} }}\n");
    let case = || {
        let case = calls("", &[&call(""), &call(", previous_response_id: resp_1")]);
        let case = case.attempt("primary").failing(500, None).attempt("backup");
        case.answered(200, r#"{"id":"resp_1","object":"response"}"#).next_call()
    };
    assert_found(case().attempt("backup"), &[]);
    let wanted = "14 attempt 1 went to `primary`, but the previous response is from `backup`";
    assert_found(case().attempt("primary"), &[wanted]);
}

#[test]
fn no_other_deployment_can_continue_a_conversation() {
    let call =
        |more: &str| format!("  - send: {{ endpoint: responses, body: {{ input: Hi{more} }} }}\n");
    let case = |more: &str| {
        let case = calls("", &[&call(""), &call(more)]).attempt("primary");
        let case = case.answered(200, r#"{"id":"resp_1","object":"response"}"#).next_call();
        case.attempt("primary").failing(503, None)
    };
    let continuing = ", previous_response_id: resp_1";
    assert_found(case(continuing), &[]);
    assert_found(case(continuing).attempt("backup").failing(400, None), &[]);
    assert_found(case(""), &["03 attempt 1 failed with 503, but `backup` was never tried"]);
}

#[rstest]
#[case::closed(CutEnd::Close, true)]
#[case::reset(CutEnd::Reset, false)]
fn a_complete_answer_is_no_failure_however_its_connection_ends(
    #[case] end: CutEnd,
    #[case] has_arrived: bool,
) {
    let case = || two().attempt("primary").torn_after_its_end(end);
    assert_eq!(case().judge().violations, []);
    let wanted = ["02 attempt 2 went to `backup` although attempt 1 had succeeded"];
    assert_found(case().attempt("backup"), if has_arrived { &wanted } else { &[] });
}

#[test]
fn a_client_that_disconnects_is_no_failure_of_the_deployment() {
    let cooldown = ", cooldown: { after_failures: 1, duration_ms: 60000 }";
    let text =
        format!("{TWO}group: {{ chain: [primary, backup]{cooldown} }}\nsteps:\n{CALL}{CALL}");
    let left = || Case::of(&text).attempt("primary").broken().client_gone();
    let next = |ending: Ending| left().ended_with(ending).next_call();
    assert_found(next(Ending::Disconnected).attempt("primary"), &[]);
    let wanted = "01 attempt 1 went to `backup` before `primary` was tried";
    assert_found(next(Ending::Disconnected).attempt("backup"), &[wanted]);
    // The gateway gave up the attempt.
    let wanted = "07 attempt 1 went to `primary`, which had failed repeatedly; its cooldown ends in 60000 ms";
    let given_up = left().attempt("backup").next_call().attempt("primary");
    assert_found(given_up, &[wanted]);
    // The attempt failed before the client disconnected.
    let failed = Case::of(&text).attempt("primary").failing(500, None);
    let failed = failed.ended_with(Ending::Disconnected).next_call().attempt("primary");
    assert_found(failed, &[wanted]);
}

// 11

#[test]
fn a_filtered_request_goes_to_its_fallback() {
    let detour = "
deployments:
  primary: { provider: openai, model: gpt-4o, script: [ok] }
  open: { provider: openai, model: gpt-4o, script: [ok] }
group: { chain: [primary], on_content_filter: [open] }
steps:
";
    let filtered = Some("content_filter");
    let case = || Case::of(&format!("{detour}{CALL}")).attempt("primary").failing(400, filtered);
    let wanted = "11 attempt 1 was refused by a content filter, but `open` was never tried";
    assert_found(case(), &[wanted]);
    assert_found(case().attempt("open"), &[]);
}

/// Azure's events for a response that was filtered while it was streamed.
const FILTERED: &str = r#"event: response.created
data: {"type":"response.created","response":{"id":"1"}}

event: response.failed
data: {"type":"response.failed","response":{"id":"1","error":null}}

event: error
data: {"type":"error","code":"content_filter","message":"Filtered."}

"#;

#[rstest]
#[case::with_its_reason(FILTERED, true)]
#[case::in_the_response(
    "data: {\"type\":\"response.failed\",\"response\":{\"error\":{\"code\":\"content_filter\"}}}\n\n",
    true
)]
#[case::without_a_reason("data: {\"type\":\"response.failed\",\"response\":{}}\n\n", false)]
fn a_stream_can_be_filtered(#[case] events: &str, #[case] is_filtered: bool) {
    let text = "
deployments:
  primary: { provider: azure, model: gpt-4o, script: [ok] }
  open: { provider: openai, model: gpt-4o, script: [ok] }
group: { chain: [primary], on_content_filter: [open] }
steps:
  - send: { endpoint: responses, body: { input: Hi, stream: true } }
";
    let case = || Case::of(text).attempt("primary").streaming(events).got(502, "{}");
    let missed = "11 attempt 1 was refused by a content filter, but `open` was never tried";
    let needless = "01 attempt 2 went to `open`, a special fallback, but no earlier attempt was \
                    refused for its cause";
    let (missed, needless) = ([missed], [needless]);
    assert_found(case(), if is_filtered { &missed } else { &[] });
    assert_found(case().attempt("open"), if is_filtered { &[] } else { &needless });
}

// 12 and 13

const LIMIT: &str = ", timeout_ms: 500";

#[test]
fn no_attempt_takes_longer_than_its_timeout() {
    let ms = Duration::from_millis;
    let case = || Case::with_policy(LIMIT).attempt("primary");
    let wanted = "12 attempt 1 took 1000 ms and was not aborted; the limit is 500 ms";
    assert_found(case().delayed_by(ms(1_000)), &[wanted]);
    assert_found(case().delayed_by(ms(999)), &[]);
    let wanted = "12 attempt 1 timed out after 5501 ms; the limit is 500 ms";
    assert_found(case().timing_out_after(ms(5_501)).attempt("backup"), &[wanted]);
    assert_found(case().timing_out_after(ms(5_500)).attempt("backup"), &[]);
}

#[test]
fn a_hanging_attempt_times_out() {
    let case = || Case::with_policy(LIMIT).attempt("primary").failing(500, None).attempt("backup");
    let wanted = "12 attempt 2 hangs and never timed out; the limit is 500 ms";
    assert_found(case().hanging().ended_with(Ending::TimedOut), &[wanted]);
    assert_found(case().hanging().got(504, "{}"), &[]);
}

#[test]
fn no_attempt_starts_after_the_total_timeout() {
    let case = |later: u64| {
        let case = Case::with_policy(", total_timeout_ms: 1000").attempt("primary");
        case.failing(500, None).after(Duration::from_millis(later)).attempt("backup")
    };
    let wanted =
        "13 attempt 2 started 1501 ms after the first one; the limit of the call is 1000 ms";
    assert_found(case(1_481), &[wanted]);
    assert_found(case(1_480), &[]);
}

// 16 and 17

#[test]
fn the_path_exists_at_the_provider() {
    let case = two().attempt("primary").asking_for("/v1/chat", None);
    assert_found(
        case,
        &["16 attempt 1 requested /v1/chat at `primary`, but openai has no such path"],
    );
}

#[test]
fn an_endpoint_that_the_provider_lacks_has_no_path_to_check() {
    let text = "
deployments: { azure: { provider: azure, model: omni-moderation-latest, script: [ok] } }
group: { chain: [azure] }
steps:
  - send: { endpoint: moderations, body: { input: Hi } }
";
    let case = Case::of(text).attempt("azure").asking_for("/openai/v1/moderations", None);
    assert_found(case, &[]);
}

#[test]
fn a_deployment_without_a_version_is_not_called_on_a_dated_path() {
    let text = "
deployments: { primary: { provider: azure, model: gpt-4o, script: [ok] } }
group: { chain: [primary] }
steps:
";
    let called = |target: &str, surface| {
        let case = Case::of(&format!("{text}{CALL}")).attempt("primary");
        case.asking_for(target, Some((surface, Endpoint::ChatCompletions)))
    };
    let dated = "/openai/deployments/gpt-4o/chat/completions";
    let wanted = |asked: &str| {
        format!(
            "17 attempt 1 at `primary` requests the API version {asked}; its deployment has none"
        )
    };
    let with_version = format!("{dated}?api-version=2025-02-01-preview");
    assert_found(called(&with_version, Surface::AzureLegacy), &[&wanted("2025-02-01-preview")]);
    assert_found(called(dated, Surface::AzureLegacy), &[&wanted("none")]);
    let own = "/openai/v1/chat/completions?api-version=preview";
    assert_found(called(own, Surface::AzureV1), &[]);
}

#[rstest]
#[case::own("?api-version=2024-10-21", &[])]
#[case::another("?api-version=2023-05-15", &["17 attempt 1 at `primary` requests the API version 2023-05-15; its deployment has 2024-10-21"])]
#[case::none("", &["17 attempt 1 at `primary` requests the API version none; its deployment has 2024-10-21"])]
fn the_api_version_is_the_deployments(#[case] query: &str, #[case] wanted: &[&str]) {
    let text = "
deployments:
  primary: { provider: azure, surface: legacy, api_version: 2024-10-21, model: gpt-4o, script: [ok] }
group: { chain: [primary] }
steps:
";
    let route = Some((Surface::AzureLegacy, Endpoint::ChatCompletions));
    let path = format!("/openai/deployments/gpt-4o/chat/completions{query}");
    let case = Case::of(&format!("{text}{CALL}")).attempt("primary").asking_for(&path, route);
    assert_found(case, wanted);
}

// 18

#[test]
fn a_call_that_met_a_stale_connection_is_made_again_or_falls_back() {
    assert_found(two().stale("primary").attempt("primary").arriving_after(1), &[]);
    assert_found(two().stale("primary").attempt("backup").arriving_after(1), &[]);
    let twice = two().stale("primary").stale("primary").attempt("primary").arriving_after(1);
    assert_found(twice, &[]);
    let refused = two().attempt("primary").failing(500, None).stale("backup");
    assert_found(refused.attempt("backup").arriving_after(2), &[]);
    let left = two().stale("primary").ended_with(Ending::Disconnected);
    assert_found(left, &[]);
}

#[rstest]
#[case::an_error(two().stale("primary").got(502, "{}"), "primary")]
#[case::no_answer(two().stale("primary").ended_with(Ending::TimedOut), "primary")]
#[case::after_a_fallback(
    two().attempt("primary").failing(503, None).stale("backup").got(503, "{}"),
    "backup"
)]
fn a_call_is_not_given_up_because_a_connection_was_stale(#[case] case: Case, #[case] of: &str) {
    let told = "was gone when the call used it, and no attempt was made after that";
    assert_found(case, &[&format!("18 a connection to `{of}` {told}")]);
}

// 06, in a call with many attempts

#[test]
fn each_attempt_is_judged_by_the_attempts_before_it() {
    let limited = |case: Case, name: &str| {
        case.attempt(name).failing(429, None).answered_with("retry-after", "5")
    };
    let case = limited(limited(Case::with_policy(", retries: 9"), "primary"), "backup");
    let found = limited(limited(case, "primary"), "backup").attempt("primary").found("ROUTE");
    let of_06: Vec<_> = found.iter().filter(|line| line.starts_with("FP-ROUTE-06")).collect();
    let told = |number, name| {
        let told = "which had sent Retry-After; its cooldown ends in 5000 ms";
        format!("FP-ROUTE-06 attempt {number} went to `{name}`, {told}")
    };
    assert_eq!(of_06, [&told(3, "primary"), &told(4, "backup"), &told(5, "primary")]);
}

#[test]
fn a_loop_of_attempts_is_judged_in_one_pass() {
    const ATTEMPTS: usize = 2_000;
    let case = (0..ATTEMPTS).fold(Case::with_policy(""), |case, _| {
        case.attempt("primary").failing(429, None).answered_with("retry-after", "60")
    });
    let found = case.found("ROUTE");
    let of_06 = found.iter().filter(|line| line.starts_with("FP-ROUTE-06"));
    assert_eq!(of_06.count(), 50, "as many as are kept");
}

#[rstest]
#[case::of_the_group(", fallback_on: [5xx]", None)]
#[case::of_the_target("", Some(&[Condition::Any5xx][..]))]
fn without_a_fallback_on_connection_failures_the_attempt_is_still_made_again(
    #[case] policy: &str,
    #[case] declared: Option<&[Condition]>,
) {
    let case = || {
        let case = Case::with_policy(policy).stale("primary");
        case.declaring(|it| it.fallback_on = declared.map(<[_]>::to_vec))
    };
    let told = "was gone when the call used it, and the attempt was not made again on a new one";
    assert_found(case().got(502, "{}"), &[&format!("18 a connection to `primary` {told}")]);
    assert_found(case().attempt("primary").arriving_after(1), &[]);
}

// 08, after a trial that neither succeeded nor failed

const ONE_FAILURE: &str = "cooldown: { after_failures: 1, duration_ms: 1000 }";

/// The first deployment fails, and gets one trial after its cooldown. Then another cooldown passes,
/// and there is a last call.
fn half_open(trial: impl Fn(Case) -> Case) -> Case {
    let call = |case: Case| case.next_call();
    let case = calls(ONE_FAILURE, &[CALL, &wait(2_000), CALL, &wait(2_000), CALL]);
    let case = call(case.attempt("primary").failing(500, None).attempt("backup"));
    call(trial(case.attempt("primary")))
}

#[rstest]
#[case::refused(|case: Case| case.failing(400, None))]
#[case::too_long(|case: Case| case.failing(400, Some("context_length_exceeded")))]
#[case::client_gone(|case: Case| case.broken().client_gone().ended_with(Ending::Disconnected))]
#[case::interrupted(|case: Case| case.failing(500, None).attempt("backup"))]
fn a_deployment_is_tried_again_whatever_became_of_its_trial(#[case] trial: fn(Case) -> Case) {
    assert_found(half_open(trial).attempt("primary"), &[]);
    let stuck = half_open(trial).attempt("backup");
    let told = "08 attempt 1 went to `backup` although the cooldown of `primary` is over";
    assert_found(stuck, &[told]);
}
