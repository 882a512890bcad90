//! Each requirement of CLIENT on evidence made by hand.

use fallproof_protocol::provider::{Endpoint, Surface};
use fallproof_suite::evidence::Ending;
use fallproof_suite::requirement::Code;
use rstest::rstest;

use crate::testing::{CALL, Case, TWO};

#[track_caller]
fn assert_found(case: Case, told: &[&str]) {
    case.assert_found("CLIENT", told);
}

fn two() -> Case {
    Case::with_policy("")
}

/// A call that every deployment fails, the last of them with this status.
fn failed(status: u16) -> Case {
    two().attempt("primary").failing(503, None).attempt("backup").failing(status, None)
}

/// Two calls of two deployments, so much time apart.
fn calls(policy: &str, apart_ms: u64) -> Case {
    let group = format!("group: {{ chain: [primary, backup], {policy} }}");
    let wait = format!("  - advance_ms: {apart_ms}\n");
    Case::of(&format!("{TWO}{group}\nsteps:\n{CALL}{wait}{CALL}"))
}

fn error(message: &str) -> String {
    format!(r#"{{"error":{{"message":"{message}"}}}}"#)
}

/// A case whose target does not claim this requirement.
fn waiving(code: Code) -> impl Fn(Case) -> Case {
    move |case| {
        case.declaring(|it| {
            it.waived.insert(code, "it is like that".to_owned());
        })
    }
}

#[test]
fn what_is_passed_on_breaks_nothing() {
    assert_found(two().attempt("primary"), &[]);
    assert_found(two().attempt("primary").broken().attempt("backup"), &[]);
    assert_found(failed(500), &[]);
    assert_found(two().attempt("primary").broken().attempt("backup").broken(), &[]);
}

// 01 and 02

const ANSWER: &str = r#"{"id":"1","model":"gpt-4o","choices":[{"index":0,"message":{"content":"Yes","refusal":null},"finish_reason":"stop"}],"usage":{"total_tokens":3}}"#;

#[rstest]
#[case::content_changed("Yes", "No", &["01 /choices/0/message/content of the answer is not what primary gave there"])]
#[case::content_lost(r#""message":{"content":"Yes","refusal":null},"#, "", &["01 /choices/0/message of the answer is not what primary gave there"])]
#[case::no_json("{\"id\"", "id", &["01 primary answered JSON, the client got none"])]
#[case::id_lost(r#""id":"1","#, "", &["02 (warns) /id of the answer is not what primary gave there"])]
#[case::cost_changed("3", "4", &["02 (warns) /usage/total_tokens of the answer is not what primary gave there"])]
#[case::reason_lost(r#","finish_reason":"stop""#, "", &["02 (warns) /choices/0/finish_reason of the answer is not what primary gave there"])]
#[case::null_left_out(r#","refusal":null"#, "", &[])]
#[case::told_in_place_of_null("null", "\"x\"", &[])]
#[case::more_told(r#""id""#, r#""provider":"openai","id""#, &[])]
#[case::groups_model("gpt-4o", "by.hand", &[])]
fn a_success_is_what_the_provider_gave(
    #[case] from: &str,
    #[case] to: &str,
    #[case] told: &[&str],
) {
    let case = two().attempt("primary").answered(200, ANSWER);
    assert!(ANSWER.contains(from));
    assert_found(case.got(200, ANSWER.replacen(from, to, 1)), told);
}

#[rstest]
#[case::cut_list(r#"{"data":["a","b"]}"#, r#"{"data":["a"]}"#, &["01 /data of the answer is not what primary gave there"])]
#[case::content_before_remarks(r#"{"choices":[{"content_filter_results":{"x":1},"text":"a"}]}"#, r#"{"choices":[{"text":"b"}]}"#, &["01 /choices/0/text of the answer is not what primary gave there"])]
#[case::vector_in_base64(r#"{"data":[{"embedding":[0.5]}]}"#, r#"{"data":[{"embedding":"AAAAPw=="}]}"#, &[])]
#[case::empty_list_left_out(r#"{"data":["a"],"tools":[]}"#, r#"{"data":["a"]}"#, &[])]
#[case::equal_numbers(r#"{"data":[1]}"#, r#"{"data":[1.0]}"#, &[])]
fn values_are_compared_by_what_they_say(
    #[case] given: &str,
    #[case] got: &str,
    #[case] told: &[&str],
) {
    assert_found(two().attempt("primary").answered(200, given).got(200, got), told);
}

#[test]
fn a_transcript_is_told_but_for_the_blanks_around_it() {
    let text = "
deployments: { primary: { provider: openai, model: whisper-1, script: [ok] } }
group: { chain: [primary] }
steps:
  - send: { endpoint: audio/transcriptions, form: [{ name: file, filename: a.wav, audio_silence_ms: 10 }] }
";
    let case = || Case::of(text).attempt("primary").answered_as("text/plain", 200, "Hello\n");
    assert_found(case().got(200, "Hello"), &[]);
    let told = "01 the answer is not what primary gave: 6 bytes became 4";
    assert_found(case().got(200, "Hell"), &[told]);
    assert_found(case().answer_kept_in_part().got(200, "Hell"), &[]);
}

#[test]
fn a_translated_answer_has_another_shape() {
    let case = two().attempt("primary").answered(200, r#"{"id":"1","output":["Yes"]}"#);
    let case = case.asking_for("/v1/responses", Some((Surface::OpenAi, Endpoint::Responses)));
    assert_found(case.got(200, r#"{"choices":["Yes"]}"#), &[]);
}

#[rstest]
#[case::whole("RIFF", &[])]
#[case::cut("RIF", &["01 the answer is not what primary gave: 4 bytes became 3"])]
fn sound_is_what_it_is(#[case] got: &str, #[case] told: &[&str]) {
    let text = "
deployments: { primary: { provider: openai, model: tts-1, script: [ok] } }
group: { chain: [primary] }
steps:
  - send: { endpoint: audio/speech, body: { input: Hi, voice: alloy } }
";
    let case = Case::of(text).attempt("primary").answered_as("audio/mpeg", 200, "RIFF");
    assert_found(case.got(200, got), told);
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
#[case::left_out("data: {\"id\":\"1\",\"model\":\"gpt-4o\",\"choices\":[],\"prompt_filter_results\":[1]}\n\n", "", &["02 (warns) attempt 1 sent what was left out: {\"id\":\"1\",\"model\":\"gpt-4o\",\"choices\":[],\"prompt_filter_results\":[1]}"])]
#[case::changed(r#"{"id":"1","model":"gpt-4o","choices":[{"#, r#"{"id":"2","model":"gpt-4o","choices":[{"#, &["02 (warns) /id of event 2 is not what attempt 1 sent there: {\"id\":\"2\",\"model\":\"gpt-4o\",\"choices\":[{\"delta\":{\"content\":\"Yes\"}}]}"])]
fn a_stream_keeps_what_stands_beside_the_content(
    #[case] from: &str,
    #[case] to: &str,
    #[case] told: &[&str],
) {
    assert!(STREAM.contains(from));
    assert_found(streamed().got_stream(STREAM.replacen(from, to, 1)), told);
}

// 03, 04 and 13

#[test]
fn one_deployment_speaks() {
    let case = || two().attempt("primary").failing(500, None).attempt("backup");
    let mark = |deployment: &str| case().deployment(deployment).marker().token().to_owned();
    let words = |words: &str| format!(r#"{{"choices":["{words}"]}}"#);
    let (one, both) = (words(&mark("backup")), words(&(mark("primary") + &mark("backup"))));
    assert_found(case().answered(200, &one).got(200, one), &[]);
    let told = "03 one answer holds the words of primary and backup";
    assert_found(case().answered(200, &both).got(200, &both), &[told]);
    // An error may quote whom it likes.
    assert_found(case().failing(500, None).got(500, error(&both.replace('"', ""))), &[]);
}

#[rstest]
#[case::refused(400)]
#[case::overloaded(503)]
fn a_failure_is_no_success(#[case] status: u16) {
    let told = "04 every attempt failed, and the client was told of a success";
    assert_found(failed(status).got(200, "{}"), &[told]);
    assert_found(failed(status), &[]);
    let mark = two().deployment("primary").marker().token().to_owned();
    assert_found(failed(status).got(200, format!("[\"{mark}\"]")), &[told]);
    // Nobody has failed.
    assert_found(two().got(200, "{}"), &[]);
}

#[test]
fn nobody_of_another_group_speaks() {
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
    let told = "13 the call asked for eu and holds the words of other, which is of another group";
    assert_found(case().failing(500, None).got(500, error(&mark)), &[told]);
}

// 05, 06 and 08

#[rstest]
#[case::right(r#"{"error":{"message":"It failed."}}"#, &[])]
#[case::text("Internal Server Error", &["05 the 500 has no `error` object with a `message`"])]
#[case::no_object(r#"{"error":"It failed."}"#, &["05 the 500 has no `error` object with a `message`"])]
#[case::no_message(r#"{"error":{"code":500}}"#, &["05 the 500 has no `error` object with a `message`"])]
fn an_error_has_its_shape(#[case] got: &str, #[case] told: &[&str]) {
    assert_found(failed(500).got(500, got), told);
}

#[rstest]
#[case::refused_and_so_told(400, 400, None)]
#[case::refused_and_told_by_another(422, 400, None)]
#[case::refused(400, 500, Some("400; the client got 500"))]
#[case::too_many_calls(429, 500, Some("429; the client got 500"))]
#[case::too_many_calls_and_so_told(429, 503, None)]
#[case::overloaded(503, 400, Some("503; the client got 400"))]
#[case::overloaded_and_so_told(503, 502, None)]
#[case::the_operators_mistake(401, 500, None)]
fn an_error_has_a_status_of_its_kind(
    #[case] failed: u16,
    #[case] got: u16,
    #[case] told: Option<&str>,
) {
    let message = error("It failed.");
    let case = || two().attempt("primary").failing(failed, None).got(got, &message);
    let told = told.map(|it| format!("the providers' failures were {it}"));
    let breach: Vec<_> = told.iter().map(|it| format!("06 {it}")).collect();
    assert_found(case(), &breach.iter().map(String::as_str).collect::<Vec<_>>());
    let noted: Vec<_> = told.iter().map(|it| format!("06 (noted: it is like that) {it}")).collect();
    let noted: Vec<_> = noted.iter().map(String::as_str).collect();
    assert_found(waiving(Code::Client06)(case()), &noted);
}

#[test]
fn a_broken_answer_is_no_mistake_of_the_client() {
    let case = two().attempt("primary").failing(500, None).attempt("backup").broken();
    let told = "06 the providers' failures were 500, a broken answer; the client got 400";
    assert_found(case.got(400, error("It failed.")), &[told]);
}

#[test]
fn what_became_of_an_attempt_that_cannot_be_seen_is_known() {
    let deployments = TWO.replacen("script: [ok]", "script: [connection_refused]", 1);
    let text = format!("{deployments}group: {{ chain: [primary, backup] }}\nsteps:\n{CALL}");
    let case = || Case::of(&text).attempt("backup").failing(400, None);
    assert_found(case().got(502, error("It failed.")), &[]);
}

#[rstest]
#[case::same(r#"{"error":{"message":"Unknown parameter. See https://a.example."}}"#, &[])]
#[case::wrapped(r#"{"error":{"message":"openai: Unknown parameter."}}"#, &[])]
#[case::masked(r#"{"error":{"message":"Bad request."}}"#, &["08 primary refused the request, and its reason is not told"])]
#[case::no_place(r#"{"error":"Bad request."}"#, &["05 the 400 has no `error` object with a `message`"])]
fn the_reason_of_a_refusal_is_told(#[case] got: &str, #[case] told: &[&str]) {
    let refusal = error("Unknown parameter. See https://a.example.");
    assert_found(two().attempt("primary").answered(400, refusal).got(400, got), told);
}

#[test]
fn a_reason_that_quotes_the_key_need_not_be_told() {
    let case = two().attempt("primary");
    let refusal = error(&format!("Wrong key {}.", case.deployment("primary").key));
    assert_found(case.answered(400, refusal).got(400, error("Wrong key.")), &[]);
}

// 07 and 10

#[rstest]
#[case::told(429, Some("60"), &[])]
#[case::later(503, Some("61"), &[])]
#[case::nothing(429, None, &["07 backup asked to be left alone for 60 s; the 429 tells the client nothing"])]
#[case::too_early(503, Some("5"), &["07 backup asked to be left alone for 60 s; the 503 tells the client 5 s"])]
#[case::of_another_kind(502, None, &[])]
fn when_to_come_back_is_told(
    #[case] status: u16,
    #[case] wait: Option<&str>,
    #[case] told: &[&str],
) {
    let case = failed(503).answered_with("retry-after", "60").got(status, error("It failed."));
    assert_found(
        wait.into_iter().fold(case, |case, wait| case.got_header("retry-after", wait)),
        told,
    );
}

#[test]
fn when_nobody_asked_to_be_left_alone_there_is_nothing_to_tell() {
    assert_found(failed(429), &[]);
    let asked = failed(503).answered_with("retry-after", "60").got(503, error("It failed."));
    let told = "07 (noted: it is like that) backup asked to be left alone for 60 s; the 503 tells \
                the client nothing";
    assert_found(waiving(Code::Client07)(asked), &[told]);
}

#[test]
fn a_wait_is_told_in_several_ways() {
    let case = |headers: &[(&str, &str)]| {
        let asked = |case: Case, (name, value): &(&str, &str)| case.answered_with(name, value);
        headers.iter().fold(failed(503), asked).got(503, error("It failed."))
    };
    let told = |wait: &str| {
        format!("07 backup asked to be left alone for {wait}; the 503 tells the client nothing")
    };
    let until = ("retry-after", "Thu, 01 Jan 1970 00:01:00 GMT");
    let from = ("date", "Thu, 01 Jan 1970 00:00:30 GMT");
    assert_found(case(&[("retry-after-ms", "1500"), ("retry-after", "60")]), &[&told("1.5 s")]);
    assert_found(case(&[("retry-after-ms", "0"), ("retry-after", "60")]), &[&told("60 s")]);
    assert_found(case(&[until, from]), &[&told("30 s")]);
    // The answer came 40 ms after the start of the run.
    assert_found(case(&[until]), &[&told("59.96 s")]);
    assert_found(case(&[("retry-after", "soon")]), &[]);
}

#[rstest]
#[case::told(503, Some("20"), None)]
#[case::rounded(429, Some("21"), None)]
#[case::nothing(503, None, Some("503 and is told nothing"))]
#[case::too_early(503, Some("19"), Some("503 and is told 19 s"))]
#[case::too_late(503, Some("60"), Some("503 and is told 60 s"))]
#[case::of_another_kind(500, Some("20"), Some("500 and is told 20 s"))]
fn when_all_rest_the_end_of_the_first_rest_is_told(
    #[case] status: u16,
    #[case] wait: Option<&str>,
    #[case] told: Option<&str>,
) {
    let case =
        calls("cooldown: { after_failures: 1, duration_ms: 30000 }", 10_000).attempt("primary");
    let case = case.failing(500, None).attempt("backup").failing(500, None).next_call();
    let case = case.got(status, error("They rest."));
    let case = wait.into_iter().fold(case, |case, wait| case.got_header("Retry-After", wait));
    let told = told.map(|it| {
        format!("10 all deployments rest, the first for 20000 ms more; the client got {it}")
    });
    assert_found(case, told.as_deref().as_slice());
}

#[test]
fn when_somebody_can_be_asked_no_end_of_a_rest_is_told() {
    let case = calls("cooldown: { after_failures: 1, duration_ms: 30000 }", 10_000);
    let case = case.attempt("primary").failing(500, None).attempt("backup").next_call();
    assert_found(case.got(503, error("It failed.")), &[]);
    // Somebody was asked too early, and says nothing of the others.
    let case =
        calls("cooldown: { after_failures: 1, duration_ms: 30000 }", 10_000).attempt("primary");
    let case = case.failing(500, None).attempt("backup").failing(500, None).next_call();
    assert_found(case.attempt("primary").failing(503, None), &[]);
}

// 09

#[rstest]
#[case::own("gpt-4o", &[])]
#[case::groups("by.hand", &[])]
#[case::of_nobody("best-model", &[])]
#[case::of_another("backup-4o", &["09 the answer names the model backup-4o, which is that of backup; primary answered"])]
fn an_answer_names_the_model_that_gave_it(#[case] named: &str, #[case] told: &[&str]) {
    let case = two().attempt("primary").answered(200, ANSWER);
    assert_found(case.got(200, ANSWER.replace("gpt-4o", named)), told);
    assert_found(streamed().got_stream(STREAM.replace("gpt-4o", named)), told);
    assert_found(failed(500).got(500, error(named)), &[]);
}

#[test]
fn the_last_of_those_that_spoke_gave_a_stream() {
    let case = streamed().cut_after(STREAM.len() - "data: [DONE]\n\n".len());
    let named = STREAM.replace("gpt-4o", "backup-4o");
    assert_found(case.attempt("backup").streaming(&named).got_stream(named), &[]);
}

#[test]
fn a_group_may_go_by_the_name_of_another_deployment() {
    let deployments = TWO.replace("backup-4o", "by.hand");
    let text = format!("{deployments}group: {{ chain: [primary, backup] }}\nsteps:\n{CALL}");
    let case = Case::of(&text).attempt("primary").answered(200, ANSWER);
    assert_found(case.got(200, ANSWER.replace("gpt-4o", "by.hand")), &[]);
}

#[test]
fn a_model_is_named_as_the_target_claims() {
    let case = two().attempt("primary").answered(200, ANSWER);
    let case = waiving(Code::Client09)(case.got(200, ANSWER.replace("gpt-4o", "backup-4o")));
    let told = "the answer names the model backup-4o, which is that of backup; primary answered";
    assert_found(case, &[&format!("09 (noted: it is like that) {told}")]);
}

// 11

#[rstest]
#[case::in_time(Ending::Complete, None)]
#[case::silent(Ending::TimedOut, Some("did not finish its answer in time"))]
#[case::closed(Ending::Closed, Some("closed the connection before its answer was through"))]
#[case::reset(Ending::Reset, Some("reset the connection before its answer was through"))]
#[case::gone(Ending::Unreachable("refused".to_owned()), Some("could not be reached (refused)"))]
#[case::left(Ending::Disconnected, None)]
fn every_call_is_answered(#[case] ending: Ending, #[case] told: Option<&str>) {
    let told = told.map(|it| format!("11 the target {it}"));
    assert_found(two().attempt("primary").ended(ending), told.as_deref().as_slice());
}

#[test]
fn an_answer_that_breaks_off_is_one() {
    assert_found(two().attempt("primary").got(200, "").ended(Ending::Closed), &[]);
    let told = "11 the target did not finish its answer in time";
    assert_found(two().attempt("primary").got(200, "").ended(Ending::TimedOut), &[told]);
}

// 12

#[rstest]
#[case::of_the_failed("x-request-id", "one", &["12 the answer has `x-request-id` of attempt 1, which failed at primary"])]
#[case::of_the_answering("x-request-id", "two", &[])]
#[case::of_the_gateway("x-request-id", "three", &[])]
#[case::of_every_server("Server", "cloud", &[])]
fn no_header_is_of_a_failed_attempt(
    #[case] name: &str,
    #[case] value: &str,
    #[case] told: &[&str],
) {
    let case = two().attempt("primary").failing(500, None).answered_with("x-request-id", "one");
    let case = case.answered_with("server", "cloud").attempt("backup").answered(200, ANSWER);
    let case = case.answered_with("x-request-id", "two").got(200, ANSWER);
    assert_found(case.got_header(name, value), told);
}

#[test]
fn a_success_tells_of_no_failed_attempt() {
    let quoting = ANSWER.replace("Yes", "It failed.");
    let case = two().attempt("primary").failing(500, None).answered_with("x-request-id", "one");
    let case = case.attempt("backup").answered(200, &quoting).got(200, quoting);
    let told = "12 the answer has `x-request-id` of attempt 1, which failed at primary";
    assert_found(case.got_header("x-request-id", "one"), &[told]);
}

#[test]
fn an_error_has_the_headers_of_the_attempt_that_it_tells_of() {
    let case = |words: &str| {
        let case = two().attempt("primary").answered(503, error("Overloaded."));
        let case = case.answered_with("x-request-id", "one");
        let case = case.attempt("backup").failing(500, None).got(503, error(words));
        case.got_header("x-request-id", "one")
    };
    assert_found(case("Overloaded."), &[]);
    let told = "12 the answer has `x-request-id` of attempt 1, which failed at primary";
    assert_found(case("Nobody answered."), &[told]);
}
