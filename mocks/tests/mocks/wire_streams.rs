//! Event streams on the wire, chunk by chunk.

use std::time::{Duration, Instant};

use crate::wire_support::{Client, Ending, by_bytes, chat, cut, held, says, streams, wire_with};
use fallproof_mocks::behaviour::{Behaviour, Cut, CutEnd, CutPoint, HeadFault, WirePlan};
use rstest::rstest;

const PRIMARY: &str = "/test/primary";
const LONG: u64 = 600_000;

/// Three events, of 15, 19 and 14 bytes.
const EVENTS: [&str; 3] = ["data: {\"a\":1}\n\n", "data: \"ü€😀\"\n\n", "data: [DONE]\n\n"];

fn three_events(wire: WirePlan) -> Behaviour {
    streams(&EVENTS.concat(), wire)
}

#[tokio::test]
async fn a_stream_is_chunked_one_chunk_for_each_event_and_ends_with_an_empty_one() {
    let wire = wire_with(vec![three_events(WirePlan::default()), says(200, "next")]).await;
    let mut client = Client::of(&wire).await;
    client.send(chat(PRIMARY)).await;
    let head = client.head().await;
    assert!(head.contains("\r\ntransfer-encoding: chunked\r\n"), "{head}");
    assert!(!head.contains("content-length"), "{head}");
    for event in EVENTS {
        assert_eq!(client.chunk().await, event.as_bytes());
    }
    assert_eq!(client.chunk().await, b"");
    assert_eq!(client.ask(chat(PRIMARY)).await.text(), "next", "the connection goes on");
    let hits = wire.hits(PRIMARY).await;
    assert_eq!(hits[0].reply, EVENTS.concat().as_bytes(), "without the coding");
    assert_eq!(hits[0].sent, EVENTS.concat().len());
}

#[tokio::test]
async fn chunks_of_bytes_split_events_and_characters() {
    let by_three = WirePlan { write: by_bytes(3), ..WirePlan::default() };
    let wire = wire_with(vec![three_events(by_three)]).await;
    let mut client = Client::of(&wire).await;
    client.send(chat(PRIMARY)).await;
    client.head().await;
    let stream = EVENTS.concat();
    let mut splits_a_character = false;
    for expected in stream.as_bytes().chunks(3) {
        assert_eq!(client.chunk().await, expected);
        splits_a_character |= std::str::from_utf8(expected).is_err();
    }
    assert!(splits_a_character);
    assert_eq!(client.chunk().await, b"");
}

#[tokio::test]
async fn a_reply_that_is_no_stream_can_come_in_pieces_too() {
    let slowly = WirePlan { write: by_bytes(4), chunk_delay_ms: Some(5), ..WirePlan::default() };
    let broken = Behaviour { wire: slowly, ..says(200, "0123456789") };
    let wire = wire_with(vec![broken]).await;
    let reply = Client::of(&wire).await.ask(chat(PRIMARY)).await;
    assert_eq!((reply.text(), reply.header("content-length")), ("0123456789", Some("10")));
    assert_eq!(reply.header("transfer-encoding"), None);
    let hits = wire.hits(PRIMARY).await;
    let (Some(first_byte), Some(end)) = (hits[0].times.first_byte, hits[0].times.end) else {
        panic!("it is through")
    };
    assert!(end >= first_byte + Duration::from_millis(3 * 5), "a delay before each of 3 pieces");
}

#[tokio::test]
async fn a_chunk_delay_holds_up_each_chunk_but_not_the_head() {
    let slow = WirePlan { chunk_delay_ms: Some(LONG), ..WirePlan::default() };
    let wire = wire_with(vec![three_events(slow)]).await;
    let mut client = Client::of(&wire).await;
    client.send(chat(PRIMARY)).await;
    client.head().await;
    let hit = held(&wire, |hit| hit.status.is_some()).await;
    assert_eq!((hit.sent, hit.times.end), (0, None));
    drop(client);
    let hits = wire.hits(PRIMARY).await;
    assert!(hits[0].client_gone && hits[0].times.end.is_some());
    assert_eq!(hits[0].sent, 0);
}

