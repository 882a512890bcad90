//! Reads the response to one call from a socket.

use std::io::{self, ErrorKind};
use std::time::Instant;

use fallproof_protocol::http1::{
    self, BodyReader, Framing, Headers, Progress, ResponseHead, Step, response_head,
};
use fallproof_protocol::request_log::Traffic;
use fallproof_protocol::sse::EventCounter;
use fallproof_suite::evidence::{Ending, MOST_ANSWER_BYTES};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::coop::consume_budget;

use super::behavior::{Awaited, Notice};

/// Minimum free space in the buffer before each read.
const ROOM: usize = 16 * 1024;

/// The part of a response read so far. It remains available after a timeout.
pub(super) struct Answer<'a> {
    started: Instant,
    disconnect_after_events: Option<usize>,
    on_events: Option<Notice<'a>>,
    /// Received bytes. The first `used` of them have been parsed into the head and the body.
    unread: Vec<u8>,
    used: usize,
    /// Counts the events of the first `counted` bytes of the body.
    counter: EventCounter,
    counted: usize,
    events: usize,
    /// Raw bytes, with times since the start of the call.
    pub(super) received: Traffic,
    pub(super) status: Option<u16>,
    pub(super) headers: Headers,
    /// Body, with chunked coding removed.
    pub(super) body: Vec<u8>,
}

impl<'a> Answer<'a> {
    /// Creates the empty response of a call that started at `started`.
    pub(super) fn new(
        started: Instant,
        disconnect_after_events: Option<usize>,
        on_events: Option<Notice<'a>>,
    ) -> Self {
        Self {
            started,
            disconnect_after_events,
            on_events,
            unread: Vec::new(),
            used: 0,
            counter: EventCounter::default(),
            counted: 0,
            events: 0,
            received: Traffic::default(),
            status: None,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// Sends a request to `host:port`, waits for `read_when`, and reads the response.
    pub(super) async fn exchange(
        &mut self,
        authority: &str,
        request: [&[u8]; 2],
        read_when: Option<Awaited<'_>>,
    ) -> Ending {
        let mut stream = match TcpStream::connect(authority).await {
            Ok(stream) => stream,
            Err(error) => return Ending::Unreachable(error.to_string()),
        };
        // A target may respond and close before it has read the request. The response still counts.
        let is_sent = send(&mut stream, request).await.is_ok();
        if let Some(when) = read_when {
            when.await;
        }
        match self.read(&mut stream).await {
            Ok(()) => Ending::Complete,
            Err(Ending::Closed) if !is_sent => Ending::Reset,
            Err(ending) => ending,
        }
    }

    async fn read(&mut self, stream: &mut TcpStream) -> Result<(), Ending> {
        let framing = loop {
            match self.take_head()? {
                Some(framing) => break framing,
                None => self.fill(stream).await?,
            }
        };
        let mut reader = BodyReader::new(framing, MOST_ANSWER_BYTES);
        loop {
            let Step { used, progress } = reader
                .advance(&self.unread[self.used..], &mut self.body)
                .map_err(|error| Ending::NotHttp(error.to_string()))?;
            self.used += used;
            if reader.missing() > MOST_ANSWER_BYTES as u64 {
                return Err(Ending::TooLong);
            }
            match progress {
                Progress::Done => return Ok(()),
                Progress::TooLong => return Err(Ending::TooLong),
                Progress::Chunk => {
                    // Yields, so that the timeout also ends a target that never stops sending.
                    consume_budget().await;
                    self.count_events()?;
                }
                Progress::More if framing == Framing::UntilClose => {
                    self.count_events()?;
                    match self.fill(stream).await {
                        Err(Ending::Closed) => return Ok(()),
                        filled => filled?,
                    }
                }
                Progress::More => {
                    self.count_events()?;
                    self.fill(stream).await?;
                }
            }
        }
    }

    /// Takes the head from the unread bytes once it is complete. Skips interim (1xx) responses.
    fn take_head(&mut self) -> Result<Option<Framing>, Ending> {
        loop {
            let head = response_head(&self.unread[self.used..]);
            let head = head.map_err(|error| Ending::NotHttp(error.to_string()))?;
            let Some(ResponseHead { length, status, headers }) = head else { return Ok(None) };
            self.used += length;
            if (100..200).contains(&status) {
                continue;
            }
            let framing = framing(status, &headers)?;
            self.status = Some(status);
            self.headers = headers;
            return Ok(Some(framing));
        }
    }

    /// Calls `on_events` if there are new events. Disconnects after the number of events that the
    /// client is configured to read.
    fn count_events(&mut self) -> Result<(), Ending> {
        let events = self.counter.push(&self.body[self.counted..]);
        self.counted = self.body.len();
        if let Some(notice) = self.on_events.as_ref().filter(|_| events > self.events) {
            notice();
        }
        self.events = events;
        match self.disconnect_after_events {
            Some(enough) if events >= enough => Err(Ending::Disconnected),
            _ => Ok(()),
        }
    }

    async fn fill(&mut self, stream: &mut TcpStream) -> Result<(), Ending> {
        self.unread.drain(..self.used);
        self.used = 0;
        if self.unread.len() + self.body.len() > MOST_ANSWER_BYTES {
            return Err(Ending::TooLong);
        }
        // Makes room for everything that is available, so that each recorded piece is all that the
        // operating system had received by the time of the read.
        self.unread.reserve(ROOM);
        let known = self.unread.len();
        match stream.read_buf(&mut self.unread).await {
            Ok(0) => Err(Ending::Closed),
            Ok(_) => {
                let piece = &self.unread[known..];
                self.received.push(self.started.elapsed(), piece, MOST_ANSWER_BYTES);
                Ok(())
            }
            Err(error) => Err(broken(&error)),
        }
    }
}

async fn send(stream: &mut TcpStream, [head, body]: [&[u8]; 2]) -> io::Result<()> {
    stream.write_all(head).await?;
    stream.write_all(body).await
}

fn broken(error: &io::Error) -> Ending {
    match error.kind() {
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted => Ending::Reset,
        _ => Ending::Closed,
    }
}

/// Returns how the end of the body is determined.
fn framing(status: u16, headers: &Headers) -> Result<Framing, Ending> {
    let value = |name| {
        let value = http1::values(headers, name).next()?;
        Some(String::from_utf8_lossy(value).trim().to_ascii_lowercase())
    };
    if status == 204 || status == 304 {
        return Ok(Framing::None);
    }
    if value("transfer-encoding").is_some_and(|coding| coding.ends_with("chunked")) {
        return Ok(Framing::Chunked);
    }
    match value("content-length") {
        Some(length) => match length.parse() {
            Ok(length) if length <= MOST_ANSWER_BYTES as u64 => Ok(Framing::Length(length)),
            Ok(_) => Err(Ending::TooLong),
            Err(_) => Err(Ending::NotHttp(format!("content-length is `{length}`"))),
        },
        None => Ok(Framing::UntilClose),
    }
}
