//! Violations that follow from a declared `fallback_on` are excused, and no others.

use fallproof_protocol::condition::Condition;
use fallproof_suite::requirement::Code;
use rstest::rstest;

use crate::testing::Case;
use crate::violation::Verdict;

const ERROR: &str = r#"{"error":{"message":"Overloaded.","code":"content_filter"}}"#;
const STREAMED: &str = r#"{"model":"{{model}}","messages":[],"stream":true}"#;

/// A case in which the first deployment fails in this way, and no other deployment is tried.
fn ending_with(failure: Condition) -> Case {
    let case = Case::with_policy("").attempt("primary");
    match failure {
        Condition::Connection => case.broken(),
        Condition::Timeout => case.broken().client_gone(),
        Condition::InvalidResponse => case.answered_as("text/html", 200, "<html>"),
        Condition::ErrorInSuccess => case.answered(200, ERROR),
        Condition::Status(status) => case.failing(status, None),
        Condition::Any4xx => case.failing(408, None),
        Condition::Any5xx => case.failing(500, None),
    }
}

/// The requirements that a target violates if it declares all default fallback conditions except
/// these.
fn violated(case: Case, except: &[Condition]) -> Vec<Code> {
    let declared = Condition::RECOMMENDED.iter().filter(|it| !except.contains(it)).copied();
    let case = case.declaring(|it| it.fallback_on = Some(declared.collect()));
    let violations = case.judge().violations;
    let failing = violations.iter().filter(|it| it.verdict == Verdict::Fail);
    failing.filter_map(|it| it.requirement).collect()
}

#[rstest]
#[case::connection(Condition::Connection, &[Code::Route03])]
#[case::timeout(Condition::Timeout, &[Code::Route03])]
#[case::invalid_response(Condition::InvalidResponse, &[Code::Route03, Code::Client04])]
#[case::error_in_success(Condition::ErrorInSuccess, &[Code::Client04])]
#[case::request_timeout(Condition::Status(408), &[Code::Route03])]
#[case::rate_limited(Condition::Status(429), &[Code::Route03])]
#[case::server_error(Condition::Any5xx, &[Code::Route03])]
fn a_declared_choice_exempts_what_follows_from_it(
    #[case] failure: Condition,
    #[case] violates: &[Code],
) {
    for other in Condition::RECOMMENDED {
        let exempt = *other == failure;
        let wanted = if exempt { &[][..] } else { violates };
        assert_eq!(violated(ending_with(failure), &[*other]), wanted, "all but `{other}`");
    }
}

#[rstest]
#[case::error(ERROR, Condition::ErrorInSuccess, &[Code::Stream11, Code::Stream12])]
#[case::nothing("[DONE]", Condition::InvalidResponse, &[Code::Route03, Code::Stream12])]
fn a_declared_choice_exempts_streams(
    #[case] event: &str,
    #[case] failure: Condition,
    #[case] violates: &[Code],
) {
    let case = || {
        let case = Case::with_body(STREAMED).attempt("primary");
        case.streaming(format!("data: {event}\n\n"))
    };
    assert_eq!(violated(case(), &[]), violates);
    assert_eq!(violated(case(), &[failure]), []);
}

#[rstest]
#[case::made_up(Case::with_policy("").attempt("primary").broken().got(200, "{}"), Condition::Connection)]
#[case::another_status(ending_with(Condition::Any5xx).got(200, "{}"), Condition::Any5xx)]
fn a_success_that_no_provider_sent_is_never_exempt(#[case] case: Case, #[case] failure: Condition) {
    assert_eq!(violated(case, &[failure]), [Code::Client04]);
}

#[test]
fn a_filter_told_with_a_success_status_is_not_seen_by_the_status() {
    let text = "
deployments:
  primary: { provider: openai, model: gpt-4o, script: [ok] }
  other: { provider: openai, model: gpt-4o, script: [ok] }
group: { chain: [primary], on_content_filter: [other] }
steps:
  - send: { endpoint: chat/completions, body: { messages: [] } }
";
    let case = || Case::of(text).attempt("primary").answered(200, ERROR);
    assert_eq!(violated(case(), &[]), [Code::Route11, Code::Client04]);
    assert_eq!(violated(case(), &[Condition::ErrorInSuccess]), []);
}

#[rstest]
#[case::by_status(&[Condition::InvalidResponse], &[])]
#[case::by_default(&[Condition::ErrorInSuccess], &[Code::Route07])]
fn a_failure_that_the_target_does_not_see_starts_no_cooldown(
    #[case] except: &[Condition],
    #[case] wanted: &[Code],
) {
    let text = "
deployments: { primary: { provider: openai, model: gpt-4o, script: [ok] } }
group: { chain: [primary], cooldown: { after_failures: 1, duration_ms: 60000 } }
steps:
  - send: { endpoint: chat/completions, body: { messages: [] } }
  - send: { endpoint: chat/completions, body: { messages: [] } }
";
    let case = Case::of(text).attempt("primary").answered_as("text/html", 200, "<html>");
    let case = case.got(502, r#"{"error":{"message":"It failed."}}"#).next_call();
    assert_eq!(violated(case.attempt("primary"), except), wanted);
}

/// A success of which only the first bytes arrive is a broken connection as well as an invalid
/// response.
#[rstest]
#[case::neither(&[], &[Code::Route03])]
#[case::connection(&[Condition::Connection], &[])]
#[case::invalid_response(&[Condition::InvalidResponse], &[])]
#[case::another(&[Condition::Timeout], &[Code::Route03])]
fn a_cut_answer_can_be_taken_for_two_failures(
    #[case] except: &[Condition],
    #[case] wanted: &[Code],
) {
    let case = Case::with_policy("").attempt("primary").cut_after(20);
    assert_eq!(violated(case.got(502, r#"{"error":{"message":"It failed."}}"#), except), wanted);
}

#[rstest]
#[case::one("connection", &[])]
#[case::the_other("invalid_response", &[])]
#[case::both("connection, invalid_response", &[Code::Route03])]
fn a_group_that_names_one_of_two_failures_requires_no_fallback(
    #[case] on: &str,
    #[case] wanted: &[Code],
) {
    let case = || Case::with_policy(&format!(", fallback_on: [{on}]")).attempt("primary");
    let failed = case().cut_after(20).got(502, r#"{"error":{"message":"It failed."}}"#);
    assert_eq!(violated(failed, &[]), wanted);
    assert_eq!(violated(case().cut_after(20).attempt("backup"), &[]), []);
}