#[tokio::test]
async fn delays_add_up_at_the_client() {
    let slow = WirePlan { delay_ms: Some(20), chunk_delay_ms: Some(10), ..WirePlan::default() };
    let wire = wire_with(vec![three_events(slow)]).await;
    let mut client = Client::of(&wire).await;
    let started = Instant::now();
    client.send(chat(PRIMARY)).await;
    client.head().await;
    assert!(started.elapsed() >= Duration::from_millis(20));
    for number in 1..=3 {
        client.chunk().await;
        assert!(started.elapsed() >= Duration::from_millis(20 + number * 10));
    }
    assert_eq!(client.chunk().await, b"");
}

#[rstest]
#[case(CutEnd::Close, Ending::Fin)]
#[case(CutEnd::Reset, Ending::Rst)]
#[tokio::test]
async fn a_stream_cut_after_two_events_ends_without_its_last_chunk(
    #[case] end: CutEnd,
    #[case] seen: Ending,
) {
    let wire = wire_with(vec![three_events(cut(CutPoint::Events(2), end))]).await;
    let mut client = Client::of(&wire).await;
    client.send(chat(PRIMARY)).await;
    client.head().await;
    assert_eq!(client.chunk().await, EVENTS[0].as_bytes());
    assert_eq!(client.chunk().await, EVENTS[1].as_bytes());
    assert_eq!(client.rest().await, (Vec::new(), seen));
    let hits = wire.hits(PRIMARY).await;
    assert_eq!((hits[0].status, hits[0].client_gone), (Some(200), false));
    assert_eq!(hits[0].sent, EVENTS[0].len() + EVENTS[1].len());
}

#[rstest]
#[case::after_the_last_event(CutPoint::Events(3))]
#[case::after_more_events_than_there_are(CutPoint::Events(9))]
#[case::after_the_last_byte(CutPoint::BodyBytes(48))]
#[tokio::test]
async fn a_cut_behind_everything_still_leaves_out_the_last_chunk(#[case] at: CutPoint) {
    let wire = wire_with(vec![three_events(cut(at, CutEnd::Close))]).await;
    let mut client = Client::of(&wire).await;
    client.send(chat(PRIMARY)).await;
    client.head().await;
    for event in EVENTS {
        assert_eq!(client.chunk().await, event.as_bytes());
    }
    assert_eq!(client.rest().await, (Vec::new(), Ending::Fin));
}

#[tokio::test]
async fn a_cut_within_an_event_breaks_its_chunk_off() {
    let within = cut(CutPoint::BodyBytes(15 + 8), CutEnd::Reset);
    let wire = wire_with(vec![three_events(within)]).await;
    let mut client = Client::of(&wire).await;
    client.send(chat(PRIMARY)).await;
    client.head().await;
    client.chunk().await;
    assert_eq!(client.chunk_size().await, EVENTS[1].len(), "the whole event is promised");
    let (rest, ending) = client.rest().await;
    assert_eq!((rest.as_slice(), ending), (&EVENTS[1].as_bytes()[..8], Ending::Rst));
    assert_eq!(rest.last(), Some(&0xc3), "half of an ü");
    assert_eq!(wire.hits(PRIMARY).await[0].sent, 15 + 8);
}

#[rstest]
#[case(0)]
#[case(2)]
#[tokio::test]
async fn a_stream_that_stalls_after_some_events_is_held_open_until_the_client_leaves(
    #[case] count: usize,
) {
    let wire = wire_with(vec![three_events(cut(CutPoint::Events(count), CutEnd::Stall))]).await;
    let mut client = Client::of(&wire).await;
    client.send(chat(PRIMARY)).await;
    client.head().await;
    for event in &EVENTS[..count] {
        assert_eq!(client.chunk().await, event.as_bytes());
    }
    assert!(client.is_held_open().await);
    let sent: usize = EVENTS[..count].iter().map(|event| event.len()).sum();
    let hit = held(&wire, |hit| hit.status.is_some()).await;
    assert_eq!((hit.sent, hit.times.end, hit.client_gone), (sent, None, false));
    drop(client);
    wire.ended(PRIMARY).await;
    assert!(wire.hits(PRIMARY).await[0].client_gone);
}

