//! Replies that depend on the connection and on the client: stale connections, the pace of a
//! stream, and content codings.

use std::time::Duration;

use crate::server_support::{
    CHAT, Client, Ending, KEY, chat, cut, mock, ok_but, says, server_with, streams,
};
use fallproof_mocks::behavior::{Behavior, CutEnd, CutPoint, KeepAliveFault, WireFault};
use fallproof_mocks::provider::Surface;
use fallproof_mocks::request_log::RequestKind;
use fallproof_protocol::coding::{self, Coding};
use rstest::rstest;

const PRIMARY: &str = "/test/primary";
const LONG: u64 = 600_000;

/// A frame, three pieces of content, and the end.
const EVENTS: [&str; 5] = [
    "data: {}\n\n",
    "data: {\"type\":\"a\"}\n\n",
    "data: {\"type\":\"b\"}\n\n",
    "data: {\"type\":\"c\"}\n\n",
    "data: [DONE]\n\n",
];

/// A successful reply that leaves this fault on the connections.
fn keeping(fault: KeepAliveFault) -> Behavior {
    ok_but(WireFault { keep_alive: Some(fault), ..WireFault::default() })
}

#[tokio::test]
async fn a_connection_can_be_closed_without_notice() {
    let server = server_with(vec![keeping(KeepAliveFault::Closes), says(200, "other")]).await;
    let mut other = Client::of(&server).await;
    let mut client = Client::of(&server).await;
    let reply = client.ask(chat(PRIMARY)).await;
    assert_eq!((reply.status, reply.header("connection")), (200, None));
    assert_eq!(client.rest().await, (Vec::new(), Ending::Fin));
    assert_eq!(other.ask(chat(PRIMARY)).await.text(), "other", "other connections stay usable");
}

#[tokio::test]
async fn a_request_on_a_closed_connection_is_logged_and_not_answered() {
    let server = server_with(vec![keeping(KeepAliveFault::Closes), says(200, "new")]).await;
    let mut client = Client::of(&server).await;
    assert_eq!(client.ask(chat(PRIMARY)).await.status, 200);
    client.send(chat(PRIMARY)).await;
    client.send("GET /test/primary/v1/models HTTP/1.1\r\nHost: a\r\n\r\n").await;
    server.arrived(PRIMARY, 3).await;
    assert_eq!(client.rest().await, (Vec::new(), Ending::Fin));
    assert_eq!(Client::of(&server).await.ask(chat(PRIMARY)).await.text(), "new");
    let requests = server.requests(PRIMARY).await;
    let seen: Vec<_> = requests.iter().map(|it| (it.kind, it.attempt, it.status)).collect();
    let (attempt, stale, probe) = (RequestKind::Attempt, RequestKind::Stale, RequestKind::Probe);
    let expected =
        [(attempt, 1, Some(200)), (stale, 0, None), (probe, 0, None), (attempt, 2, Some(200))];
    assert_eq!(seen, expected, "a lost request takes nothing of the script");
    assert!(requests[1].body.ends_with(b"}"), "it is recorded whole");
}

#[tokio::test]
async fn a_connection_can_be_closed_as_it_is_used_again() {
    let server = server_with(vec![keeping(KeepAliveFault::ClosesOnReuse), says(200, "new")]).await;
    let mut client = Client::of(&server).await;
    assert_eq!(client.ask(chat(PRIMARY)).await.status, 200);
    client.send(chat(PRIMARY)).await;
    assert_eq!(client.rest().await, (Vec::new(), Ending::Fin));
    assert_eq!(Client::of(&server).await.ask(chat(PRIMARY)).await.text(), "new");
    let requests = server.requests(PRIMARY).await;
    let kinds: Vec<_> = requests.iter().map(|it| (it.kind, it.attempt, it.status)).collect();
    let (attempt, stale) = (RequestKind::Attempt, RequestKind::Stale);
    let expected = [(attempt, 1, Some(200)), (stale, 0, None), (attempt, 2, Some(200))];
    assert_eq!(kinds, expected, "a stale request takes nothing of the script");
}

#[tokio::test]
async fn a_connection_can_be_lost() {
    let server = server_with(vec![keeping(KeepAliveFault::DropsOnReuse)]).await;
    let mut client = Client::of(&server).await;
    assert_eq!(client.ask(chat(PRIMARY)).await.status, 200);
    client.send(chat(PRIMARY)).await;
    server.arrived(PRIMARY, 2).await;
    assert!(client.is_held_open().await);
    drop(client);
    server.ended(PRIMARY).await;
    assert!(server.requests(PRIMARY).await[1].client_gone);
}

#[tokio::test]
async fn a_connection_is_stale_for_its_deployment_only() {
    let server = server_with(vec![keeping(KeepAliveFault::ClosesOnReuse)]).await;
    let ok = Behavior { count: 2, ..Behavior::named("ok") };
    server.mount(mock("/test/other", Surface::OpenAi, vec![ok])).expect("a valid script");
    let mut client = Client::of(&server).await;
    assert_eq!(client.ask(chat(PRIMARY)).await.status, 200);
    assert_eq!(client.ask(chat("/test/other")).await.status, 200);
    let again = mock(PRIMARY, Surface::OpenAi, vec![Behavior::named("ok")]);
    server.mount(again).expect("a valid script");
    assert_eq!(client.ask(chat(PRIMARY)).await.status, 200, "its script has started over");
}

