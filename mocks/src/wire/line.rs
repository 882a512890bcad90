//! The line from the wire to the brain: kept-alive connections to one wiremock server.
//!
//! wiremock keeps a copy of every request that a mock matched, for as long as the server lives.
//! So a server is replaced by a fresh one when it has had its share; requests on the way end on
//! the old one.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use wiremock::MockServer;

use super::request::Head;
use crate::brain::server::{self, Addressed, PLAN_HEADER, REQUEST_HEADER};
use crate::brain::{Brain, Plan};

/// Connections that are kept for later; more than these are closed after use.
const MOST_IDLE: usize = 64;

/// Headers of the client's connection, not of its request; the line has its own.
const OF_THE_CONNECTION: [&str; 11] = [
    "host",
    "connection",
    "keep-alive",
    "proxy-connection",
    "content-length",
    "transfer-encoding",
    "te",
    "trailer",
    "upgrade",
    "expect",
    REQUEST_HEADER,
];

/// What one server may serve before it is replaced.
#[derive(Debug, Clone, Copy)]
pub(super) struct Budget {
    pub(super) requests: u64,
    pub(super) bytes: u64,
}

impl Default for Budget {
    fn default() -> Self {
        Self { requests: 2_000, bytes: 16 * 1024 * 1024 }
    }
}

/// What the brain said.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) plan: Plan,
    pub(super) status: u16,
    /// Status line and headers, without those that frame the body and without the empty line.
    pub(super) head: Vec<u8>,
    /// Whether a reply of this status has a body.
    pub(super) has_body: bool,
    pub(super) is_event_stream: bool,
    pub(super) body: Vec<u8>,
}

#[derive(Debug)]
pub(super) struct Line {
    brain: Arc<Brain>,
    budget: Budget,
    current: tokio::sync::Mutex<Option<Arc<Server>>>,
}

#[derive(Debug)]
struct Server {
    address: SocketAddr,
    /// Held for its drop.
    mock: Option<MockServer>,
    requests: AtomicU64,
    bytes: AtomicU64,
    idle: Mutex<Vec<TcpStream>>,
}

impl Line {
    pub(super) fn new(brain: Arc<Brain>, budget: Budget) -> Self {
        Self { brain, budget, current: tokio::sync::Mutex::default() }
    }

    /// Asks the brain; `None` where it knows no such upstream.
    pub(super) async fn ask(
        &self,
        prefix: &str,
        target: &str,
        head: &Head,
        body: &[u8],
    ) -> io::Result<Option<Answered>> {
        let asked = request_head(prefix, target, head, body.len())?;
        let server = self.server(asked.len() + body.len()).await?;
        let mut stream = server.connect().await?;
        stream.write_all(&asked).await?;
        stream.write_all(body).await?;
        let answered = read_answer(&mut stream).await?;
        server.keep(stream);
        Ok(answered)
    }

    /// The current server, or a new one if that has had its share.
    async fn server(&self, bytes: usize) -> io::Result<Arc<Server>> {
        let mut current = self.current.lock().await;
        let server = match current.as_ref() {
            Some(server) if server.has_room(self.budget) => Arc::clone(server),
            _ => {
                let mock = server::start(Arc::clone(&self.brain)).await?;
                let server = Arc::new(Server {
                    address: *mock.address(),
                    mock: Some(mock),
                    requests: AtomicU64::new(0),
                    bytes: AtomicU64::new(0),
                    idle: Mutex::default(),
                });
                *current = Some(Arc::clone(&server));
                server
            }
        };
        server.requests.fetch_add(1, Ordering::Relaxed);
        server.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        Ok(server)
    }
}

impl Server {
    fn has_room(&self, budget: Budget) -> bool {
        self.requests.load(Ordering::Relaxed) < budget.requests
            && self.bytes.load(Ordering::Relaxed) < budget.bytes
    }

