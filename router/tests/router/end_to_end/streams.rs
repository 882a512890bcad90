//! Streams that are complete, and streams that fail before their first content.

use std::time::Duration;

use rstest::rstest;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::support::{
    LAST_CHUNK, Reply, Router, STREAM_HEAD, ScriptedDeployment, answer, chain, chunk, config,
    deployment, error, live, ok, stream, stream_of,
};

pub(crate) const STREAM: &str = r#"{"model":"summaries","stream":true}"#;

/// The events before an answer: Azure's first chunk, a comment, and the role.
pub(crate) const PREAMBLE: &str = "data: {\"choices\":[],\"prompt_filter_results\":[]}\n\n: wait\n\n\
    data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n";

pub(crate) const CONTENT: &str =
    "data: {\"choices\":[{\"delta\":{\"content\":\"Grüße 🦀\"}}]}\r\n\r\n";

const END: &str = "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n\
    data: {\"choices\":[],\"usage\":{\"total_tokens\":3}}\n\ndata: [DONE]\n\n";

pub(crate) const CREATED: &str = "event: response.created\ndata: {\"type\":\"response.created\",\
    \"response\":{\"id\":\"resp_1\"},\"sequence_number\":0}\n\n\
    event: response.in_progress\ndata: {\"type\":\"response.in_progress\",\"sequence_number\":1}\n\n";

pub(crate) const DELTA: &str = "event: response.output_text.delta\n\
    data: {\"type\":\"response.output_text.delta\",\"delta\":\"Hi\",\"sequence_number\":2}\n\n";

const COMPLETED: &str = "event: response.completed\n\
    data: {\"type\":\"response.completed\",\"response\":{\"id\":\"resp_1\"},\"sequence_number\":3}\n\n";

fn chat() -> String {
    [PREAMBLE, CONTENT, END].concat()
}

/// A router with a primary that sends this reply, and a backup that sends the stream from [`chat`].
async fn two(primary: Reply, limit: Duration) -> (Router, ScriptedDeployment, ScriptedDeployment) {
    let primary = ScriptedDeployment::start([primary]).await;
    let backup = ScriptedDeployment::start([stream(&chat())]).await;
    let mut group =
        chain([deployment("primary", &primary.url()), deployment("backup", &backup.url())]);
    group.timeout = limit;
    (Router::start(config(group)).await, primary, backup)
}

#[rstest]
#[case::chat("chat/completions", &chat())]
#[case::completions("completions", "data: {\"choices\":[{\"text\":\"a\"}]}\n\ndata: [DONE]\n\n")]
#[case::responses("responses", &[CREATED, DELTA, COMPLETED].concat())]
#[case::images("images/generations", "data: {\"type\":\"image_generation.completed\"}\n\n")]
#[tokio::test]
async fn a_stream_is_forwarded_byte_for_byte(#[case] path: &str, #[case] events: &str) {
    let scripted = ScriptedDeployment::start([stream(events)]).await;
    let router = Router::start(config(chain([deployment("it", &scripted.url())]))).await;
    let got = router.stream(&format!("/v1/{path}"), STREAM).await;
    assert_eq!((got.status, got.is_complete), (200, true));
    assert_eq!(got.headers["content-type"], "text/event-stream; charset=utf-8");
    assert_eq!(got.body, events);
}

#[tokio::test]
async fn speech_streams_as_events_if_requested() {
    let events = "data: {\"type\":\"speech.audio.delta\",\"audio\":\"AA==\"}\n\n\
        data: {\"type\":\"speech.audio.done\"}\n\n";
    let scripted = ScriptedDeployment::start([stream(events)]).await;
    let router = Router::start(config(chain([deployment("it", &scripted.url())]))).await;
    let body = r#"{"model":"summaries","stream_format":"sse"}"#;
    let got = router.stream("/v1/audio/speech", body).await;
    assert_eq!((got.body.as_str(), got.is_complete), (events, true));
}

#[rstest]
#[case::status(error(500, "primary"))]
#[case::reset(Reply::Reset)]
#[case::no_event(stream(""))]
#[case::cut_after_the_head(Reply::Send(STREAM_HEAD.to_owned()))]
#[case::cut_after_the_role(Reply::Send(stream_of(PREAMBLE)))]
#[case::ended_after_the_role(stream(PREAMBLE))]
#[case::ended_inside_the_content(stream(&[PREAMBLE, CONTENT.trim_end()].concat()))]
#[case::done_without_an_answer(stream(&[PREAMBLE, "data: [DONE]\n\n"].concat()))]
#[case::error_at_once(stream("data: {\"error\":{\"message\":\"primary\"}}\n\n"))]
#[case::error_after_the_role(stream(&[PREAMBLE, "data: {\"error\":{\"message\":\"x\"}}\n\n"].concat()))]
#[case::malformed(stream(&[PREAMBLE, "data: {\"choices\":\n\n"].concat()))]
#[case::html(answer(200, "content-type: text/html\r\n", "<p>hi"))]
#[case::complete_instead(ok("primary"))]
#[tokio::test]
async fn a_stream_that_fails_before_its_first_content_falls_back_unseen(#[case] failure: Reply) {
    let (router, mut primary, mut backup) = two(failure, Duration::from_secs(10)).await;
    let got = router.stream("/v1/chat/completions", STREAM).await;
    assert_eq!((got.status, got.is_complete), (200, true));
    assert_eq!(got.body, chat());
    assert_eq!((primary.requests().len(), backup.requests().len()), (1, 1));
}

