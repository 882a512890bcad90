//! Reads the response to one call from a socket.

use std::io::{self, ErrorKind};
use std::time::{Duration, Instant};

use fallproof_protocol::http1::{
    BodyReader, Framing, Headers, Progress, ResponseHead, Step, response_framing, response_head,
};
use fallproof_protocol::request_log::Traffic;
use fallproof_protocol::sse::EventCounter;
use fallproof_suite::evidence::{Ending, MOST_ANSWER_BYTES, MOST_ANSWER_EVENTS, MOST_OF_TOO_LONG};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::coop::consume_budget;
use tokio::time::timeout;

use super::behavior::{Awaited, Notice};
use super::connection::Connection;

/// Minimum free space in the buffer before each read.
const ROOM: usize = 16 * 1024;

/// Maximum length of a head, in bytes.
const LONGEST_HEAD: usize = 256 * 1024;

/// Maximum number of interim (1xx) responses before a response.
const MOST_INTERIM: usize = 100;

/// How long the target may take to close the connection after its response, as each call asks it to.
/// Bytes that it sends until then are recorded.
const CLOSES_WITHIN: Duration = Duration::from_millis(100);

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
    /// Number of interim (1xx) responses.
    interim: usize,
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
            interim: 0,
            received: Traffic::default(),
            status: None,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// Sends a request, waits for `read_when`, and reads the response. The error is its ending if it
    /// is not complete.
    pub(super) async fn exchange(
        &mut self,
        connection: &mut dyn Connection,
        request: [&[u8]; 2],
        read_when: Option<Awaited<'_>>,
    ) -> Result<(), Ending> {
        // A target may respond and close before it has read the request. The response still counts.
        let is_sent = send(connection, request).await.is_ok();
        if let Some(when) = read_when {
            when.await;
        }
        match self.read(connection).await {
            Err(Ending::Closed) if !is_sent => Err(Ending::Reset),
            read => read,
        }
    }

    /// Records what the target sends after its complete response, until it closes the connection or
    /// a short time has passed.
    pub(super) async fn record_rest(&mut self, connection: &mut dyn Connection) {
        let rest = async { while self.fill(connection).await.is_ok() {} };
        let _ = timeout(CLOSES_WITHIN, rest).await;
    }

    /// Drops most of a response that is too long, which is not judged.
    pub(super) fn keep_only_the_start(&mut self) {
        for bytes in [&mut self.body, &mut self.received.bytes] {
            bytes.truncate(MOST_OF_TOO_LONG);
            bytes.shrink_to_fit();
        }
        self.unread = Vec::new();
    }

    async fn read(&mut self, connection: &mut dyn Connection) -> Result<(), Ending> {
        let framing = loop {
            match self.take_head()? {
                Some(framing) => break framing,
                None if self.unread.len() - self.used > LONGEST_HEAD => {
                    return Err(Ending::NotHttp(format!(
                        "the head is longer than {} KiB",
                        LONGEST_HEAD >> 10
                    )));
                }
                None => self.fill(connection).await?,
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
                    if self.is_at_end(connection).await? {
                        return Ok(());
                    }
                }
                Progress::More => {
                    self.count_events()?;
                    self.fill(connection).await?;
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
                self.interim += 1;
                if self.interim > MOST_INTERIM {
                    return Err(Ending::NotHttp(format!(
                        "more than {MOST_INTERIM} interim responses"
                    )));
                }
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
            _ if events > MOST_ANSWER_EVENTS => Err(Ending::TooLong),
            _ => Ok(()),
        }
    }

    /// Reads more bytes, of which there must be some.
    async fn fill(&mut self, connection: &mut dyn Connection) -> Result<(), Ending> {
        if self.is_at_end(connection).await? { Err(Ending::Closed) } else { Ok(()) }
    }

    /// Reads more bytes. Returns whether the target has closed the connection instead, in the way in
    /// which a complete response may end.
    async fn is_at_end(&mut self, connection: &mut dyn Connection) -> Result<bool, Ending> {
        self.unread.drain(..self.used);
        self.used = 0;
        if self.unread.len() + self.body.len() > MOST_ANSWER_BYTES {
            return Err(Ending::TooLong);
        }
        // Makes room for everything that is available, so that each recorded piece is all that the
        // operating system had received by the time of the read.
        self.unread.reserve(ROOM);
        let known = self.unread.len();
        match connection.read_buf(&mut self.unread).await {
            Ok(0) => Ok(true),
            Ok(_) => {
                let piece = &self.unread[known..];
                self.received.push(self.started.elapsed(), piece, MOST_ANSWER_BYTES);
                Ok(false)
            }
            Err(error) => Err(broken(&error)),
        }
    }
}

async fn send(connection: &mut dyn Connection, [head, body]: [&[u8]; 2]) -> io::Result<()> {
    connection.write_all(head).await?;
    connection.write_all(body).await?;
    connection.flush().await
}

/// The ending of a response whose connection broke. This includes a TLS connection that is closed
/// without saying so: a response that ends with the connection may have been cut there.
fn broken(error: &io::Error) -> Ending {
    match error.kind() {
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted => Ending::Reset,
        _ => Ending::Closed,
    }
}

/// Returns how the end of the body is determined.
fn framing(status: u16, headers: &Headers) -> Result<Framing, Ending> {
    match response_framing(status, headers) {
        Ok(Framing::Length(length)) if length > MOST_ANSWER_BYTES as u64 => Err(Ending::TooLong),
        Ok(framing) => Ok(framing),
        Err(error) => Err(Ending::NotHttp(error.to_string())),
    }
}
