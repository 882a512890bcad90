//! Mock deployments for tests, and a client that reads byte by byte and reports how its connection
//! ended.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::time::Duration;

use fallproof_mocks::behavior::{Behavior, Chunking, Cut, CutEnd, CutPoint, WireFault};
use fallproof_mocks::marker::Marker;
use fallproof_mocks::provider::{Deployment, Names, Surface};
use fallproof_mocks::request_log::RecordedRequest;
use fallproof_mocks::server::{MockDeployment, MockServer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

pub(crate) const KEY: &str = "sk-test-0001";
pub(crate) const CHAT: &str = r#"{"model":"gpt-5","messages":[{"role":"user","content":"Hello"}]}"#;

pub(crate) fn mock(prefix: &str, surface: Surface, script: Vec<Behavior>) -> MockDeployment {
    let deployment = Deployment {
        surface,
        model: "gpt-5".to_owned(),
        name: "gpt-5".to_owned(),
        key: KEY.to_owned(),
    };
    let (names, marker) = (Names::Own, Marker::new(prefix));
    MockDeployment {
        prefix: prefix.to_owned(),
        deployment,
        names,
        script,
        repeat_last: false,
        marker,
    }
}

/// The behavior `ok`, sent with this fault.
pub(crate) fn ok_but(wire: WireFault) -> Behavior {
    Behavior { wire, ..Behavior::named("ok") }
}

pub(crate) fn cut(at: CutPoint, end: CutEnd) -> WireFault {
    WireFault { cut: Some(Cut { at, end }), ..WireFault::default() }
}

/// A behavior with this status and this body, whose bytes are easy to count.
pub(crate) fn says(status: u16, body: &str) -> Behavior {
    Behavior { status: Some(status), body: Some(body.to_owned()), ..Behavior::named("ok") }
}

/// A behavior whose reply is an event stream with this body, sent with this fault.
pub(crate) fn streams(body: &str, wire: WireFault) -> Behavior {
    let mut behavior = Behavior { wire, ..says(200, body) };
    behavior.headers.insert("content-type".to_owned(), "text/event-stream".to_owned());
    behavior
}

/// Splits a body into chunks of this many bytes.
pub(crate) fn by_bytes(count: usize) -> Option<Chunking> {
    NonZeroUsize::new(count).map(Chunking::Bytes)
}

/// Waits until the only request to `/test/primary` satisfies `enough`, and returns it. Meant for a
/// reply that the server is holding back.
pub(crate) async fn held(
    server: &MockServer,
    enough: impl Fn(&RecordedRequest) -> bool,
) -> RecordedRequest {
    loop {
        if let Some(recorded) =
            server.requests("/test/primary").await.into_iter().find(|recorded| enough(recorded))
        {
            return recorded;
        }
        tokio::task::yield_now().await;
    }
}

/// A server with one `OpenAI` mock at `/test/primary`.
pub(crate) async fn server_with(script: Vec<Behavior>) -> MockServer {
    let server = start_server().await;
    server.mount(mock("/test/primary", Surface::OpenAi, script)).expect("a valid script");
    server
}

pub(crate) async fn start_server() -> MockServer {
    MockServer::bind("127.0.0.1:0".parse().expect("an address")).await.expect("a free port")
}

/// A chat request to this prefix.
pub(crate) fn chat(prefix: &str) -> String {
    post(&format!("{prefix}/v1/chat/completions"), CHAT)
}

pub(crate) fn post(target: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "POST {target} HTTP/1.1\r\nHost: mock\r\nAuthorization: Bearer {KEY}\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    Fin,
    Rst,
}

pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("text")
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then_some(value)
        })
    }
}

/// A client that understands of HTTP only where a reply ends.
pub(crate) struct Client {
    stream: TcpStream,
    unread: Vec<u8>,
}

impl Client {
    pub(crate) async fn of(server: &MockServer) -> Self {
        Self::at(server.addr()).await
    }

    pub(crate) async fn at(addr: SocketAddr) -> Self {
        let stream = TcpStream::connect(addr).await.expect("the server listens");
        Self { stream, unread: Vec::new() }
    }

    /// Sends these bytes. It is not an error if the server has closed the connection.
    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.stream.write_all(bytes.as_ref()).await;
    }

    /// Reads and returns exactly this many bytes.
    pub(crate) async fn bytes(&mut self, count: usize) -> Vec<u8> {
        while self.unread.len() < count {
            let read = self.stream.read_buf(&mut self.unread).await.expect("more bytes");
            assert_ne!(read, 0, "the connection ended after {} bytes", self.unread.len());
        }
        self.unread.drain(..count).collect()
    }

    /// Reads the head of a reply, including the empty line.
    pub(crate) async fn head(&mut self) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.extend(self.bytes(1).await);
        }
        String::from_utf8(head).expect("text")
    }

    pub(crate) async fn reply(&mut self) -> Reply {
        let head = self.head().await;
        let status = head.split(' ').nth(1).and_then(|it| it.parse().ok()).expect("a status");
        let mut reply = Reply { status, head, body: Vec::new() };
        let length = reply.header("content-length").map_or(0, |it| it.parse().expect("a length"));
        reply.body = self.bytes(length).await;
        reply
    }

    /// Reads a complete chunk. The last chunk of a body is empty.
    pub(crate) async fn chunk(&mut self) -> Vec<u8> {
        let length = self.chunk_size().await;
        let chunk = self.bytes(length).await;
        assert_eq!(self.bytes(2).await, b"\r\n");
        chunk
    }

    /// Reads the line before a chunk, which gives its size.
    pub(crate) async fn chunk_size(&mut self) -> usize {
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") {
            line.extend(self.bytes(1).await);
        }
        let size = std::str::from_utf8(&line).expect("text").trim_end();
        usize::from_str_radix(size, 16).expect("a size")
    }

    /// Whether the connection stays open and silent for a short time.
    pub(crate) async fn is_held_open(&mut self) -> bool {
        if !self.unread.is_empty() {
            return false;
        }
        let more = self.stream.read_buf(&mut self.unread);
        tokio::time::timeout(Duration::from_millis(20), more).await.is_err()
    }

    pub(crate) async fn ask(&mut self, request: impl AsRef<[u8]>) -> Reply {
        self.send(request).await;
        self.reply().await
    }

    /// Reads until the connection ends. Returns the remaining bytes and how the connection ended.
    pub(crate) async fn rest(mut self) -> (Vec<u8>, Ending) {
        let ending = loop {
            match self.stream.read_buf(&mut self.unread).await {
                Ok(0) => break Ending::Fin,
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::ConnectionReset => break Ending::Rst,
                Err(error) => panic!("unexpected error: {error}"),
            }
        };
        (self.unread, ending)
    }
}
