//! Tests that the server neither crashes nor hangs, whatever bytes a client sends.

use std::time::Duration;

use crate::server_support::{Client, chat, server_with};
use fallproof_mocks::behavior::Behavior;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

const PRIMARY: &str = "/test/primary";

fn bytes(most: usize) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..most)
}

/// Fragments of HTTP that change the state of a parser.
fn framing() -> impl Strategy<Value = Vec<u8>> {
    let pieces = [
        "\r\n",
        "\r\n\r\n",
        "0\r\n",
        "1\r\nx\r\n",
        "ffffffffffffffff\r\n",
        "5;a=b\r\nab",
        "x: y\r\n",
        "Transfer-Encoding: chunked\r\n",
        "Content-Length: 3\r\n",
        "Expect: 100-continue\r\n",
        "\n",
        "GET / HTTP/1.1\r\n",
        "HTTP/9.9",
    ];
    let piece = prop::sample::select(pieces.to_vec()).prop_map(|piece| piece.as_bytes().to_vec());
    prop::collection::vec(prop_oneof![3 => piece, 1 => bytes(8)], 0..12)
        .prop_map(|pieces| pieces.concat())
}

fn request() -> impl Strategy<Value = Vec<u8>> {
    let line = |path: Vec<u8>| [b"POST ", &path[..], b" HTTP/1.1\r\nHost: mock\r\n"].concat();
    let below = bytes(40).prop_map(|path| [PRIMARY.as_bytes(), b"/", &path].concat());
    let known = Just(format!("{PRIMARY}/v1/chat/completions").into_bytes());
    let chunked = b"Transfer-Encoding: chunked\r\n\r\n".to_vec();
    prop_oneof![
        bytes(300),
        framing(),
        (bytes(60), framing()).prop_map(move |(path, rest)| [line(path), rest].concat()),
        (below, framing()).prop_map(move |(path, rest)| [line(path), rest].concat()),
        (known.clone(), bytes(200)).prop_map(move |(path, rest)| [line(path), rest].concat()),
        (known, framing())
            .prop_map(move |(path, rest)| [line(path), chunked.clone(), rest].concat()),
    ]
}

#[test]
fn the_next_valid_request_is_answered_after_anything() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    let script = vec![Behavior { count: u32::MAX, ..Behavior::named("ok") }];
    let server = runtime.block_on(server_with(script));
    let config = ProptestConfig { cases: 128, failure_persistence: None, ..Default::default() };
    TestRunner::new(config)
        .run(&request(), |bytes| {
            let talk = async {
                let mut client = Client::of(&server).await;
                client.send(&bytes).await;
                drop(client);
                let reply = Client::of(&server).await.ask(chat(PRIMARY)).await;
                // All requests end, including those of the first client.
                server.ended(PRIMARY).await;
                server.take(PRIMARY).await;
                reply.status
            };
            let answered = runtime
                .block_on(async { tokio::time::timeout(Duration::from_secs(20), talk).await });
            prop_assert_eq!(answered, Ok(200));
            Ok(())
        })
        .unwrap_or_else(|failure| panic!("{failure}"));
}
