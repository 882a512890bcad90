//! What the journal keeps, and how much of it.

use crate::wire_support::{CHAT, Client, chat, post, says, upstream};
use fallproof_mocks::behaviour::Behaviour;
use fallproof_mocks::journal::{HitKind, Limits};
use fallproof_mocks::provider::Surface;
use fallproof_mocks::wire::Wire;

const PRIMARY: &str = "/test/primary";
const BACKUP: &str = "/test/backup";

/// A wire with this journal, and two upstreams that say `0123456789` without end.
async fn wire_that_keeps(limits: Limits) -> Wire {
    let addr = "127.0.0.1:0".parse().expect("an address");
    let wire = Wire::bind_with(addr, limits).await.expect("a free port");
    for prefix in [PRIMARY, BACKUP] {
        let script = vec![Behaviour { times: u32::MAX, ..says(200, "0123456789") }];
        wire.plug(upstream(prefix, Surface::OpenAi, script)).expect("a script that works");
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
    let hits = wire.hits(PRIMARY).await;
    assert_eq!((&*hits[0].body, hits[0].body_cut), (&CHAT.as_bytes()[..8], Some(CHAT.len())));
    assert_eq!((&*hits[0].reply, hits[0].reply_cut), (&b"01234567"[..], Some(10)));
    assert_eq!(hits[0].sent, 10);
    assert!(!hits[0].refused, "the provider saw all of it");
    assert_eq!((&*hits[1].body, hits[1].body_cut), (&b"12345678"[..], None), "just short enough");
}

#[tokio::test]
async fn of_many_hits_the_latest_are_kept_and_the_others_counted() {
    let wire = wire_that_keeps(Limits { hits: 4, ..Limits::default() }).await;
    let mut client = Client::of(&wire).await;
    for prefix in [PRIMARY, PRIMARY, BACKUP, PRIMARY, PRIMARY, PRIMARY] {
        client.ask(chat(prefix)).await;
    }
    let attempts: Vec<_> = wire.hits(PRIMARY).await.iter().map(|hit| hit.attempt).collect();
    assert_eq!(attempts, [3, 4, 5], "the first two have made room");
    assert_eq!(wire.hits(BACKUP).await.len(), 1);
    assert_eq!(wire.dropped(), (2, 0));
}

#[tokio::test]
async fn what_is_taken_makes_room() {
    let wire = wire_that_keeps(Limits { hits: 2, ..Limits::default() }).await;
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
    let hits = wire.hits(PRIMARY).await;
    let attempts: Vec<_> = hits.iter().map(|hit| hit.attempt).collect();
    assert_eq!(attempts, [8, 9, 10]);
    assert!(hits.iter().all(|hit| hit.body.len() == body.len()), "what is kept is whole");
    assert_eq!(wire.dropped(), (7, 0));
}

#[tokio::test]
async fn stray_hits_are_bounded_and_push_out_no_attempt() {
    let wire = wire_that_keeps(Limits { hits: 3, ..Limits::default() }).await;
    let mut client = Client::of(&wire).await;
    client.ask(chat(PRIMARY)).await;
    for _ in 0..20 {
        client.ask(chat("/no/body")).await;
    }
    let stray = wire.stray().await;
    assert_eq!((stray.len(), stray[2].kind, stray[2].seq), (3, HitKind::Stray, 20));
    assert_eq!(wire.hits(PRIMARY).await.len(), 1);
    assert_eq!(wire.dropped(), (0, 17));
}

#[tokio::test]
async fn the_latest_hit_is_kept_however_small_the_journal_is() {
    let wire = wire_that_keeps(Limits { hits: 0, bytes: 0, body: 0 }).await;
    let mut client = Client::of(&wire).await;
    client.ask(chat(PRIMARY)).await;
    client.ask(chat(PRIMARY)).await;
    let hits = wire.hits(PRIMARY).await;
    assert_eq!((hits.len(), hits[0].attempt, hits[0].body.len()), (1, 2, 0));
}

#[tokio::test]
async fn requests_of_one_connection_share_the_time_it_was_accepted() {
    let wire = wire_that_keeps(Limits::default()).await;
    let mut client = Client::of(&wire).await;
    client.ask(chat(PRIMARY)).await;
    client.ask(chat(PRIMARY)).await;
    Client::of(&wire).await.ask(chat(PRIMARY)).await;
    let hits = wire.hits(PRIMARY).await;
    let accepted: Vec<_> = hits.iter().map(|hit| hit.times.accepted).collect();
    assert_eq!(accepted[0], accepted[1]);
    assert!(accepted[1] < accepted[2]);
    assert!(hits.iter().all(|hit| hit.times.accepted <= hit.times.head));
}
