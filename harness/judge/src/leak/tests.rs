//! Tests each LEAK requirement, with hand-made evidence.

use fallproof_suite::requirement::Code;
use rstest::rstest;

use crate::testing::{CALL, Case, TWO};

#[track_caller]
fn assert_found(case: Case, wanted: &[&str]) {
    case.assert_found("LEAK", wanted);
}

fn two() -> Case {
    Case::with_policy("")
}

#[test]
fn a_call_without_names_violates_nothing() {
    assert_found(two().attempt("primary").failing(500, None).attempt("backup"), &[]);
    assert_found(two().got(503, "{}"), &[]);
}

// 01 and 04

const ADDRESS: &str = "127.0.0.1:4010";

#[rstest]
#[case::host(ADDRESS, "primary")]
#[case::path("/by.hand/backup", "backup")]
#[case::both("127.0.0.1:4010/by.hand/backup", "backup")]
fn no_response_leaks_an_address(#[case] address: &str, #[case] of: &str) {
    let case = || two().attempt("primary").failing(500, None);
    let wanted = format!("01 the response leaks the address of `{of}`");
    assert_found(case().got(500, format!("Connect to {address} failed.")), &[&wanted]);
    let wanted = format!("the response header `x-served-by` leaks the address of `{of}`");
    let shown = || case().got_header("x-served-by", address);
    assert_found(shown(), &[&format!("04 (warns) {wanted}")]);
    let waived = shown().declaring(|it| {
        it.waived.insert(Code::Leak04, "it is for debugging".to_owned());
    });
    assert_found(waived, &[&format!("04 (exempt: it is for debugging) {wanted}")]);
}

#[test]
fn an_address_that_the_client_sent_is_not_leaked() {
    let case = two().sending("x-portkey-custom-host", ADDRESS).attempt("primary");
    let case = case.failing(500, None).got(500, format!("Connect to {ADDRESS} failed."));
    assert_found(case.got_header("x-served-by", ADDRESS), &[]);
}

// 02

#[rstest]
#[case::of_another("/by.hand/backup", &["02 attempt 1 at `primary` carries the address of `backup`"])]
#[case::its_own("/by.hand/primary", &[])]
#[case::that_all_share(ADDRESS, &[])]
fn no_attempt_carries_the_address_of_another(#[case] address: &str, #[case] wanted: &[&str]) {
    // The name of an unnamed group is part of each deployment's address, so this case names its
    // group.
    let call = CALL.replace("send: {", "send: { to: eu,");
    let text = format!("{TWO}groups: {{ eu: {{ chain: [primary, backup] }} }}\nsteps:\n{call}");
    let case = || Case::of(&text).attempt("primary");
    assert_found(case().with_header("referer", &format!("http://{address}")), wanted);
    assert_found(case().with_instead("Hi", address), wanted);
}

// 03

#[test]
fn no_attempt_carries_the_groups_name() {
    let wanted =
        "03 attempt 1 at `primary` carries `by.hand`, the gateway's name for the model group";
    let case = || two().attempt("primary");
    assert_found(case().with_header("x-group", "by.hand"), &[wanted]);
    assert_found(case().with_instead("\"gpt-4o\"", "\"by.hand\""), &[wanted]);
}

#[test]
fn the_name_of_the_scenario_in_an_address_is_not_the_groups_name() {
    let case = || two().attempt("primary");
    let url = format!("http://{ADDRESS}/by.hand/primary/v1");
    assert_found(case().with_header("referer", &url), &[]);
    assert_found(case().with_instead("Hi", &url), &[]);
    let wanted =
        "03 attempt 1 at `primary` carries `by.hand`, the gateway's name for the model group";
    assert_found(case().with_header("referer", &format!("{url}?group=by.hand")), &[wanted]);
}

#[test]
fn a_group_name_that_is_not_secret_may_be_carried() {
    let body = r#"{"model":"{{model}}","messages":[],"user":"by.hand"}"#;
    assert_found(Case::with_body(body).attempt("primary"), &[]);
    let text = "
deployments: { primary: { provider: azure, model: gpt-4o, deployment_name: by.hand, script: [ok] } }
group: { chain: [primary] }
steps:
";
    assert_found(Case::of(&format!("{text}{CALL}")).attempt("primary"), &[]);
}

// 05

#[rstest]
#[case::of_another("backup-4o", &["05 attempt 1 at `primary` carries `backup-4o`, the name of `backup`"])]
#[case::of_a_model("gpt-4o", &[])]
fn no_attempt_carries_the_name_of_another(#[case] name: &str, #[case] wanted: &[&str]) {
    let case = || two().attempt("primary");
    assert_found(case().with_header("x-tried", name), wanted);
    assert_found(case().with_instead("Hi", name), wanted);
    assert_found(case().asking_for(&format!("/v1/{name}"), None), wanted);
}

#[test]
fn a_public_model_name_is_not_secret() {
    let deployments = TWO.replace("model: gpt-4o, deployment_name: backup-4o", "model: o3");
    let text = format!("{deployments}group: {{ chain: [primary, backup] }}\nsteps:\n{CALL}");
    assert_found(Case::of(&text).attempt("primary").with_header("x-tried", "o3"), &[]);
}

