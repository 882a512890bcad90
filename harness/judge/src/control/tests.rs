//! Tests each CONTROL requirement, with hand-made evidence.

use fallproof_suite::requirement::Code;
use rstest::rstest;

use crate::testing::Case;

#[track_caller]
fn assert_found(case: Case, wanted: &[&str]) {
    case.assert_found("CONTROL", wanted);
}

/// A call whose body has this additional member.
fn with_member(member: &str) -> Case {
    Case::with_body(&format!(r#"{{"model":"{{{{model}}}}","messages":[],{member}}}"#))
}

const STEERING: &str = r#""fallbacks":["other"]"#;
const PASSED_OVER: &str = "the call went to `backup` before `primary` was tried";

// 01

#[rstest]
#[case::member(STEERING, Some("fallbacks"))]
#[case::in_metadata(r#""metadata":{"model_info":{}}"#, Some("metadata.model_info"))]
#[case::unknown(r#""metadata":{"ours":1}"#, None)]
#[case::of_the_api(r#""seed":7"#, None)]
fn no_member_of_a_body_controls_the_gateway(#[case] member: &str, #[case] name: Option<&str>) {
    let wanted = name.map(|name| format!("01 with `{name}` in the client's body, {PASSED_OVER}"));
    assert_found(with_member(member).attempt("backup"), wanted.as_deref().as_slice());
}

#[test]
fn a_body_controls_the_gateway_if_the_call_leaves_the_chain() {
    let case = || with_member(STEERING);
    let wanted = |how: &str| format!("01 with `fallbacks` in the client's body, {how}");
    let not_asked = wanted("`backup` was not tried");
    assert_found(case().attempt("primary").failing(500, None), &[&not_asked]);
    let no_attempt = wanted("the call succeeded without an attempt at the chain");
    assert_found(case().got(200, "{}"), &[&no_attempt]);
    assert_found(case().attempt("primary"), &[]);
    assert_found(case().attempt("primary").failing(500, None).attempt("backup"), &[]);
    // A gateway may reject the call itself.
    assert_found(case().got(400, "{}"), &[]);
    // The target declares that it never falls back.
    let case = case().attempt("primary").failing(500, None);
    assert_found(case.declaring(|it| it.fallback_on = Some(Vec::new())), &[]);
}

// 02

#[test]
fn no_header_controls_the_gateway() {
    let case = |headers: &str| Case::with_headers(headers);
    let steering = || case("X-Portkey-Config: none").attempt("backup");
    let wanted = format!("with the client's header `X-Portkey-Config`, {PASSED_OVER}");
    assert_found(steering(), &[&format!("02 {wanted}")]);
    assert_found(case("x-portkey-config: none").attempt("primary"), &[]);
    assert_found(case("x-mine: none").attempt("backup"), &[]);
    let waived = steering().declaring(|it| {
        it.waived.insert(Code::Control02, "it takes them".to_owned());
    });
    assert_found(waived, &[&format!("02 (exempt: it takes them) {wanted}")]);
}

// 03

const KEY: &str = "sk-of-somebody-else";

#[rstest]
#[case::header(Case::with_headers("x-api-key: sk-of-somebody-else"))]
#[case::member(with_member(r#""api_key":"sk-of-somebody-else""#))]
#[case::in_metadata(with_member(r#""metadata":{"api_key":"sk-of-somebody-else"}"#))]
fn no_key_of_a_client_is_forwarded_in_a_header(#[case] case: Case) {
    let wanted = "03 attempt 1 at `primary` carries a key from the client's request";
    let case = case.attempt("primary").with_header("authorization", &format!("Bearer {KEY}"));
    assert_found(case, &[wanted]);
}

#[test]
fn a_key_may_be_dropped_and_other_headers_forwarded() {
    assert_found(Case::with_headers(&format!("x-api-key: {KEY}")).attempt("primary"), &[]);
    let case = Case::with_headers("x-mine: value").attempt("primary");
    assert_found(case.with_header("x-mine", "value"), &[]);
    assert_found(Case::with_headers("x-api-key: ''").attempt("primary"), &[]);
}