fn paced(delay: u64) -> WireFault {
    WireFault { chunk_delay_ms: Some(delay), paced: true, ..WireFault::default() }
}

#[tokio::test]
async fn a_paced_stream_goes_on_as_its_client_receives() {
    let server = server_with(vec![streams(&EVENTS.concat(), paced(LONG))]).await;
    let mut client = Client::of(&server).await;
    client.send(chat(PRIMARY)).await;
    client.head().await;
    for event in EVENTS {
        assert_eq!(client.chunk().await, event.as_bytes());
        server.received(PRIMARY);
    }
    assert_eq!(client.chunk().await, b"");
}

#[tokio::test]
async fn a_paced_stream_waits_in_full_only_twice() {
    let server = server_with(vec![streams(&EVENTS.concat(), paced(20))]).await;
    let mut client = Client::of(&server).await;
    client.send(chat(PRIMARY)).await;
    client.head().await;
    for event in EVENTS {
        assert_eq!(client.chunk().await, event.as_bytes());
    }
    let requests = server.requests(PRIMARY).await;
    let times: Vec<_> = requests[0].out.pieces.iter().map(|(at, _)| *at).collect();
    let delay = Duration::from_millis(20);
    assert!(times[3] >= times[2] + delay && times[4] >= times[3] + delay, "{times:?}");
    let server = server_with(vec![streams(&EVENTS.concat(), paced(LONG))]).await;
    let mut client = Client::of(&server).await;
    client.send(chat(PRIMARY)).await;
    client.head().await;
    for event in &EVENTS[..2] {
        assert_eq!(client.chunk().await, event.as_bytes());
    }
    assert!(client.is_held_open().await, "without a notice it waits");
}

/// A chat request with this additional header.
fn chat_with(header: &str) -> String {
    chat(PRIMARY).replacen("\r\n", &format!("\r\n{header}\r\n"), 1)
}

fn gzip(cut: Option<(CutPoint, CutEnd)>) -> WireFault {
    let cut = cut.map_or_else(WireFault::default, |(at, end)| self::cut(at, end));
    WireFault { encoding: Some(Coding::Gzip), ..cut }
}

#[tokio::test]
async fn a_reply_is_packed_for_a_client_that_accepts_it() {
    let packed = Behavior { count: 3, wire: gzip(None), ..says(200, "0123456789") };
    let server = server_with(vec![packed]).await;
    let mut client = Client::of(&server).await;
    let reply = client.ask(chat_with("Accept-Encoding: br, gzip")).await;
    assert_eq!(reply.header("content-encoding"), Some("gzip"));
    assert_eq!(coding::unpacked(&reply.body, 100).as_deref(), Some(&b"0123456789"[..]));
    for plain in ["x-other: 1", "accept-encoding: identity"] {
        let reply = client.ask(chat_with(plain)).await;
        assert_eq!((reply.text(), reply.header("content-encoding")), ("0123456789", None));
    }
    let requests = server.requests(PRIMARY).await;
    assert_eq!((requests[0].sent, requests[0].reply.as_slice()), (10, &b"0123456789"[..]));
    let mut headers = requests[0].reply_headers();
    assert!(headers.any(|header| header == ("content-encoding", "gzip")));
}

#[rstest]
#[case::complete(None, 5)]
#[case::cut(Some((CutPoint::Events(2), CutEnd::Close)), 2)]
#[tokio::test]
async fn a_packed_stream_can_be_unpacked_event_by_event(
    #[case] cut: Option<(CutPoint, CutEnd)>,
    #[case] events: usize,
) {
    let server = server_with(vec![streams(&EVENTS.concat(), gzip(cut))]).await;
    let mut client = Client::of(&server).await;
    client.send(chat_with("accept-encoding: gzip")).await;
    client.head().await;
    let (mut arrived, mut plain) = (Vec::new(), String::new());
    for event in &EVENTS[..events] {
        arrived.extend(client.chunk().await);
        plain.push_str(event);
        assert_eq!(coding::unpacked(&arrived, 1000).as_deref(), Some(plain.as_bytes()));
    }
    server.ended(PRIMARY).await;
    assert_eq!(server.requests(PRIMARY).await[0].sent, plain.len());
}

#[tokio::test]
async fn a_packed_request_is_unpacked_and_logged_as_received() {
    let server = server_with(vec![Behavior::named("ok")]).await;
    let body = Coding::Gzip.packed([CHAT.as_bytes()]).concat();
    let head = format!(
        "POST {PRIMARY}/v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\n\
         content-encoding: gzip\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let request = [head.as_bytes(), &body].concat();
    let reply = Client::of(&server).await.ask(request).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(server.requests(PRIMARY).await[0].body, body);
}

#[tokio::test]
async fn a_scripted_body_can_hold_letters_and_the_marker() {
    let text = "{{marker}}|{{letters:100000}}|{{key}}";
    let server = server_with(vec![says(200, text)]).await;
    let reply = Client::of(&server).await.ask(chat(PRIMARY)).await;
    let mock = mock(PRIMARY, Surface::OpenAi, vec![]);
    let parts: Vec<_> = reply.text().split('|').collect();
    assert_eq!((parts[0], parts[1].len(), parts[2]), (mock.marker.token(), 100_000, KEY));
}
