//! Each requirement of STREAM on evidence made by hand.

use fallproof_protocol::provider::{Endpoint, Surface};
use fallproof_protocol::sse::Event;
use fallproof_suite::evidence::Ending;
use fallproof_suite::requirement::Code;
use rstest::rstest;

use super::beginning;
use crate::testing::Case;

const ANSWER: &str = "role one two stop done";
const OTHER_ANSWER: &str = "role three four stop done";
const FIRST_WORD: &str = "role one";

#[track_caller]
fn assert_found(case: Case, told: &[&str]) {
    case.assert_found("STREAM", told);
}

/// A stream of this deployment, each word of which is an event: it holds that word, or is what the
/// word says.
fn said(of: &str, words: &str) -> String {
    let choice = |choice: &str| format!(r#"{{"id":"{of}","choices":[{{{choice}}}]}}"#);
    let data = |word: &str| match word {
        "role" => choice(r#""delta":{"role":"assistant"}"#),
        "stop" => choice(r#""delta":{},"finish_reason":"stop""#),
        "usage" => format!(r#"{{"id":"{of}","choices":[],"usage":{{"total_tokens":3}}}}"#),
        "error" => r#"{"error":{"message":"Overloaded."}}"#.to_owned(),
        "done" => "[DONE]".to_owned(),
        word => choice(&format!(r#""delta":{{"content":"{word}"}}"#)),
    };
    words.split(' ').flat_map(|word| ["data: ".to_owned(), data(word), "\n\n".to_owned()]).collect()
}

/// The same of the first deployment.
fn primary(words: &str) -> String {
    said("primary", words)
}

fn backup(words: &str) -> String {
    said("backup", words)
}

/// A call of two deployments for a stream, with more members of its body.
fn streamed_with(more: &str) -> Case {
    let messages = r#"[{"role":"user","content":"Hi"}]"#;
    let body = format!(r#"{{"model":"{{{{model}}}}","messages":{messages},"stream":true{more}}}"#);
    Case::with_body(&body)
}

fn streamed() -> Case {
    streamed_with("")
}

/// A call that the first deployment answers.
fn answered() -> Case {
    streamed().attempt("primary").streaming(primary(ANSWER))
}

/// A call whose stream breaks at the first deployment after its first word.
fn interrupted() -> Case {
    answered().cut_after(primary(FIRST_WORD).len())
}

/// A call that fails at the first deployment before any content.
fn failed_early() -> Case {
    streamed().attempt("primary").streaming(primary("error"))
}

/// A call that fails at the first deployment, and that the second one answers.
fn handed_over() -> Case {
    failed_early().attempt("backup").streaming(backup(OTHER_ANSWER))
}

#[test]
fn a_stream_that_is_passed_on_breaks_nothing() {
    for case in [answered(), handed_over(), interrupted()] {
        assert_found(case, &[]);
    }
}

#[test]
fn what_is_not_streamed_is_no_stream() {
    let case = Case::with_policy("").attempt("primary").streaming(primary(ANSWER));
    assert_found(case.got(200, primary("two")), &[]);
    assert_found(streamed().got_stream(primary(ANSWER)), &[]);
    assert_found(answered().got(502, "{}"), &[]);
}

#[test]
fn what_the_request_log_keeps_in_part_is_not_compared() {
    assert_found(answered().answer_kept_in_part().got_stream(primary("nine done")), &[]);
}

// 01 and 02

#[rstest]
#[case::lost(
    "role two stop done",
    "event 2 of attempt 1 was lost, or changed at /choices/0/delta/content: {two}"
)]
#[case::lost_at_the_end("role one done", "event 3 of attempt 1 was lost: {two}")]
#[case::twice("role one two two stop done", "event 4 of attempt 1 came twice: {two}")]
#[case::late("role two one stop done", "event 2 of attempt 1 came too late: {one}")]
#[case::changed(
    "role one 2 stop done",
    "event 3 of attempt 1 was lost, or changed at /choices/0/delta/content: {2}"
)]
#[case::error("role one two stop error done", "event 4 of attempt 1 was never sent: {error}")]
#[case::never_sent("role one two stop three done", "event 4 of attempt 1 was never sent: {three}")]
fn an_event_reaches_the_client_as_it_was_sent(#[case] got: &str, #[case] told: &str) {
    let (told, word) = told.trim_end_matches('}').split_once('{').expect("it names a word");
    let data = primary(word);
    let data = data.trim().trim_start_matches("data: ");
    assert_found(answered().got_stream(primary(got)), &[&format!("01 {told}{data}")]);
}

#[test]
fn an_end_that_holds_the_answer_is_compared() {
    let text = "
deployments: { primary: { provider: openai, model: gpt-4o, script: [ok] } }
group: { chain: [primary] }
steps:
  - send: { endpoint: responses, body: { input: Hi, stream: true } }
";
    let sent = r#"data: {"type":"response.created","response":{"id":"1"}}

data: {"type":"response.output_text.delta","delta":"a"}

data: {"type":"response.completed","response":{"output":["a"]}}

"#;
    let case = || Case::of(text).attempt("primary").streaming(sent);
    assert_found(case(), &[]);
    let told = r#"01 event 3 of attempt 1 was lost, or changed at /response/output/0: {"type":"response.completed","response":{"output":["b"]}}"#;
    assert_found(case().got_stream(sent.replace(r#"["a"]"#, r#"["b"]"#)), &[told]);
}

#[rstest]
#[case::of_another_model(r#"{"id":"#, r#"{"model":"by.hand","id":"#)]
#[case::comments("data: [DONE]", ": processing\n\ndata: [DONE]")]
#[case::other_line_ends("\n", "\r\n")]
fn what_is_no_part_of_an_event_may_differ(#[case] from: &str, #[case] to: &str) {
    assert_found(answered().got_stream(primary(ANSWER).replace(from, to)), &[]);
}

#[test]
fn an_event_keeps_its_name() {
    let got = primary(ANSWER).replacen("data:", "event: chunk\ndata:", 2);
    let told = "01 event 2 of attempt 1 was named \"\" and came as \"chunk\": \
                {\"id\":\"primary\",\"choices\":[{\"delta\":{\"content\":\"one\"}}]}";
    assert_found(answered().got_stream(got), &[told]);
}

#[test]
fn a_stream_does_not_go_on_and_on() {
    let flood = r#"data: {"id":"primary","choices":[]}"#.to_owned() + "\n\n";
    let got = |times: usize| answered().got_stream(primary(ANSWER) + &flood.repeat(times));
    assert_found(got(1_005), &[]);
    let told = "01 the stream goes on for 1 events more, far beyond all that was sent";
    assert_found(got(1_006), &[told]);
}

#[test]
fn a_stream_is_judged_whole_unless_it_goes_on_and_on() {
    let all = vec![Event::new("", "{}"); 5_000];
    assert_eq!(beginning(&all[..1_020], 10).len(), 1_020);
    assert_eq!(beginning(&all, 2_000).len(), 5_000);
    assert_eq!(beginning(&all, 10).len(), 1_020);
}

#[test]
fn an_event_is_spelled_as_it_was_sent() {
    let got = primary(ANSWER).replace(r#""choices":["#, r#""choices": ["#);
    let told = "02 (warns) event 2 of attempt 1 reached the client in another spelling: \
                {\"id\":\"primary\",\"choices\": [{\"delta\":{\"content\":\"one\"}}]}";
    assert_found(answered().got_stream(got), &[told]);
}

// 03

#[test]
fn a_character_reaches_the_client_whole() {
    let case = |sent: &str, got: &str| {
        let case = streamed().attempt("primary").streaming(primary(sent));
        case.got_stream(primary(got))
    };
    assert_found(case("role é stop done", "role é stop done"), &[]);
    // The provider's own.
    assert_found(case("role \u{fffd} stop done", "role \u{fffd} stop done"), &[]);
    let told = "03 event 2 has lost characters of attempt 1: \
                {\"id\":\"primary\",\"choices\":[{\"delta\":{\"content\":\"\u{fffd}\u{fffd}\"}}]}";
    assert_found(case("role é stop done", "role \u{fffd}\u{fffd} stop done"), &[told]);
}

// 04

#[test]
fn nothing_is_seen_of_an_attempt_that_failed() {
    let case = handed_over().got_stream(primary("error") + &backup(OTHER_ANSWER));
    let told =
        r#"04 event 1 is of attempt 1, which had failed: {"error":{"message":"Overloaded."}}"#;
    assert_found(case, &[told]);
}

#[test]
fn a_stream_begins_once() {
    let again = answered().got_stream(primary("role role one two stop done"));
    let told = "04 event 2 begins an answer once more: \
                {\"id\":\"primary\",\"choices\":[{\"delta\":{\"role\":\"assistant\"}}]}";
    assert_found(again, &[told]);
    let with_role =
        primary(ANSWER).replace(r#""content":"two""#, r#""role":"assistant","content":"two""#);
    let told = "04 an event begins an answer once more: \
                {\"id\":\"primary\",\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"two\"}}]}";
    assert_found(answered().got_stream(with_role), &[told]);
}

#[test]
fn each_of_several_answers_begins_once() {
    let role = |index: usize| {
        let delta = r#"{"role":"assistant"}"#;
        format!("data: {{\"choices\":[{{\"index\":{index},\"delta\":{delta}}}]}}\n\n")
    };
    let answer = primary("one done");
    let case = streamed().attempt("primary").streaming(role(0) + &role(1) + &answer);
    let case = case.got_stream(role(0) + &role(0) + &role(1) + &answer);
    let told = "04 event 2 begins an answer once more: \
                {\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\"}}]}";
    assert_found(case, &[told]);
}

// 05 and 06

const SPLICED: &str = "05 event 2 is content of attempt 1 in the answer of attempt 2";
const ASKED_ON: &str =
    "attempt 2 went to backup although the client had content of attempt 1 already";

#[test]
fn a_stream_has_content_of_one_attempt() {
    let case = || interrupted().attempt("backup").streaming(backup(OTHER_ANSWER));
    let spliced = primary(FIRST_WORD) + &backup("three four stop done");
    assert_found(case().got_stream(spliced), &[SPLICED, &format!("06 {ASKED_ON}")]);
    // Of the first attempt nothing was told.
    assert_found(case(), &[]);
}

#[test]
fn who_speaks_in_a_translation_is_told_by_its_mark() {
    let translated = |case: Case, deployment: &str| {
        let words = format!("role {} stop done", case.deployment(deployment).marker().token());
        let case = case.attempt(deployment).streaming(said(deployment, &words));
        case.asking_for("/v1/responses", Some((Surface::OpenAi, Endpoint::Responses)))
    };
    let case = translated(streamed(), "primary");
    let mark = case.deployment("primary").marker().token().to_owned();
    let sent = primary(&format!("role {mark}")).len();
    let case = case.cut_after(sent);
    // A deployment may say the same twice.
    let retried = translated(translated(streamed(), "primary").cut_after(sent), "primary");
    assert_found(retried, &[]);
    let case = translated(case, "backup");
    let own = format!("{} stop done", case.deployment("backup").marker().token());
    let spliced = primary(&format!("role {mark} {own}"));
    let told = "05 content of attempt 1 is in the answer of attempt 2";
    assert_found(case.got_stream(spliced), &[told]);
}

#[test]
fn nobody_is_asked_once_the_client_has_content() {
    let case = || {
        let case = interrupted().attempt("backup").streaming(backup(OTHER_ANSWER));
        case.got_stream(primary(FIRST_WORD)).ended(Ending::Closed)
    };
    assert_found(case(), &[&format!("06 {ASKED_ON}")]);
    let waived = case().declaring(|it| {
        it.waived.insert(Code::Stream06, "it asks everybody".to_owned());
    });
    assert_found(waived, &[&format!("06 (noted: it asks everybody) {ASKED_ON}")]);
}

#[test]
fn who_is_asked_after_a_whole_stream_is_asked_after_a_success() {
    let case = answered().attempt("backup").streaming(backup(OTHER_ANSWER));
    assert_found(case.got_stream(primary(ANSWER)), &[]);
}

// 07

#[test]
fn a_break_is_told_to_the_client() {
    let got = |words: &str| interrupted().got_stream(primary(words));
    let told = "07 attempt 1's stream broke after its first content, and the client's ended as if \
                nothing had happened";
    assert_found(got(FIRST_WORD), &[told]);
    assert_found(got(FIRST_WORD).ended(Ending::Closed), &[]);
    assert_found(got("role one error"), &[]);
    // There is no content to be taken for a whole answer.
    assert_found(got("role"), &[]);
}

#[test]
fn where_all_is_said_there_is_no_break_to_tell_of() {
    let sent = primary(ANSWER).len() - "NE]\n\n".len();
    let case = || answered().cut_after(sent);
    assert_found(case().got_stream(primary("role one two stop")), &[]);
    assert_found(case().got_stream(primary(ANSWER)), &[]);
    let without_done = streamed().attempt("primary").streaming(primary("role one two stop"));
    assert_found(without_done, &[]);
}

// 08

#[rstest]
#[case::done("role one done", "08 event 3 ends the answer, which attempt 1 did not: [DONE]")]
#[case::reason("role one stop", r#"08 event 3 ends the answer, which attempt 1 did not: {"id":"primary","choices":[{"delta":{},"finish_reason":"stop"}]}"#)]
fn no_end_is_made_up(#[case] got: &str, #[case] told: &str) {
    assert_found(interrupted().got_stream(primary(got)).ended(Ending::Closed), &[told]);
}

#[test]
fn no_end_is_lost() {
    let told = "08 the end of attempt 1's stream is missing";
    assert_found(answered().got_stream(primary("role one two stop")), &[told]);
}

// 09

#[rstest]
#[case::unasked("", &["09 event 5 is a usage chunk nobody asked for"])]
#[case::declined(r#","stream_options":{"include_usage":false}"#, &["09 event 5 is a usage chunk nobody asked for"])]
#[case::asked(r#","stream_options":{"include_usage":true}"#, &[])]
fn what_it_costs_is_told_to_whom_asked(#[case] options: &str, #[case] told: &[&str]) {
    let with_cost = primary("role one two stop usage done");
    assert_found(streamed_with(options).attempt("primary").streaming(with_cost), told);
}

#[test]
fn what_it_costs_is_told_behind_the_answer_or_with_its_end() {
    let asked = || {
        let case = streamed_with(r#","stream_options":{"include_usage":true}"#);
        case.attempt("primary").streaming(primary("role one two stop usage done"))
    };
    let with_its_end =
        primary(ANSWER).replace(r#""stop"}]"#, r#""stop"}],"usage":{"total_tokens":3}"#);
    assert_found(asked().got_stream(with_its_end), &[]);
    let told = r#"01 event 5 of attempt 1 was lost: {"id":"primary","choices":[],"usage":{"total_tokens":3}}"#;
    assert_found(asked().got_stream(primary(ANSWER)), &[told]);
}

// 10

#[rstest]
#[case::right("text/event-stream; charset=utf-8", &[])]
#[case::with_blanks("Text/Event-Stream ; charset=utf-8", &[])]
#[case::json("application/json", &["10 the client asked for a stream and got content of type `application/json`"])]
#[case::none("", &["10 the client asked for a stream and got content of type ``"])]
fn a_stream_is_called_one(#[case] kind: &str, #[case] told: &[&str]) {
    let case = answered().got(200, primary(ANSWER));
    assert_found(case.got_header("Content-Type", kind), told);
}

#[test]
fn a_model_may_answer_whole() {
    assert_found(streamed().attempt("primary"), &[]);
}

// 11 and 12

const NOT_HANDED_OVER: &str = "attempt 1 was answered with an error in its stream before any \
                               content, and backup was never asked";

#[rstest]
#[case::event("text/event-stream", "data: {\"error\":{\"message\":\"Overloaded.\"}}\n\n")]
#[case::in_its_place("application/json", "{\"error\":{\"message\":\"Overloaded.\"}}")]
fn an_error_before_content_is_handed_over(#[case] kind: &str, #[case] body: &str) {
    let case = || streamed().attempt("primary").answered_as(kind, 200, body);
    assert_found(case().got(502, "{}"), &[&format!("11 {NOT_HANDED_OVER}")]);
    assert_found(case().attempt("backup").streaming(backup(OTHER_ANSWER)), &[]);
    // There is nobody left.
    let last = case().attempt("backup").answered_as(kind, 200, body);
    assert_found(last.got(502, "{}"), &[]);
    let waived = case().got(502, "{}").declaring(|it| {
        it.waived.insert(Code::Stream11, "it holds nothing back".to_owned());
    });
    assert_found(waived, &[&format!("11 (noted: it holds nothing back) {NOT_HANDED_OVER}")]);
}

#[test]
fn where_all_failed_early_there_is_no_success() {
    let case = || failed_early().attempt("backup").streaming(backup("error"));
    let told = "12 every attempt failed before any content, and the client was told success";
    assert_found(case(), &[told]);
    assert_found(case().got(502, "{}"), &[]);
    // What is under way when the client leaves has not failed.
    assert_found(case().got_stream("").ended(Ending::Disconnected), &[]);
}

// 13

#[test]
fn nobody_goes_on_for_a_client_that_has_left() {
    let case = |case: Case| case.got_stream(primary("role")).ended(Ending::Disconnected);
    let told = "13 attempt 1 at primary goes on although the client has left";
    assert_found(case(streamed().attempt("primary").hanging()), &[told]);
    assert_found(case(interrupted().abandoned()), &[]);
    // It is still waited for.
    assert_found(streamed().attempt("primary").hanging().got(504, "{}"), &[]);
}
