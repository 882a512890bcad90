//! The client in front of the target: one call over a raw socket, so that the exact answer is
//! known, and how it ended.

mod base_url;

use std::fmt::Write as _;
use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::time::{Duration, Instant};

use fallproof_protocol::journal::Traffic;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

pub use self::base_url::BaseUrl;
use fallproof_protocol::sse;
use fallproof_suite::evidence::{Ending, Exchange, MOST_ANSWER_BYTES};

const MOST_HEADERS: usize = 256;
/// No line between the chunks of an answer is longer.
const LONGEST_LINE: usize = 64 * 1024;
/// So many bytes of an answer are read at once.
const ROOM: usize = 16 * 1024;

/// How a client behaves that does not just wait for its answer.
#[derive(Default)]
pub struct Conduct<'a> {
    /// It leaves once so many events of a stream have reached it.
    pub leave_after_events: Option<usize>,
    /// It leaves when this is done.
    pub leave_when: Option<Pin<Box<dyn Future<Output = ()> + Send + 'a>>>,
    /// It reads nothing until this is done.
    pub read_when: Option<Pin<Box<dyn Future<Output = ()> + Send + 'a>>>,
}

/// Posts `body` to `path` below `base` and reads the answer for at most `limit`, as far as the
/// client's conduct lets it. The times of the exchange count from `clock`.
pub async fn post(
    base: &BaseUrl,
    path: &str,
    headers: &[(String, String)],
    body: &[u8],
    limit: Duration,
    conduct: Conduct<'_>,
    clock: Instant,
) -> Exchange {
    let started = Instant::now();
    let path = format!("{}/{path}", base.path);
    let mut head = format!(
        "POST {path} HTTP/1.1\r\nhost: {}\r\ncontent-length: {}\r\nconnection: close\r\n",
        base.authority,
        body.len()
    );
    for (name, value) in headers {
        let _ = write!(head, "{name}: {value}\r\n");
    }
    head.push_str("\r\n");

    let Conduct { leave_after_events, leave_when, read_when } = conduct;
    let mut answer = Answer::new(started, leave_after_events);
    let exchange = answer.exchange(base, head.as_bytes(), body, read_when);
    let leave = async {
        match leave_when {
            Some(when) => when.await,
            None => std::future::pending().await,
        }
    };
    let ending = tokio::select! {
        ended = timeout(limit, exchange) => ended.unwrap_or(Ending::TimedOut),
        () = leave => Ending::Left,
    };
    Exchange {
        path,
        sent_head: head.into_bytes(),
        sent: body.to_vec(),
        status: answer.status,
        headers: answer.headers,
        body: answer.body,
        received: answer.received,
        ending,
        started: started.saturating_duration_since(clock),
        took: started.elapsed(),
    }
}

/// Whether anything accepts connections there.
///
/// # Errors
/// The system's words for why not.
pub async fn reachable(base: &BaseUrl) -> Result<(), String> {
    let connect = TcpStream::connect(&base.authority);
    match timeout(Duration::from_secs(5), connect).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("no connection within 5 s".to_owned()),
    }
}

/// What has been read of an answer so far; it outlives a timeout.
struct Answer {
    started: Instant,
    received: Traffic,
    unread: Vec<u8>,
    status: Option<u16>,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
    leave_after_events: Option<usize>,
}

/// How the length of a body is told.
enum Framing {
    Length(usize),
    Chunked,
    UntilClose,
}

impl Answer {
    fn new(started: Instant, leave_after_events: Option<usize>) -> Self {
        Self {
            started,
            received: Traffic::default(),
            unread: Vec::new(),
            status: None,
            headers: Vec::new(),
            body: Vec::new(),
            leave_after_events,
        }
    }

    async fn exchange(
        &mut self,
        base: &BaseUrl,
        head: &[u8],
        body: &[u8],
        read_when: Option<Pin<Box<dyn Future<Output = ()> + Send + '_>>>,
    ) -> Ending {
        let mut stream = match TcpStream::connect(&base.authority).await {
            Ok(stream) => stream,
            Err(error) => return Ending::Unreachable(error.to_string()),
        };
        let sent = async {
            stream.write_all(head).await?;
            stream.write_all(body).await
        };
        // A target may answer and close before it has read all: what it said still counts.
        let unsent = sent.await.err();
        if let Some(when) = read_when {
            when.await;
        }
        match self.read(&mut stream).await {
            Ok(()) => Ending::Complete,
            Err(Ending::Closed) if unsent.is_some() => Ending::Reset,
            Err(ending) => ending,
        }
    }

    async fn read(&mut self, stream: &mut TcpStream) -> Result<(), Ending> {
        let framing = loop {
            if let Some(framing) = self.parse_head()? {
                break framing;
            }
            self.fill(stream).await?;
        };
        match framing {
            Framing::Length(length) => self.read_exactly(stream, length).await,
            Framing::Chunked => self.read_chunks(stream).await,
            Framing::UntilClose => self.read_until_close(stream).await,
        }
    }

