//! Streams that break after their first content.

use std::time::Duration;

use rstest::rstest;
use serde_json::{Value, json};

use super::streams::{CONTENT, CREATED, DELTA, PREAMBLE, STREAM};
use super::support::{
    LAST_CHUNK, Reply, Router, STREAM_HEAD, ScriptedDeployment, Streamed, chain, chunk, config,
    deployment, live, stream, stream_of,
};

/// The limit is long enough for data to arrive, even on a busy machine. It is short, because some
/// tests wait until it is over.
const IDLE_TIMEOUT: Duration = Duration::from_millis(200);

fn started() -> String {
    [PREAMBLE, CONTENT].concat()
}

/// What the client gets if the primary sends this reply and a backup is available.
async fn ask(path: &str, primary: Reply) -> Streamed {
    let primary = ScriptedDeployment::start([primary]).await;
    let mut backup = ScriptedDeployment::start([]).await;
    let mut group =
        chain([deployment("primary", &primary.url()), deployment("backup", &backup.url())]);
    group.stream_idle_timeout = IDLE_TIMEOUT;
    let got = Router::start(config(group)).await.stream(path, STREAM).await;
    assert_eq!(backup.requests().len(), 0, "no second answer after the first content");
    got
}

fn reported(code: &str) -> Value {
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
async fn a_break_is_reported_as_the_last_event_and_the_connection_aborted(
    #[case] reply: Reply,
    #[case] code: &str,
) {
    let got = ask("/v1/chat/completions", reply).await;
    assert_eq!((got.status, got.is_complete), (200, false));
    let rest = got.body.strip_prefix(&started()).expect("the complete events, unchanged");
    let data = rest.strip_prefix("data: ").and_then(|it| it.strip_suffix("\n\n"));
    let event: Value = serde_json::from_str(data.expect("one more event")).expect("JSON");
    assert_eq!(event, json!({ "error": reported(code) }));
}

#[tokio::test]
async fn a_reset_is_a_break() {
    let (say, reply) = live();
    let scripted = ScriptedDeployment::start([reply]).await;
    let router = Router::start(config(chain([deployment("it", &scripted.url())]))).await;
    say.send(stream_of(&started())).expect("the deployment listens");
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
async fn a_break_of_a_response_is_reported_as_a_typed_event() {
    let events = [CREATED, DELTA].concat();
    let got = ask("/v1/responses", stream(&events)).await;
    assert!(!got.is_complete);
    let rest = got.body.strip_prefix(&events).expect("the complete events, unchanged");
    let data = rest.strip_prefix("event: error\ndata: ").and_then(|it| it.strip_suffix("\n\n"));
    let event: Value = serde_json::from_str(data.expect("one more event")).expect("JSON");
    let error = reported("upstream_invalid_response");
    assert_eq!(event, json!({ "type": "error", "sequence_number": 3, "error": error }));
}

const PROVIDERS_ERROR: &str = "data: {\"error\":{\"message\":\"boom\"}}\n\n";

#[rstest]
#[case::ended(stream(&[&started(), PROVIDERS_ERROR].concat()), true)]
#[case::cut(Reply::Send(stream_of(&[&started(), PROVIDERS_ERROR].concat())), false)]
#[tokio::test]
async fn no_error_is_added_to_the_providers_own(#[case] reply: Reply, #[case] is_complete: bool) {
    let got = ask("/v1/chat/completions", reply).await;
    assert_eq!(got.body, [&started(), PROVIDERS_ERROR].concat());
    assert_eq!(got.is_complete, is_complete);
}

#[rstest]
#[case::cut(Reply::Send(stream_of(&[&started(), "data: [DONE]\n\n"].concat())))]
#[case::held(Reply::Hold(stream_of(&[&started(), "data: [DONE]\n\n"].concat())))]
#[tokio::test]
async fn after_its_end_a_stream_is_complete_however_the_connection_ends(#[case] reply: Reply) {
    let got = ask("/v1/chat/completions", reply).await;
    assert_eq!(got.body, [&started(), "data: [DONE]\n\n"].concat());
    assert!(got.is_complete);
}

#[rstest]
#[case::complete([&chunk("ID3"), &chunk("more"), LAST_CHUNK].concat(), "ID3more", true)]
#[case::cut(chunk("ID3"), "ID3", false)]
#[tokio::test]
async fn audio_is_forwarded_as_it_arrives_and_aborted_at_a_break(
    #[case] chunks: String,
    #[case] audio: &str,
    #[case] is_complete: bool,
) {
    let head = STREAM_HEAD.replace("text/event-stream; charset=utf-8", "audio/mpeg");
    let got = ask("/v1/audio/speech", Reply::Send(head + &chunks)).await;
    assert_eq!((got.status, got.is_complete), (200, is_complete));
    assert_eq!(got.headers["content-type"], "audio/mpeg");
    assert_eq!(got.body, audio);
}
