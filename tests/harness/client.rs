//! The raw HTTP client: how it classifies the ending of a response.

use std::time::{Duration, Instant};

use fallproof_runner::client::{BaseUrl, ClientBehavior, post};
use fallproof_suite::evidence::{Ending, Exchange, MOST_ANSWER_BYTES, MOST_ANSWER_EVENTS};
use rstest::rstest;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Longer than any call takes in these tests.
const LIMIT: Duration = Duration::from_secs(30);

const CHUNKED: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";

/// Calls a target that responds with these bytes. If `keep_open` is set, the connection stays open
/// until the response is read.
async fn call(answer: String, keep_open: bool) -> Exchange {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let addr = listener.local_addr().expect("a bound listener");
    let target = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a client connects");
        read_request(&mut stream).await;
        // The client may have disconnected already.
        let _ = stream.write_all(answer.as_bytes()).await;
        keep_open.then_some(stream)
    });
    let base = BaseUrl::parse(&format!("http://{addr}/v1"), None).expect("a URL");
    let (behavior, clock) = (ClientBehavior::default(), Instant::now());
    let exchange = post(&base, "responses", &[], b"{}", LIMIT, behavior, clock).await;
    drop(target.await.expect("the target does not panic"));
    exchange
}

async fn read_request(stream: &mut TcpStream) {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n{}") {
        let read = stream.read_buf(&mut request).await.expect("readable");
        assert_ne!(read, 0, "the client sends a complete request");
    }
}

#[rstest]
#[case::at_once("3\r\nabc\r\n0\r\n\r\n")]
#[case::with_an_extension("3;x=y\r\nabc\r\n0;last\r\n\r\n")]
#[case::with_trailers("3\r\nabc\r\n0\r\nx-took: 1\r\nx-more: 2\r\n\r\n")]
#[tokio::test]
async fn a_chunked_response_ends_at_its_empty_line(
    #[case] body: &str,
    #[values(true, false)] keep_open: bool,
) {
    let exchange = call(format!("{CHUNKED}{body}"), keep_open).await;
    assert_eq!((exchange.ending, &*exchange.body), (Ending::Complete, &b"abc"[..]));
}

#[rstest]
#[case::without_its_empty_line("3\r\nabc\r\n0\r\n")]
#[case::within_its_trailers("3\r\nabc\r\n0\r\nx-took: 1\r\n")]
#[case::within_its_last_size("3\r\nabc\r\n0")]
#[case::behind_a_chunk("3\r\nabc\r\n")]
#[case::within_the_end_of_a_chunk("3\r\nabc\r")]
#[tokio::test]
async fn a_chunked_response_that_is_cut_off_is_incomplete(#[case] body: &str) {
    let exchange = call(format!("{CHUNKED}{body}"), false).await;
    assert_eq!((exchange.ending, &*exchange.body), (Ending::Closed, &b"abc"[..]));
}

#[rstest]
#[case::chunk("3\r\nabcXX0\r\n\r\n".to_owned(), "chunk longer than its declared size")]
#[case::size(format!("3;{}", "x".repeat(70_000)), "chunk-size line too long")]
#[case::trailer(format!("0\r\n{}", "x".repeat(70_000)), "trailer line too long")]
#[case::trailers(format!("0\r\n{}", "x: y\r\n".repeat(300)), "too many trailers")]
#[tokio::test]
async fn invalid_chunks_are_not_http(#[case] body: String, #[case] what: &str) {
    let exchange = call(format!("{CHUNKED}{body}"), true).await;
    assert_eq!(exchange.ending, Ending::NotHttp(what.to_owned()));
}

#[rstest]
#[case::head(format!("HTTP/1.1 200 OK\r\nx: {}", "y".repeat(300_000)), "the head is longer than 256 KiB")]
#[case::headers(format!("HTTP/1.1 200 OK\r\n{}\r\n", "x: y\r\n".repeat(300)), "too many headers")]
#[case::interim("HTTP/1.1 102 Processing\r\n\r\n".repeat(101), "more than 100 interim responses")]
#[tokio::test]
async fn an_endless_head_is_not_http(#[case] head: String, #[case] what: &str) {
    let exchange = call(head, true).await;
    assert_eq!(exchange.ending, Ending::NotHttp(what.to_owned()));
}

#[rstest]
#[case::bytes("x", MOST_ANSWER_BYTES)]
#[case::events("data: 1\n\n", MOST_ANSWER_EVENTS)]
#[tokio::test]
async fn a_response_is_read_up_to_a_limit(#[case] item: &str, #[case] most: usize) {
    let head = "HTTP/1.1 200 OK\r\n\r\n";
    let longest = call(format!("{head}{}", item.repeat(most)), false).await;
    assert_eq!((longest.ending, longest.body.len()), (Ending::Complete, most * item.len()));
    let longer = call(format!("{head}{}", item.repeat(most + 1)), false).await;
    assert_eq!(longer.ending, Ending::TooLong);
}

