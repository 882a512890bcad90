//! The limits of the request log.

use std::num::NonZeroUsize;

use crate::server_support::{CHAT, Client, chat, mock, post, says};
use fallproof_mocks::behavior::{Behavior, Chunking, WireFault};
use fallproof_mocks::provider::Surface;
use fallproof_mocks::request_log::{Limits, RequestKind};
use fallproof_mocks::server::MockServer;

const PRIMARY: &str = "/test/primary";
const BACKUP: &str = "/test/backup";

/// A server with these limits for its request log, and with two deployments that always reply
/// `0123456789`.
async fn server_with_limits(limits: Limits) -> MockServer {
    let addr = "127.0.0.1:0".parse().expect("an address");
    let server = MockServer::bind_with(addr, limits).await.expect("a free port");
    for prefix in [PRIMARY, BACKUP] {
        let script = vec![Behavior { count: u32::MAX, ..says(200, "0123456789") }];
        server.mount(mock(prefix, Surface::OpenAi, script)).expect("a script that works");
    }
    server
}

#[tokio::test]
async fn bodies_are_truncated_at_the_limit_and_marked() {
    let server = server_with_limits(Limits { body: 8, ..Limits::default() }).await;
    let mut client = Client::of(&server).await;
    let reply = client.ask(chat(PRIMARY)).await;
    assert_eq!(reply.text(), "0123456789", "the client gets the complete body");
    client.ask(post(&format!("{PRIMARY}/v1/chat/completions"), "12345678")).await;
    let requests = server.requests(PRIMARY).await;
    assert_eq!(
        (&*requests[0].body, requests[0].body_cut),
        (&CHAT.as_bytes()[..8], Some(CHAT.len()))
    );
    assert_eq!((&*requests[0].reply, requests[0].reply_cut), (&b"01234567"[..], Some(10)));
    assert_eq!(requests[0].sent, 10);
    assert!(!requests[0].refused, "the provider got the complete body");
    assert_eq!(
        (&*requests[1].body, requests[1].body_cut),
        (&b"12345678"[..], None),
        "exactly at the limit"
    );
}

#[tokio::test]
async fn the_latest_requests_are_kept_and_the_others_counted() {
    let server = server_with_limits(Limits { requests: 4, ..Limits::default() }).await;
    let mut client = Client::of(&server).await;
    for prefix in [PRIMARY, PRIMARY, BACKUP, PRIMARY, PRIMARY, PRIMARY] {
        client.ask(chat(prefix)).await;
    }
    let attempts: Vec<_> =
        server.requests(PRIMARY).await.iter().map(|recorded| recorded.attempt).collect();
    assert_eq!(attempts, [3, 4, 5], "the first two were dropped");
    assert_eq!(server.requests(BACKUP).await.len(), 1);
    assert_eq!(server.dropped(), (2, 0));
}

#[tokio::test]
async fn taking_requests_frees_memory() {
    let server = server_with_limits(Limits { requests: 2, ..Limits::default() }).await;
    let mut client = Client::of(&server).await;
    for _ in 0..50 {
        client.ask(chat(PRIMARY)).await;
        client.ask(chat(BACKUP)).await;
        assert_eq!((server.take(PRIMARY).await.len(), server.take(BACKUP).await.len()), (1, 1));
    }
    assert_eq!(server.dropped(), (0, 0));
}

#[tokio::test]
async fn large_requests_displace_each_other() {
    let server = server_with_limits(Limits { bytes: 100_000, ..Limits::default() }).await;
    let mut client = Client::of(&server).await;
    let body = CHAT.replace("Hello", &"x".repeat(30_000));
    for _ in 0..10 {
        client.ask(post(&format!("{PRIMARY}/v1/chat/completions"), &body)).await;
    }
    let requests = server.requests(PRIMARY).await;
    let attempts: Vec<_> = requests.iter().map(|recorded| recorded.attempt).collect();
    assert_eq!(attempts, [8, 9, 10]);
    assert!(
        requests.iter().all(|recorded| recorded.body.len() == body.len()),
        "requests in the log are complete"
    );
    assert_eq!(server.dropped(), (7, 0));
}

#[tokio::test]
async fn the_times_of_pieces_count_as_memory() {
    let addr = "127.0.0.1:0".parse().expect("an address");
    let limits = Limits { bytes: 60_000, ..Limits::default() };
    let server = MockServer::bind_with(addr, limits).await.expect("a free port");
    let text = "x".repeat(1_000);
    let wire =
        WireFault { write: Some(Chunking::Bytes(NonZeroUsize::MIN)), ..WireFault::default() };
    let script = vec![Behavior { count: u32::MAX, wire, ..says(200, &text) }];
    server.mount(mock(PRIMARY, Surface::OpenAi, script)).expect("a script that works");
    let mut client = Client::of(&server).await;
    for _ in 0..5 {
        client.ask(chat(PRIMARY)).await;
    }
    let requests = server.requests(PRIMARY).await;
    assert!(requests.iter().all(|recorded| recorded.out.pieces.len() >= 1_000));
    assert_eq!((requests.len(), server.dropped()), (2, (3, 0)), "24 KB each, besides the bytes");
}

#[tokio::test]
async fn unmatched_requests_are_limited_and_displace_no_attempt() {
    let server = server_with_limits(Limits { requests: 3, ..Limits::default() }).await;
    let mut client = Client::of(&server).await;
    client.ask(chat(PRIMARY)).await;
    for _ in 0..20 {
        client.ask(chat("/no/body")).await;
    }
    let unmatched = server.unmatched().await;
    assert_eq!(
        (unmatched.len(), unmatched[2].kind, unmatched[2].seq),
        (3, RequestKind::Unmatched, 20)
    );
    assert_eq!(server.requests(PRIMARY).await.len(), 1);
    assert_eq!(server.dropped(), (0, 17));
}

#[tokio::test]
async fn the_latest_request_is_kept_however_small_the_log() {
    let server = server_with_limits(Limits { requests: 0, bytes: 0, body: 0 }).await;
    let mut client = Client::of(&server).await;
    client.ask(chat(PRIMARY)).await;
    client.ask(chat(PRIMARY)).await;
    let requests = server.requests(PRIMARY).await;
    assert_eq!((requests.len(), requests[0].attempt, requests[0].body.len()), (1, 2, 0));
}

#[tokio::test]
async fn requests_of_one_connection_share_the_time_it_was_accepted() {
    let server = server_with_limits(Limits::default()).await;
    let mut client = Client::of(&server).await;
    client.ask(chat(PRIMARY)).await;
    client.ask(chat(PRIMARY)).await;
    Client::of(&server).await.ask(chat(PRIMARY)).await;
    let requests = server.requests(PRIMARY).await;
    let accepted: Vec<_> = requests.iter().map(|recorded| recorded.times.accepted).collect();
    assert_eq!(accepted[0], accepted[1]);
    assert!(accepted[1] < accepted[2]);
    assert!(requests.iter().all(|recorded| recorded.times.accepted <= recorded.times.head));
}
