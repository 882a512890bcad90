//! What scenarios expect, on evidence made by hand.

use fallproof_protocol::behavior::UNEXPECTED;
use fallproof_protocol::condition::Condition;
use fallproof_suite::capabilities::{Capabilities, Strictness};
use fallproof_suite::evidence::Ending;
use fallproof_suite::requirement::Code;
use rstest::rstest;

use crate::testing::{CALL, Case, TWO};

#[track_caller]
fn assert_missed(case: Case, told: &[&str]) {
    assert_eq!(case.missed(), told);
}

/// A call of two deployments of which this is expected.
fn expecting(expect: &str) -> Case {
    with_policy("", expect)
}

/// The same of a group with this policy.
fn with_policy(policy: &str, expect: &str) -> Case {
    let group = format!("group: {{ chain: [primary, backup]{policy} }}");
    Case::of(&format!("{TWO}{group}\nsteps:\n{CALL}    expect: {{ {expect} }}\n"))
}

/// A target that does exactly what scenarios say.
fn exact(it: &mut Capabilities) {
    it.strictness = Strictness::Exact;
}

#[test]
fn what_comes_as_it_is_expected_is_no_miss() {
    let expect =
        "attempts: [primary, backup], status: 200, answered_by: backup, headers: { x-id: a }";
    let case = || expecting(expect).attempt("primary").failing(500, None).attempt("backup");
    assert_missed(case().answered_with("X-Id", "a").declaring(exact), &[]);
    assert_missed(two_without_expectations(), &[]);
}

/// What is not expected is not looked at.
fn two_without_expectations() -> Case {
    Case::with_policy("").attempt("backup").failing(418, None).declaring(exact)
}

// How it ends

#[rstest]
#[case::closed(Ending::Closed, "the target closed the connection before its answer was through")]
#[case::silent(Ending::TimedOut, "the target did not finish its answer in time")]
#[case::left_for_no_reason(Ending::Disconnected, "the target was disconnected by its client")]
fn an_answer_comes_to_its_end(#[case] ending: Ending, #[case] told: &str) {
    assert_missed(expecting("status: 500").attempt("primary").ended(ending), &[told]);
}

#[test]
fn a_client_that_leaves_on_purpose_is_not_answered() {
    let call = CALL.replace("body:", "disconnect: { after_request_to: primary }, body:");
    let text = format!("{TWO}group: {{ chain: [primary, backup] }}\nsteps:\n{call}");
    assert_missed(Case::of(&text).attempt("primary").ended(Ending::Disconnected), &[]);
}

#[test]
fn a_stream_that_broke_may_be_broken_off() {
    let body = r#"{"model":"{{model}}","messages":[],"stream":true}"#;
    let word = "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n";
    let case = Case::with_body(body).attempt("primary").streaming(word.repeat(2));
    assert_missed(case.cut_after(word.len()), &[]);
}

// Who is asked, and who answers

const OF_RETRIES: &str =
    "(noted: how often one deployment is asked, up to its retries, is left to the target)";

#[test]
fn those_are_asked_that_are_expected() {
    let case = || expecting("attempts: [primary, backup]").attempt("primary");
    let told = "expected attempts at primary, backup, saw primary";
    assert_missed(case(), &[told]);
    assert_missed(case().declaring(exact), &[told]);
    let told = "expected attempts at none, saw primary";
    assert_missed(expecting("attempts: []").attempt("primary"), &[told]);
}

#[test]
fn how_often_one_is_asked_is_left_to_the_target() {
    let expect = "attempts: [primary, primary, backup]";
    let case = || with_policy(", retries: 1", expect).attempt("primary").failing(500, None);
    let told = "expected attempts at primary, primary, backup, saw primary, backup";
    assert_missed(case().attempt("backup"), &[&format!("{OF_RETRIES} {told}")]);
    assert_missed(case().attempt("backup").declaring(exact), &[told]);
}

