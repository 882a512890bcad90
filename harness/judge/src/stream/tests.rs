//! Tests each STREAM requirement, with hand-made evidence.

use std::time::Duration;

use fallproof_protocol::provider::{Endpoint, Surface};
use fallproof_protocol::sse::Event;
use fallproof_suite::evidence::Ending;
use fallproof_suite::requirement::Code;
use rstest::rstest;

use super::judged_part;
use crate::testing::Case;

const ANSWER: &str = "role one two stop done";
const OTHER_ANSWER: &str = "role three four stop done";
const FIRST_WORD: &str = "role one";

#[track_caller]
fn assert_found(case: Case, wanted: &[&str]) {
    case.assert_found("STREAM", wanted);
}

/// A stream of this deployment with one event for each word. Words such as `role` and `stop` name
/// the kind of the event; any other word is the event's content.
fn stream_of(of: &str, words: &str) -> String {
    let choice = |choice: &str| format!(r#"{{"id":"{of}","choices":[{{{choice}}}]}}"#);
    let data = |word: &str| match word {
        "role" => choice(r#""delta":{"role":"assistant"}"#),
        "stop" => choice(r#""delta":{},"finish_reason":"stop""#),
        "usage" => format!(r#"{{"id":"{of}","choices":[],"usage":{{"total_tokens":3}}}}"#),
        "junk" => r#"{"choices":[{"del"#.to_owned(),
        "error" => r#"{"error":{"message":"Overloaded."}}"#.to_owned(),
        "done" => "[DONE]".to_owned(),
        word => choice(&format!(r#""delta":{{"content":"{word}"}}"#)),
    };
    words.split(' ').flat_map(|word| ["data: ".to_owned(), data(word), "\n\n".to_owned()]).collect()
}

/// A stream of the first deployment.
fn primary(words: &str) -> String {
    stream_of("primary", words)
}

fn backup(words: &str) -> String {
    stream_of("backup", words)
}

/// A call to two deployments that requests a stream, with additional members in its body.
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

/// A call whose stream is interrupted at the first deployment after its first word.
fn interrupted() -> Case {
    answered().cut_after(primary(FIRST_WORD).len())
}

/// A call that fails at the first deployment before any content.
fn failed_early() -> Case {
    streamed().attempt("primary").streaming(primary("error"))
}

/// A call that fails at the first deployment, and that the second deployment answers.
fn fallen_back() -> Case {
    failed_early().attempt("backup").streaming(backup(OTHER_ANSWER))
}

#[test]
fn an_unaltered_stream_violates_nothing() {
    for case in [answered(), fallen_back(), interrupted()] {
        assert_found(case, &[]);
    }
}

#[test]
fn responses_without_a_stream_are_not_checked() {
    let case = Case::with_policy("").attempt("primary").streaming(primary(ANSWER));
    assert_found(case.got(200, primary("two")), &[]);
    assert_found(streamed().got_stream(primary(ANSWER)), &[]);
    assert_found(answered().got(502, "{}"), &[]);
}

#[test]
fn truncated_records_are_not_compared() {
    assert_found(answered().answer_recorded_in_part().got_stream(primary("nine done")), &[]);
}

// 01 and 02

#[rstest]
#[case::lost(
    "role two stop done",
    "event 2 of attempt 1 was lost, or changed at /choices/0/delta/content: {two}"
)]
#[case::lost_at_the_end("role one done", "event 3 of attempt 1 was lost: {two}")]
#[case::twice("role one two two stop done", "event 3 of attempt 1 arrived twice: {two}")]
#[case::late("role two one stop done", "event 2 of attempt 1 arrived too late: {one}")]
#[case::changed_and_sent_later(
    "role 2 one two stop done",
    "event 2 of attempt 1 was lost, or changed at /choices/0/delta/content: {2}"
)]
#[case::changed(
    "role one 2 stop done",
    "event 3 of attempt 1 reached the client changed at /choices/0/delta/content: {2}"
)]
#[case::error(
    "role one two stop error done",
    "event 4 of attempt 1 is not in the provider's stream: {error}"
)]
#[case::never_sent(
    "role one two stop three done",
    "event 4 of attempt 1 is not in the provider's stream: {three}"
)]
fn an_event_reaches_the_client_unaltered(#[case] got: &str, #[case] wanted: &str) {
    let (wanted, word) = wanted.trim_end_matches('}').split_once('{').expect("it names a word");
    let data = primary(word);
    let data = data.trim().trim_start_matches("data: ");
    assert_found(answered().got_stream(primary(got)), &[&format!("01 {wanted}{data}")]);
}

