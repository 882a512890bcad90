//! A client's socket: what it sent and was not read yet, and whether the client is still there.

use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::net::Shutdown;
use std::sync::Arc;
use std::time::Duration;

use socket2::SockRef;
use tokio::net::TcpStream;

/// How much a client may send ahead before it is no longer watched whether it left.
const MOST_AHEAD: usize = 64 * 1024;

/// How long a client that still sends is listened to after the last reply.
const LINGER: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub(super) struct ClientSocket {
    stream: Arc<TcpStream>,
    read: Vec<u8>,
    /// So many bytes of `read` were used.
    used: usize,
}

impl ClientSocket {
    pub(super) fn new(stream: TcpStream) -> Self {
        // Faults are about single bytes: they must leave when they are written.
        let _ = stream.set_nodelay(true);
        Self { stream: Arc::new(stream), read: Vec::new(), used: 0 }
    }

    pub(super) fn stream(&self) -> &Arc<TcpStream> {
        &self.stream
    }

    /// What was read and not yet used.
    pub(super) fn unread(&self) -> &[u8] {
        &self.read[self.used..]
    }

    /// So many of the unread bytes are used.
    pub(super) fn used(&mut self, count: usize) {
        self.used += count;
        if self.used == self.read.len() {
            self.used = 0;
            self.read.clear();
        }
    }

    /// Reads on; 0 bytes are the end.
    pub(super) async fn fill(&mut self) -> io::Result<usize> {
        // Only here, not at each use: a body may come in a million tiny chunks.
        self.read.drain(..self.used);
        self.used = 0;
        loop {
            self.stream.readable().await?;
            self.read.reserve(16 * 1024);
            match self.stream.try_read_buf(&mut self.read) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                done => return done,
            }
        }
    }

    /// Sends what the system takes at once of these bytes, one part after the other; `None` if it
    /// takes nothing now.
    pub(super) fn try_send(&self, parts: &[IoSlice<'_>]) -> io::Result<Option<usize>> {
        match self.stream.try_write_vectored(parts) {
            Ok(sent) => Ok(Some(sent)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn send(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.try_send(&[IoSlice::new(bytes)])? {
                Some(sent) => bytes = &bytes[sent..],
                None => self.stream.writable().await?,
            }
        }
        Ok(())
    }

    /// Returns when the client has closed or reset the connection.
    pub(super) async fn left(&mut self) {
        while self.unread().len() < MOST_AHEAD {
            if matches!(self.fill().await, Ok(0) | Err(_)) {
                return;
            }
        }
        std::future::pending::<()>().await;
    }

    /// Closes with a FIN. What the client sent ahead is read first: unread bytes would make the
    /// system send a RST instead.
    pub(super) fn close(mut self) {
        self.read.clear();
        while self.read.len() < MOST_AHEAD
            && matches!(self.stream.try_read_buf(&mut self.read), Ok(1..))
        {}
    }

    /// Tears the connection down with a RST.
    pub(super) fn reset(self) {
        let _ = self.stream.set_zero_linger();
    }

    /// Closes after a reply to a client that may still be sending, so that it gets to read it.
    pub(super) async fn close_after_reply(mut self) {
        let _ = SockRef::from(&*self.stream).shutdown(Shutdown::Write);
        let rest = async {
            while matches!(self.fill().await, Ok(1..)) {
                self.used(self.unread().len());
            }
        };
        let _ = tokio::time::timeout(LINGER, rest).await;
    }
}

/// Whether the client has closed or reset the connection, as far as the system knows at this very
/// moment. A client that has sent more than was read counts as there.
pub(super) fn has_left(stream: &TcpStream) -> bool {
    match SockRef::from(stream).peek(&mut [MaybeUninit::uninit()]) {
        Ok(read) => read == 0,
        Err(error) => {
            !matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
        }
    }
}