#[test]
fn the_next_one_may_be_asked_in_place_of_a_retry() {
    let expect = "attempts: [primary, primary], answered_by: primary";
    let case = |policy: &str| {
        let case = with_policy(policy, expect).attempt("primary").failing(500, None);
        case.attempt("backup")
    };
    let told = [
        "expected attempts at primary, primary, saw primary, backup",
        "expected the answer of primary, got that of backup",
    ];
    assert_missed(
        case(", retries: 1"),
        &told.map(|it| format!("{OF_RETRIES} {it}")).each_ref().map(String::as_str),
    );
    assert_missed(case(", retries: 1").declaring(exact), &told);
    assert_missed(case(""), &told);
}

#[test]
fn a_script_does_not_end_before_its_attempts() {
    let case = || expecting("status: 200").attempt("primary").played(UNEXPECTED);
    let told = "the script of primary had ended when attempt 1 came; lengthen it, or add \
                `repeat_last: true`";
    assert_missed(case().declaring(exact), &[told]);
    assert_missed(case(), &[&format!("{OF_RETRIES} {told}")]);
}

#[test]
fn that_one_answers_that_is_expected() {
    let case = || expecting("answered_by: backup").attempt("primary");
    let told = "expected the answer of backup, got that of primary";
    assert_missed(case(), &[told]);
    let told = "expected the answer of backup, got that of no deployment";
    assert_missed(case().got(200, "{}"), &[told]);
}

// What the client gets

#[rstest]
#[case::as_expected(429, 429, true, None)]
#[case::another_error(
    429,
    503,
    true,
    Some(
        "(noted: which status of its kind an error has is left to the target) expected status 429 for the client, got 503"
    )
)]
#[case::nobody_asked(429, 503, false, Some("expected status 429 for the client, got 503"))]
#[case::no_success(200, 503, true, Some("expected status 200 for the client, got 503"))]
#[case::no_error(503, 200, true, Some("expected status 503 for the client, got 200"))]
fn the_status_is_of_the_kind_that_is_expected(
    #[case] expected: u16,
    #[case] got: u16,
    #[case] asked: bool,
    #[case] told: Option<&str>,
) {
    let case = || {
        let case = expecting(&format!("status: {expected}"));
        let case = if asked { case.attempt("primary") } else { case };
        case.got(got, "{}")
    };
    assert_missed(case(), told.as_slice());
    let exactly = told.map(|it| it.split(") ").last().unwrap_or(it));
    assert_missed(case().declaring(exact), exactly.as_slice());
}

#[rstest]
#[case::as_expected(r#"{"error":{"type":"a","code":"b","param":"c","message":"It is d."}}"#, &[])]
#[case::no_error("{}", &["expected an error in OpenAI's shape, got something else"])]
#[case::another(r#"{"error":{"type":"x","param":null,"message":"No."}}"#, &[
    r#"expected error.type "a", got "x""#,
    r#"expected error.code "b", got null"#,
    r#"expected error.param "c", got null"#,
    r#"expected "is d" in error.message, got "No.""#,
])]
fn the_error_is_the_one_that_is_expected(#[case] got: &str, #[case] told: &[&str]) {
    let expect = "error: { type: a, code: b, param: c, message_contains: is d }";
    let case = || expecting(expect).attempt("primary").failing(400, None).got(400, got);
    assert_missed(case().declaring(exact), told);
    let noted = |it: &&str| format!("(noted: what an error is called is left to the target) {it}");
    assert_eq!(case().missed(), told.iter().map(noted).collect::<Vec<_>>());
}

#[rstest]
#[case::none(None, "got none")]
#[case::another(Some("b"), "got b")]
fn a_header_is_the_one_that_is_expected(#[case] got: Option<&str>, #[case] told: &str) {
    let case = expecting("headers: { x-id: a }").attempt("primary");
    let case = got.into_iter().fold(case, |case, got| case.answered_with("x-id", got));
    assert_missed(case, &[&format!("expected the header `x-id: a`, {told}")]);
}

