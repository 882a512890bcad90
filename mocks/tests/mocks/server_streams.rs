//! Event streams as the server sends them, chunk by chunk.

use std::time::{Duration, Instant};

use crate::server_support::{
    Client, Ending, by_bytes, chat, cut, held, says, server_with, streams,
};
use fallproof_mocks::behavior::{Behavior, Cut, CutEnd, CutPoint, HeadFault, WireFault};
use rstest::rstest;

const PRIMARY: &str = "/test/primary";
const LONG: u64 = 600_000;

/// Three events; their lengths are 15, 19 and 14 bytes.
const EVENTS: [&str; 3] = ["data: {\"a\":1}\n\n", "data: \"ü€😀\"\n\n", "data: [DONE]\n\n"];

fn three_events(wire: WireFault) -> Behavior {
    streams(&EVENTS.concat(), wire)
}

#[tokio::test]
async fn a_stream_has_one_chunk_per_event_and_a_final_empty_chunk() {
    let server = server_with(vec![three_events(WireFault::default()), says(200, "next")]).await;
    let mut client = Client::of(&server).await;
    client.send(chat(PRIMARY)).await;
    let head = client.head().await;
    assert!(head.contains("\r\ntransfer-encoding: chunked\r\n"), "{head}");
    assert!(!head.contains("content-length"), "{head}");
    for event in EVENTS {
        assert_eq!(client.chunk().await, event.as_bytes());
    }
    assert_eq!(client.chunk().await, b"");
    assert_eq!(client.ask(chat(PRIMARY)).await.text(), "next", "the connection stays open");
    let requests = server.requests(PRIMARY).await;
    assert_eq!(requests[0].reply, EVENTS.concat().as_bytes(), "without chunked coding");
    assert_eq!(requests[0].sent, EVENTS.concat().len());
}

