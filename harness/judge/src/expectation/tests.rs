//! Tests the expectations of scenarios, with hand-made evidence.

use std::time::Duration;

use fallproof_protocol::behavior::UNEXPECTED;
use fallproof_protocol::coding;
use fallproof_protocol::condition::Condition;
use fallproof_suite::capabilities::{Capabilities, Forwarded, Ignored, Strictness};
use fallproof_suite::evidence::Ending;
use fallproof_suite::requirement::Code;
use fallproof_suite::scenario::Freedom;
use rstest::rstest;

use crate::testing::{CALL, Case, TWO};

#[track_caller]
fn assert_missed(case: Case, wanted: &[&str]) {
    assert_eq!(case.missed(), wanted);
}

/// A call to two deployments with this expectation.
fn expecting(expect: &str) -> Case {
    with_policy("", expect)
}

/// A call to two deployments with this expectation. Their group has this policy.
fn with_policy(policy: &str, expect: &str) -> Case {
    let group = format!("group: {{ chain: [primary, backup]{policy} }}");
    Case::of(&format!("{TWO}{group}\nsteps:\n{CALL}    expect: {{ {expect} }}\n"))
}

/// A target with exact strictness.
fn exact(it: &mut Capabilities) {
    it.strictness = Strictness::Exact;
}

#[test]
fn met_expectations_are_not_reported() {
    let expect =
        "attempts: [primary, backup], status: 200, answered_by: backup, headers: { x-id: a }";
    let case = || expecting(expect).attempt("primary").failing(500, None).attempt("backup");
    assert_missed(case().answered_with("X-Id", "a").declaring(exact), &[]);
    assert_missed(two_without_expectations(), &[]);
}

/// A call without expectations.
fn two_without_expectations() -> Case {
    Case::with_policy("").attempt("backup").failing(418, None).declaring(exact)
}

// The end of the response

#[rstest]
#[case::closed(Ending::Closed, "the target closed the connection before the response was complete")]
#[case::silent(
    Ending::TimedOut,
    "the target did not complete its response within the client's `--timeout`"
)]
#[case::disconnected(Ending::Disconnected, "the target was disconnected by its client")]
fn the_response_must_be_complete(#[case] ending: Ending, #[case] wanted: &str) {
    assert_missed(expecting("status: 500").attempt("primary").ended_with(ending), &[wanted]);
}

#[test]
fn a_content_length_that_does_not_fit_is_named() {
    let case = |length: &str| {
        let case = expecting("status: 200").attempt("primary").got(200, "{}");
        case.got_header("Content-Length", length).ended_with(Ending::Closed)
    };
    let wanted = "the target's content length is 9, but its response ended after 2 bytes";
    assert_missed(case("9"), &[wanted]);
    let wanted = "the target closed the connection before the response was complete";
    assert_missed(case("2"), &[wanted]);
    // The length is that of the packed body, which may be longer than the unpacked one.
    let packed = coding::Coding::Gzip.packed([&b"{}"[..]]).concat();
    assert_missed(case(&packed.len().to_string()).got(200, &packed), &[wanted]);
}

#[test]
fn a_client_that_disconnects_on_purpose_gets_no_response() {
    let call = CALL.replace("body:", "disconnect: { after_request_to: primary }, body:");
    let text = format!("{TWO}group: {{ chain: [primary, backup] }}\nsteps:\n{call}");
    assert_missed(Case::of(&text).attempt("primary").ended_with(Ending::Disconnected), &[]);
    let wanted = "the client did not leave: the response was complete before it was to disconnect";
    assert_missed(Case::of(&text).attempt("primary").got(500, b"{}"), &[wanted]);
}

#[test]
fn a_stream_may_be_cut_off_after_an_interruption() {
    let body = r#"{"model":"{{model}}","messages":[],"stream":true}"#;
    let word = "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n";
    let case = Case::with_body(body).attempt("primary").streaming(word.repeat(2));
    assert_missed(case.cut_after(word.len()), &[]);
}

// Attempts and answers

const OF_RETRIES: &str =
    "(exempt: the number of attempts at a deployment, within its retries, is up to the target)";

#[test]
fn attempts_go_to_the_expected_deployments() {
    let case = || expecting("attempts: [primary, backup]").attempt("primary");
    let wanted = "expected attempts at `primary`, `backup`; got `primary`";
    assert_missed(case(), &[wanted]);
    assert_missed(case().declaring(exact), &[wanted]);
    let wanted = "expected attempts at none; got `primary`";
    assert_missed(expecting("attempts: []").attempt("primary"), &[wanted]);
}

