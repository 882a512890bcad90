//! Faults in the framing of responses. The router's HTTP library cannot send them, so they are made
//! in the bytes between the router and its client.

use std::io;
use std::net::SocketAddr;

use axum::serve::Listener;
use fallproof_protocol::http1::after_response;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, copy, duplex, split};
use tokio::net::{TcpListener, TcpStream};

/// A change to the bytes of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FramingFault {
    /// A second response follows each complete one.
    AnswersTwice,
    /// A chunked response has a length, too.
    FramesTwice,
    /// A chunked response names one more transfer coding.
    NamesCoding,
}

const CHUNKED: &str = "transfer-encoding: chunked";
const SECOND: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\
    content-length: 2\r\n\r\n{}";
const END_OF_HEAD: &[u8] = b"\r\n\r\n";

/// Most bytes that wait between the router and a client.
const WAITING: usize = 64 * 1024;

impl FramingFault {
    fn change(self, response: &[u8]) -> Vec<u8> {
        let end = response.windows(END_OF_HEAD.len()).position(|it| it == END_OF_HEAD);
        let (head, body) = response.split_at(end.unwrap_or(response.len()));
        let head = String::from_utf8_lossy(head);
        let head = match self {
            Self::AnswersTwice => head.into_owned(),
            Self::FramesTwice => head.replace(CHUNKED, &format!("{CHUNKED}\r\ncontent-length: 9")),
            Self::NamesCoding => head.replace(CHUNKED, "transfer-encoding: gzip, chunked"),
        };
        [head.as_bytes(), body].concat()
    }
}

/// A listener that changes the responses on each of its connections.
pub(crate) struct FaultyListener {
    pub(crate) listener: TcpListener,
    pub(crate) fault: FramingFault,
}

impl Listener for FaultyListener {
    type Io = DuplexStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (DuplexStream, SocketAddr) {
        let (client, addr) = Listener::accept(&mut self.listener).await;
        let (router, between) = duplex(WAITING);
        tokio::spawn(pass_on(client, between, self.fault));
        (router, addr)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// Passes on the bytes of one call, until one side closes the connection. Then the other one is
/// closed, too.
async fn pass_on(
    mut client: TcpStream,
    router: DuplexStream,
    fault: FramingFault,
) -> io::Result<()> {
    let (mut from_client, mut to_client) = client.split();
    let (mut from_router, mut to_router) = split(router);
    let requests = copy(&mut from_client, &mut to_router);
    let responses = async {
        let (mut sent, mut piece) = (Vec::new(), Vec::with_capacity(WAITING));
        while from_router.read_buf(&mut piece).await? > 0 {
            // A head fits into the first piece.
            let changed = if sent.is_empty() { fault.change(&piece) } else { piece.clone() };
            to_client.write_all(&changed).await?;
            sent.append(&mut piece);
        }
        let is_complete = after_response(&sent).is_some();
        if fault == FramingFault::AnswersTwice && is_complete {
            to_client.write_all(SECOND).await?;
        }
        to_client.shutdown().await
    };
    tokio::select! {
        done = requests => done.map(drop),
        done = responses => done,
    }
}
