//! The wire: the cable in front of the brain.
//!
//! One listener serves all upstreams, told apart by path prefix. The wire keeps every request as
//! it came, asks the brain for the answer, and decides how the bytes of it arrive.

mod connection;
mod ledger;
mod line;
mod request;
mod socket;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use socket2::{Domain, Socket, Type};
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};

pub use crate::brain::{ScriptError, Upstream};

use crate::brain::Brain;
use crate::journal::Hit;
use ledger::Ledger;
use line::{Budget, Line};

/// A listener for any number of upstreams, and an address that refuses connections.
///
/// It stops when it is dropped.
#[derive(Debug)]
pub struct Wire {
    addr: SocketAddr,
    refusing_addr: SocketAddr,
    /// Bound and never listening: that keeps the port, and the system refuses who comes.
    _refusing: Socket,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

/// What all connections share.
#[derive(Debug)]
struct Shared {
    brain: Arc<Brain>,
    line: Line,
    ledger: Arc<Ledger>,
}

impl Wire {
    /// Listens at `addr`. The address that refuses connections is the next port, or any one if
    /// the system chose the port (port 0).
    ///
    /// # Errors
    /// One of the two ports cannot be had.
    pub async fn bind(addr: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(addr).await?;
        let refusing_port = match addr.port() {
            0 => 0,
            port => port.checked_add(1).ok_or(io::ErrorKind::InvalidInput)?,
        };
        let refusing = Socket::new(Domain::for_address(addr), Type::STREAM, None)?;
        refusing.bind(&SocketAddr::new(addr.ip(), refusing_port).into())?;
        let refusing_addr =
            refusing.local_addr()?.as_socket().ok_or(io::ErrorKind::AddrNotAvailable)?;

        let brain = Arc::new(Brain::default());
        let shared = Arc::new(Shared {
            line: Line::new(Arc::clone(&brain), Budget::default()),
            brain,
            ledger: Arc::default(),
        });
        Ok(Self {
            addr: listener.local_addr()?,
            refusing_addr,
            _refusing: refusing,
            accepting: tokio::spawn(accept(listener, Arc::clone(&shared))),
            shared,
        })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Where every connection is refused. Who tried cannot be seen.
    pub fn refusing_addr(&self) -> SocketAddr {
        self.refusing_addr
    }

    /// Adds an upstream, or replaces the one with its prefix; its script starts anew. Hits of
    /// before stay in the journal.
    ///
    /// # Errors
    /// The prefix or a behaviour cannot be played.
    pub fn plug(&self, upstream: Upstream) -> Result<(), ScriptError> {
        self.shared.brain.plug(upstream)
    }

    /// Removes an upstream; further requests to it are stray. Its hits stay in the journal.
    pub fn unplug(&self, prefix: &str) {
        self.shared.brain.unplug(prefix);
    }

    /// The attempts and probes at an upstream, in order of arrival.
    ///
    /// Waits for those that only the wire has to do with, so that whoever got a complete answer
    /// finds in here, complete, every request that led to it. A hit that is delayed, stalled or
    /// not read by its client is given as it stands, without an end, unless its client has left:
    /// then its end is waited for.
    pub async fn hits(&self, prefix: &str) -> Vec<Hit> {
        self.shared.ledger.settled(Some(prefix)).await;
        self.shared.ledger.hits(Some(prefix))
    }

    /// Like [`hits`](Self::hits), and forgets them.
    pub async fn take(&self, prefix: &str) -> Vec<Hit> {
        self.shared.ledger.settled(Some(prefix)).await;
        self.shared.ledger.take(Some(prefix))
    }

    /// Waits until no request at this upstream runs any more, delayed and stalled ones included:
    /// without end if a client never leaves a stalled one.
    pub async fn ended(&self, prefix: &str) {
        self.shared.ledger.ended(Some(prefix)).await;
    }

    /// What was addressed to no known upstream, was broken off by its client, or was not HTTP.
    pub async fn stray(&self) -> Vec<Hit> {
        self.shared.ledger.settled(None).await;
        self.shared.ledger.hits(None)
    }

    /// Like [`stray`](Self::stray), and forgets them.
    pub async fn take_stray(&self) -> Vec<Hit> {
        self.shared.ledger.settled(None).await;
        self.shared.ledger.take(None)
    }

    /// Stops listening and closes all connections.
    pub async fn shutdown(mut self) {
        self.accepting.abort();
        // It was aborted: that is the only way it ends.
        let _ = (&mut self.accepting).await;
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection::serve(stream, Arc::clone(&shared)));
                }
                // No descriptors are left, or a client left before it was taken: both pass.
                Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}