#[test]
fn an_answer_from_a_cache_is_named() {
    let text = format!(
        "{TWO}group: {{ chain: [primary, backup] }}\nsteps:\n{CALL}{CALL}    \
         expect: {{ attempts: [primary] }}\n"
    );
    let again = |id: &str| {
        let case = Case::of(&text).attempt("primary").next_call();
        case.got(200, format!("{{\"id\":\"{id}\"}}"))
    };
    let wanted = "expected attempts at `primary`; got the answer to call 1 once more";
    assert_missed(again("chatcmpl-1"), &[wanted]);
    assert_missed(again("chatcmpl-2"), &["expected attempts at `primary`; got none"]);
}

#[test]
fn the_number_of_retries_is_up_to_the_target() {
    let expect = "attempts: [primary, primary, backup]";
    let case = || with_policy(", retries: 1", expect).attempt("primary").failing(500, None);
    let wanted = "expected attempts at `primary`, `primary`, `backup`; got `primary`, `backup`";
    let case = || case().attempt("backup");
    assert_missed(case(), &[wanted]);
    let free = || case().leaving(Freedom::Attempts);
    assert_missed(free(), &[&format!("{OF_RETRIES} {wanted}")]);
    assert_missed(free().declaring(exact), &[wanted]);
}

#[test]
fn a_fallback_may_replace_a_retry() {
    let expect = "attempts: [primary, primary], answered_by: primary";
    let case = |policy: &str| {
        let case = with_policy(policy, expect).attempt("primary").failing(500, None);
        case.attempt("backup")
    };
    let wanted = [
        "expected attempts at `primary`, `primary`; got `primary`, `backup`",
        "expected the answer from `primary`, got that from `backup`",
    ];
    let free = |policy: &str| case(policy).leaving(Freedom::Attempts);
    assert_missed(
        free(", retries: 1"),
        &wanted.map(|it| format!("{OF_RETRIES} {it}")).each_ref().map(String::as_str),
    );
    assert_missed(free(", retries: 1").declaring(exact), &wanted);
    assert_missed(free(""), &wanted);
    // If a scenario requires the retry of every target, a target that never retries misses it.
    assert_missed(case(", retries: 1"), &wanted);
}

#[test]
fn a_call_whose_field_was_dropped_by_declaration_may_end_otherwise() {
    let ignored =
        Ignored { other_than: Vec::new(), endpoint: None, reason: "it drops all".to_owned() };
    let declare = |it: &mut Capabilities| it.ignores.push(ignored.clone());
    let case = || expecting("status: 400").attempt("primary");
    let wanted = "expected status 400 for the client, got 200";
    let dropped = case().carrying("{}").declaring(declare);
    assert_missed(dropped, &[&format!("(exempt: it drops all) {wanted}")]);
    assert_missed(case().declaring(declare), &[wanted]);
}

#[test]
fn an_exhausted_script_is_reported() {
    let case = || expecting("status: 200").attempt("primary").played(UNEXPECTED);
    let wanted = "unexpected attempt 1 at `primary`: its script was exhausted; lengthen it, or add \
                `repeat_last: true`";
    assert_missed(case(), &[wanted]);
    let free = || case().leaving(Freedom::Attempts);
    assert_missed(free(), &[&format!("{OF_RETRIES} {wanted}")]);
    assert_missed(free().declaring(exact), &[wanted]);
    let waived = case().declaring(|it| {
        it.waived.insert(Code::Route05, "it retries".to_owned());
    });
    assert_missed(waived, &[&format!("(exempt: it retries) {wanted}")]);
}

#[test]
fn the_expected_deployment_answers() {
    let case = || expecting("answered_by: backup").attempt("primary");
    let wanted = "expected the answer from `backup`, got that from `primary`";
    assert_missed(case(), &[wanted]);
    let wanted = "expected the answer from `backup`, got none";
    assert_missed(case().got(200, "{}"), &[wanted]);
}

// The response

