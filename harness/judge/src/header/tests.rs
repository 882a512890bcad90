//! Tests each HEADER requirement, with hand-made evidence.

use fallproof_suite::capabilities::Forwarded;
use fallproof_suite::requirement::Code;
use rstest::rstest;

use crate::testing::{CALL, Case, TWO};

#[track_caller]
fn assert_found(case: Case, wanted: &[&str]) {
    case.assert_found("HEADER", wanted);
}

#[test]
fn headers_that_are_not_forwarded_violate_nothing() {
    let headers =
        "te: trailers, cookie: a=1, x-portkey-mode: single, connection: x-mine, x-mine: a";
    let case = || Case::with_headers(headers);
    assert_found(case().attempt("primary").failing(500, None).attempt("backup"), &[]);
    assert_found(case().got(503, "{}"), &[]);
}

// 01 and 02

#[rstest]
#[case::of_the_connection(
    "TE: trailers",
    "te",
    "trailers",
    Some("01 attempt 1 at `primary` carries the client's `te`")
)]
#[case::of_a_proxy(
    "proxy-authorization: Basic YTpi",
    "proxy-authorization",
    "Basic YTpi",
    Some("01 attempt 1 at `primary` carries the client's `proxy-authorization`")
)]
#[case::named_by_connection(
    "connection: 'close, X-Mine', x-mine: secret",
    "x-mine",
    "secret",
    Some("01 attempt 1 at `primary` carries the client's `x-mine`")
)]
#[case::of_the_gateways_own("te: trailers", "te", "gzip", None)]
#[case::empty("te: ''", "te", "gzip", None)]
#[case::cookie(
    "cookie: a=1",
    "Cookie",
    "a=1",
    Some("02 attempt 1 at `primary` carries the client's `cookie`")
)]
#[case::in_a_list(
    "x-forwarded-for: 192.0.2.1",
    "x-forwarded-for",
    "192.0.2.1, 198.51.100.1",
    Some("02 attempt 1 at `primary` carries the client's `x-forwarded-for`")
)]
#[case::another_address("x-forwarded-for: 192.0.2.1", "x-forwarded-for", "198.51.100.1", None)]
#[case::for_anybody("x-mine: secret", "x-mine", "secret", None)]
fn headers_of_the_client_are_not_forwarded(
    #[case] sent: &str,
    #[case] name: &str,
    #[case] value: &str,
    #[case] wanted: Option<&str>,
) {
    let case = Case::with_headers(sent).attempt("primary").with_header(name, value);
    assert_found(case, wanted.as_slice());
}

// 03

#[rstest]
#[case::for_gateways("X-LiteLLM-Tags", &["03 attempt 1 at `primary` carries `x-litellm-tags`, a header for gateways"])]
#[case::for_providers("openai-organization", &[])]
fn headers_for_gateways_are_not_forwarded(#[case] name: &str, #[case] wanted: &[&str]) {
    let case = Case::with_headers("x-litellm-tags: a").attempt("primary");
    assert_found(case.with_header(name, "a"), wanted);
}

// Headers that the target declares to forward

#[rstest]
#[case::cookie(
    "cookie: a=1",
    "cookie",
    "02 (exempt: it passes headers on) attempt 1 at `primary` carries the client's `cookie`"
)]
#[case::of_a_gateway(
    "X-LiteLLM-Tags: a=1",
    "x-litellm-tags",
    "03 (exempt: it passes headers on) attempt 1 at `primary` carries `x-litellm-tags`, a header for gateways"
)]
#[case::of_the_target_itself(
    "cookie: a=1",
    "x-litellm-tags",
    "03 attempt 1 at `primary` carries `x-litellm-tags`, a header for gateways"
)]
#[case::of_the_connection("te: a=1", "te", "01 attempt 1 at `primary` carries the client's `te`")]
fn a_declared_forward_is_exempt(#[case] sent: &str, #[case] name: &str, #[case] wanted: &str) {
    let case = |header: &str| {
        let case = Case::with_headers(sent).attempt("primary").with_header(name, "a=1");
        let (header, reason) = (header.to_owned(), "it passes headers on".to_owned());
        case.declaring(|it| it.forwards.push(Forwarded { header, reason }))
    };
    assert_found(case("*"), &[wanted]);
    let without = wanted.replace("(exempt: it passes headers on) ", "");
    assert_found(case("x-other-*"), &[&without]);
}

// 04