#[rstest]
#[case::error(&[CREATED, "event: error\ndata: {\"type\":\"error\",\"error\":{\"message\":\"x\"}}\n\n"])]
#[case::failed(&[CREATED, "data: {\"type\":\"response.failed\",\"response\":{\"error\":{}}}\n\n"])]
#[case::ended(&[CREATED])]
#[tokio::test]
async fn a_response_that_fails_before_its_first_content_falls_back_unseen(#[case] events: &[&str]) {
    let primary = ScriptedDeployment::start([stream(&events.concat())]).await;
    let complete = [CREATED, DELTA, COMPLETED].concat();
    let backup = ScriptedDeployment::start([stream(&complete)]).await;
    let group = chain([deployment("primary", &primary.url()), deployment("backup", &backup.url())]);
    let got = Router::start(config(group)).await.stream("/v1/responses", STREAM).await;
    assert_eq!((got.body, got.is_complete), (complete, true));
}

#[tokio::test]
async fn silence_before_the_first_content_falls_back_after_the_timeout() {
    let (router, mut primary, _backup) =
        two(Reply::Hold(stream_of(PREAMBLE)), Duration::from_millis(200)).await;
    assert_eq!(router.stream("/v1/chat/completions", STREAM).await.body, chat());
    primary.hangup().await;
}

#[tokio::test]
async fn an_early_stream_error_gets_a_status_when_the_chain_is_exhausted() {
    let scripted = ScriptedDeployment::start([stream(
        "data: {\"error\":{\"message\":\"boom sk-it-key\"}}\n\n",
    )])
    .await;
    let router = Router::start(config(chain([deployment("it", &scripted.url())]))).await;
    let got = router.send(router.post("/v1/chat/completions", STREAM)).await;
    assert_eq!((got.status, got.error_code().as_str()), (502, "upstream_error"));
    assert!(got.body.contains("boom [redacted]"), "{}", got.body);
}

#[tokio::test]
async fn the_first_content_does_not_wait_for_the_rest() {
    let (say, reply) = live();
    let scripted = ScriptedDeployment::start([reply]).await;
    let router = Router::start(config(chain([deployment("it", &scripted.url())]))).await;
    let send = |text: String| say.send(text).expect("the deployment listens");
    send(stream_of(PREAMBLE));
    send(chunk(CONTENT));
    let call = router.post("/v1/chat/completions", STREAM);
    let mut response = call.send().await.expect("an answer");
    let mut got = Vec::new();
    while got.len() < PREAMBLE.len() + CONTENT.len() {
        got.extend(response.chunk().await.expect("no break").expect("no end"));
    }
    assert_eq!(got, [PREAMBLE, CONTENT].concat().as_bytes());

    send(chunk(": still here\n"));
    assert_eq!(response.chunk().await.expect("no break").expect("no end"), ": still here\n");
    send(chunk(END));
    send(LAST_CHUNK.to_owned());
    assert_eq!(response.chunk().await.expect("no break").expect("no end"), END);
    assert_eq!(response.chunk().await.expect("no break"), None);
}

#[tokio::test]
async fn a_client_disconnect_cancels_the_stream_at_the_provider() {
    let mut scripted =
        ScriptedDeployment::start([Reply::Hold(stream_of(&[PREAMBLE, CONTENT].concat()))]).await;
    let router = Router::start(config(chain([deployment("it", &scripted.url())]))).await;
    let call = router.post("/v1/chat/completions", STREAM);
    let mut response = call.send().await.expect("an answer");
    response.chunk().await.expect("no break").expect("content");
    drop(response);
    scripted.hangup().await;
}

#[tokio::test]
async fn a_slow_client_slows_the_provider() {
    const PIECE: usize = 1 << 20;
    const MOST_PIECES: usize = 64;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("a bound socket"));
    let router = Router::start(config(chain([deployment("it", &url)]))).await;

    let address = router.url.trim_start_matches("http://");
    let mut client = TcpStream::connect(address).await.expect("the router listens");
    let request = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n{STREAM}",
        STREAM.len()
    );
    client.write_all(request.as_bytes()).await.expect("a connection");

    let (mut provider, _) = listener.accept().await.expect("an attempt");
    provider.read_exact(&mut [0]).await.expect("a request");
    provider.write_all(stream_of(CONTENT).as_bytes()).await.expect("a connection");
    let comment = chunk(&format!(":{}\n", "x".repeat(PIECE - 2)));
    let mut sent = 0;
    // If the client does not read, the buffers along the way fill up, and the provider can no
    // longer write.
    while sent < MOST_PIECES {
        let write = provider.write_all(comment.as_bytes());
        if timeout(Duration::from_millis(100), write).await.is_err() {
            break;
        }
        sent += 1;
    }
    assert!(sent < MOST_PIECES, "{MOST_PIECES} MiB were read for a client that reads nothing");
}

#[tokio::test]
async fn a_key_in_a_stream_is_redacted() {
    let events = chat().replace("Grüße", "sk-it-key");
    let scripted = ScriptedDeployment::start([stream(&events)]).await;
    let router = Router::start(config(chain([deployment("it", &scripted.url())]))).await;
    let got = router.stream("/v1/chat/completions", STREAM).await;
    assert_eq!(got.body, events.replace("sk-it-key", "[redacted]"));
}