#[test]
fn a_changed_finish_reason_is_found_once() {
    let got = primary(ANSWER).replace("\"stop\"", "\"tool_calls\"");
    let data = r#"{"id":"primary","choices":[{"delta":{},"finish_reason":"tool_calls"}]}"#;
    let wanted =
        format!("08 event 4 of attempt 1 reached the client with another finish reason: {data}");
    assert_found(answered().got_stream(got), &[&wanted]);
}

#[test]
fn an_end_with_content_is_compared() {
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
    let wanted = r#"01 event 3 of attempt 1 reached the client changed at /response/output/0: {"type":"response.completed","response":{"output":["b"]}}"#;
    assert_found(case().got_stream(sent.replace(r#"["a"]"#, r#"["b"]"#)), &[wanted]);
}

#[rstest]
#[case::of_another_model(r#"{"id":"#, r#"{"model":"by.hand","id":"#)]
#[case::comments("data: [DONE]", ": processing\n\ndata: [DONE]")]
#[case::other_line_ends("\n", "\r\n")]
fn what_is_not_part_of_an_event_may_differ(#[case] from: &str, #[case] to: &str) {
    assert_found(answered().got_stream(primary(ANSWER).replace(from, to)), &[]);
}

#[test]
fn an_additional_event_without_content_is_no_finding() {
    let bare = "data: {\"id\":\"primary\",\"choices\":[]}\n\n";
    let got = primary("role one two stop") + bare + &primary("done");
    assert_found(answered().got_stream(got), &[]);
}

#[test]
fn an_event_keeps_its_name() {
    let got = primary(ANSWER).replacen("data:", "event: chunk\ndata:", 2);
    let wanted = "01 event 2 of attempt 1 has no name and arrived as \"chunk\": \
                {\"id\":\"primary\",\"choices\":[{\"delta\":{\"content\":\"one\"}}]}";
    assert_found(answered().got_stream(got), &[wanted]);
}

#[test]
fn a_stream_does_not_continue_forever() {
    let flood = r#"data: {"id":"primary","choices":[]}"#.to_owned() + "\n\n";
    let got = |times: usize| answered().got_stream(primary(ANSWER) + &flood.repeat(times));
    assert_found(got(1_005), &[]);
    let wanted = "01 the stream continues for 1 more events, far beyond everything that was sent";
    assert_found(got(1_006), &[wanted]);
}

#[test]
fn only_a_stream_that_never_ends_is_judged_in_part() {
    let all = vec![Event::new("", "{}"); 5_000];
    assert_eq!(judged_part(&all[..1_020], 10).len(), 1_020);
    assert_eq!(judged_part(&all, 2_000).len(), 5_000);
    assert_eq!(judged_part(&all, 10).len(), 1_020);
}

#[test]
fn an_event_is_spelled_as_it_was_sent() {
    let got = primary(ANSWER).replace(r#""choices":["#, r#""choices": ["#);
    let wanted = "02 (warns) event 2 of attempt 1 reached the client in another spelling: \
                {\"id\":\"primary\",\"choices\": [{\"delta\":{\"content\":\"one\"}}]}";
    assert_found(answered().got_stream(got), &[wanted]);
}

// 03

#[test]
fn no_character_is_corrupted() {
    let case = |sent: &str, got: &str| {
        let case = streamed().attempt("primary").streaming(primary(sent));
        case.got_stream(primary(got))
    };
    assert_found(case("role é stop done", "role é stop done"), &[]);
    // The provider itself sent the replacement character.
    assert_found(case("role \u{fffd} stop done", "role \u{fffd} stop done"), &[]);
    let wanted = "03 event 2 has corrupted characters of attempt 1: \
                {\"id\":\"primary\",\"choices\":[{\"delta\":{\"content\":\"\u{fffd}\u{fffd}\"}}]}";
    assert_found(case("role é stop done", "role \u{fffd}\u{fffd} stop done"), &[wanted]);
}

// 04

#[test]
fn no_event_comes_from_a_failed_attempt() {
    let case = fallen_back().got_stream(primary("error") + &backup(OTHER_ANSWER));
    let wanted =
        r#"04 event 1 is from attempt 1, which had failed: {"error":{"message":"Overloaded."}}"#;
    assert_found(case, &[wanted]);
}

#[test]
fn a_stream_starts_once() {
    let again = answered().got_stream(primary("role role one two stop done"));
    let wanted = "04 event 2 starts the response a second time: \
                {\"id\":\"primary\",\"choices\":[{\"delta\":{\"role\":\"assistant\"}}]}";
    assert_found(again, &[wanted]);
    let with_role =
        primary(ANSWER).replace(r#""content":"two""#, r#""role":"assistant","content":"two""#);
    let wanted = "04 an event starts the response a second time: \
                {\"id\":\"primary\",\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"two\"}}]}";
    assert_found(answered().got_stream(with_role), &[wanted]);
}

#[test]
fn each_of_several_choices_starts_once() {
    let role = |index: usize| {
        let delta = r#"{"role":"assistant"}"#;
        format!("data: {{\"choices\":[{{\"index\":{index},\"delta\":{delta}}}]}}\n\n")
    };
    let answer = primary("one done");
    let case = streamed().attempt("primary").streaming(role(0) + &role(1) + &answer);
    let case = case.got_stream(role(0) + &role(0) + &role(1) + &answer);
    let wanted = "04 event 2 starts the response a second time: \
                {\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\"}}]}";
    assert_found(case, &[wanted]);
}

// 05 and 06

const SPLICED: &str = "05 event 2 is content of attempt 1 in the answer of attempt 2";
const LATE_ATTEMPT: &str =
    "attempt 2 went to `backup` although the client already had content of attempt 1";

#[test]
fn a_stream_has_content_of_one_attempt() {
    let case = || interrupted().attempt("backup").streaming(backup(OTHER_ANSWER));
    let spliced = primary(FIRST_WORD) + &backup("three four stop done");
    assert_found(case().got_stream(spliced), &[SPLICED, &format!("06 {LATE_ATTEMPT}")]);
    // The client got nothing from the first attempt.
    assert_found(case(), &[]);
}

#[test]
fn the_source_of_a_translated_stream_is_found_by_its_marker() {
    let translated = |case: Case, deployment: &str| {
        let words = format!("role {} stop done", case.deployment(deployment).marker().token());
        let case = case.attempt(deployment).streaming(stream_of(deployment, &words));
        case.asking_for("/v1/responses", Some((Surface::OpenAi, Endpoint::Responses)))
    };
    let case = translated(streamed(), "primary");
    let mark = case.deployment("primary").marker().token().to_owned();
    let sent = primary(&format!("role {mark}")).len();
    let case = case.cut_after(sent);
    // A deployment may send the same content twice.
    let retried = translated(translated(streamed(), "primary").cut_after(sent), "primary");
    assert_found(retried, &[]);
    let case = translated(case, "backup");
    let own = format!("{} stop done", case.deployment("backup").marker().token());
    let spliced = primary(&format!("role {mark} {own}"));
    let wanted = "05 content of attempt 1 is in the answer of attempt 2";
    assert_found(case.got_stream(spliced), &[wanted]);
}

#[test]
fn no_attempt_once_the_client_has_content() {
    let case = || {
        let case = interrupted().attempt("backup").streaming(backup(OTHER_ANSWER));
        case.got_stream(primary(FIRST_WORD)).ended_with(Ending::Closed)
    };
    assert_found(case(), &[&format!("06 {LATE_ATTEMPT}")]);
    let waived = case().declaring(|it| {
        it.waived.insert(Code::Stream06, "it tries all deployments".to_owned());
    });
    assert_found(waived, &[&format!("06 (exempt: it tries all deployments) {LATE_ATTEMPT}")]);
}

#[test]
fn an_attempt_after_a_complete_stream_is_not_stream_06() {
    let case = answered().attempt("backup").streaming(backup(OTHER_ANSWER));
    assert_found(case.got_stream(primary(ANSWER)), &[]);
}

// 07

#[test]
fn an_interruption_is_reported_to_the_client() {
    let got = |words: &str| interrupted().got_stream(primary(words));
    let wanted = "07 the stream of attempt 1 broke after its first content, but the client's stream \
                ended normally";
    assert_found(got(FIRST_WORD), &[wanted]);
    assert_found(got(FIRST_WORD).ended_with(Ending::Closed), &[]);
    assert_found(got("role one error"), &[]);
    // There is no content that could be mistaken for a complete answer.
    assert_found(got("role"), &[]);
}

#[test]
fn a_stream_that_lacks_only_done_is_not_interrupted() {
    let sent = primary(ANSWER).len() - "NE]\n\n".len();
    let case = || answered().cut_after(sent);
    assert_found(case().got_stream(primary("role one two stop")), &[]);
    assert_found(case().got_stream(primary(ANSWER)), &[]);
    let without_done = streamed().attempt("primary").streaming(primary("role one two stop"));
    assert_found(without_done, &[]);
    // A fault between the finish reason and `[DONE]` is not the provider's own end.
    let cut = answered().cut_after(primary("role one two stop").len());
    let wanted = "07 the stream of attempt 1 broke after its first content, but the client's stream \
                ended normally";
    assert_found(cut.got_stream(primary("role one two stop")), &[wanted]);
    let length = primary("done").len();
    let short =
        || answered().with_content_length_off_by(-i32::try_from(length).expect("it is short"));
    assert_found(short().got_stream(primary("role one two stop")), &[wanted]);
    assert_found(short().ended_with(Ending::Closed), &[]);
}

// 08

#[rstest]
#[case::done("role one done", "08 event 3 is an end marker that attempt 1 did not send: [DONE]")]
#[case::reason("role one stop", r#"08 event 3 is an end marker that attempt 1 did not send: {"id":"primary","choices":[{"delta":{},"finish_reason":"stop"}]}"#)]
fn no_end_is_invented(#[case] got: &str, #[case] wanted: &str) {
    assert_found(interrupted().got_stream(primary(got)).ended_with(Ending::Closed), &[wanted]);
}

#[test]
fn a_chat_stream_reports_an_error_with_or_without_done() {
    let got = |words: &str| interrupted().got_stream(primary(words));
    assert_found(got("role one error"), &[]);
    assert_found(got("role one error done"), &[]);
    // The provider's own stream has the same error report.
    let reported = streamed().attempt("primary").streaming(primary("role one error done"));
    assert_found(reported, &[]);
    let invented = "is an end marker that attempt 1 did not send: [DONE]";
    assert_found(got("role one done error"), &[&format!("08 event 3 {invented}")]);
}

#[test]
fn a_responses_stream_has_no_done_after_an_error() {
    let text = "
deployments: { primary: { provider: openai, model: gpt-4o, script: [ok] } }
group: { chain: [primary] }
steps:
  - send: { endpoint: responses, body: { input: Hi, stream: true } }
";
    let sent = r#"data: {"type":"response.output_text.delta","delta":"a"}

"#;
    let error = r#"data: {"type":"error","message":"It broke."}

"#;
    let got = |end: &str| {
        let case = Case::of(text).attempt("primary").streaming(format!("{sent}{sent}"));
        case.cut_after(sent.len()).got_stream(format!("{sent}{error}{end}"))
    };
    assert_found(got(""), &[]);
    let wanted = "08 event 3 is an end marker that attempt 1 did not send: [DONE]";
    assert_found(got("data: [DONE]\n\n"), &[wanted]);
}

#[test]
fn no_end_is_lost() {
    let wanted = "08 the end of attempt 1's stream is missing";
    assert_found(answered().got_stream(primary("role one two stop")), &[wanted]);
}

// 09

#[rstest]
#[case::unasked("", &["09 event 5 reports usage, which the client did not request"])]
#[case::declined(r#","stream_options":{"include_usage":false}"#, &["09 event 5 reports usage, which the client did not request"])]
#[case::asked(r#","stream_options":{"include_usage":true}"#, &[])]
fn usage_is_reported_only_on_request(#[case] options: &str, #[case] wanted: &[&str]) {
    let with_cost = primary("role one two stop usage done");
    let case = || streamed_with(options).attempt("primary").streaming(with_cost.clone());
    let asked = r#"{"stream_options":{"include_usage":true}}"#;
    assert_found(case().carrying(asked), wanted);
    // The provider sent it without being asked.
    assert_found(case(), &[]);
}

#[rstest]
#[case::as_sent(r#""stop"}],"usage":{"total_tokens":3}"#, &[])]
#[case::invented(r#""stop"}]"#, &["09 event 4 reports usage, which the client did not request"])]
fn usage_beside_the_finish_reason_is_the_providers(#[case] sent: &str, #[case] wanted: &[&str]) {
    let with = |last: &str| primary(ANSWER).replace(r#""stop"}]"#, last);
    let got = with(r#""stop"}],"usage":{"total_tokens":3}"#);
    let asked = r#"{"stream_options":{"include_usage":true}}"#;
    let case = streamed().attempt("primary").carrying(asked).streaming(with(sent));
    assert_found(case.got_stream(got), wanted);
}

#[test]
fn usage_comes_with_the_last_event_or_after_it() {
    let asked = || {
        let case = streamed_with(r#","stream_options":{"include_usage":true}"#);
        case.attempt("primary").streaming(primary("role one two stop usage done"))
    };
    let with_its_end =
        primary(ANSWER).replace(r#""stop"}]"#, r#""stop"}],"usage":{"total_tokens":3}"#);
    assert_found(asked().got_stream(with_its_end), &[]);
    let wanted = r#"01 event 5 of attempt 1 was lost: {"id":"primary","choices":[],"usage":{"total_tokens":3}}"#;
    assert_found(asked().got_stream(primary(ANSWER)), &[wanted]);
}

// 10

#[rstest]
#[case::right("text/event-stream; charset=utf-8", &[])]
#[case::with_blanks("Text/Event-Stream ; charset=utf-8", &[])]
#[case::json("application/json", &["10 the client requested a stream and got the content type `application/json`"])]
#[case::none("", &["10 the client requested a stream and got the content type ``"])]
fn a_stream_has_its_content_type(#[case] kind: &str, #[case] wanted: &[&str]) {
    let case = answered().got(200, primary(ANSWER));
    assert_found(case.got_header("Content-Type", kind), wanted);
}

#[test]
fn a_model_may_answer_without_a_stream() {
    assert_found(streamed().attempt("primary"), &[]);
}

// 11 and 12

const NO_FALLBACK: &str = "attempt 1 answered the call for a stream with an error before any content, but `backup` was never tried";

#[rstest]
#[case::event("text/event-stream", "data: {\"error\":{\"message\":\"Overloaded.\"}}\n\n")]
#[case::in_its_place("application/json", "{\"error\":{\"message\":\"Overloaded.\"}}")]
fn an_error_before_content_causes_a_fallback(#[case] kind: &str, #[case] body: &str) {
    let case = || streamed().attempt("primary").answered_as(kind, 200, body);
    assert_found(case().got(502, "{}"), &[&format!("11 {NO_FALLBACK}")]);
    assert_found(case().attempt("backup").streaming(backup(OTHER_ANSWER)), &[]);
    // No deployment is left to try.
    let last = case().attempt("backup").answered_as(kind, 200, body);
    assert_found(last.got(502, "{}"), &[]);
    let waived = case().got(502, "{}").declaring(|it| {
        it.waived.insert(Code::Stream11, "it does not buffer".to_owned());
    });
    assert_found(waived, &[&format!("11 (exempt: it does not buffer) {NO_FALLBACK}")]);
}

#[test]
fn if_all_failed_before_content_there_is_no_success() {
    let case = || failed_early().attempt("backup").streaming(backup("error"));
    let wanted = |with| {
        format!(
            "12 every attempt failed before any content, but the client got a success status and {with}"
        )
    };
    assert_found(case(), &[&wanted("an error event")]);
    for (body, with) in [
        ("", "a stream without events"),
        (": wait\n\n", "a stream without events"),
        ("data: [DONE]\n\n", "a stream without events"),
        ("data: {\"choices\":[]}\n\n", "events that report no error"),
        ("<html></html>", "a body that is no stream"),
    ] {
        assert_found(case().got_stream(body), &[&wanted(with)]);
    }
    assert_found(case().got(502, "{}"), &[]);
    // An attempt in progress when the client disconnects has not failed.
    assert_found(case().got_stream("").ended_with(Ending::Disconnected), &[]);
}

// 13

#[test]
fn attempts_are_canceled_when_the_client_disconnects() {
    let case = |case: Case| case.got_stream(primary("role")).ended_with(Ending::Disconnected);
    let wanted = "13 attempt 1 at `primary` was not canceled after the client disconnected";
    assert_found(case(streamed().attempt("primary").hanging()), &[wanted]);
    assert_found(case(interrupted().client_gone()), &[]);
    // The client is still connected, so the attempt need not be canceled.
    assert_found(streamed().attempt("primary").hanging().got(504, "{}"), &[]);
}

/// A call whose five stream events are sent and received at these times, in milliseconds.
fn timed(sent: [u64; 5], received: [u64; 5]) -> Case {
    answered().sending_at(&sent).receiving_at(&primary(ANSWER), &received)
}

const SLOWLY: [u64; 5] = [0, 500, 1_000, 1_500, 2_000];

/// The time at which the last event is sent.
const END: u64 = 2_000;

#[rstest]
#[case::at_once(SLOWLY, SLOWLY)]
#[case::a_little_late(SLOWLY, [400, 900, 1_400, 1_900, 2_100])]
#[case::with_the_next_one(SLOWLY, [500, 1_000, 1_500, 2_000, 2_000])]
#[case::the_role_with_the_content(SLOWLY, [1_400, 1_400, 1_500, 1_600, 2_000])]
#[case::until_just_before_the_next_but_one(SLOWLY, [999, 1_499, 1_999, 2_001, 2_001])]
#[case::together_when_the_provider_hardly_waits([0, 100, 200, 300, 400], [900; 5])]
#[case::together_on_a_slow_machine([0, 100, 1_100, 2_100, 3_100], [3_100; 5])]
fn events_that_are_passed_on_while_the_provider_waits(
    #[case] sent: [u64; 5],
    #[case] received: [u64; 5],
) {
    assert_found(timed(sent, received), &[]);
}

#[rstest]
#[case::until_the_end([END; 5], 2)]
#[case::until_some_are_there([1_500, 1_500, 1_500, 1_500, END], 2)]
#[case::from_the_second_content_on([0, 500, END, END, END], 3)]
fn events_that_are_held_back(#[case] received: [u64; 5], #[case] event: usize) {
    let told = "had not reached the client after 1000 ms, although the provider had sent two more events by then";
    assert_found(timed(SLOWLY, received), &[&format!("15 event {event} of attempt 1 {told}")]);
}

#[test]
fn a_malformed_event_is_not_skipped() {
    let case = |got: &str| {
        let case =
            streamed().attempt("primary").streaming(primary("role one junk three stop done"));
        case.got_stream(primary(got))
    };
    assert_found(case("role one error done"), &[]);
    assert_found(case("role one").ended_with(Ending::Closed), &[]);
    assert_found(case("role one junk three stop done"), &[]);
    let told = "07 the stream of attempt 1 broke after its first content, but the client's stream ended normally";
    for skipped in ["role one three stop done", "role one"] {
        let found = case(skipped).found("STREAM");
        assert!(found.contains(&format!("FP-STREAM-{told}")), "{skipped}: {found:?}");
    }
}

/// A stream with an event every 300 ms, which the gateway aborts after the first word.
fn aborted(timeout_ms: u64, total_timeout_ms: Option<u64>) -> Case {
    answered()
        .with_timeouts(timeout_ms, total_timeout_ms)
        .sending_at(&[0, 300])
        .sent_in_part(primary(FIRST_WORD).len())
        .lasting(Duration::from_millis(500))
        .client_gone()
        .got_stream(primary(FIRST_WORD))
        .ended_with(Ending::Closed)
}

#[test]
fn a_stream_is_not_aborted_while_its_events_keep_coming() {
    let wanted =
        "16 the stream of attempt 1 was aborted after 500 ms, although an event came every 300 ms";
    assert_found(aborted(1_000, None), &[wanted]);
}

#[rstest]
#[case::the_call_has_a_limit(aborted(1_000, Some(400)))]
#[case::a_pause_may_have_been_too_long(aborted(500, None))]
#[case::the_mock_was_held_up(aborted(1_000, None).lasting(Duration::from_secs(2)))]
#[case::the_client_left(aborted(1_000, None).ended_with(Ending::Disconnected))]
#[case::the_provider_broke_off(aborted(1_000, None).cut_after(primary(FIRST_WORD).len()))]
#[case::the_stream_was_complete(
    aborted(1_000, None).sent_in_part(primary(ANSWER).len()).got_stream(primary(ANSWER))
)]
#[case::the_provider_told_of_an_error(
    aborted(1_000, None).streaming(primary("role one error")).got_stream(primary("role one error"))
)]
fn a_stream_that_may_be_aborted(#[case] case: Case) {
    assert_found(case, &[]);
}

#[test]
fn a_lost_event_is_not_held_back() {
    let without_the_role = primary("one two stop done");
    let case = answered()
        .sending_at(&SLOWLY)
        .got_stream(&without_the_role)
        .receiving_at(&without_the_role, &[500, 1_000, 1_500, 2_000]);
    let found = case.found("STREAM");
    assert!(!found.iter().any(|line| line.starts_with("FP-STREAM-15")), "{found:?}");
}

#[test]
fn a_lost_event_that_is_large_is_told_with_its_size() {
    let sent = primary(&format!("role {} two stop done", "x".repeat(70_000)));
    let case =
        streamed().attempt("primary").streaming(&sent).got_stream(primary("role two stop done"));
    let found = case.found("STREAM");
    assert!(
        found[0].starts_with("FP-STREAM-01 event 2 of attempt 1 (70053 bytes) was lost"),
        "{found:?}"
    );
}

// Streams that start again, 04 and 05

/// A responses stream whose events have these sequence numbers. Number 0 is `response.created`.
fn numbered(numbers: &[u32]) -> String {
    let event = |number: &u32| {
        let kind = if *number == 0 { "response.created" } else { "response.output_text.delta" };
        let rest = if *number == 0 { "" } else { r#","delta":"same""# };
        format!("data: {{\"type\":\"{kind}\",\"sequence_number\":{number}{rest}}}\n\n")
    };
    numbers.iter().map(event).collect()
}

#[test]
fn a_stream_does_not_start_again() {
    let done = "data: {\"type\":\"response.completed\",\"sequence_number\":9}\n\n";
    let whole = |numbers: &[u32]| numbered(numbers) + done;
    let case = || streamed().attempt("primary").streaming(whole(&[0, 1, 2, 3]));
    assert_found(case(), &[]);
    // Only a number is repeated, so no event belongs to another attempt.
    let found = case().got_stream(whole(&[0, 1, 2, 3]).replace(":3,", ":0,")).found("STREAM");
    let wanted = "FP-STREAM-05 the response starts again at event 4: after number 2 the events are \
                  numbered from 0 again";
    assert!(found.iter().any(|it| it == wanted), "{found:?}");
    // The provider's own stream repeats the number.
    let odd = whole(&[0, 1, 2, 3]).replace(":3,", ":0,");
    assert_found(streamed().attempt("primary").streaming(odd), &[]);
}

// 14

#[rstest]
#[case::of_the_server(r#"{"error":{"type":"server_error"}}"#, None)]
#[case::of_the_client(
    r#"{"error":{"type":"invalid_request_error"}}"#,
    Some("invalid_request_error")
)]
#[case::by_its_status(r#"{"error":{"message":"It broke.","code":"400"}}"#, Some("400"))]
#[case::too_many(r#"{"error":{"message":"It broke.","code":"429"}}"#, None)]
fn a_break_is_not_the_clients_mistake(#[case] error: &str, #[case] with: Option<&str>) {
    let got = format!("{}data: {error}\n\n", primary(FIRST_WORD));
    let wanted = with.map(|with| {
        format!(
            "14 event 3 tells the client that its request is wrong (`{with}`), but attempt 1 broke \
             at `primary`"
        )
    });
    assert_found(interrupted().got_stream(&got), wanted.as_deref().as_slice());
    // The provider's own stream has the same error.
    let quoted = answered().streaming(&got);
    assert_found(quoted.got_stream(got), &[]);
}

#[test]
fn a_refused_request_may_be_blamed_in_a_stream() {
    let refused = streamed().attempt("primary").failing(400, None);
    let error = "data: {\"error\":{\"type\":\"invalid_request_error\"}}\n\n";
    let found = refused.got_stream(error).found("STREAM");
    assert!(!found.iter().any(|it| it.starts_with("FP-STREAM-14")), "{found:?}");
}
