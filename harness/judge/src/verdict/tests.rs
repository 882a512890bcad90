//! Tests the verdicts on cases, with hand-made evidence.

use std::path::Path;

use fallproof_protocol::coding::Coding;
use fallproof_suite::evidence::{CaseResult, Ending, Inconclusive};
use fallproof_suite::requirement::Code;
use fallproof_suite::scenario;
use fallproof_suite::skip::SkipReason;
use rstest::rstest;

use super::{Failure, Outcome, holds_without_attempt};
use crate::testing::{CALL, Case, TWO};
use crate::{ClientViolation, Verdict, Violation};

const BODY: &str = r#"{"model":"{{model}}","messages":[{"role":"user","content":"Hi"}],"seed":7}"#;

/// A call that the first deployment answers.
fn answered() -> Case {
    Case::with_body(BODY).attempt("primary")
}

/// The outcome of a case, and how its failure appeared to the client.
fn verdict(case: Case) -> (Outcome, Option<Failure>) {
    let judgment = case.judge();
    (judgment.outcome, judgment.failure)
}

#[test]
fn a_conforming_case_passes_without_violations() {
    let fallen_back = Case::with_body(BODY).attempt("primary").failing(503, None).attempt("backup");
    for case in [answered(), fallen_back] {
        let judgment = case.judge();
        assert_eq!(judgment.violations, []);
        assert_eq!((judgment.outcome, judgment.failure), (Outcome::Pass, None));
    }
}

#[rstest]
#[case::informational(
    r#""content":"Hi"}],"seed":7"#,
    r#""content":"Hi"}],"n":1,"seed":7"#,
    Outcome::Pass
)]
#[case::warned("\"Hi\"", r#""\u0048i""#, Outcome::Warn)]
#[case::failed(r#","seed":7"#, "", Outcome::Fail)]
fn the_most_severe_violation_decides(
    #[case] from: &str,
    #[case] to: &str,
    #[case] outcome: Outcome,
) {
    let judgment = answered().with_instead(from, to).judge();
    assert_ne!(judgment.violations, []);
    assert_eq!(judgment.outcome, outcome);
}

// Robustness

#[rstest]
#[case::failed(r#","seed":7"#, "", Outcome::NotRobust)]
#[case::warned("\"Hi\"", r#""\u0048i""#, Outcome::NotRobust)]
#[case::informational(r#","seed":7"#, r#","n":1,"seed":7"#, Outcome::Pass)]
fn a_violation_at_the_level_of_robustness_is_only_informational(
    #[case] from: &str,
    #[case] to: &str,
    #[case] outcome: Outcome,
) {
    let judgment = answered().of_robustness().with_instead(from, to).judge();
    assert_ne!(judgment.violations, []);
    assert!(judgment.violations.iter().all(|it| it.verdict == Verdict::Note));
    assert_eq!((judgment.outcome, judgment.failure), (outcome, None));
}

#[test]
fn a_target_that_is_gone_is_inconclusive_at_the_level_of_robustness() {
    let gone = Ending::Unreachable("refused".to_owned());
    let case = Case::with_body(BODY).of_robustness().ended_with(gone);
    let unreachable = Inconclusive::Unreachable(Ending::Unreachable("refused".to_owned()));
    assert_eq!(verdict(case), (Outcome::Inconclusive(unreachable), None));
}

// Honest or silent

