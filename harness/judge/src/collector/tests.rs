//! Tests the verdict of violations by level, severity and the target's capabilities, with hand-made
//! evidence.

use fallproof_suite::requirement::Code;

use crate::testing::{CALL, Case, TWO};

const TRIED_TWICE: &str = "`primary` was tried 2 times; with `retries: 0` the limit is 1";

/// A case whose target waives this requirement.
fn waiving(code: Code, case: Case) -> Case {
    case.declaring(|it| {
        it.waived.insert(code, "it is like that".to_owned());
    })
}

/// A call of a scenario that proves FP-ROUTE-03; the first deployment is tried twice.
fn tried_twice() -> Case {
    tried_twice_to_prove("FP-ROUTE-03")
}

fn tried_twice_to_prove(codes: &str) -> Case {
    let text =
        format!("proves: [{codes}]\n{TWO}group: {{ chain: [primary, backup] }}\nsteps:\n{CALL}");
    Case::of(&text).attempt("primary").failing(500, None).attempt("primary")
}

#[test]
fn a_policy_may_be_waived() {
    assert_eq!(tried_twice().found("ROUTE"), [format!("FP-ROUTE-05 {TRIED_TWICE}")]);
    let waived = waiving(Code::Route05, tried_twice()).found("ROUTE");
    assert_eq!(waived, [format!("FP-ROUTE-05 (exempt: it is like that) {TRIED_TWICE}")]);
}

#[test]
fn consequences_of_a_waived_requirement_are_exempt() {
    let waived = waiving(Code::Route03, tried_twice()).found("ROUTE");
    assert_eq!(waived, [format!("FP-ROUTE-05 (exempt: it is like that) {TRIED_TWICE}")]);
    // Waiving a requirement that the scenario does not prove has no consequences.
    let waived = waiving(Code::Route10, tried_twice()).found("ROUTE");
    assert_eq!(waived, [format!("FP-ROUTE-05 {TRIED_TWICE}")]);
}

#[test]
fn a_leak_is_not_a_consequence_of_another_waiver() {
    let case = |case: Case| case.attempt("primary").got_header("x-base", "http://127.0.0.1:4010");
    let text = format!(
        "proves: [FP-ROUTE-03]\n{TWO}group: {{ chain: [primary, backup] }}\nsteps:\n{CALL}"
    );
    let told = "the response header `x-base` leaks the address of `primary`";
    let waived = waiving(Code::Route03, case(Case::of(&text))).found("LEAK");
    assert_eq!(waived, [format!("FP-LEAK-04 (warns) {told}")]);
    let waived = waiving(Code::Leak04, case(Case::of(&text))).found("LEAK");
    assert_eq!(waived, [format!("FP-LEAK-04 (exempt: it is like that) {told}")]);
}

#[test]
fn a_requirement_that_the_scenario_proves_is_never_a_consequence() {
    let case = tried_twice_to_prove("FP-ROUTE-03, FP-ROUTE-05");
    assert_eq!(waiving(Code::Route03, case).found("ROUTE"), [format!("FP-ROUTE-05 {TRIED_TWICE}")]);
}

#[test]
fn an_invariant_cannot_be_waived() {
    let case = waiving(Code::Auth01, Case::with_policy("").attempt("primary"));
    let wanted = "FP-AUTH-01 attempt 1 at `primary` has no `authorization` header";
    assert_eq!(case.without_header("authorization").found("AUTH"), [wanted]);
}

#[test]
fn only_so_many_violations_that_are_alike_are_kept() {
    let many: Vec<_> = (0..1_000).map(|number| format!(r#""x{number}":1"#)).collect();
    let body = format!(r#"{{"model":"gpt-4o","messages":[],{}}}"#, many.join(","));
    let added = tried_twice().carrying(&body).found("PAYLOAD");
    let of = |code: &str| added.iter().filter(|it| it.starts_with(code)).count();
    assert_eq!((of("FP-PAYLOAD-01"), added.len() > 50), (50, true), "others are kept, too");
}