#[rstest]
#[case::as_expected(429, 429, true, None)]
#[case::another_error(
    429,
    503,
    true,
    Some(
        "(exempt: the exact status of an error, within its kind, is up to the target) expected status 429 for the client, got 503"
    )
)]
#[case::of_a_cooldown(
    429,
    503,
    false,
    Some(
        "(exempt: the exact status of an error, within its kind, is up to the target) expected status 429 for the client, got 503"
    )
)]
#[case::no_attempt(503, 404, false, Some("expected status 503 for the client, got 404"))]
#[case::no_success(200, 503, true, Some("expected status 200 for the client, got 503"))]
#[case::another_mistake_of_the_client(
    400,
    404,
    false,
    Some(
        "(exempt: the exact status of an error, within its kind, is up to the target) expected status 400 for the client, got 404"
    )
)]
#[case::not_a_mistake_of_the_client(
    400,
    503,
    false,
    Some("expected status 400 for the client, got 503")
)]
#[case::no_error(503, 200, true, Some("expected status 503 for the client, got 200"))]
fn the_status_is_of_the_expected_kind(
    #[case] expected: u16,
    #[case] got: u16,
    #[case] asked: bool,
    #[case] wanted: Option<&str>,
) {
    let case = || {
        let case = expecting(&format!("status: {expected}"));
        let case = if asked { case.attempt("primary") } else { case };
        case.got(got, "{}")
    };
    assert_missed(case().leaving(Freedom::Status), wanted.as_slice());
    let exactly = wanted.map(|it| it.split(") ").last().unwrap_or(it));
    assert_missed(case(), exactly.as_slice());
    assert_missed(case().leaving(Freedom::Status).declaring(exact), exactly.as_slice());
}

#[rstest]
#[case::as_expected(r#"{"error":{"type":"a","code":"b","param":"c","message":"It is d."}}"#, &[])]
#[case::no_error("{}", &["expected an error in OpenAI's format, got `{}`"])]
#[case::nothing("", &["expected an error in OpenAI's format, got nothing"])]
#[case::another(r#"{"error":{"type":"x","param":null,"message":"No."}}"#, &[
    r#"expected error.type "a", got "x""#,
    r#"expected error.code "b", got null"#,
    r#"expected error.param "c", got null"#,
    r#"expected "is d" in error.message, got "No.""#,
])]
fn the_error_is_the_expected_one(#[case] got: &str, #[case] wanted: &[&str]) {
    let expect = "error: { type: a, code: b, param: c, message_contains: is d }";
    let case = || expecting(expect).attempt("primary").failing(400, None).got(400, got);
    assert_missed(case(), wanted);
    let free = || case().leaving(Freedom::ErrorWording);
    assert_missed(free().declaring(exact), wanted);
    let exempt = |it: &&str| format!("(exempt: the wording of an error is up to the target) {it}");
    assert_eq!(free().missed(), wanted.iter().map(exempt).collect::<Vec<_>>());
}

#[rstest]
#[case::none(None, "got none")]
#[case::another(Some("b"), "got b")]
fn a_header_has_the_expected_value(#[case] got: Option<&str>, #[case] wanted: &str) {
    let case = expecting("headers: { x-id: a }").attempt("primary");
    let case = got.into_iter().fold(case, |case, got| case.answered_with("x-id", got));
    assert_missed(case, &[&format!("expected the header `x-id: a`, {wanted}")]);
}

#[rstest]
#[case::same("retry-after", "60", true)]
#[case::with_jitter("retry-after", "67", true)]
#[case::too_long("retry-after", "68", false)]
#[case::too_short("retry-after", "59", false)]
#[case::as_a_date("retry-after", "Thu, 01 Jan 1970 00:01:00 GMT", true)]
#[case::in_milliseconds("retry-after-ms", "60500", true)]
#[case::no_time("retry-after", "soon", false)]
fn a_retry_after_is_compared_by_its_meaning(
    #[case] name: &str,
    #[case] got: &str,
    #[case] is_met: bool,
) {
    let case = || expecting("headers: { Retry-After: '60' }").attempt("primary");
    assert_eq!(case().got(503, "{}").got_header(name, got).missed().is_empty(), is_met);
    assert_missed(
        case().got(503, "{}").got_header("x-id", "60"),
        &["expected the header `Retry-After: 60`, got none"],
    );
}

#[test]
fn after_a_wait_within_a_call_other_deployments_get_the_attempts() {
    let expect = "{ attempts: [primary, backup], answered_by: backup }";
    let call = format!("{CALL}    expect: {expect}\n");
    let group = "group: { chain: [primary, backup], retries: 1 }";
    let text = format!("{TWO}{group}\nsteps:\n{call}{call}");
    let case = |waited: u64| {
        let case = Case::of(&text).leaving(Freedom::Attempts).attempt("primary");
        let case = case.failing(429, None).answered_with("retry-after", "2");
        let case = case.after(Duration::from_millis(waited)).attempt("primary").next_call();
        case.attempt("primary")
    };
    let is_exempt = |line: &String| line.starts_with(OF_RETRIES);
    let (waited, early) = (case(2_000).missed(), case(1_000).missed());
    assert!(waited.len() == 4 && waited.iter().all(is_exempt), "{waited:?}");
    assert!(early.len() == 4 && !early.iter().any(is_exempt), "{early:?}");
    let exact = case(2_000).declaring(exact).missed();
    assert!(!exact.iter().any(is_exempt), "{exact:?}");
}