#[tokio::test]
async fn a_client_that_leaves_a_slow_stream_is_noticed_between_chunks() {
    let slow = WirePlan { chunk_delay_ms: Some(1), ..WirePlan::default() };
    let endless = "data: x\n\n".repeat(100_000);
    let wire = wire_with(vec![streams(&endless, slow)]).await;
    let mut client = Client::of(&wire).await;
    client.send(chat(PRIMARY)).await;
    client.head().await;
    client.chunk().await;
    drop(client);
    wire.ended(PRIMARY).await;
    let hits = wire.hits(PRIMARY).await;
    assert!(hits[0].client_gone);
    assert!((1..endless.len()).contains(&hits[0].sent), "{} bytes", hits[0].sent);
}

#[tokio::test]
async fn a_stream_with_a_wrong_content_length_is_not_chunked() {
    let lie = HeadFault::ContentLengthOffBy(7.try_into().expect("not 0"));
    let wire_plan = WirePlan { head: Some(lie), ..WirePlan::default() };
    let wire = wire_with(vec![three_events(wire_plan)]).await;
    let mut client = Client::of(&wire).await;
    client.send(chat(PRIMARY)).await;
    let head = client.head().await;
    assert!(head.contains("content-length: 55\r\n"), "{head}");
    assert!(!head.contains("transfer-encoding"), "{head}");
    assert_eq!(client.rest().await, (EVENTS.concat().into_bytes(), Ending::Fin));
}

#[tokio::test]
async fn an_http_1_0_client_gets_a_stream_that_ends_with_the_connection() {
    let wire = wire_with(vec![three_events(WirePlan::default())]).await;
    let mut client = Client::of(&wire).await;
    client.send(chat(PRIMARY).replace("HTTP/1.1", "HTTP/1.0")).await;
    let head = client.head().await;
    assert!(head.contains("connection: close\r\n"), "{head}");
    assert!(!head.contains("transfer-encoding"), "{head}");
    assert_eq!(client.rest().await, (EVENTS.concat().into_bytes(), Ending::Fin));
}

#[tokio::test]
async fn a_status_without_a_body_has_no_chunks() {
    let wire =
        wire_with(vec![Behaviour { status: Some(204), ..streams("", WirePlan::default()) }]).await;
    let mut client = Client::of(&wire).await;
    client.send(chat(PRIMARY).replace("Host: mock", "Host: mock\r\nConnection: close")).await;
    let head = client.head().await;
    assert!(head.starts_with("HTTP/1.1 204 ") && !head.contains("transfer-encoding"), "{head}");
    assert_eq!(client.rest().await, (Vec::new(), Ending::Fin));
}

#[tokio::test]
async fn an_events_cut_takes_a_reply_that_is_no_stream_for_one_event() {
    for (count, body) in [(0, ""), (1, "{\n\n}"), (2, "{\n\n}")] {
        let wire_plan = WirePlan {
            cut: Some(Cut { at: CutPoint::Events(count), end: CutEnd::Reset }),
            ..WirePlan::default()
        };
        let wire = wire_with(vec![Behaviour { wire: wire_plan, ..says(200, "{\n\n}") }]).await;
        let mut client = Client::of(&wire).await;
        client.send(chat(PRIMARY)).await;
        assert!(client.head().await.contains("content-length: 4\r\n"));
        assert_eq!(client.rest().await, (body.as_bytes().to_vec(), Ending::Rst));
    }
}

#[tokio::test]
async fn two_hundred_slow_streams_run_side_by_side() {
    const STREAMS: usize = 200;
    const CHUNKS: usize = 20;
    let slow = WirePlan { chunk_delay_ms: Some(10), ..WirePlan::default() };
    let event = "data: tick\n\n";
    let behaviour = streams(&event.repeat(CHUNKS), slow);
    let times = u32::try_from(STREAMS).expect("small");
    let wire = wire_with(vec![Behaviour { times, ..behaviour }]).await;
    let started = Instant::now();
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..STREAMS {
        let mut client = Client::of(&wire).await;
        clients.spawn(async move {
            client.send(chat(PRIMARY)).await;
            client.head().await;
            for _ in 0..CHUNKS {
                assert_eq!(client.chunk().await, event.as_bytes());
            }
            assert_eq!(client.chunk().await, b"");
        });
    }
    while let Some(done) = clients.join_next().await {
        done.expect("all of it came");
    }
    // One after the other they would take 40 seconds.
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    let hits = wire.take(PRIMARY).await;
    assert_eq!(hits.len(), STREAMS);
    assert!(hits.iter().all(|hit| hit.sent == event.len() * CHUNKS && !hit.client_gone));
}