/// A call that lost a member of its body.
fn lossy() -> Case {
    answered().with_instead(r#","seed":7"#, "")
}

#[rstest]
#[case::success(200, Ending::Complete, Failure::Silent)]
#[case::error(500, Ending::Complete, Failure::Honest)]
#[case::interrupted(200, Ending::Closed, Failure::Honest)]
#[case::endless(200, Ending::TooLong, Failure::Silent)]
#[case::never_ended(200, Ending::TimedOut, Failure::Silent)]
fn a_failure_that_looks_like_a_success_is_silent(
    #[case] status: u16,
    #[case] ending: Ending,
    #[case] failure: Failure,
) {
    let case = lossy().got(status, "{}").ended_with(ending);
    assert_eq!(verdict(case), (Outcome::Fail, Some(failure)));
}

#[rstest]
#[case::events(Coding::Gzip.packed([&*b"data: 1\n\n".repeat(100_001)]).concat())]
#[case::values(format!("[{}0]", "0,".repeat(300_000)).into_bytes())]
fn a_response_with_too_many_parts_is_too_long(#[case] body: Vec<u8>) {
    let missed = answered().got(200, &body).missed();
    let words = "the target sent more than is read of a response: 16 MiB, 100000 events, or 250000 \
                 JSON values";
    assert_eq!(missed, [words]);
}

#[rstest]
#[case::chat("{\"error\":{\"message\":\"Overloaded.\"}}", Failure::Honest)]
#[case::with_a_code("{\"error\":\"overloaded\"}", Failure::Honest)]
#[case::responses("{\"type\":\"error\",\"message\":\"Overloaded.\"}", Failure::Honest)]
#[case::failed("{\"type\":\"response.failed\",\"response\":{\"error\":null}}", Failure::Honest)]
#[case::incomplete("{\"type\":\"response.incomplete\"}", Failure::Honest)]
#[case::content("{\"error\":null,\"choices\":[]}", Failure::Silent)]
#[case::unreadable("{\"error", Failure::Silent)]
fn a_stream_that_reports_its_failure_is_honest(#[case] event: &str, #[case] failure: Failure) {
    let case = lossy().got_stream(format!("data: {event}\n\ndata: [DONE]\n\n"));
    assert_eq!(verdict(case), (Outcome::Fail, Some(failure)));
}

#[test]
fn a_compressed_stream_that_reports_its_failure_is_honest() {
    let stream = "data: {\"error\":{\"message\":\"Overloaded.\"}}\n\n";
    let body = Coding::Gzip.packed([stream.as_bytes()]).concat();
    let case = lossy().got(200, body).got_header("content-encoding", "gzip");
    assert_eq!(verdict(case), (Outcome::Fail, Some(Failure::Honest)));
}

#[test]
fn only_calls_with_violations_decide_whether_a_failure_is_silent() {
    let text = format!("{TWO}group: {{ chain: [primary, backup] }}\nsteps:\n{CALL}{CALL}");
    let case = Case::of(&text).attempt("primary").failing(500, None).next_call();
    assert_eq!(verdict(case.attempt("primary")), (Outcome::Fail, Some(Failure::Honest)));
}

// Inconclusive

#[test]
fn an_unreachable_target_is_inconclusive() {
    let gone = Ending::Unreachable("refused".to_owned());
    let case = Case::with_body(BODY).ended_with(gone.clone());
    let unreachable = Outcome::Inconclusive(Inconclusive::Unreachable(gone.clone()));
    assert_eq!(verdict(case), (unreachable, None));
    // The target became unreachable after the first call.
    let text = format!("{TWO}group: {{ chain: [primary, backup] }}\nsteps:\n{CALL}{CALL}");
    let case = Case::of(&text).attempt("primary").next_call().ended_with(gone);
    assert_eq!(verdict(case), (Outcome::Fail, Some(Failure::Honest)));
}

#[test]
fn the_calls_that_failed_silently_are_known() {
    let text = format!("{TWO}group: {{ chain: [primary, backup] }}\nsteps:\n{CALL}{CALL}{CALL}");
    let wrong = |case: Case| case.attempt("primary").without_header("authorization");
    let judged = |calls: [u16; 3]| {
        let [first, second, third] = calls;
        let case = wrong(Case::of(&text)).got(first, "{}").next_call();
        let case = wrong(case).got(second, "{}").next_call();
        wrong(case).got(third, "{}").judge()
    };
    let some = judged([500, 200, 500]);
    assert_eq!((some.failure, some.silent), (Some(Failure::Silent), vec![1]));
    let none = judged([500, 500, 500]);
    assert_eq!((none.failure, none.silent), (Some(Failure::Honest), vec![]));
}

#[test]
fn a_case_without_attempts_is_inconclusive() {
    let no_attempt = |case: Case, status: u16, answer: &str| {
        let answer = answer.to_owned();
        let outcome = Outcome::Inconclusive(Inconclusive::NoAttempt { status, answer });
        assert_eq!(verdict(case), (outcome, None));
    };
    no_attempt(Case::with_body(BODY).got(404, "No such model."), 404, "No such model.");
    let long = "x".repeat(300);
    no_attempt(Case::with_body(BODY).got(404, &long), 404, &long[..200]);
    // The response breaks no requirement.
    let fine = r#"{"error":{"message":"No such model."}}"#;
    assert_eq!(verdict(Case::with_body(BODY).got(404, fine)), (Outcome::Pass, None));
}

#[test]
fn a_failure_of_the_gateway_itself_is_judged_if_the_group_is_wired() {
    let message = r#"{"error":{"message":"It failed."}}"#;
    let case = || Case::with_body(BODY).got(500, message);
    assert_eq!(verdict(case().wired()), (Outcome::Fail, Some(Failure::Honest)));
    let unclear = Inconclusive::NoAttempt { status: 500, answer: message.to_owned() };
    assert_eq!(verdict(case()), (Outcome::Inconclusive(unclear), None));
    // The scenario expects no attempt.
    let call = CALL.replace("body:", "key: none, body:");
    let text = format!("{TWO}group: {{ chain: [primary, backup] }}\nsteps:\n{call}");
    let case = Case::of(&format!("{text}    expect: {{ attempts: [], status: 500 }}\n"));
    assert_eq!(verdict(case.got(500, message)).0, Outcome::Pass);
}

#[test]
fn a_missing_fallback_from_a_refused_connection_is_judged_if_the_target_is_wired() {
    let refusing = TWO.replacen("[ok]", "[connection_refused]", 1);
    let text = format!("{refusing}group: {{ chain: [primary, backup] }}\nsteps:\n{CALL}");
    let message = r#"{"error":{"message":"It failed."}}"#;
    let case = || Case::of(&text).got(502, message);
    assert_eq!(verdict(case().wired()), (Outcome::Fail, Some(Failure::Honest)));
    assert_ne!(verdict(case()).0, Outcome::Fail);
}

#[test]
fn a_call_that_expects_no_attempt_is_judged() {
    let call = CALL.replace("body:", "key: none, body:");
    let text = format!("{TWO}group: {{ chain: [primary, backup] }}\nsteps:\n{call}");
    let case = Case::of(&format!("{text}    expect: {{ attempts: [] }}\n")).got(200, "{}");
    assert_eq!(verdict(case), (Outcome::Fail, Some(Failure::Silent)));
}

#[test]
fn a_call_that_the_client_controlled_is_judged() {
    let body = BODY.replace("\"seed\":7", "\"fallbacks\":[]");
    let case = Case::with_body(&body).got(200, "{}");
    assert_eq!(verdict(case), (Outcome::Fail, Some(Failure::Silent)));
}

// No calls to judge

#[test]
fn the_outcome_of_a_case_that_was_not_played_is_its_result() {
    let skipped = SkipReason::TooSlow { seconds: 60 };
    let unclear = Inconclusive::TooLong;
    for (result, outcome) in [
        (CaseResult::Skipped(skipped.clone()), Outcome::Skipped(skipped)),
        (CaseResult::Inconclusive(unclear.clone()), Outcome::Inconclusive(unclear)),
        (CaseResult::HarnessError("x".into()), Outcome::HarnessError("x".into())),
    ] {
        let judgment = answered().judge_as(result);
        assert_eq!((judgment.outcome, judgment.failure), (outcome, None));
        assert_eq!(judgment.violations, []);
    }
}

#[test]
fn a_violation_without_attempts_stands_if_no_attempt_is_expected_or_required() {
    let of = |requirement, id: &str| {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios").join(id);
        let family = scenario::load(&file.with_extension("yaml"), id);
        let violation = Violation {
            requirement,
            call: 0,
            attempt: None,
            deployment: None,
            pointer: None,
            kind: ClientViolation::InventedSuccess.into(),
            verdict: Verdict::Fail,
            declared: None,
        };
        holds_without_attempt(&family.expect("the scenario is in the suite")[0], &violation)
    };
    assert!(of(Some(Code::Auth05), "auth/nobody-without-a-key"));
    assert!(of(Some(Code::Control01), "control/members-of-other-gateways"));
    assert!(!of(Some(Code::Route03), "control/members-of-other-gateways"));
    assert!(!of(Some(Code::Client05), "routing/refused-connection-alone"));
}