// Deviations that the target declares

/// The missed expectations of a call that unexpectedly falls back, or unexpectedly does not fall
/// back.
fn deviating(
    status: u16,
    deployments: &[&str],
    declare: impl FnOnce(&mut Capabilities),
) -> Vec<String> {
    let expect = if deployments.len() == 1 { "primary, backup" } else { "primary" };
    let case = expecting(&format!("attempts: [{expect}]"));
    let case = deployments.iter().fold(case, |case, it| case.attempt(it).failing(status, None));
    case.declaring(declare).missed()
}

#[test]
fn the_target_may_declare_its_fallback_conditions() {
    let wanted = "expected attempts at `primary`, `backup`; got `primary`";
    assert_eq!(deviating(500, &["primary"], |_| {}), [wanted]);
    let declares = |conditions: &'static [Condition]| {
        move |it: &mut Capabilities| it.fallback_on = Some(conditions.to_vec())
    };
    let excused = deviating(500, &["primary"], declares(&[Condition::Status(429)]));
    assert_eq!(excused, [format!("(exempt: the target does not fall back on `500`) {wanted}")]);
    let wanted = "expected attempts at `primary`; got `primary`, `backup`";
    let excused = deviating(400, &["primary", "backup"], declares(&[Condition::Any4xx]));
    assert_eq!(excused, [format!("(exempt: the target falls back on `400`) {wanted}")]);
}

#[test]
fn configured_fallback_conditions_are_not_exempt() {
    let expect = "attempts: [primary, backup]";
    let case = with_policy(", fallback_on: [5xx]", expect).attempt("primary").failing(500, None);
    let case = case.declaring(|it| it.fallback_on = Some(Vec::new()));
    assert_missed(case, &["expected attempts at `primary`, `backup`; got `primary`"]);
}

#[test]
fn expectations_of_a_waived_requirement_are_exempt() {
    let text = format!(
        "proves: [FP-ROUTE-03]\n{TWO}group: {{ chain: [primary, backup] }}\nsteps:\n{CALL}    \
         expect: {{ status: 200 }}\n"
    );
    let case = Case::of(&text).attempt("primary").failing(500, None).declaring(|it| {
        it.waived.insert(Code::Route03, "it has no chains".to_owned());
    });
    let wanted = "(exempt: it has no chains) expected status 200 for the client, got 500";
    assert_missed(case, &[wanted]);
}

#[test]
fn a_declaration_about_routing_does_not_cover_what_attempts_carry_or_a_response_that_ends_early() {
    let expect = "attempts: [primary, backup], no_attempt_carries: { headers: [x-team] }";
    let status_only = |it: &mut Capabilities| it.fallback_on = Some(vec![Condition::Status(429)]);
    let case = || expecting(expect).attempt("primary").failing(500, None).declaring(status_only);
    let carries = "attempt 1 at `primary` carries the header `x-team`, which the scenario excludes";
    let missed = "(exempt: the target does not fall back on `500`) expected attempts at `primary`, \
                  `backup`; got `primary`";
    assert_missed(case().with_header("x-team", "a"), &[carries, missed]);
    let short = || case().got(500, "{}").got_header("content-length", "9");
    let wanted = "the target's content length is 9, but its response ended after 2 bytes";
    assert_missed(short().ended_with(Ending::Closed), &[wanted]);
    // The target passes on what the deployment left incomplete.
    let broken = |it: &mut Capabilities| it.fallback_on = Some(vec![Condition::Any5xx]);
    let passed_on = expecting(expect).attempt("primary").cut_after(9).declaring(broken);
    let excuse = "(exempt: the target does not fall back on `invalid_response`) the target closed \
                  the connection before the response was complete";
    assert_missed(passed_on, &[excuse]);
}

#[test]
fn a_deployment_may_be_passed_over_if_cooldowns_are_declared() {
    let text = format!(
        "{TWO}group: {{ chain: [primary, backup] }}\nsteps:\n{CALL}{CALL}    \
         expect: {{ attempts: [primary] }}\n"
    );
    let case = || Case::of(&text).attempt("primary").failing(500, None).attempt("backup");
    let case = || case().next_call().attempt("backup");
    let wanted = "expected attempts at `primary`; got `backup`";
    assert_missed(case(), &[wanted]);
    let cooling = case().declaring(|it| it.own_cooldown = Some("it learns".to_owned()));
    assert_missed(cooling, &[&format!("(exempt: it learns) {wanted}")]);
    // No deployment was passed over.
    let case = Case::of(&text).attempt("primary").next_call().attempt("primary");
    let case = case.failing(500, None).attempt("backup");
    let case = case.declaring(|it| it.own_cooldown = Some("it learns".to_owned()));
    assert_missed(case, &["expected attempts at `primary`; got `primary`, `backup`"]);
}