    /// Takes the head off what was read, once it is whole; skips interim answers.
    fn parse_head(&mut self) -> Result<Option<Framing>, Ending> {
        loop {
            let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
            let mut response = httparse::Response::new(&mut headers);
            let length = match response.parse(&self.unread) {
                Ok(httparse::Status::Complete(length)) => length,
                Ok(httparse::Status::Partial) => return Ok(None),
                Err(error) => return Err(Ending::NotHttp(error.to_string())),
            };
            let status = response.code.unwrap_or_default();
            let headers: Vec<_> = response
                .headers
                .iter()
                .map(|header| (header.name.to_owned(), header.value.to_vec()))
                .collect();
            self.unread.drain(..length);
            if (100..200).contains(&status) {
                continue;
            }
            let framing = framing(status, &headers)?;
            self.status = Some(status);
            self.headers = headers;
            return Ok(Some(framing));
        }
    }

    async fn read_exactly(&mut self, stream: &mut TcpStream, length: usize) -> Result<(), Ending> {
        let end = self.body.len() + length;
        loop {
            let wanted = (end - self.body.len()).min(self.unread.len());
            self.body.extend(self.unread.drain(..wanted));
            if self.body.len() == end {
                return Ok(());
            }
            self.fill(stream).await?;
        }
    }

    async fn read_chunks(&mut self, stream: &mut TcpStream) -> Result<(), Ending> {
        loop {
            let size = self.read_chunk_size(stream).await?;
            if size == 0 {
                return self.read_trailers(stream).await;
            }
            self.read_exactly(stream, size).await?;
            self.leave_in_time()?;
            while self.unread.len() < 2 {
                self.fill(stream).await?;
            }
            if !self.unread.starts_with(b"\r\n") {
                return Err(Ending::NotHttp("a chunk is longer than it says".to_owned()));
            }
            self.unread.drain(..2);
        }
    }

    async fn read_chunk_size(&mut self, stream: &mut TcpStream) -> Result<usize, Ending> {
        loop {
            match httparse::parse_chunk_size(&self.unread) {
                Ok(httparse::Status::Complete((start, size))) => {
                    self.unread.drain(..start);
                    let size = usize::try_from(size).ok().filter(|size| *size <= MOST_ANSWER_BYTES);
                    return size.ok_or(Ending::TooLong);
                }
                Ok(httparse::Status::Partial) if self.unread.len() < LONGEST_LINE => {
                    self.fill(stream).await?;
                }
                Ok(httparse::Status::Partial) => {
                    return Err(Ending::NotHttp("a chunk's size has no end".to_owned()));
                }
                Err(error) => return Err(Ending::NotHttp(error.to_string())),
            }
        }
    }

    /// Reads up to the empty line: an answer that lacks it is not through.
    async fn read_trailers(&mut self, stream: &mut TcpStream) -> Result<(), Ending> {
        for _ in 0..=MOST_HEADERS {
            if self.read_line(stream).await? == 0 {
                return Ok(());
            }
        }
        Err(Ending::NotHttp("its trailers have no end".to_owned()))
    }

    /// Skips a line, and tells how long it was without its end.
    async fn read_line(&mut self, stream: &mut TcpStream) -> Result<usize, Ending> {
        loop {
            if let Some(end) = memchr::memmem::find(&self.unread, b"\r\n") {
                self.unread.drain(..end + 2);
                return Ok(end);
            }
            if self.unread.len() >= LONGEST_LINE {
                return Err(Ending::NotHttp("a line behind its chunks has no end".to_owned()));
            }
            self.fill(stream).await?;
        }
    }

    fn leave_in_time(&self) -> Result<(), Ending> {
        let enough = |events| sse::events(&self.body).len() >= events;
        if self.leave_after_events.is_some_and(enough) { Err(Ending::Left) } else { Ok(()) }
    }

    async fn read_until_close(&mut self, stream: &mut TcpStream) -> Result<(), Ending> {
        loop {
            self.body.append(&mut self.unread);
            self.leave_in_time()?;
            match self.fill(stream).await {
                Ok(()) => {}
                Err(Ending::Closed) => return Ok(()),
                Err(ending) => return Err(ending),
            }
        }
    }

    async fn fill(&mut self, stream: &mut TcpStream) -> Result<(), Ending> {
        if self.unread.len() + self.body.len() > MOST_ANSWER_BYTES {
            return Err(Ending::TooLong);
        }
        // Room for all that is there, so that a piece is what the system had at that moment.
        self.unread.reserve(ROOM);
        let known = self.unread.len();
        match stream.read_buf(&mut self.unread).await {
            Ok(0) => Err(Ending::Closed),
            Ok(_) => {
                self.received.push(
                    self.started.elapsed(),
                    &self.unread[known..],
                    MOST_ANSWER_BYTES,
                );
                Ok(())
            }
            Err(error) => Err(broken(&error)),
        }
    }
}

fn broken(error: &io::Error) -> Ending {
    match error.kind() {
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted => Ending::Reset,
        _ => Ending::Closed,
    }
}

fn framing(status: u16, headers: &[(String, Vec<u8>)]) -> Result<Framing, Ending> {
    let value = |name: &str| {
        headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| String::from_utf8_lossy(value).trim().to_ascii_lowercase())
    };
    if status == 204 || status == 304 {
        return Ok(Framing::Length(0));
    }
    if value("transfer-encoding").is_some_and(|coding| coding.ends_with("chunked")) {
        return Ok(Framing::Chunked);
    }
    match value("content-length") {
        Some(length) => match length.parse() {
            Ok(length) if length <= MOST_ANSWER_BYTES => Ok(Framing::Length(length)),
            Ok(_) => Err(Ending::TooLong),
            Err(_) => Err(Ending::NotHttp(format!("content-length is `{length}`"))),
        },
        None => Ok(Framing::UntilClose),
    }
}