#[rstest]
#[case::not_a_number("content-length: two", "content-length is `two`")]
#[case::signed("content-length: +2", "content-length is `+2`")]
#[case::two("content-length: 2\r\nContent-Length: 3", "two different content-lengths: 2 and 3")]
#[tokio::test]
async fn a_response_without_a_clear_end_is_not_http(#[case] headers: &str, #[case] what: &str) {
    let exchange = call(format!("HTTP/1.1 200 OK\r\n{headers}\r\n\r\n{{}}"), true).await;
    assert_eq!(exchange.ending, Ending::NotHttp(what.to_owned()));
}

#[tokio::test]
async fn a_body_in_an_unknown_transfer_coding_ends_with_the_connection() {
    let body = "3\r\nabc\r\n0\r\n\r\n";
    let answer = format!("HTTP/1.1 200 OK\r\ntransfer-encoding: xchunked\r\n\r\n{body}");
    let exchange = call(answer, false).await;
    assert_eq!((exchange.ending, &*exchange.body), (Ending::Complete, body.as_bytes()));
}

#[rstest]
#[tokio::test]
async fn bytes_after_the_end_of_a_response_are_recorded(#[values(true, false)] keep_open: bool) {
    let more = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
    let exchange = call(format!("{CHUNKED}3\r\nabc\r\n0\r\n\r\n{more}"), keep_open).await;
    assert_eq!((exchange.ending, &*exchange.body), (Ending::Complete, &b"abc"[..]));
    assert!(exchange.received.bytes.ends_with(more.as_bytes()));
}

#[tokio::test]
async fn bytes_that_come_later_than_the_end_of_a_response_are_recorded() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let addr = listener.local_addr().expect("a bound listener");
    let target = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a client connects");
        read_request(&mut stream).await;
        for piece in ["HTTP/1.1 204 No Content\r\n\r\n", "more"] {
            stream.write_all(piece.as_bytes()).await.expect("the client still reads");
            tokio::task::yield_now().await;
        }
    });
    let base = BaseUrl::parse(&format!("http://{addr}/v1"), None).expect("a URL");
    let (behavior, clock) = (ClientBehavior::default(), Instant::now());
    let exchange = post(&base, "responses", &[], b"{}", LIMIT, behavior, clock).await;
    target.await.expect("the target does not panic");
    assert_eq!((exchange.ending, exchange.status), (Ending::Complete, Some(204)));
    assert!(exchange.received.bytes.ends_with(b"\r\n\r\nmore"));
}

/// Calls a target that sends `more` forever, repeated `times` in each write. The client disconnects
/// after three events.
async fn call_endless(more: &'static str, times: usize, limit: Duration) -> Exchange {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let addr = listener.local_addr().expect("a bound listener");
    let target = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a client connects");
        read_request(&mut stream).await;
        let _ = stream.write_all(CHUNKED.as_bytes()).await;
        let much = more.repeat(times);
        while stream.write_all(much.as_bytes()).await.is_ok() {}
    });
    let base = BaseUrl::parse(&format!("http://{addr}/v1"), None).expect("a URL");
    let behavior = ClientBehavior { disconnect_after_events: Some(3), ..ClientBehavior::default() };
    let exchange = post(&base, "responses", &[], b"{}", limit, behavior, Instant::now()).await;
    target.await.expect("the target does not panic");
    exchange
}

#[rstest]
#[case::tiny_chunks("1\r\n:\r\n")]
#[case::comments("3\r\n:\n\n\r\n")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_target_that_sends_without_end_does_not_outlast_the_timeout(#[case] more: &'static str) {
    let limit = Duration::from_millis(150);
    let exchange = call_endless(more, 10_000, limit).await;
    assert_eq!(exchange.ending, Ending::TimedOut);
    let most = Duration::from_secs(5);
    assert!(exchange.took < most, "much too long even for a slow machine: {:?}", exchange.took);
}

#[tokio::test]
async fn a_client_leaves_after_its_events_wherever_the_chunks_end() {
    let exchange = call_endless("4\r\ndata\r\n2\r\n:x\r\n1\r\n\n\r\n1\r\n\n\r\n", 1, LIMIT).await;
    assert_eq!(exchange.ending, Ending::Disconnected);
    assert_eq!(exchange.body, b"data:x\n\ndata:x\n\ndata:x\n\n");
}