#[test]
fn the_handling_of_an_early_break_is_up_to_the_target() {
    let body = r#"{\"model\":\"{{model}}\",\"messages\":[],\"stream\":true}"#;
    let text = format!(
        "{TWO}group: {{ chain: [primary, backup] }}\nsteps:\n  - send: {{ endpoint: \
         chat/completions, body_json: \"{body}\" }}\n    expect: {{ attempts: [primary, backup] }}\n"
    );
    let word = "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n";
    let case = || Case::of(&text).attempt("primary").streaming(word.repeat(2));
    let case = || case().cut_after(word.len()).got(502, "{}");
    let wanted = "expected attempts at `primary`, `backup`; got `primary`";
    assert_missed(case().got(200, "{}"), &[wanted]);
    assert_missed(case(), &[wanted]);
    let case = || case().leaving(Freedom::UnseenBreak);
    let exempt = "(exempt: the handling of a break before the client got any content is up to the \
                  target)";
    assert_missed(case(), &[&format!("{exempt} {wanted}")]);
    assert_missed(case().declaring(exact), &[wanted]);
}

#[test]
fn what_no_attempt_may_carry_is_found_in_each_attempt() {
    let expect = "no_attempt_carries: { headers: [X-Team, x-id], text: [secret-7] }";
    let case = || expecting(expect).attempt("primary").failing(500, None).attempt("backup");
    assert_missed(case(), &[]);
    let header = "attempt 2 at `backup` carries the header `X-Team`, which the scenario excludes";
    assert_missed(case().with_header("x-team", "a"), &[header]);
    let text = "attempt 2 at `backup` carries \"secret-7\", which the scenario excludes";
    assert_missed(case().with_header("x-other", "a secret-7"), &[text]);
    assert_missed(case().with_instead("Hi", "secret-7"), &[text]);
    assert_missed(case().asking_for("/v1/secret-7", None), &[text]);
}

#[test]
fn an_attempt_may_carry_a_header_that_the_target_declares_to_forward() {
    let forwards = |it: &mut Capabilities| {
        let (header, reason) = ("*".to_owned(), "it passes all on".to_owned());
        it.forwards.push(Forwarded { header, reason });
    };
    let case = |sent: &str, unwanted: &str| {
        let call = CALL.replace("body:", &format!("headers: {{ {sent} }}, body:"));
        let expect = format!("no_attempt_carries: {{ {unwanted} }}");
        let text = format!(
            "{TWO}group: {{ chain: [primary, backup] }}\nsteps:\n{call}    expect: {{ {expect} }}\n"
        );
        Case::of(&text).declaring(forwards).attempt("primary")
    };
    let own = || case("x-real-ip: 203.0.113.7", "headers: [X-Real-Ip], text: [203.0.113.7]");
    let told = [
        "attempt 1 at `primary` carries the header `X-Real-Ip`, which the scenario excludes",
        "attempt 1 at `primary` carries \"203.0.113.7\", which the scenario excludes",
    ];
    let exempt = told.map(|it| format!("(exempt: it passes all on) {it}"));
    let passed_on = || own().with_header("x-real-ip", "203.0.113.7");
    assert_eq!(passed_on().missed(), exempt);
    assert_missed(passed_on().declaring(|it| it.forwards.clear()), &told);
    // The declaration covers the client's headers, but no copy of them elsewhere.
    let copied = passed_on().with_instead("Hi", "203.0.113.7");
    assert_missed(copied, &[told[1], &exempt[0]]);
    let copied = own().with_header("x-client", "203.0.113.7");
    assert_missed(copied, &[told[1]]);
    // It does not cover hop-by-hop headers and API keys.
    for (sent, name) in [
        ("te: trailers", "te"),
        ("connection: x-hop, x-hop: a", "x-hop"),
        ("x-api-key: a", "x-api-key"),
    ] {
        let case = case(sent, &format!("headers: [{name}]")).with_header(name, "a");
        let told = format!(
            "attempt 1 at `primary` carries the header `{name}`, which the scenario excludes"
        );
        assert_missed(case, &[&told]);
    }
}