#[tokio::test]
async fn chunks_of_bytes_split_events_and_characters() {
    let by_three = WireFault { write: by_bytes(3), ..WireFault::default() };
    let server = server_with(vec![three_events(by_three)]).await;
    let mut client = Client::of(&server).await;
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
async fn a_reply_that_is_not_a_stream_can_be_split_too() {
    let slowly = WireFault { write: by_bytes(4), chunk_delay_ms: Some(5), ..WireFault::default() };
    let broken = Behavior { wire: slowly, ..says(200, "0123456789") };
    let server = server_with(vec![broken]).await;
    let reply = Client::of(&server).await.ask(chat(PRIMARY)).await;
    assert_eq!((reply.text(), reply.header("content-length")), ("0123456789", Some("10")));
    assert_eq!(reply.header("transfer-encoding"), None);
    let requests = server.requests(PRIMARY).await;
    let (Some(first_byte), Some(end)) = (requests[0].times.first_byte, requests[0].times.end)
    else {
        panic!("the reply is complete")
    };
    assert!(end >= first_byte + Duration::from_millis(3 * 5), "a delay before each of 3 pieces");
}

#[tokio::test]
async fn a_chunk_delay_delays_each_chunk_but_not_the_head() {
    let slow = WireFault { chunk_delay_ms: Some(LONG), ..WireFault::default() };
    let server = server_with(vec![three_events(slow)]).await;
    let mut client = Client::of(&server).await;
    client.send(chat(PRIMARY)).await;
    client.head().await;
    let recorded = held(&server, |recorded| recorded.status.is_some()).await;
    assert_eq!((recorded.sent, recorded.times.end), (0, None));
    drop(client);
    let requests = server.requests(PRIMARY).await;
    assert!(requests[0].client_gone && requests[0].times.end.is_some());
    assert_eq!(requests[0].sent, 0);
}

#[tokio::test]
async fn delays_add_up_at_the_client() {
    let slow = WireFault { delay_ms: Some(20), chunk_delay_ms: Some(10), ..WireFault::default() };
    let server = server_with(vec![three_events(slow)]).await;
    let mut client = Client::of(&server).await;
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
async fn a_stream_cut_after_two_events_has_no_final_chunk(
    #[case] end: CutEnd,
    #[case] seen: Ending,
) {
    let server = server_with(vec![three_events(cut(CutPoint::Events(2), end))]).await;
    let mut client = Client::of(&server).await;
    client.send(chat(PRIMARY)).await;
    client.head().await;
    assert_eq!(client.chunk().await, EVENTS[0].as_bytes());
    assert_eq!(client.chunk().await, EVENTS[1].as_bytes());
    assert_eq!(client.rest().await, (Vec::new(), seen));
    let requests = server.requests(PRIMARY).await;
    assert_eq!((requests[0].status, requests[0].client_gone), (Some(200), false));
    assert_eq!(requests[0].sent, EVENTS[0].len() + EVENTS[1].len());
}

#[rstest]
#[case::after_the_last_event(CutPoint::Events(3))]
#[case::after_more_events_than_there_are(CutPoint::Events(9))]
#[case::after_the_last_byte(CutPoint::BodyBytes(48))]
#[tokio::test]
async fn a_cut_after_the_last_event_still_omits_the_final_chunk(#[case] at: CutPoint) {
    let server = server_with(vec![three_events(cut(at, CutEnd::Close))]).await;
    let mut client = Client::of(&server).await;
    client.send(chat(PRIMARY)).await;
    client.head().await;
    for event in EVENTS {
        assert_eq!(client.chunk().await, event.as_bytes());
    }
    assert_eq!(client.rest().await, (Vec::new(), Ending::Fin));
}

#[tokio::test]
async fn a_cut_within_an_event_cuts_its_chunk() {
    let within = cut(CutPoint::BodyBytes(15 + 8), CutEnd::Reset);
    let server = server_with(vec![three_events(within)]).await;
    let mut client = Client::of(&server).await;
    client.send(chat(PRIMARY)).await;
    client.head().await;
    client.chunk().await;
    assert_eq!(
        client.chunk_size().await,
        EVENTS[1].len(),
        "the chunk size is that of the full event"
    );
    let (rest, ending) = client.rest().await;
    assert_eq!((rest.as_slice(), ending), (&EVENTS[1].as_bytes()[..8], Ending::Rst));
    assert_eq!(rest.last(), Some(&0xc3), "half of an ü");
    assert_eq!(server.requests(PRIMARY).await[0].sent, 15 + 8);
}

#[rstest]
#[case(0)]
#[case(2)]
#[tokio::test]
async fn a_stalled_stream_stays_open_until_the_client_disconnects(#[case] count: usize) {
    let server = server_with(vec![three_events(cut(CutPoint::Events(count), CutEnd::Stall))]).await;
    let mut client = Client::of(&server).await;
    client.send(chat(PRIMARY)).await;
    client.head().await;
    for event in &EVENTS[..count] {
        assert_eq!(client.chunk().await, event.as_bytes());
    }
    assert!(client.is_held_open().await);
    let sent: usize = EVENTS[..count].iter().map(|event| event.len()).sum();
    let recorded = held(&server, |recorded| recorded.status.is_some()).await;
    assert_eq!((recorded.sent, recorded.times.end, recorded.client_gone), (sent, None, false));
    drop(client);
    server.ended(PRIMARY).await;
    assert!(server.requests(PRIMARY).await[0].client_gone);
}

#[tokio::test]
async fn a_disconnect_from_a_slow_stream_is_noticed_between_chunks() {
    let slow = WireFault { chunk_delay_ms: Some(1), ..WireFault::default() };
    let endless = "data: x\n\n".repeat(100_000);
    let server = server_with(vec![streams(&endless, slow)]).await;
    let mut client = Client::of(&server).await;
    client.send(chat(PRIMARY)).await;
    client.head().await;
    client.chunk().await;
    drop(client);
    server.ended(PRIMARY).await;
    let requests = server.requests(PRIMARY).await;
    assert!(requests[0].client_gone);
    assert!((1..endless.len()).contains(&requests[0].sent), "{} bytes", requests[0].sent);
}

#[tokio::test]
async fn a_stream_with_a_wrong_content_length_is_not_chunked() {
    let lie = HeadFault::ContentLengthOffBy(7.try_into().expect("not 0"));
    let fault = WireFault { head: Some(lie), ..WireFault::default() };
    let server = server_with(vec![three_events(fault)]).await;
    let mut client = Client::of(&server).await;
    client.send(chat(PRIMARY)).await;
    let head = client.head().await;
    assert!(head.contains("content-length: 55\r\n"), "{head}");
    assert!(!head.contains("transfer-encoding"), "{head}");
    assert_eq!(client.rest().await, (EVENTS.concat().into_bytes(), Ending::Fin));
}

#[tokio::test]
async fn an_http_1_0_client_gets_a_stream_that_ends_with_the_connection() {
    let server = server_with(vec![three_events(WireFault::default())]).await;
    let mut client = Client::of(&server).await;
    client.send(chat(PRIMARY).replace("HTTP/1.1", "HTTP/1.0")).await;
    let head = client.head().await;
    assert!(head.contains("connection: close\r\n"), "{head}");
    assert!(!head.contains("transfer-encoding"), "{head}");
    assert_eq!(client.rest().await, (EVENTS.concat().into_bytes(), Ending::Fin));
}

#[tokio::test]
async fn a_status_without_a_body_has_no_chunks() {
    let server =
        server_with(vec![Behavior { status: Some(204), ..streams("", WireFault::default()) }])
            .await;
    let mut client = Client::of(&server).await;
    client.send(chat(PRIMARY).replace("Host: mock", "Host: mock\r\nConnection: close")).await;
    let head = client.head().await;
    assert!(head.starts_with("HTTP/1.1 204 ") && !head.contains("transfer-encoding"), "{head}");
    assert_eq!(client.rest().await, (Vec::new(), Ending::Fin));
}

#[tokio::test]
async fn a_cut_by_events_counts_other_replies_as_one_event() {
    for (count, body) in [(0, ""), (1, "{\n\n}"), (2, "{\n\n}")] {
        let fault = WireFault {
            cut: Some(Cut { at: CutPoint::Events(count), end: CutEnd::Reset }),
            ..WireFault::default()
        };
        let server = server_with(vec![Behavior { wire: fault, ..says(200, "{\n\n}") }]).await;
        let mut client = Client::of(&server).await;
        client.send(chat(PRIMARY)).await;
        assert!(client.head().await.contains("content-length: 4\r\n"));
        assert_eq!(client.rest().await, (body.as_bytes().to_vec(), Ending::Rst));
    }
}

#[tokio::test]
async fn two_hundred_slow_streams_run_in_parallel() {
    const STREAMS: usize = 200;
    const CHUNKS: usize = 20;
    let slow = WireFault { chunk_delay_ms: Some(10), ..WireFault::default() };
    let event = "data: tick\n\n";
    let behavior = streams(&event.repeat(CHUNKS), slow);
    let times = u32::try_from(STREAMS).expect("the number is small");
    let server = server_with(vec![Behavior { count: times, ..behavior }]).await;
    let started = Instant::now();
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..STREAMS {
        let mut client = Client::of(&server).await;
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
        done.expect("the complete stream");
    }
    // If the server sent the replies one after the other, they would take 40 seconds.
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    let requests = server.take(PRIMARY).await;
    assert_eq!(requests.len(), STREAMS);
    assert!(
        requests
            .iter()
            .all(|recorded| recorded.sent == event.len() * CHUNKS && !recorded.client_gone)
    );
}