#[test]
fn a_name_that_the_client_sent_may_be_carried() {
    let body = r#"{"model":"{{model}}","messages":[],"user":"backup-4o"}"#;
    assert_found(Case::with_body(body).attempt("primary"), &[]);
    assert_found(two().attempt("backup"), &[]);
}

// 06

const TRACE: &str = "'NoneType' object has no attribute 'get'";

fn failed(message: &str) -> String {
    format!(r#"{{"error":{{"message":"It failed: {message}"}}}}"#)
}

#[test]
fn no_response_shows_a_trace_of_the_gateway() {
    let case = || two().attempt("primary").failing(500, None);
    let shows = format!("shows an error of Python's runtime: {TRACE}");
    let wanted = format!("06 the response {shows}");
    assert_found(case().got(500, failed(TRACE)), &[&wanted]);
    assert_found(two().got(500, failed(TRACE)), &[&wanted]);
    let wanted = format!("06 the response header `x-error` {shows}");
    assert_found(case().got_header("x-error", TRACE), &[&wanted]);
    assert_found(case().got(500, failed("try again")), &[]);
}

#[test]
fn a_trace_that_a_provider_or_the_client_wrote_is_not_the_gateways() {
    let case = two().attempt("primary").answered(500, failed(TRACE));
    assert_found(case.got(500, failed(TRACE)), &[]);
    let case = two().attempt("primary").answered(500, failed(TRACE)).attempt("backup");
    assert_found(case.failing(500, None).got(500, failed(TRACE)), &[]);
    let body =
        r#"{"model":"{{model}}","messages":[],"user":"'NoneType' object has no attribute 'get'"}"#;
    assert_found(Case::with_body(body).attempt("primary").got(500, failed(TRACE)), &[]);
    // The request log contains only a part of the reply.
    let case = two().attempt("primary").answered(500, "x").answer_recorded_in_part();
    assert_found(case.got(500, failed(TRACE)), &[]);
}

// 07

fn two_groups() -> Case {
    Case::of(&format!(
        "{TWO}groups: {{ eu: {{ chain: [primary] }}, us: {{ chain: [backup] }} }}\nsteps:\n{}",
        CALL.replace("send: {", "send: { to: eu,"),
    ))
}

#[rstest]
#[case::group("by.hand.us", &["07 the response names `by.hand.us`, a group that the client did not ask for"])]
#[case::deployment("by.hand.us.backup", &["07 the response names `by.hand.us.backup`, a deployment of `by.hand.us`, which the client did not ask for"])]
#[case::chosen("backup-4o", &["07 the response names `backup-4o`, a deployment of `by.hand.us`, which the client did not ask for"])]
#[case::its_own("by.hand.eu", &[])]
#[case::of_its_own("by.hand.eu.primary", &[])]
#[case::of_a_model("gpt-4o", &[])]
#[case::english("primary", &[])]
#[case::longer("by.hand.us-2", &[])]
fn no_response_names_another_group(#[case] name: &str, #[case] wanted: &[&str]) {
    let case = || two_groups().attempt("primary").failing(500, None);
    assert_found(case().got(500, failed(name)), wanted);
    // A name that a provider's answer contains may be passed on.
    let case = two_groups().attempt("primary").answered(500, failed(name));
    assert_found(case.got(500, failed(name)), &[]);
}

#[test]
fn a_group_may_name_the_deployments_of_its_own() {
    assert_found(two().attempt("primary").failing(500, None).got(500, failed("backup-4o")), &[]);
}

#[rstest]
#[case::group("'other.case'", &["07 the response names `other.case`, a group that the client did not ask for"])]
#[case::deployment("other.case.backup", &["07 the response names `other.case.backup`, a deployment of `other.case`, which the client did not ask for"])]
#[case::both("other.case, other.case.backup", &["07 the response names `other.case`, a group that the client did not ask for"])]
#[case::all("more.case other.case/", &["07 the response names 2 groups that the client did not ask for, such as `more.case`"])]
#[case::no_deployment("other.case.third", &[])]
#[case::an_address("http://10.0.0.1/other.case/primary", &[])]
#[case::longer("other.cases", &[])]
#[case::in_no_folder("single", &[])]
fn no_response_names_a_group_of_another_scenario(#[case] text: &str, #[case] wanted: &[&str]) {
    let beside = |case: Case| {
        let case = case.beside_a_scenario("other/case").beside_a_scenario("more/case");
        case.beside_a_scenario("single")
    };
    let case = || beside(two()).attempt("primary");
    assert_found(case().failing(500, None).got(500, failed(text)), wanted);
    assert_found(case().answered(500, failed(text)).got(500, failed(text)), &[]);
    let body = format!(r#"{{"model":"{{{{model}}}}","messages":[],"user":"{text}"}}"#);
    assert_found(beside(Case::with_body(&body)).attempt("primary").got(500, failed(text)), &[]);
}
