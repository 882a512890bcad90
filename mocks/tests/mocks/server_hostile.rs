//! Clients that send more than they should. Every request must end, and other connections must
//! still be served.

use std::io::Write as _;
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use crate::server_support::{Client, KEY, chat, cut, mock, ok_but, server_with};
use fallproof_mocks::behavior::{Behavior, CutEnd, CutPoint, WireFault};
use fallproof_mocks::provider::Surface;
use rstest::rstest;
use tokio::time::timeout;

const PRIMARY: &str = "/test/primary";
const OTHER: &str = "/test/other";

/// Far longer than any request takes, even on a slow machine.
const LIMIT: Duration = Duration::from_secs(20);

#[rstest]
#[case::nothing(0)]
#[case::less_than_is_kept(64 * 1024 - 1)]
#[case::as_much_as_is_kept(64 * 1024)]
#[case::more_than_is_kept(64 * 1024 + 1)]
#[case::more_than_the_system_buffers(8 * 1024 * 1024)]
#[tokio::test]
async fn a_client_that_has_sent_ahead_is_seen_to_leave(#[case] ahead: usize) {
    let server = server_with(vec![ok_but(cut(CutPoint::BeforeHead, CutEnd::Stall))]).await;
    let mut client = Client::of(&server).await;
    client.send(chat(PRIMARY)).await;
    client.send(vec![b'x'; ahead]).await;
    drop(client);
    timeout(LIMIT, server.arrived(PRIMARY, 1)).await.expect("the request arrives");
    timeout(LIMIT, server.ended(PRIMARY)).await.expect("the request ends");
    let requests = server.requests(PRIMARY).await;
    assert_eq!(requests.len(), 1);
    assert!(requests[0].client_gone);
}

#[tokio::test]
async fn a_connection_with_dropped_bytes_is_closed_after_its_reply() {
    let delayed = WireFault { delay_ms: Some(30), ..WireFault::default() };
    let server = server_with(vec![ok_but(delayed)]).await;
    let mut client = Client::of(&server).await;
    client.send(chat(PRIMARY)).await;
    client.send(vec![b'x'; 1024 * 1024]).await;
    assert_eq!(client.reply().await.status, 200);
    let (rest, _) = timeout(LIMIT, client.rest()).await.expect("it is closed");
    assert_eq!(rest, b"", "what was dropped is not answered");
}

/// Sends `start` and then repeats `more` forever, as fast as the connection accepts it.
///
/// The connection is made, and `start` sent, before this returns: a thread that a busy machine
/// starts late would otherwise find the server gone.
fn flood(addr: SocketAddr, start: &str, more: &'static str) -> thread::JoinHandle<()> {
    let mut stream = TcpStream::connect(addr).expect("the server listens");
    stream.write_all(start.as_bytes()).expect("the server reads");
    thread::spawn(move || {
        let much = more.repeat(64 * 1024 / more.len());
        while stream.write_all(much.as_bytes()).is_ok() {}
    })
}

#[rstest]
#[case::trailers("0\r\n", "a: b\r\n")]
#[case::tiny_chunks("", "1\r\nx\r\n")]
#[case::requests_ahead("0\r\n\r\n", "x")]
#[tokio::test]
async fn an_endless_request_does_not_keep_others_from_being_served(
    #[case] start: &str,
    #[case] more: &'static str,
) {
    let stalled = ok_but(cut(CutPoint::BeforeHead, CutEnd::Stall));
    let server = server_with(vec![stalled]).await;
    let ok = Behavior { count: 100, ..Behavior::named("ok") };
    server.mount(mock(OTHER, Surface::OpenAi, vec![ok])).expect("a valid script");
    let head = format!(
        "POST {PRIMARY}/v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\n\
         transfer-encoding: chunked\r\n\r\n{start}"
    );
    let flood = flood(server.addr(), &head, more);
    for _ in 0..20 {
        let served = async { Client::of(&server).await.ask(chat(OTHER)).await.status };
        assert_eq!(timeout(LIMIT, served).await.expect("it is served in time"), 200);
    }
    timeout(LIMIT, server.shutdown()).await.expect("the connection can be aborted");
    flood.join().expect("it ends with its connection");
}