    async fn connect(&self) -> io::Result<TcpStream> {
        if let Some(stream) = self.idle().pop() {
            return Ok(stream);
        }
        let stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    fn keep(&self, stream: TcpStream) {
        let mut idle = self.idle();
        if idle.len() < MOST_IDLE {
            idle.push(stream);
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<TcpStream>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Server {
    /// A mock server waits for a lock when it is dropped. On a thread of the runtime that wait has no
    /// end where the task at hand has used up its budget: only the thread itself could be woken.
    fn drop(&mut self) {
        if let Some(mock) = self.mock.take() {
            let undertaker = thread::Builder::new().name("undertaker".to_owned());
            // Without a thread it is dropped here, where the wait is nearly always none.
            drop(undertaker.spawn(move || drop(mock)));
        }
    }
}

fn request_head(
    prefix: &str,
    target: &str,
    head: &Head,
    body_length: usize,
) -> io::Result<Vec<u8>> {
    let addressed = Addressed {
        prefix: prefix.to_owned(),
        method: head.method.clone(),
        target: target.to_owned(),
    };
    let mut bytes = b"POST / HTTP/1.1\r\nhost: brain\r\n".to_vec();
    push_header(&mut bytes, "content-length", body_length.to_string().as_bytes());
    push_header(&mut bytes, REQUEST_HEADER, &serde_json::to_vec(&addressed)?);
    for (name, value) in &head.headers {
        if !OF_THE_CONNECTION.contains(&name.to_ascii_lowercase().as_str()) {
            push_header(&mut bytes, name, value);
        }
    }
    bytes.extend(b"\r\n");
    Ok(bytes)
}

async fn read_answer(stream: &mut TcpStream) -> io::Result<Option<Answered>> {
    let mut bytes = Vec::with_capacity(4096);
    let head = loop {
        if let Some(head) = parse_answer(&bytes)? {
            break head;
        }
        read_on(stream, &mut bytes).await?;
    };
    let body_length = head.body_length.unwrap_or_default();
    bytes.reserve_exact((head.length + body_length).saturating_sub(bytes.len()));
    while bytes.len() < head.length + body_length {
        read_on(stream, &mut bytes).await?;
    }
    bytes.drain(..head.length);
    Ok(head.plan.map(|plan| Answered {
        plan,
        status: head.status,
        head: head.kept,
        has_body: head.body_length.is_some(),
        is_event_stream: head.is_event_stream,
        body: bytes,
    }))
}

async fn read_on(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> io::Result<()> {
    match stream.read_buf(bytes).await? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(()),
    }
}

/// The head of an answer.
struct AnswerHead {
    plan: Option<Plan>,
    status: u16,
    /// What goes on to the client: all but the plan and the content length.
    kept: Vec<u8>,
    length: usize,
    /// `None` where the status has no body.
    body_length: Option<usize>,
    is_event_stream: bool,
}

/// `None` where the head is not all there.
fn parse_answer(bytes: &[u8]) -> io::Result<Option<AnswerHead>> {
    let mut headers = [httparse::EMPTY_HEADER; 128];
    let mut response = httparse::Response::new(&mut headers);
    let parsed = response.parse(bytes).map_err(io::Error::other)?;
    let httparse::Status::Complete(length) = parsed else { return Ok(None) };
    let status = response.code.unwrap_or_default();
    let reason = response.reason.unwrap_or_default();
    let mut kept = format!("HTTP/1.1 {status} {reason}\r\n").into_bytes();
    let mut plan = None;
    let mut body_length = None;
    let mut is_event_stream = false;
    for header in response.headers {
        if header.name.eq_ignore_ascii_case(PLAN_HEADER) {
            plan = Some(serde_json::from_slice(header.value)?);
            continue;
        }
        if header.name.eq_ignore_ascii_case("content-length") {
            let length = String::from_utf8_lossy(header.value);
            body_length = Some(length.parse().map_err(io::Error::other)?);
            continue;
        }
        if header.name.eq_ignore_ascii_case("content-type") {
            is_event_stream = is_media_type(header.value, "text/event-stream");
        }
        push_header(&mut kept, header.name, header.value);
    }
    Ok(Some(AnswerHead { plan, status, kept, length, body_length, is_event_stream }))
}

fn is_media_type(value: &[u8], name: &str) -> bool {
    let media_type = value.split(|byte| *byte == b';').next().unwrap_or_default();
    media_type.trim_ascii().eq_ignore_ascii_case(name.as_bytes())
}

fn push_header(head: &mut Vec<u8>, name: &str, value: &[u8]) {
    head.extend(name.as_bytes());
    head.extend(b": ");
    head.extend(value);
    head.extend(b"\r\n");
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::{Weak, mpsc};
    use std::task::Poll;
    use std::time::Duration;

    use super::*;
    use crate::behaviour::Behaviour;
    use crate::brain::Upstream;
    use crate::marker::Marker;
    use crate::provider::{Deployment, Names, Surface};

    const PREFIX: &str = "/test/primary";

    fn line(budget: Budget) -> Arc<Line> {
        let brain = Arc::new(Brain::default());
        let deployment = Deployment {
            surface: Surface::OpenAi,
            model: "gpt-5".to_owned(),
            name: "gpt-5".to_owned(),
            key: "key".to_owned(),
        };
        let marker = Marker::new(PREFIX);
        let script = vec![Behaviour { times: u32::MAX, ..Behaviour::named("ok") }];
        let prefix = PREFIX.to_owned();
        let names = Names::Own;
        brain
            .plug(Upstream { prefix, deployment, names, script, repeat_last: false, marker })
            .expect("a script that works");
        Arc::new(Line::new(brain, budget))
    }

    async fn ask(line: &Line, body: &[u8]) -> Answered {
        let head = Head { method: "POST".to_owned(), ..Head::default() };
        let answered = line.ask(PREFIX, "/v1/embeddings", &head, body).await;
        answered.expect("the brain answers").expect("there is an upstream")
    }

    async fn current(line: &Line) -> Weak<Server> {
        line.current.lock().await.as_ref().map(Arc::downgrade).expect("a server is up")
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn servers_are_replaced_without_losing_a_request_and_old_ones_go() {
        let line = line(Budget { requests: 10, bytes: u64::MAX });
        let clients: Vec<_> = (0..8)
            .map(|_| {
                let line = Arc::clone(&line);
                tokio::spawn(async move {
                    let mut seen = Vec::new();
                    for _ in 0..25 {
                        let attempt = ask(&line, b"{}").await.plan.attempt;
                        seen.push((attempt, current(&line).await));
                    }
                    seen
                })
            })
            .collect();
        let mut attempts = Vec::new();
        let mut servers: Vec<Weak<Server>> = Vec::new();
        for client in clients {
            for (attempt, server) in client.await.expect("no panic") {
                attempts.push(attempt);
                if !servers.iter().any(|known| known.ptr_eq(&server)) {
                    servers.push(server);
                }
            }
        }
        attempts.sort_unstable();
        assert_eq!(attempts, (1..=200).collect::<Vec<_>>());
        assert!((15..=20).contains(&servers.len()), "{} servers for 200 requests", servers.len());
        assert_eq!(servers.iter().filter(|server| server.strong_count() > 0).count(), 1);
    }

    #[tokio::test]
    async fn many_bytes_use_a_server_up_too() {
        let line = line(Budget { requests: u64::MAX, bytes: 10_000 });
        ask(&line, b"{}").await;
        let first = current(&line).await;
        ask(&line, &[b' '; 10_000]).await;
        ask(&line, b"{}").await;
        assert_eq!(first.strong_count(), 0);
        assert_eq!(current(&line).await.strong_count(), 1);
    }

    #[tokio::test]
    async fn one_connection_is_enough_for_one_client() {
        let line = line(Budget::default());
        for _ in 0..50 {
            ask(&line, b"{}").await;
        }
        let server = current(&line).await.upgrade().expect("still in use");
        assert_eq!(server.idle().len(), 1);
    }

    #[tokio::test]
    async fn an_unknown_prefix_has_no_answer() {
        let line = line(Budget::default());
        let head = Head { method: "POST".to_owned(), ..Head::default() };
        let answered = line.ask("/no/where", "/", &head, b"").await.expect("the brain answers");
        assert!(answered.is_none());
    }

    #[test]
    fn the_last_of_a_line_ends_even_in_a_task_that_has_used_up_its_budget() {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        let runtime = runtime.expect("a runtime");
        let line = line(Budget::default());
        runtime.block_on(line.server(0)).expect("a server starts");
        let (ended, is_ended) = mpsc::channel();
        runtime.spawn(async move {
            std::future::poll_fn(|context| {
                // Whatever asks for a part of the budget until there is none left.
                while pin!(tokio::task::consume_budget()).poll(context).is_ready() {}
                Poll::Ready(())
            })
            .await;
            drop(line);
            let _ = ended.send(());
        });
        let ended = is_ended.recv_timeout(Duration::from_secs(30));
        assert!(ended.is_ok(), "the drop waits for ever");
        runtime.shutdown_background();
    }
}