// Another way that the target declares

/// The call goes on where it was not to, or the other way batch.
fn another_way(
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
fn what_leads_on_is_for_the_target_to_declare() {
    let told = "expected attempts at primary, backup, saw primary";
    assert_eq!(another_way(500, &["primary"], |_| {}), [told]);
    let declares = |conditions: &'static [Condition]| {
        move |it: &mut Capabilities| it.fallback_on = Some(conditions.to_vec())
    };
    let excused = another_way(500, &["primary"], declares(&[Condition::Status(429)]));
    assert_eq!(excused, [format!("(noted: the target does not fall back on `500`) {told}")]);
    let told = "expected attempts at primary, saw primary, backup";
    let excused = another_way(400, &["primary", "backup"], declares(&[Condition::Any4xx]));
    assert_eq!(excused, [format!("(noted: the target does fall back on `400`) {told}")]);
}

#[test]
fn what_leads_on_by_configuration_is_not() {
    let expect = "attempts: [primary, backup]";
    let case = with_policy(", fallback_on: [5xx]", expect).attempt("primary").failing(500, None);
    let case = case.declaring(|it| it.fallback_on = Some(Vec::new()));
    assert_missed(case, &["expected attempts at primary, backup, saw primary"]);
}

#[test]
fn what_a_scenario_proves_may_not_be_claimed() {
    let text = format!(
        "proves: [FP-ROUTE-03]\n{TWO}group: {{ chain: [primary, backup] }}\nsteps:\n{CALL}    \
         expect: {{ status: 200 }}\n"
    );
    let case = Case::of(&text).attempt("primary").failing(500, None).declaring(|it| {
        it.waived.insert(Code::Route03, "it has no chains".to_owned());
    });
    let told = "(noted: it has no chains) expected status 200 for the client, got 500";
    assert_missed(case, &[told]);
}

#[test]
fn a_deployment_may_be_passed_over_where_the_target_rests_them() {
    let text = format!(
        "{TWO}group: {{ chain: [primary, backup] }}\nsteps:\n{CALL}{CALL}    \
         expect: {{ attempts: [primary] }}\n"
    );
    let case = || Case::of(&text).attempt("primary").failing(500, None).attempt("backup");
    let case = || case().next_call().attempt("backup");
    let told = "expected attempts at primary, saw backup";
    assert_missed(case(), &[told]);
    let rests = case().declaring(|it| it.own_cooldown = Some("it learns".to_owned()));
    assert_missed(rests, &[&format!("(noted: it learns) {told}")]);
    // Nobody was passed over.
    let case = Case::of(&text).attempt("primary").next_call().attempt("primary");
    let case = case.failing(500, None).attempt("backup");
    let case = case.declaring(|it| it.own_cooldown = Some("it learns".to_owned()));
    assert_missed(case, &["expected attempts at primary, saw primary, backup"]);
}

#[test]
fn what_follows_a_break_that_nobody_saw_is_left_to_the_target() {
    let body = r#"{\"model\":\"{{model}}\",\"messages\":[],\"stream\":true}"#;
    let text = format!(
        "{TWO}group: {{ chain: [primary, backup] }}\nsteps:\n  - send: {{ endpoint: \
         chat/completions, body_json: \"{body}\" }}\n    expect: {{ attempts: [primary, backup] }}\n"
    );
    let word = "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n";
    let case = || Case::of(&text).attempt("primary").streaming(word.repeat(2));
    let case = || case().cut_after(word.len()).got(502, "{}");
    let told = "expected attempts at primary, backup, saw primary";
    assert_missed(case().got(200, "{}"), &[told]);
    let noted = "(noted: what follows a break before anything of the answer is out is left to the \
                 target)";
    assert_missed(case(), &[&format!("{noted} {told}")]);
    assert_missed(case().declaring(exact), &[told]);
}