#[rstest]
#[case::with_parameters(&["Application/JSON; charset=utf-8"], &[])]
#[case::none(&[], &["04 the client sent JSON, but the content type of attempt 1 at `primary` is none"])]
#[case::another(&["text/plain"], &["04 the client sent JSON, but the content type of attempt 1 at `primary` is text/plain"])]
#[case::twice(&["application/json", "application/json"], &["04 the client sent JSON, but the content type of attempt 1 at `primary` is application/json, application/json"])]
fn json_has_its_content_type_exactly_once(#[case] kinds: &[&str], #[case] wanted: &[&str]) {
    let case = Case::with_policy("").attempt("primary").without_header("content-type");
    let case = kinds.iter().fold(case, |case, kind| case.with_header("content-type", kind));
    assert_found(case, wanted);
}

#[test]
fn a_form_needs_no_json_content_type() {
    let text = "
deployments: { primary: { provider: openai, model: whisper-1, script: [ok] } }
group: { chain: [primary] }
steps:
  - send: { endpoint: audio/transcriptions, form: [{ name: file, filename: a.wav, audio_silence_ms: 10 }] }
";
    assert_found(Case::of(text).attempt("primary"), &[]);
}

// 05

#[test]
fn openai_beta_is_forwarded() {
    let case = || Case::with_headers("OpenAI-Beta: assistants=v2").attempt("primary");
    let wanted = "attempt 1 at `primary` lacks the client's `OpenAI-Beta`";
    assert_found(case().with_header("openai-beta", "assistants=v2"), &[]);
    assert_found(case(), &[&format!("05 (warns) {wanted}")]);
    let other = case().with_header("openai-beta", "assistants=v1");
    assert_found(other, &[&format!("05 (warns) {wanted}")]);
    let waived = case().declaring(|it| {
        it.waived.insert(Code::Header05, "it knows no betas".to_owned());
    });
    assert_found(waived, &[&format!("05 (exempt: it knows no betas) {wanted}")]);
}

// 06

/// A call to two deployments with different settings.
fn with_settings() -> Case {
    let openai = "organization: org-1, project: proj-1, headers: { x-team: one }";
    let text = TWO
        .replacen("script:", &format!("{openai}, query: {{ region: eu }}, script:"), 1)
        .replacen("4o, script:", "4o, headers: { x-team: two }, query: { region: us }, script:", 1);
    Case::of(&format!("{text}group: {{ chain: [primary, backup] }}\nsteps:\n{CALL}"))
}

fn to_primary(case: Case, team: &str, target: &str) -> Case {
    let case = case.attempt("primary").with_header("OpenAI-Organization", "org-1");
    let case = case.with_header("openai-project", "proj-1").with_header("x-team", team);
    case.asking_for(target, None)
}

#[test]
fn an_attempt_has_the_settings_of_its_deployment() {
    let own = || to_primary(with_settings(), "one", "/v1/x?region=eu").failing(500, None);
    let backup = own().attempt("backup").with_header("x-team", "two");
    assert_found(backup.asking_for("/x?api-version=1&region=us", None), &[]);
    let wanted = [
        "06 attempt 2 at `backup` lacks the header `x-team` that is configured for it",
        "06 attempt 2 at `backup` lacks the query parameter `region` that is configured for it",
    ];
    assert_found(own().attempt("backup"), &wanted);
    let case = own().attempt("backup").with_header("x-team", "one").with_header("x-team", "two");
    let wanted =
        "06 attempt 2 at `backup` has the header `x-team` that is configured for `primary`";
    assert_found(case.asking_for("/x?region=us", None), &[wanted]);
}

#[rstest]
#[case::another_value("/v1/x?region=eur")]
#[case::a_part("/v1/x?my-region=eu")]
#[case::nothing("/v1/x")]
fn a_query_is_compared_as_a_whole(#[case] target: &str) {
    let wanted =
        "06 attempt 1 at `primary` lacks the query parameter `region` that is configured for it";
    assert_found(to_primary(with_settings(), "one", target), &[wanted]);
}

#[rstest]
#[case::plain("/x?team-of=a_b-c", true)]
#[case::percent("/x?team%2Dof=a%5Fb%2dc", true)]
#[case::twice("/x?team-of=a%255Fb-c", false)]
#[case::another_value("/x?team-of=a%20b-c", false)]
fn a_query_is_compared_by_its_meaning(#[case] target: &str, #[case] is_there: bool) {
    let text = TWO.replacen("script:", "query: { team-of: a_b-c }, script:", 1);
    let text = format!("{text}group: {{ chain: [primary, backup] }}\nsteps:\n{CALL}");
    let case = Case::of(&text).attempt("primary").asking_for(target, None);
    let wanted =
        ["06 attempt 1 at `primary` lacks the query parameter `team-of` that is configured for it"];
    assert_found(case, if is_there { &[] } else { &wanted });
}
