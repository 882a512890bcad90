//! What the request log keeps, and how much of it.

use crate::server_support::{CHAT, Client, chat, mock, post, says};
use fallproof_mocks::behavior::Behavior;
use fallproof_mocks::provider::Surface;
use fallproof_mocks::request_log::{Limits, RequestKind};
use fallproof_mocks::server::MockServer;

const PRIMARY: &str = "/test/primary";
const BACKUP: &str = "/test/backup";

/// A wire with this request log, and two deployments that say `0123456789` without end.
async fn wire_that_keeps(limits: Limits) -> MockServer {
    let addr = "127.0.0.1:0".parse().expect("an address");
    let wire = MockServer::bind_with(addr, limits).await.expect("a free port");
    for prefix in [PRIMARY, BACKUP] {
        let script = vec![Behavior { count: u32::MAX, ..says(200, "0123456789") }];
        wire.mount(mock(prefix, Surface::OpenAi, script)).expect("a script that works");
    }
    wire
}

#[tokio::test]
async fn bodies_are_kept_up_to_the_limit_and_marked() {
    let wire = wire_that_keeps(Limits { body: 8, ..Limits::default() }).await;
    let mut client = Client::of(&wire).await;
    let reply = client.ask(chat(PRIMARY)).await;
    assert_eq!(reply.text(), "0123456789", "the client gets all of it");
    client.ask(post(&format!("{PRIMARY}/v1/chat/completions"), "12345678")).await;
    let requests = wire.requests(PRIMARY).await;
    assert_eq!(
        (&*requests[0].body, requests[0].body_cut),
        (&CHAT.as_bytes()[..8], Some(CHAT.len()))
    );
    assert_eq!((&*requests[0].reply, requests[0].reply_cut), (&b"01234567"[..], Some(10)));
    assert_eq!(requests[0].sent, 10);
    assert!(!requests[0].refused, "the provider saw all of it");
    assert_eq!(
        (&*requests[1].body, requests[1].body_cut),
        (&b"12345678"[..], None),
        "just short enough"
    );
}

#[tokio::test]
async fn of_many_hits_the_latest_are_kept_and_the_others_counted() {
    let wire = wire_that_keeps(Limits { requests: 4, ..Limits::default() }).await;
    let mut client = Client::of(&wire).await;
    for prefix in [PRIMARY, PRIMARY, BACKUP, PRIMARY, PRIMARY, PRIMARY] {
        client.ask(chat(prefix)).await;
    }
    let attempts: Vec<_> =
        wire.requests(PRIMARY).await.iter().map(|recorded| recorded.attempt).collect();
    assert_eq!(attempts, [3, 4, 5], "the first two have made room");
    assert_eq!(wire.requests(BACKUP).await.len(), 1);
    assert_eq!(wire.dropped(), (2, 0));
}

#[tokio::test]
async fn what_is_taken_makes_room() {
    let wire = wire_that_keeps(Limits { requests: 2, ..Limits::default() }).await;
    let mut client = Client::of(&wire).await;
    for _ in 0..50 {
        client.ask(chat(PRIMARY)).await;
        client.ask(chat(BACKUP)).await;
        assert_eq!((wire.take(PRIMARY).await.len(), wire.take(BACKUP).await.len()), (1, 1));
    }
    assert_eq!(wire.dropped(), (0, 0));
}

#[tokio::test]
async fn heavy_hits_make_room_for_each_other() {
    let wire = wire_that_keeps(Limits { bytes: 100_000, ..Limits::default() }).await;
    let mut client = Client::of(&wire).await;
    let body = CHAT.replace("Hello", &"x".repeat(30_000));
    for _ in 0..10 {
        client.ask(post(&format!("{PRIMARY}/v1/chat/completions"), &body)).await;
    }
    let requests = wire.requests(PRIMARY).await;
    let attempts: Vec<_> = requests.iter().map(|recorded| recorded.attempt).collect();
    assert_eq!(attempts, [8, 9, 10]);
    assert!(
        requests.iter().all(|recorded| recorded.body.len() == body.len()),
        "what is kept is whole"
    );
    assert_eq!(wire.dropped(), (7, 0));
}

#[tokio::test]
async fn stray_hits_are_bounded_and_push_out_no_attempt() {
    let wire = wire_that_keeps(Limits { requests: 3, ..Limits::default() }).await;
    let mut client = Client::of(&wire).await;
    client.ask(chat(PRIMARY)).await;
    for _ in 0..20 {
        client.ask(chat("/no/body")).await;
    }
    let unmatched = wire.unmatched().await;
    assert_eq!(
        (unmatched.len(), unmatched[2].kind, unmatched[2].seq),
        (3, RequestKind::Unmatched, 20)
    );
    assert_eq!(wire.requests(PRIMARY).await.len(), 1);
    assert_eq!(wire.dropped(), (0, 17));
}

#[tokio::test]
async fn the_latest_hit_is_kept_however_small_the_journal_is() {
    let wire = wire_that_keeps(Limits { requests: 0, bytes: 0, body: 0 }).await;
    let mut client = Client::of(&wire).await;
    client.ask(chat(PRIMARY)).await;
    client.ask(chat(PRIMARY)).await;
    let requests = wire.requests(PRIMARY).await;
    assert_eq!((requests.len(), requests[0].attempt, requests[0].body.len()), (1, 2, 0));
}

#[tokio::test]
async fn requests_of_one_connection_share_the_time_it_was_accepted() {
    let wire = wire_that_keeps(Limits::default()).await;
    let mut client = Client::of(&wire).await;
    client.ask(chat(PRIMARY)).await;
    client.ask(chat(PRIMARY)).await;
    Client::of(&wire).await.ask(chat(PRIMARY)).await;
    let requests = wire.requests(PRIMARY).await;
    let accepted: Vec<_> = requests.iter().map(|recorded| recorded.times.accepted).collect();
    assert_eq!(accepted[0], accepted[1]);
    assert!(accepted[1] < accepted[2]);
    assert!(requests.iter().all(|recorded| recorded.times.accepted <= recorded.times.head));
}
