//! Streams that break after their first content.

use std::time::Duration;

use rstest::rstest;
use serde_json::{Value, json};

use super::streams::{CONTENT, CREATED, DELTA, PREAMBLE, STREAM};
use super::support::{
    LAST_CHUNK, Reply, Router, STREAM_HEAD, Streamed, Upstream, chain, chunk, config, deployment,
    live, stream, stream_of,
};

/// Long enough for what comes, however busy the machine; short where nothing comes.
const PATIENCE: Duration = Duration::from_millis(200);

fn started() -> String {
    [PREAMBLE, CONTENT].concat()
}

/// What the client gets of a stream that the primary begins like this, while a backup is there.
async fn ask(path: &str, primary: Reply) -> Streamed {
    let primary = Upstream::start([primary]).await;
    let mut backup = Upstream::start([]).await;
    let mut group =
        chain([deployment("primary", &primary.url()), deployment("backup", &backup.url())]);
    group.stream_idle_timeout = PATIENCE;
    let got = Router::start(config(group)).await.stream(path, STREAM).await;
    assert_eq!(backup.requests().len(), 0, "no second answer after the first content");
    got
}

fn told(code: &str) -> Value {
    let message = match code {
        "upstream_timeout" => "The model's provider did not answer in time.",
        _ => "The model's provider sent an answer that is incomplete or malformed.",
    };
    json!({ "message": message, "type": "server_error", "param": null, "code": code })
}

#[rstest]
#[case::cut(Reply::Send(stream_of(&started())), "upstream_invalid_response")]
#[case::ended(stream(&started()), "upstream_invalid_response")]
#[case::ended_inside_an_event(
    stream(&[&started(), "data: {\"choices\":[{\"del"].concat()),
    "upstream_invalid_response"
)]
#[case::cut_inside_done(stream(&[&started(), "data: [DONE]\n"].concat()), "upstream_invalid_response")]
#[case::malformed(stream(&[&started(), "data: }\n\ndata: [DONE]\n\n"].concat()), "upstream_invalid_response")]
#[case::silent(Reply::Hold(stream_of(&started())), "upstream_timeout")]
#[tokio::test]
async fn a_break_is_told_as_the_last_event_and_the_connection_is_cut(
    #[case] reply: Reply,
    #[case] code: &str,
) {
    let got = ask("/v1/chat/completions", reply).await;
    assert_eq!((got.status, got.is_whole), (200, false));
    let rest = got.body.strip_prefix(&started()).expect("what came whole, unaltered");
    let data = rest.strip_prefix("data: ").and_then(|it| it.strip_suffix("\n\n"));
    let event: Value = serde_json::from_str(data.expect("one more event")).expect("JSON");
    assert_eq!(event, json!({ "error": told(code) }));
}

#[tokio::test]
async fn a_reset_is_a_break_too() {
    let (say, reply) = live();
    let upstream = Upstream::start([reply]).await;
    let router = Router::start(config(chain([deployment("it", &upstream.url())]))).await;
    say.send(stream_of(&started())).expect("the upstream listens");
    let call = router.post("/v1/chat/completions", STREAM);
    let mut response = call.send().await.expect("an answer");
    let mut got = response.chunk().await.expect("no break yet").expect("content").to_vec();
    drop(say);
    while let Ok(Some(chunk)) = response.chunk().await {
        got.extend_from_slice(&chunk);
    }
    let got = String::from_utf8(got).expect("UTF-8");
    assert!(got.contains("\"code\":\"upstream_invalid_response\"}}\n\n"), "{got}");
}

#[tokio::test]
async fn a_response_is_told_of_its_break_in_its_own_shape() {
    let events = [CREATED, DELTA].concat();
    let got = ask("/v1/responses", stream(&events)).await;
    assert!(!got.is_whole);
    let rest = got.body.strip_prefix(&events).expect("what came whole, unaltered");
    let data = rest.strip_prefix("event: error\ndata: ").and_then(|it| it.strip_suffix("\n\n"));
    let event: Value = serde_json::from_str(data.expect("one more event")).expect("JSON");
    let error = told("upstream_invalid_response");
    assert_eq!(event, json!({ "type": "error", "sequence_number": 3, "error": error }));
}

const PROVIDERS_ERROR: &str = "data: {\"error\":{\"message\":\"boom\"}}\n\n";

#[rstest]
#[case::ended(stream(&[&started(), PROVIDERS_ERROR].concat()), true)]
#[case::cut(Reply::Send(stream_of(&[&started(), PROVIDERS_ERROR].concat())), false)]
#[tokio::test]
async fn the_providers_own_error_stands_alone(#[case] reply: Reply, #[case] is_whole: bool) {
    let got = ask("/v1/chat/completions", reply).await;
    assert_eq!(got.body, [&started(), PROVIDERS_ERROR].concat());
    assert_eq!(got.is_whole, is_whole);
}

#[rstest]
#[case::cut(Reply::Send(stream_of(&[&started(), "data: [DONE]\n\n"].concat())))]
#[case::held(Reply::Hold(stream_of(&[&started(), "data: [DONE]\n\n"].concat())))]
#[tokio::test]
async fn after_its_last_word_a_stream_is_whole_however_it_ends(#[case] reply: Reply) {
    let got = ask("/v1/chat/completions", reply).await;
    assert_eq!(got.body, [&started(), "data: [DONE]\n\n"].concat());
    assert!(got.is_whole);
}

#[rstest]
#[case::whole([&chunk("ID3"), &chunk("more"), LAST_CHUNK].concat(), "ID3more", true)]
#[case::cut(chunk("ID3"), "ID3", false)]
#[tokio::test]
async fn sound_is_passed_on_as_it_comes_and_cut_where_it_breaks(
    #[case] chunks: String,
    #[case] sound: &str,
    #[case] is_whole: bool,
) {
    let head = STREAM_HEAD.replace("text/event-stream; charset=utf-8", "audio/mpeg");
    let got = ask("/v1/audio/speech", Reply::Send(head + &chunks)).await;
    assert_eq!((got.status, got.is_whole), (200, is_whole));
    assert_eq!(got.headers["content-type"], "audio/mpeg");
    assert_eq!(got.body, sound);
}
