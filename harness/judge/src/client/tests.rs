//! Tests each CLIENT requirement, with hand-made evidence.

use fallproof_protocol::coding::Coding;
use fallproof_protocol::provider::{Endpoint, Surface};
use fallproof_suite::evidence::Ending;
use fallproof_suite::requirement::Code;
use rstest::rstest;

use crate::testing::{CALL, Case, TWO};
use crate::verdict::Outcome;

#[track_caller]
fn assert_found(case: Case, wanted: &[&str]) {
    case.assert_found("CLIENT", wanted);
}

fn two() -> Case {
    Case::with_policy("")
}

/// A call that fails at every deployment. The last one fails with this status.
fn failed(status: u16) -> Case {
    two().attempt("primary").failing(503, None).attempt("backup").failing(status, None)
}

/// Two calls to two deployments, `apart_ms` apart.
fn calls(policy: &str, apart_ms: u64) -> Case {
    let group = format!("group: {{ chain: [primary, backup], {policy} }}");
    let wait = format!("  - advance_ms: {apart_ms}\n");
    Case::of(&format!("{TWO}{group}\nsteps:\n{CALL}{wait}{CALL}"))
}

fn error(message: &str) -> String {
    format!(r#"{{"error":{{"message":"{message}"}}}}"#)
}

/// A case whose target waives this requirement.
fn waiving(code: Code) -> impl Fn(Case) -> Case {
    move |case| {
        case.declaring(|it| {
            it.waived.insert(code, "it is like that".to_owned());
        })
    }
}

#[test]
fn an_unaltered_response_violates_nothing() {
    assert_found(two().attempt("primary"), &[]);
    assert_found(two().attempt("primary").broken().attempt("backup"), &[]);
    assert_found(failed(500), &[]);
    assert_found(two().attempt("primary").broken().attempt("backup").broken(), &[]);
}

// 01 and 02

const ANSWER: &str = r#"{"id":"1","model":"gpt-4o","choices":[{"index":0,"message":{"content":"Yes","refusal":null},"finish_reason":"stop"}],"usage":{"total_tokens":3}}"#;

#[rstest]
#[case::content_changed("Yes", "No", &["01 /choices/0/message/content of the response differs from the answer of `primary`"])]
#[case::content_lost(r#""message":{"content":"Yes","refusal":null},"#, "", &["01 /choices/0/message of the response differs from the answer of `primary`"])]
#[case::no_json("{\"id\"", "id", &["01 `primary` answered with JSON, but the client did not get JSON"])]
#[case::id_lost(r#""id":"1","#, "", &["02 (warns) /id of the response differs from the answer of `primary`"])]
#[case::usage_changed("3", "4", &["02 (warns) /usage/total_tokens of the response differs from the answer of `primary`"])]
#[case::reason_lost(r#","finish_reason":"stop""#, "", &["02 (warns) /choices/0/finish_reason of the response differs from the answer of `primary`"])]
#[case::null_left_out(r#","refusal":null"#, "", &[])]
#[case::value_instead_of_null("null", "\"x\"", &[])]
#[case::member_added(r#""id""#, r#""provider":"openai","id""#, &[])]
#[case::groups_model("gpt-4o", "by.hand", &[])]
fn a_success_has_the_providers_content(
    #[case] from: &str,
    #[case] to: &str,
    #[case] wanted: &[&str],
) {
    let case = two().attempt("primary").answered(200, ANSWER);
    assert!(ANSWER.contains(from));
    assert_found(case.got(200, ANSWER.replacen(from, to, 1)), wanted);
}

#[rstest]
#[case::cut_list(r#"{"data":["a","b"]}"#, r#"{"data":["a"]}"#, &["01 /data of the response differs from the answer of `primary`"])]
#[case::content_before_remarks(r#"{"choices":[{"content_filter_results":{"x":1},"text":"a"}]}"#, r#"{"choices":[{"text":"b"}]}"#, &["01 /choices/0/text of the response differs from the answer of `primary`"])]
#[case::empty_list_left_out(r#"{"data":["a"],"tools":[]}"#, r#"{"data":["a"]}"#, &[])]
#[case::equal_numbers(r#"{"data":[1]}"#, r#"{"data":[1.0]}"#, &[])]
fn values_are_compared_by_meaning(#[case] given: &str, #[case] got: &str, #[case] wanted: &[&str]) {
    assert_found(two().attempt("primary").answered(200, given).got(200, got), wanted);
}

#[rstest]
#[case::as_asked("base64", NUMBERS, BASE64, &[])]
#[case::by_default("float", BASE64, NUMBERS, &[])]
#[case::numbers_for_base64("base64", BASE64, NUMBERS, &[ANOTHER_VECTOR])]
#[case::base64_for_numbers("float", NUMBERS, BASE64, &[ANOTHER_VECTOR])]
fn an_embedding_has_the_format_that_the_client_asked_for(
    #[case] format: &str,
    #[case] given: &str,
    #[case] got: &str,
    #[case] wanted: &[&str],
) {
    let body = format!(r#"{{"model":"{{{{model}}}}","input":"a","encoding_format":"{format}"}}"#);
    let body = serde_json::to_string(&body).expect("a string serializes");
    let text = format!(
        "deployments: {{ primary: {{ provider: openai, model: text-embedding-3-small, script: [ok] }} }}\n\
         group: {{ chain: [primary] }}\nsteps:\n  - send: {{ endpoint: embeddings, body_json: {body} }}\n"
    );
    let answer = |vector: &str| format!(r#"{{"data":[{{"embedding":{vector}}}]}}"#);
    let case = Case::of(&text).attempt("primary").answered(200, answer(given));
    assert_found(case.got(200, answer(got)), wanted);
}

const NUMBERS: &str = "[0.5]";
const BASE64: &str = r#""AAAAPw==""#;
const ANOTHER_VECTOR: &str =
    "01 /data/0/embedding of the response differs from the answer of `primary`";

#[test]
fn a_transcript_is_compared_except_for_surrounding_whitespace() {
    let text = "
deployments: { primary: { provider: openai, model: whisper-1, script: [ok] } }
group: { chain: [primary] }
steps:
  - send: { endpoint: audio/transcriptions, form: [{ name: file, filename: a.wav, audio_silence_ms: 10 }] }
";
    let case = || Case::of(text).attempt("primary").answered_as("text/plain", 200, "Hello\n");
    assert_found(case().got(200, "Hello"), &[]);
    let wanted = "01 the response differs from the answer of `primary`: 6 bytes became 4";
    assert_found(case().got(200, "Hell"), &[wanted]);
    assert_found(case().answer_recorded_in_part().got(200, "Hell"), &[]);
}

#[test]
fn a_translated_answer_is_not_compared() {
    let case = two().attempt("primary").answered(200, r#"{"id":"1","output":["Yes"]}"#);
    let case = case.asking_for("/v1/responses", Some((Surface::OpenAi, Endpoint::Responses)));
    assert_found(case.got(200, r#"{"choices":["Yes"]}"#), &[]);
}

#[rstest]
#[case::complete("RIFF", &[])]
#[case::cut("RIF", &["01 the response differs from the answer of `primary`: 4 bytes became 3"])]
fn audio_is_compared_byte_for_byte(#[case] got: &str, #[case] wanted: &[&str]) {
    let text = "
deployments: { primary: { provider: openai, model: tts-1, script: [ok] } }
group: { chain: [primary] }
steps:
  - send: { endpoint: audio/speech, body: { input: Hi, voice: alloy } }
";
    let case = Case::of(text).attempt("primary").answered_as("audio/mpeg", 200, "RIFF");
    assert_found(case.got(200, got), wanted);
}

/// A call for a stream that the first deployment answers.
fn streamed() -> Case {
    let case = Case::with_body(r#"{"model":"{{model}}","messages":[],"stream":true}"#);
    case.attempt("primary").streaming(STREAM)
}

const STREAM: &str = r#"data: {"id":"1","model":"gpt-4o","choices":[],"prompt_filter_results":[1]}

data: {"id":"1","model":"gpt-4o","choices":[{"delta":{"content":"Yes"}}]}

data: [DONE]

"#;

#[rstest]
#[case::same("", "", &[])]
#[case::left_out("data: {\"id\":\"1\",\"model\":\"gpt-4o\",\"choices\":[],\"prompt_filter_results\":[1]}\n\n", "", &["02 (warns) attempt 1 sent metadata that did not reach the client: {\"id\":\"1\",\"model\":\"gpt-4o\",\"choices\":[],\"prompt_filter_results\":[1]}"])]
#[case::changed(r#"{"id":"1","model":"gpt-4o","choices":[{"#, r#"{"id":"2","model":"gpt-4o","choices":[{"#, &["02 (warns) /id of event 2 differs from what attempt 1 sent: {\"id\":\"2\",\"model\":\"gpt-4o\",\"choices\":[{\"delta\":{\"content\":\"Yes\"}}]}"])]
fn a_stream_keeps_its_metadata(#[case] from: &str, #[case] to: &str, #[case] wanted: &[&str]) {
    assert!(STREAM.contains(from));
    assert_found(streamed().got_stream(STREAM.replacen(from, to, 1)), wanted);
}

// 03, 04 and 13

#[test]
fn a_response_has_content_of_one_deployment() {
    let case = || two().attempt("primary").failing(500, None).attempt("backup");
    let mark = |deployment: &str| case().deployment(deployment).marker().token().to_owned();
    let body = |text: &str| format!(r#"{{"choices":["{text}"]}}"#);
    let (one, both) = (body(&mark("backup")), body(&(mark("primary") + &mark("backup"))));
    assert_found(case().answered(200, &one).got(200, one), &[]);
    let wanted = "03 the response mixes content of `primary`, `backup`";
    assert_found(case().answered(200, &both).got(200, &both), &[wanted]);
    // An error may quote any deployment.
    assert_found(case().failing(500, None).got(500, error(&both.replace('"', ""))), &[]);
}

#[rstest]
#[case::refused(400)]
#[case::overloaded(503)]
fn a_failure_must_not_become_a_success(#[case] status: u16) {
    let wanted = "04 every attempt failed, but the client got a success status";
    assert_found(failed(status).got(200, "{}"), &[wanted]);
    assert_found(failed(status), &[]);
    let mark = two().deployment("primary").marker().token().to_owned();
    assert_found(failed(status).got(200, format!("[\"{mark}\"]")), &[wanted]);
    // No attempt failed.
    assert_found(two().got(200, "{}"), &[]);
}

#[test]
fn no_content_comes_from_another_group() {
    let groups = "
deployments:
  primary: { provider: openai, model: gpt-4o, script: [ok] }
  other: { provider: openai, model: gpt-4o, script: [ok] }
groups: { eu: { chain: [primary] }, us: { chain: [other] } }
steps:
  - send: { to: eu, endpoint: chat/completions, body: { messages: [{ role: user, content: Hi }] } }
";
    let case = || Case::of(groups).attempt("primary");
    assert_found(case(), &[]);
    let mark = case().deployment("other").marker().token().to_owned();
    let wanted =
        "13 the response to a call for `eu` has content of `other`, which belongs to another group";
    assert_found(case().failing(500, None).got(500, error(&mark)), &[wanted]);
}

// 05, 06 and 08

#[rstest]
#[case::right(r#"{"error":{"message":"It failed."}}"#, &[])]
#[case::text("Internal Server Error", &["05 the 500 response is text, not JSON with an `error` object"])]
#[case::page("\n<html>Bad Gateway</html>", &["05 the 500 response is HTML, not JSON with an `error` object"])]
#[case::empty("", &["05 the 500 response has an empty body, not JSON with an `error` object"])]
#[case::no_object(r#"{"error":"It failed."}"#, &["05 the 500 response has no `error` object with a `message`"])]
#[case::no_message(r#"{"error":{"code":500}}"#, &["05 the 500 response has no `error` object with a `message`"])]
fn an_error_has_openai_format(#[case] got: &str, #[case] wanted: &[&str]) {
    assert_found(failed(500).got(500, got), wanted);
}

#[rstest]
#[case::refused_and_reported(400, 400, None)]
#[case::refused_and_reported_by_another(422, 400, None)]
#[case::refused(400, 500, Some("400"))]
#[case::rate_limited(429, 500, Some("429"))]
#[case::rate_limited_and_reported(429, 503, None)]
#[case::overloaded(503, 400, Some("503"))]
#[case::overloaded_and_reported(503, 502, None)]
#[case::the_operators_mistake(401, 500, None)]
fn an_error_status_matches_the_failure(
    #[case] failed: u16,
    #[case] got: u16,
    #[case] wanted: Option<&str>,
) {
    let message = error("It failed.");
    let case = || two().attempt("primary").failing(failed, None).got(got, &message);
    let wanted =
        wanted.map(|it| format!("the client got status {got}; the providers' failures were {it}"));
    let breach: Vec<_> = wanted.iter().map(|it| format!("06 {it}")).collect();
    assert_found(case(), &breach.iter().map(String::as_str).collect::<Vec<_>>());
    let exempt: Vec<_> =
        wanted.iter().map(|it| format!("06 (exempt: it is like that) {it}")).collect();
    let exempt: Vec<_> = exempt.iter().map(String::as_str).collect();
    assert_found(waiving(Code::Client06)(case()), &exempt);
}

/// A gateway may refuse a call, but not one that it accepted before.
#[rstest]
#[case::refused(400, CALL, true)]
#[case::not_found(404, CALL, true)]
#[case::limited(429, CALL, false)]
#[case::another_call(400, &CALL.replace("Hi", "Bye"), false)]
fn a_call_that_succeeded_before_is_not_refused(
    #[case] status: u16,
    #[case] then: &str,
    #[case] is_wrong: bool,
) {
    let text = format!("{TWO}group: {{ chain: [primary, backup] }}\nsteps:\n{CALL}{then}");
    let case = Case::of(&text).attempt("primary").next_call().got(status, error("No."));
    let wanted = format!("06 the client got status {status} without an attempt at any deployment");
    let wanted: Vec<_> = is_wrong.then_some(&*wanted).into_iter().collect();
    assert_found(case, &wanted);
    assert_found(two().wired().got(status, error("No.")), &[]);
}

#[rstest]
#[case::of_the_gateway(500, &["06 the client got status 500 without an attempt at any deployment"])]
#[case::overloaded(503, &["06 the client got status 503 without an attempt at any deployment"])]
#[case::not_there(501, &[])]
#[case::rate_limited(429, &[])]
fn a_gateway_fails_only_if_a_deployment_has_failed(#[case] status: u16, #[case] wanted: &[&str]) {
    let message = error("It failed.");
    assert_found(two().wired().got(status, &message), wanted);
    // It is unknown whether the group reaches the mocks.
    assert_found(two().got(status, &message), &[]);
    // An earlier call reached the mocks.
    let text = format!("{TWO}group: {{ chain: [primary, backup] }}\nsteps:\n{CALL}{CALL}");
    let case = || Case::of(&text).attempt("primary");
    assert_found(case().next_call().got(status, &message), wanted);
    // One deployment has not failed yet.
    let case = || case().failing(500, None).attempt("backup");
    assert_found(case().next_call().got(status, &message), wanted);
    assert_found(case().failing(429, None).next_call().got(status, &message), &[]);
}

#[test]
fn a_failure_without_an_attempt_may_have_a_cause_that_is_not_seen() {
    let message = error("It failed.");
    let refusing = TWO.replacen("script: [ok]", "script: [connection_refused]", 1);
    let text = format!("{refusing}group: {{ chain: [primary, backup] }}\nsteps:\n{CALL}");
    assert_found(Case::of(&text).wired().got(500, &message), &[]);
    let call = CALL.replace("body:", "key: none, body:");
    let text = format!("{TWO}group: {{ chain: [primary, backup] }}\nsteps:\n{call}");
    assert_found(Case::of(&text).wired().got(500, &message), &[]);
    let calls = CALL.replace("  - send:", "      - send:").replace("Hi", "'{{call}}'");
    let text = format!("{TWO}group: {{ chain: [primary, backup] }}\nsteps:\n  - parallel:\n");
    let text = format!("{text}{calls}{calls}");
    assert_found(Case::of(&text).wired().got(503, &message), &[]);
}

#[rstest]
#[case::answered(ANSWER, &["06 `primary` answered, but the client got status 502"])]
#[case::without_content(r#"{"id":"chatcmpl-1"}"#, &[])]
fn an_answer_does_not_become_an_error(#[case] answer: &str, #[case] wanted: &[&str]) {
    let case = || two().attempt("primary").answered(200, answer);
    assert_found(case().got(502, error("It failed.")), wanted);
    assert_found(case().client_gone().got(502, error("It failed.")), &[]);
    let fallen_back = two().attempt("backup").failing(500, None).attempt("primary");
    assert_found(fallen_back.answered(200, answer).got(502, error("It failed.")), wanted);
}

#[test]
fn a_stream_that_was_answered_does_not_become_an_error() {
    let wanted = "06 `primary` answered, but the client got status 500";
    assert_found(streamed().got(500, error("It failed.")), &[wanted]);
    // The client did not ask for a stream.
    let case = two().attempt("primary").streaming(STREAM);
    assert_found(case.got(500, error("It failed.")), &[]);
}

#[test]
fn an_incomplete_answer_is_not_a_client_error() {
    let case = two().attempt("primary").failing(500, None).attempt("backup").broken();
    let wanted =
        "06 the client got status 400; the providers' failures were 500, an incomplete answer";
    assert_found(case.got(400, error("It failed.")), &[wanted]);
}

#[test]
fn a_refused_connection_counts_as_a_failure() {
    let deployments = TWO.replacen("script: [ok]", "script: [connection_refused]", 1);
    let text = format!("{deployments}group: {{ chain: [primary, backup] }}\nsteps:\n{CALL}");
    let case = || Case::of(&text).attempt("backup").failing(400, None);
    assert_found(case().got(502, error("It failed.")), &[]);
}

#[rstest]
#[case::same(r#"{"error":{"message":"Unknown parameter. See https://a.example."}}"#, &[])]
#[case::wrapped(r#"{"error":{"message":"openai: Unknown parameter."}}"#, &[])]
#[case::masked(r#"{"error":{"message":"Bad request."}}"#, &["08 `primary` refused the request, but its reason is not in the error message"])]
#[case::no_place(r#"{"error":"Bad request."}"#, &["05 the 400 response has no `error` object with a `message`"])]
fn the_reason_of_a_refusal_is_reported(#[case] got: &str, #[case] wanted: &[&str]) {
    let refusal = error("Unknown parameter. See https://a.example.");
    assert_found(two().attempt("primary").answered(400, refusal).got(400, got), wanted);
}

#[test]
fn a_reason_that_quotes_the_key_need_not_be_reported() {
    let case = two().attempt("primary");
    let refusal = error(&format!("Wrong key {}.", case.deployment("primary").key));
    assert_found(case.answered(400, refusal).got(400, error("Wrong key.")), &[]);
}

// 07 and 10

#[rstest]
#[case::reported(429, Some("60"), &[])]
#[case::later(503, Some("61"), &[])]
#[case::nothing(429, None, &["07 `backup` asked for a wait of 60 s; the client got status 429 with no Retry-After"])]
#[case::too_early(503, Some("5"), &["07 `backup` asked for a wait of 60 s; the client got status 503 with a wait of 5 s"])]
#[case::of_another_kind(502, None, &[])]
fn the_requested_wait_is_reported(
    #[case] status: u16,
    #[case] wait: Option<&str>,
    #[case] wanted: &[&str],
) {
    let case = failed(503).answered_with("retry-after", "60").got(status, error("It failed."));
    assert_found(
        wait.into_iter().fold(case, |case, wait| case.got_header("retry-after", wait)),
        wanted,
    );
}

/// The last deployment asks for 40 seconds.
#[rstest]
#[case::when_the_first_is_back(Some("20"), "20", true)]
#[case::in_between(Some("20"), "30", true)]
#[case::too_early(Some("20"), "19", false)]
#[case::nothing_asked_by_the_first(None, "39", false)]
#[case::what_the_last_asked_for(None, "40", true)]
fn the_wait_may_end_when_the_first_deployment_is_back(
    #[case] first: Option<&str>,
    #[case] reported: &str,
    #[case] is_right: bool,
) {
    let case = two().attempt("primary").failing(429, None);
    let case = first.into_iter().fold(case, |case, it| case.answered_with("retry-after", it));
    let case = case.attempt("backup").failing(429, None).answered_with("retry-after", "40");
    let case = case.got(429, error("All are overloaded.")).got_header("retry-after", reported);
    let told = format!("status 429 with a wait of {reported} s");
    let wanted = format!("07 `backup` asked for a wait of 40 s; the client got {told}");
    assert_found(case, Some(wanted.as_str()).filter(|_| !is_right).as_slice());
}

#[test]
fn without_retry_after_no_wait_is_required() {
    assert_found(failed(429), &[]);
    let asked = failed(503).answered_with("retry-after", "60").got(503, error("It failed."));
    let wanted = "07 (exempt: it is like that) `backup` asked for a wait of 60 s; the client \
                got status 503 with no Retry-After";
    assert_found(waiving(Code::Client07)(asked), &[wanted]);
}

#[test]
fn a_wait_can_be_requested_in_several_formats() {
    let case = |headers: &[(&str, &str)]| {
        let asked = |case: Case, (name, value): &(&str, &str)| case.answered_with(name, value);
        headers.iter().fold(failed(503), asked).got(503, error("It failed."))
    };
    let wanted = |wait: &str| {
        format!(
            "07 `backup` asked for a wait of {wait}; the client got status 503 with no Retry-After"
        )
    };
    let until = ("retry-after", "Thu, 01 Jan 1970 00:01:00 GMT");
    let from = ("date", "Thu, 01 Jan 1970 00:00:30 GMT");
    assert_found(case(&[("retry-after-ms", "1500"), ("retry-after", "60")]), &[&wanted("1.5 s")]);
    assert_found(case(&[("retry-after-ms", "0"), ("retry-after", "60")]), &[&wanted("60 s")]);
    assert_found(case(&[until, from]), &[&wanted("30 s")]);
    // The answer came 40 ms after the start of the run.
    assert_found(case(&[until]), &[&wanted("59.96 s")]);
    assert_found(case(&[("retry-after", "soon")]), &[]);
}

#[rstest]
#[case::reported(503, Some("20"), None)]
#[case::rounded(429, Some("21"), None)]
#[case::nothing(503, None, Some("503 with no Retry-After"))]
#[case::too_early(503, Some("19"), Some("503 with a wait of 19 s"))]
#[case::too_late(503, Some("60"), Some("503 with a wait of 60 s"))]
#[case::of_another_kind(500, Some("20"), Some("500 with a wait of 20 s"))]
fn if_all_are_cooling_down_the_earliest_end_is_reported(
    #[case] status: u16,
    #[case] wait: Option<&str>,
    #[case] wanted: Option<&str>,
) {
    let case =
        calls("cooldown: { after_failures: 1, duration_ms: 30000 }", 10_000).attempt("primary");
    let case = case.failing(500, None).attempt("backup").failing(500, None).next_call();
    let case = case.got(status, error("All are cooling down."));
    let case = wait.into_iter().fold(case, |case, wait| case.got_header("Retry-After", wait));
    let wanted = wanted.map(|it| {
        format!(
            "10 all deployments are cooling down (first one back in 20000 ms); the client got \
             status {it}"
        )
    });
    assert_found(case, wanted.as_deref().as_slice());
}

#[test]
fn if_a_deployment_can_be_tried_no_cooldown_is_reported() {
    let case = calls("cooldown: { after_failures: 1, duration_ms: 30000 }", 10_000);
    let case = case.attempt("primary").failing(500, None).attempt("backup").next_call();
    let wanted = "06 the client got status 503 without an attempt at any deployment";
    assert_found(case.got(503, error("It failed.")), &[wanted]);
    // An attempt was made too early; the `Retry-After` of its answer does not speak for the other
    // deployments.
    let case =
        calls("cooldown: { after_failures: 1, duration_ms: 30000 }", 10_000).attempt("primary");
    let case = case.failing(500, None).attempt("backup").failing(500, None).next_call();
    assert_found(case.attempt("primary").failing(503, None), &[]);
}

// 09

#[rstest]
#[case::own("gpt-4o", &[])]
#[case::groups("by.hand", &[])]
#[case::of_no_deployment("best-model", &[])]
#[case::of_another("backup-4o", &["09 the response names the model backup-4o of `backup`, but `primary` answered"])]
fn a_response_names_the_model_that_answered(#[case] named: &str, #[case] wanted: &[&str]) {
    let case = two().attempt("primary").answered(200, ANSWER);
    assert_found(case.got(200, ANSWER.replace("gpt-4o", named)), wanted);
    assert_found(streamed().got_stream(STREAM.replace("gpt-4o", named)), wanted);
    assert_found(failed(500).got(500, error(named)), &[]);
}

#[test]
fn a_stream_is_attributed_to_the_last_attempt_with_content() {
    let case = streamed().cut_after(STREAM.len() - "data: [DONE]\n\n".len());
    let named = STREAM.replace("gpt-4o", "backup-4o");
    assert_found(case.attempt("backup").streaming(&named).got_stream(named), &[]);
}

#[test]
fn a_group_may_have_the_name_of_another_deployment() {
    let deployments = TWO.replace("backup-4o", "by.hand");
    let text = format!("{deployments}group: {{ chain: [primary, backup] }}\nsteps:\n{CALL}");
    let case = Case::of(&text).attempt("primary").answered(200, ANSWER);
    assert_found(case.got(200, ANSWER.replace("gpt-4o", "by.hand")), &[]);
}

#[test]
fn a_waived_model_name_is_exempt() {
    let case = two().attempt("primary").answered(200, ANSWER);
    let case = waiving(Code::Client09)(case.got(200, ANSWER.replace("gpt-4o", "backup-4o")));
    let wanted = "the response names the model backup-4o of `backup`, but `primary` answered";
    assert_found(case, &[&format!("09 (exempt: it is like that) {wanted}")]);
}

// 11

#[rstest]
#[case::in_time(Ending::Complete, None)]
#[case::silent(
    Ending::TimedOut,
    Some("did not complete its response within the client's `--timeout`")
)]
#[case::closed(Ending::Closed, Some("closed the connection before the response was complete"))]
#[case::reset(Ending::Reset, Some("reset the connection before the response was complete"))]
#[case::gone(Ending::Unreachable("refused".to_owned()), Some("could not be reached (refused)"))]
#[case::disconnected(Ending::Disconnected, None)]
fn every_call_gets_a_response(#[case] ending: Ending, #[case] wanted: Option<&str>) {
    let wanted = wanted.map(|it| format!("11 the target {it}"));
    assert_found(two().attempt("primary").ended_with(ending), wanted.as_deref().as_slice());
}

#[test]
fn an_interrupted_response_counts_as_a_response() {
    assert_found(two().attempt("primary").got(200, "").ended_with(Ending::Closed), &[]);
    let wanted = "11 the target began its response, but did not end it within the limit of 0 ms";
    assert_found(two().attempt("primary").got(200, "").ended_with(Ending::TimedOut), &[wanted]);
}

// 12

#[rstest]
#[case::of_the_failed("x-request-id", "one", &["12 the response has `x-request-id` of attempt 1, which failed at `primary`"])]
#[case::of_the_answering("x-request-id", "two", &[])]
#[case::of_the_gateway("x-request-id", "three", &[])]
#[case::of_every_server("Server", "cloud", &[])]
fn no_header_comes_from_a_failed_attempt(
    #[case] name: &str,
    #[case] value: &str,
    #[case] wanted: &[&str],
) {
    let case = two().attempt("primary").failing(500, None).answered_with("x-request-id", "one");
    let case = case.answered_with("server", "cloud").attempt("backup").answered(200, ANSWER);
    let case = case.answered_with("x-request-id", "two").got(200, ANSWER);
    assert_found(case.got_header(name, value), wanted);
}

#[rstest]
#[case::of_the_failed("request-id", "req_0000000001", true)]
#[case::of_the_failed_under_a_longer_name("llm-x-request-id", "req_0000000001", true)]
#[case::of_the_answering("request-id", "req_0000000002", false)]
#[case::of_the_client("request-id", "req_0000000003", false)]
#[case::another_value("x-processing", "241-milliseconds", false)]
fn the_id_of_a_failed_attempts_answer_is_known_under_any_name(
    #[case] name: &str,
    #[case] value: &str,
    #[case] is_stale: bool,
) {
    let call = CALL.replace("body:", "headers: { x-my-id: req_0000000003 }, body:");
    let text = format!("{TWO}group: {{ chain: [primary, backup] }}\nsteps:\n{call}");
    let case = Case::of(&text).attempt("primary").failing(500, None);
    let case = case.answered_with("x-request-id", "req_0000000001");
    let case = case.answered_with("x-ms-client-request-id", "req_0000000003");
    let case = case.answered_with("openai-processing-ms", "241-milliseconds");
    let case = case.attempt("backup").answered(200, ANSWER);
    let case = case.answered_with("x-request-id", "req_0000000002").got(200, ANSWER);
    let wanted = format!("12 the response has `{name}` of attempt 1, which failed at `primary`");
    let wanted = [wanted.as_str()];
    assert_found(case.got_header(name, value), if is_stale { &wanted } else { &[] });
}

#[test]
fn a_success_has_no_header_of_a_failed_attempt() {
    let quoting = ANSWER.replace("Yes", "It failed.");
    let case = two().attempt("primary").failing(500, None).answered_with("x-request-id", "one");
    let case = case.attempt("backup").answered(200, &quoting).got(200, quoting);
    let wanted = "12 the response has `x-request-id` of attempt 1, which failed at `primary`";
    assert_found(case.got_header("x-request-id", "one"), &[wanted]);
}

#[test]
fn an_error_has_the_headers_of_the_attempt_that_it_reports() {
    let case = |message: &str| {
        let case = two().attempt("primary").answered(503, error("Overloaded."));
        let case = case.answered_with("x-request-id", "one");
        let case = case.attempt("backup").failing(500, None).got(503, error(message));
        case.got_header("x-request-id", "one")
    };
    assert_found(case("Overloaded."), &[]);
    let wanted = "12 the response has `x-request-id` of attempt 1, which failed at `primary`";
    assert_found(case("Nobody answered."), &[wanted]);
}

// 14

/// A successful call whose client sends this `accept-encoding` header.
fn accepting(accepted: &str) -> Case {
    two().attempt("primary").sending("host", "x").sending("accept-encoding", accepted)
}

fn packed(text: &str) -> Vec<u8> {
    Coding::Gzip.packed([text.as_bytes()]).concat()
}

#[test]
fn a_body_in_the_coding_that_its_header_names_is_correct() {
    let answer = two().attempt("primary").answered(200, ANSWER);
    let labeled = answer.got(200, packed(ANSWER)).got_header("content-encoding", "gzip");
    assert_found(labeled, &[]);
    let empty = two().attempt("primary").failing(500, None).got(500, error("It failed."));
    assert_found(empty.got_header("content-encoding", "identity"), &[]);
    let body = r#"{"model":"gpt-4o","messages":[{"role":"user","content":"Hi"}]}"#;
    let attempt = two().attempt("primary").carrying(packed(body));
    let attempt = attempt.with_header("content-encoding", "gzip");
    assert_eq!(attempt.judge().violations, []);
    assert_found(accepting("br, gzip").got_header("content-encoding", "br"), &[]);
}

#[rstest]
#[case::kept(ANSWER.into(), "gzip", "the response says `content-encoding: gzip`, but its body is not in gzip")]
#[case::lost(
    packed(ANSWER),
    "identity",
    "the response has a body in gzip, but no `content-encoding`"
)]
#[case::cut_short([packed(ANSWER)[..10].to_vec(), vec![0xff; 40]].concat(), "x-gzip", "the response says `content-encoding: gzip`, but its body is not in gzip")]
fn a_response_does_not_lie_about_its_coding(
    #[case] body: Vec<u8>,
    #[case] coding: &str,
    #[case] told: &str,
) {
    let case = two().attempt("primary").answered(200, ANSWER).got(200, body);
    let found = case.got_header("content-encoding", coding).found("CLIENT");
    assert!(found.contains(&format!("FP-CLIENT-14 {told}")), "{found:?}");
}

#[test]
fn an_attempt_does_not_lie_about_its_coding() {
    let case = two().attempt("primary").with_header("content-encoding", "gzip");
    assert_found(
        case,
        &["14 attempt 1 says `content-encoding: gzip`, but its body is not in gzip"],
    );
    let case = two().attempt("primary").carrying(packed("{}"));
    assert_found(case, &["14 attempt 1 has a body in gzip, but no `content-encoding`"]);
}

#[test]
fn a_response_has_a_coding_that_the_client_accepts() {
    let told = "the response has the content coding `br`, which the client does not accept";
    for refused in ["identity", "gzip", "br;q=0, *"] {
        let case = accepting(refused).got_header("content-encoding", "br");
        assert_found(case, &[&format!("14 {told}")]);
    }
    let silent = two().attempt("primary").got_header("content-encoding", "br");
    assert_found(silent, &[]);
}

#[test]
fn a_body_may_be_in_zstd() {
    let zstd = Coding::Zstd.packed([ANSWER.as_bytes()]).concat();
    let case = |body: Vec<u8>| two().attempt("primary").answered(200, ANSWER).got(200, body);
    assert_found(case(zstd.clone()).got_header("content-encoding", "zstd"), &[]);
    let found = |case: Case| case.found("CLIENT");
    let wrong =
        "FP-CLIENT-14 the response says `content-encoding: zstd`, but its body is not in zstd";
    let labeled = |body: Vec<u8>| found(case(body).got_header("content-encoding", "zstd"));
    assert!(labeled(ANSWER.into()).contains(&wrong.to_owned()));
    assert!(labeled(packed(ANSWER)).contains(&wrong.to_owned()));
    let wrong = "FP-CLIENT-14 the response has a body in zstd, but no `content-encoding`";
    assert!(found(case(zstd)).contains(&wrong.to_owned()));
}

#[rstest]
#[case("gzip")]
#[case("zstd")]
fn a_packed_call_is_understood_or_refused(#[case] coding: &str) {
    let call = CALL.replace("body:", &format!("encoding: {coding}, body:"));
    let case = || Case::of(&format!("{TWO}group: {{ chain: [primary, backup] }}\nsteps:\n{call}"));
    assert_found(case().attempt("primary"), &[]);
    assert_found(case().got(415, error("No.")), &[]);
    let provider = case().attempt("primary").failing(500, None).attempt("backup");
    assert_found(provider.failing(500, None), &[]);
    let told =
        format!("the client sent its body in {coding} and got status 500 without an attempt");
    assert_found(case().got(500, error("Oh.")), &[&format!("14 {told}")]);
}

// 15

/// A successful call whose response has this framing.
fn framed(headers: &[(&str, &str)], bytes: &str) -> Case {
    let case = two().attempt("primary").answered(200, ANSWER).got(200, ANSWER);
    case.got_framed(headers, bytes)
}

const LENGTH: (&str, &str) = ("Content-Length", "2");
const CHUNKED: (&str, &str) = ("transfer-encoding", "Chunked");

#[rstest]
#[case::length(&[LENGTH], "{}", &[])]
#[case::length_twice(&[LENGTH, LENGTH], "{}", &[])]
#[case::chunks(&[CHUNKED], "2\r\n{}\r\n0\r\nx-took: 1\r\n\r\n", &[])]
#[case::end_of_connection(&[], "{}", &[])]
#[case::both(&[CHUNKED, LENGTH], "2\r\n{}\r\n0\r\n\r\n", &["15 the response has both `content-length` and `transfer-encoding`"])]
#[case::unknown_coding(&[("transfer-encoding", "xchunked")], "{}", &["15 the response has the transfer coding `xchunked`; clients only know `chunked`"])]
#[case::another_coding(&[("transfer-encoding", "gzip"), CHUNKED], "0\r\n\r\n", &["15 the response has the transfer coding `gzip, chunked`; clients only know `chunked`"])]
#[case::second_response(&[LENGTH], "{}HTTP/1.1 200 OK\r\n\r\n", &["15 19 bytes follow the end of the response: HTTP/1.1 200 OK\r\n\r\n"])]
#[case::length_too_short(&[LENGTH], r#"{"a":1}"#, &[r#"15 5 bytes follow the end of the response: a":1}"#])]
#[case::bytes_after_chunks(&[CHUNKED], "0\r\n\r\n0\r\n\r\n", &["15 5 bytes follow the end of the response: 0\r\n\r\n"])]
fn a_response_says_in_one_way_where_it_ends(
    #[case] headers: &[(&str, &str)],
    #[case] bytes: &str,
    #[case] wanted: &[&str],
) {
    assert_found(framed(headers, bytes), wanted);
}

#[test]
fn a_response_is_http() {
    let ending = Ending::NotHttp("invalid chunk size".to_owned());
    let wanted = "15 the response is not HTTP: invalid chunk size";
    assert_found(two().attempt("primary").ended_with(ending), &[wanted]);
}

#[test]
fn the_framing_of_a_response_counts_without_an_attempt() {
    let case = two().got(400, error("No.")).got_framed(&[CHUNKED, LENGTH], "0\r\n\r\n");
    assert_eq!(case.judge().outcome, Outcome::Fail);
}

#[test]
fn an_incomplete_response_has_nothing_after_its_end() {
    let case = framed(&[("content-length", "9")], "{}").ended_with(Ending::Closed);
    assert_found(case, &[]);
}
