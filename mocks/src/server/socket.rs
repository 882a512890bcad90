//! The socket of a client. It buffers unread bytes and detects a disconnect.

use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::net::Shutdown;
use std::sync::Arc;
use std::time::Duration;

use socket2::SockRef;
use tokio::net::TcpStream;
use tokio::task::coop::consume_budget;

/// Limit for unread bytes that are buffered during a reply. If a client sends more, they are
/// dropped.
const MOST_AHEAD: usize = 64 * 1024;

/// How long to continue reading from a client that is still sending after the last reply.
pub(super) const LINGER: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub(super) struct ClientSocket {
    stream: Arc<TcpStream>,
    read: Vec<u8>,
    /// Number of bytes of `read` that were consumed.
    used: usize,
    /// Whether unread bytes were dropped. Then no more requests can be read.
    is_overrun: bool,
}

impl ClientSocket {
    pub(super) fn new(stream: TcpStream) -> Self {
        // Faults depend on single bytes, so each byte must be sent as soon as it is written.
        let _ = stream.set_nodelay(true);
        Self { stream: Arc::new(stream), read: Vec::new(), used: 0, is_overrun: false }
    }

    pub(super) fn stream(&self) -> &Arc<TcpStream> {
        &self.stream
    }

    /// Bytes that were read but not consumed.
    pub(super) fn unread(&self) -> &[u8] {
        &self.read[self.used..]
    }

    /// Consumes `count` unread bytes.
    pub(super) fn used(&mut self, count: usize) {
        self.used += count;
        if self.used == self.read.len() {
            self.used = 0;
            self.read.clear();
        }
    }

    /// Whether the connection cannot be used for another request.
    pub(super) fn is_overrun(&self) -> bool {
        self.is_overrun
    }

    /// Reads more bytes; returns 0 at the end of the stream.
    pub(super) async fn fill(&mut self) -> io::Result<usize> {
        // Consumed bytes are removed here rather than in `used`, which may be called for each of a
        // million tiny chunks.
        self.read.drain(..self.used);
        self.used = 0;
        // Yields from time to time, even if the socket always has bytes.
        consume_budget().await;
        loop {
            self.stream.readable().await?;
            self.read.reserve(16 * 1024);
            match self.stream.try_read_buf(&mut self.read) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                done => return done,
            }
        }
    }

    /// Sends as much of these parts as the system accepts without waiting. Returns the number of
    /// bytes, or `None` if the system accepts nothing now.
    pub(super) fn try_send(&self, parts: &[IoSlice<'_>]) -> io::Result<Option<usize>> {
        match self.stream.try_write_vectored(parts) {
            Ok(sent) => Ok(Some(sent)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn send(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            consume_budget().await;
            match self.try_send(&[IoSlice::new(bytes)])? {
                Some(sent) => bytes = &bytes[sent..],
                None => self.stream.writable().await?,
            }
        }
        Ok(())
    }

    /// Returns when the client has closed or reset the connection. The end of the connection is
    /// seen only after all bytes before it were read, so this function reads them.
    pub(super) async fn disconnected(&mut self) {
        while matches!(self.fill().await, Ok(1..)) {
            if self.unread().len() > MOST_AHEAD {
                self.used(self.unread().len());
                self.is_overrun = true;
            }
        }
    }

    /// Closes the connection with a FIN. First reads what the client has already sent, since unread
    /// bytes would cause an RST.
    pub(super) fn close(mut self) {
        self.read.clear();
        while self.read.len() < MOST_AHEAD
            && matches!(self.stream.try_read_buf(&mut self.read), Ok(1..))
        {}
    }

    /// Aborts the connection with an RST.
    pub(super) fn reset(self) {
        let _ = self.stream.set_zero_linger();
    }

    /// Sends a FIN. Requests can still be read.
    pub(super) fn end_replies(&self) {
        let _ = SockRef::from(&*self.stream).shutdown(Shutdown::Write);
    }

    /// Closes the connection in such a way that the client can still read the reply, even if it is
    /// still sending.
    pub(super) async fn close_after_reply(mut self) {
        self.end_replies();
        let rest = async {
            while matches!(self.fill().await, Ok(1..)) {
                self.used(self.unread().len());
            }
        };
        let _ = tokio::time::timeout(LINGER, rest).await;
    }
}

/// Whether the client has closed or reset the connection, as far as the system knows now. A client
/// counts as connected as long as there are unread bytes from it.
pub(super) fn has_disconnected(stream: &TcpStream) -> bool {
    match SockRef::from(stream).peek(&mut [MaybeUninit::uninit()]) {
        Ok(read) => read == 0,
        Err(error) => {
            !matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
        }
    }
}
