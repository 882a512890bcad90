//! Transport faults, as a client sees them byte by byte.

use std::time::{Duration, Instant};

use crate::server_support::{
    Client, Ending, chat, cut, mock, ok_but, says, server_with, start_server,
};
use fallproof_mocks::behavior::{Behavior, Cut, CutEnd, CutPoint, GARBAGE, HeadFault, WireFault};
use fallproof_mocks::provider::Surface;
use rstest::rstest;
use tokio::net::TcpStream;

const PRIMARY: &str = "/test/primary";
const LONG: u64 = 600_000;

fn delay(delay_ms: u64) -> WireFault {
    WireFault { delay_ms: Some(delay_ms), ..WireFault::default() }
}

#[tokio::test]
async fn a_delayed_reply_arrives_late_and_complete() {
    let server = server_with(vec![ok_but(delay(20))]).await;
    let started = Instant::now();
    let reply = Client::of(&server).await.ask(chat(PRIMARY)).await;
    assert!(started.elapsed() >= Duration::from_millis(20));
    assert_eq!(reply.status, 200);
    let requests = server.requests(PRIMARY).await;
    let first_byte = requests[0].times.first_byte.expect("a reply was sent");
    assert!(first_byte >= requests[0].times.body + Duration::from_millis(20));
}

#[tokio::test]
async fn a_disconnect_during_a_delay_is_noticed_at_once() {
    let server = server_with(vec![ok_but(delay(LONG))]).await;
    let mut client = Client::of(&server).await;
    client.send(chat(PRIMARY)).await;
    let running = loop {
        let requests = server.requests(PRIMARY).await;
        if let Some(recorded) =
            requests.into_iter().find(|recorded| recorded.wire.delay_ms.is_some())
        {
            break recorded;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(running.times.end, None, "it is still waiting");
    drop(client);
    let requests = server.requests(PRIMARY).await;
    assert!(requests[0].client_gone);
    assert!(requests[0].times.end.is_some());
    assert_eq!(requests[0].status, None);
    assert_eq!(requests[0].times.first_byte, None);
    assert!(
        !requests[0].reply.is_empty(),
        "the provider's reply is logged even if it was not sent"
    );
}

#[rstest]
#[case(CutEnd::Close, Ending::Fin)]
#[case(CutEnd::Reset, Ending::Rst)]
#[tokio::test]
async fn a_cut_before_the_head_sends_no_byte(#[case] end: CutEnd, #[case] seen: Ending) {
    let server = server_with(vec![ok_but(cut(CutPoint::BeforeHead, end))]).await;
    let mut client = Client::of(&server).await;
    client.send(chat(PRIMARY)).await;
    assert_eq!(client.rest().await, (Vec::new(), seen));
    let requests = server.requests(PRIMARY).await;
    assert_eq!(
        requests[0].body,
        crate::server_support::CHAT.as_bytes(),
        "the request was read in full"
    );
    assert_eq!(requests[0].status, None);
    assert!(requests[0].times.end.is_some());
    assert!(!requests[0].client_gone, "the server ended it");
}

#[rstest]
#[case(0, CutEnd::Close, Ending::Fin)]
#[case(7, CutEnd::Close, Ending::Fin)]
#[case(0, CutEnd::Reset, Ending::Rst)]
#[case(7, CutEnd::Reset, Ending::Rst)]
#[case(40_000, CutEnd::Reset, Ending::Rst)]
#[case(200_000, CutEnd::Close, Ending::Fin)]
#[tokio::test]
async fn a_cut_body_has_the_full_content_length(
    #[case] bytes: usize,
    #[case] end: CutEnd,
    #[case] seen: Ending,
) {
    let body = "0123456789".repeat(10_000);
    let broken = Behavior { wire: cut(CutPoint::BodyBytes(bytes), end), ..says(200, &body) };
    let server = server_with(vec![broken]).await;
    let mut client = Client::of(&server).await;
    client.send(chat(PRIMARY)).await;
    let head = client.head().await;
    assert!(head.contains("content-length: 100000\r\n"), "{head}");
    let (rest, ending) = client.rest().await;
    assert_eq!(rest, &body.as_bytes()[..bytes.min(100_000)]);
    assert_eq!(ending, seen);
    let requests = server.requests(PRIMARY).await;
    assert_eq!(requests[0].status, Some(200));
    assert_eq!(requests[0].reply, body.as_bytes(), "the request log has the complete reply");
    assert_eq!(requests[0].sent, bytes.min(100_000));
    assert!(!requests[0].client_gone);
}

#[rstest]
#[case(CutPoint::BeforeHead, None)]
#[case(CutPoint::BodyBytes(7), Some(200))]
#[tokio::test]
async fn a_stalled_reply_ends_when_the_client_disconnects(
    #[case] at: CutPoint,
    #[case] status: Option<u16>,
) {
    let broken = Behavior { wire: cut(at, CutEnd::Stall), ..says(200, "0123456789") };
    let server = server_with(vec![broken]).await;
    let mut client = Client::of(&server).await;
    client.send(chat(PRIMARY)).await;
    if status.is_some() {
        client.head().await;
        assert_eq!(client.bytes(7).await, b"0123456");
    }
    while server.requests(PRIMARY).await.first().is_none_or(|recorded| recorded.wire.cut.is_none())
    {
        tokio::task::yield_now().await;
    }
    let requests = server.requests(PRIMARY).await;
    assert_eq!((requests[0].times.end, requests[0].client_gone), (None, false), "it is held open");
    drop(client);
    let requests = server.requests(PRIMARY).await;
    assert!(requests[0].client_gone);
    assert!(requests[0].times.end.is_some());
    assert_eq!(requests[0].status, status);
    server.ended(PRIMARY).await;
}

#[rstest]
#[case(CutEnd::Close, Ending::Fin)]
#[case(CutEnd::Reset, Ending::Rst)]
#[tokio::test]
async fn a_cut_after_the_head_sends_nothing_of_the_body(#[case] end: CutEnd, #[case] seen: Ending) {
    let broken = Behavior { wire: cut(CutPoint::AfterHead, end), ..says(200, "0123456789") };
    let server = server_with(vec![broken]).await;
    let mut client = Client::of(&server).await;
    client.send(chat(PRIMARY)).await;
    let head = client.head().await;
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    assert!(head.contains("content-length: 10\r\n"), "{head}");
    assert_eq!(client.rest().await, (Vec::new(), seen));
    let requests = server.requests(PRIMARY).await;
    assert_eq!(
        (requests[0].status, requests[0].sent, requests[0].client_gone),
        (Some(200), 0, false)
    );
}

fn off_by(bytes: i32) -> HeadFault {
    HeadFault::ContentLengthOffBy(bytes.try_into().expect("not 0"))
}

fn head(fault: HeadFault) -> WireFault {
    WireFault { head: Some(fault), ..WireFault::default() }
}

#[rstest]
#[case::too_great(5, "15")]
#[case::too_small(-4, "6")]
#[case::never_below_0(-11, "0")]
#[tokio::test]
async fn a_wrong_content_length_precedes_the_complete_body_and_a_fin(
    #[case] bytes: i32,
    #[case] promised: &str,
) {
    let broken = Behavior { wire: head(off_by(bytes)), ..says(200, "0123456789") };
    let server = server_with(vec![broken]).await;
    let mut client = Client::of(&server).await;
    client.send(chat(PRIMARY)).await;
    let head = client.head().await;
    let lengths: Vec<_> =
        head.lines().filter_map(|it| it.strip_prefix("content-length: ")).collect();
    assert_eq!(lengths, [promised], "{head}");
    assert!(!head.contains("connection: close"), "only the length is wrong: {head}");
    assert_eq!(client.rest().await, (b"0123456789".to_vec(), Ending::Fin));
    let requests = server.requests(PRIMARY).await;
    assert_eq!((requests[0].sent, requests[0].client_gone), (10, false));
}

#[tokio::test]
async fn a_client_can_be_stalled_after_too_long_a_content_length() {
    let fault = WireFault {
        cut: Some(Cut { at: CutPoint::BodyBytes(usize::MAX), end: CutEnd::Stall }),
        ..head(off_by(1))
    };
    let server = server_with(vec![Behavior { wire: fault, ..says(200, "0123456789") }]).await;
    let mut client = Client::of(&server).await;
    client.send(chat(PRIMARY)).await;
    assert!(client.head().await.contains("content-length: 11\r\n"));
    assert_eq!(client.bytes(10).await, b"0123456789");
    assert!(client.is_held_open().await);
    drop(client);
    server.ended(PRIMARY).await;
    assert!(server.requests(PRIMARY).await[0].client_gone);
}

#[rstest]
#[case::alone(None, GARBAGE, Ending::Fin)]
#[case::then_reset(Some((CutPoint::AfterHead, CutEnd::Reset)), GARBAGE, Ending::Rst)]
#[case::there_is_no_body(Some((CutPoint::BodyBytes(5), CutEnd::Close)), GARBAGE, Ending::Fin)]
#[case::not_even_that(Some((CutPoint::BeforeHead, CutEnd::Reset)), b"", Ending::Rst)]
#[tokio::test]
async fn garbage_replaces_the_reply(
    #[case] cut: Option<(CutPoint, CutEnd)>,
    #[case] bytes: &[u8],
    #[case] seen: Ending,
) {
    let cut = cut.map(|(at, end)| Cut { at, end });
    let broken = ok_but(WireFault { cut, ..head(HeadFault::Garbage) });
    let server = server_with(vec![broken]).await;
    let mut client = Client::of(&server).await;
    client.send(chat(PRIMARY)).await;
    assert_eq!(client.rest().await, (bytes.to_vec(), seen));
    let requests = server.requests(PRIMARY).await;
    assert_eq!((requests[0].status, requests[0].sent), (None, 0));
    assert_eq!(requests[0].times.first_byte.is_some(), !bytes.is_empty());
    assert!(
        !requests[0].reply.is_empty(),
        "the provider's reply is logged even if it was not sent"
    );
}

#[tokio::test]
async fn a_client_that_does_not_read_blocks_nobody_and_its_disconnect_is_noticed() {
    let body = "x".repeat(16 * 1024 * 1024);
    let server = server_with(vec![says(200, &body), says(200, &body)]).await;
    let mut slow = Client::of(&server).await;
    slow.send(chat(PRIMARY)).await;
    slow.head().await;
    let requests = server.requests(PRIMARY).await;
    assert_eq!((requests[0].status, requests[0].times.end), (Some(200), None));
    assert_eq!(slow.bytes(body.len()).await.len(), body.len());
    // The client may get the last byte before the server has recorded that it was sent.
    server.ended(PRIMARY).await;
    assert!(server.requests(PRIMARY).await[0].times.end.is_some());

    slow.send(chat(PRIMARY)).await;
    slow.head().await;
    drop(slow);
    server.ended(PRIMARY).await;
    let requests = server.requests(PRIMARY).await;
    assert!(requests[1].client_gone);
    assert!(requests[1].times.end.is_some());
}

#[tokio::test]
async fn a_refused_request_gets_the_fault_of_its_script_entry() {
    let server = server_with(vec![ok_but(cut(CutPoint::BodyBytes(3), CutEnd::Reset))]).await;
    let mut client = Client::of(&server).await;
    client.send(crate::server_support::post("/test/primary/v1/nowhere", "{}")).await;
    let head = client.head().await;
    assert!(head.starts_with("HTTP/1.1 404 "), "{head}");
    let (rest, ending) = client.rest().await;
    assert!(rest.len() <= 3);
    assert_eq!(ending, Ending::Rst);
    assert!(server.requests(PRIMARY).await[0].refused);
}

#[tokio::test]
async fn the_refusing_address_refuses() {
    let server = start_server().await;
    let error = TcpStream::connect(server.refusing_addr()).await.expect_err("nobody listens");
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
}

#[tokio::test]
async fn the_silent_address_does_not_answer() {
    let server = start_server().await;
    let silent = match server.silent_addr() {
        Err(error) if cfg!(not(target_os = "linux")) => {
            assert_eq!(error.kind(), std::io::ErrorKind::Unsupported);
            return eprintln!("skipped: {error}");
        }
        silent => silent.expect("Linux has an address that does not answer"),
    };
    assert_eq!(server.silent_addr().expect("still there"), silent);
    for _ in 0..3 {
        let attempt = TcpStream::connect(silent);
        let answer = tokio::time::timeout(Duration::from_millis(30), attempt).await;
        assert!(answer.is_err(), "the attempt ended: {answer:?}");
    }
}

#[tokio::test]
async fn shutting_down_ends_stalled_connections_and_frees_the_port() {
    let server = start_server().await;
    let stalled = ok_but(cut(CutPoint::BodyBytes(0), CutEnd::Stall));
    server.mount(mock(PRIMARY, Surface::OpenAi, vec![stalled])).expect("a valid script");
    let addr = server.addr();
    let mut client = Client::of(&server).await;
    client.send(chat(PRIMARY)).await;
    client.head().await;
    server.shutdown().await;
    let (rest, _) = client.rest().await;
    assert_eq!(rest, b"");
    let error = TcpStream::connect(addr).await.expect_err("nothing listens any more");
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
}
