//! The wire: the cable in front of the provider.
//!
//! One listener serves all deployments, told apart by path prefix. The wire keeps every request as
//! it came, asks the provider for the answer, and decides how the bytes of it arrive.

mod answered;
mod bounded_log;
mod connection;
mod dead_ends;
mod outgoing;
mod request;
mod request_log;
mod socket;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

pub use crate::behavior::ScriptError;
pub use crate::provider_set::MockDeployment;

use crate::provider_set::MockProviders;
use crate::request_log::{Limits, RecordedRequest};
use connection::serve;
use dead_ends::DeadEnd;
use request_log::RequestLog;

/// A listener for any number of deployments, an address that refuses connections, and one that does
/// not answer them.
///
/// It stops when it is dropped.
#[derive(Debug)]
pub struct MockServer {
    addr: SocketAddr,
    refusing: DeadEnd,
    /// Where the silent address is to be, and, once somebody has asked for it, what is there.
    silent: (SocketAddr, Mutex<Option<DeadEnd>>),
    shared: Arc<Shared>,
    /// One task for each listener.
    accepting: Mutex<JoinSet<()>>,
}

/// What all connections share.
#[derive(Debug)]
struct Shared {
    providers: MockProviders,
    request_log: Arc<RequestLog>,
}

impl MockServer {
    /// Listens at `addr`. The address that refuses connections is the next port, and the silent
    /// one the port after that; or any ports if the system chose the port (port 0).
    ///
    /// # Errors
    /// The port, or the next one, cannot be had.
    pub async fn bind(addr: SocketAddr) -> io::Result<Self> {
        Self::bind_with(addr, Limits::default()).await
    }

    /// Like [`bind`](Self::bind), with a request log of this size.
    ///
    /// # Errors
    /// The port, or the next one, cannot be had.
    pub async fn bind_with(addr: SocketAddr, limits: Limits) -> io::Result<Self> {
        let listener = TcpListener::bind(addr).await?;
        let (providers, request_log) =
            (MockProviders::default(), Arc::new(RequestLog::new(limits)));
        let shared = Arc::new(Shared { providers, request_log });
        let wire = Self {
            addr: listener.local_addr()?,
            refusing: DeadEnd::refusing(ports_on(addr, 1)?)?,
            silent: (ports_on(addr, 2)?, Mutex::default()),
            shared,
            accepting: Mutex::default(),
        };
        wire.accept_on(listener, None);
        Ok(wire)
    }

    /// Listens at a further address, where all requests are for the mock with this prefix, and
    /// their paths go without it. Gives the address, with the port if the system chose it.
    ///
    /// # Errors
    /// The port cannot be had.
    pub async fn listen_for(&self, prefix: &str, addr: SocketAddr) -> io::Result<SocketAddr> {
        let listener = TcpListener::bind(addr).await?;
        let addr = listener.local_addr()?;
        self.accept_on(listener, Some(prefix.into()));
        Ok(addr)
    }

    fn accept_on(&self, listener: TcpListener, prefix: Option<Arc<str>>) {
        self.accepting.lock().spawn(accept(listener, prefix, Arc::clone(&self.shared)));
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// When it was started: the request log's times count from here.
    pub fn started(&self) -> Instant {
        self.shared.request_log.started()
    }

    /// Where every connection is refused. Who tried cannot be seen.
    pub fn refusing_addr(&self) -> SocketAddr {
        self.refusing.addr()
    }

    /// Where connection attempts are not answered at all: a client waits until it gives up. Who
    /// tried cannot be seen. It is set up when it is asked for first, which takes about 20 ms.
    ///
    /// # Errors
    /// The port cannot be had; or the system answers whoever comes, and the error is of kind
    /// [`Unsupported`](io::ErrorKind::Unsupported): never on Linux.
    pub fn silent_addr(&self) -> io::Result<SocketAddr> {
        let (planned, silent) = &self.silent;
        let mut silent = silent.lock();
        let dead_end = match silent.take() {
            Some(dead_end) => dead_end,
            None => DeadEnd::silent(*planned)?,
        };
        Ok(silent.insert(dead_end).addr())
    }

    /// Adds a deployment, or replaces the one with its prefix; its script starts anew. Requests of
    /// before stay in the request log.
    ///
    /// # Errors
    /// The prefix or a behavior cannot be played.
    pub fn mount(&self, mock: MockDeployment) -> Result<(), ScriptError> {
        self.shared.providers.mount(mock)
    }

    /// Gives a deployment another script, from its start; it goes on in all else: it remembers its
    /// responses and counts its attempts on. Where there is none, it is added.
    ///
    /// # Errors
    /// The prefix or a behavior cannot be played.
    pub fn update(&self, mock: MockDeployment) -> Result<(), ScriptError> {
        self.shared.providers.update(mock)
    }

    /// Removes a deployment; further requests to it are unmatched. Its requests stay in the request log.
    pub fn unmount(&self, prefix: &str) {
        self.shared.providers.unmount(prefix);
    }

    /// The attempts and probes at a deployment, in order of arrival.
    ///
    /// Waits for those that only the wire has to do with, so that whoever got a complete answer
    /// finds in here, complete, every request that led to it. A request that is delayed, stalled or
    /// not read by its client is given as it stands, without an end, unless its client has left:
    /// then its end is waited for.
    pub async fn requests(&self, prefix: &str) -> Vec<RecordedRequest> {
        self.shared.request_log.settled(Some(prefix)).await;
        self.shared.request_log.requests(Some(prefix))
    }

    /// Like [`requests`](Self::requests), and forgets them.
    pub async fn take(&self, prefix: &str) -> Vec<RecordedRequest> {
        self.shared.request_log.settled(Some(prefix)).await;
        self.shared.request_log.take(Some(prefix))
    }

    /// Waits until the request log has so many requests of this mock: without end if they never come.
    pub async fn arrived(&self, prefix: &str, requests: usize) {
        self.shared.request_log.arrived(Some(prefix), requests).await;
    }

    /// Waits until no request at this mock runs any more, delayed and stalled ones included:
    /// without end if a client never leaves a stalled one.
    pub async fn ended(&self, prefix: &str) {
        self.shared.request_log.ended(Some(prefix)).await;
    }

    /// What was addressed to no known mock, was broken off by its client, or was not HTTP.
    pub async fn unmatched(&self) -> Vec<RecordedRequest> {
        self.shared.request_log.settled(None).await;
        self.shared.request_log.requests(None)
    }

    /// Like [`unmatched`](Self::unmatched), and forgets them.
    pub async fn take_unmatched(&self) -> Vec<RecordedRequest> {
        self.shared.request_log.settled(None).await;
        self.shared.request_log.take(None)
    }

    /// How many requests the request log has dropped since the wire was started, to stay within its limits:
    /// those at deployments, and unmatched ones. What was taken in time never is.
    pub fn dropped(&self) -> (u64, u64) {
        self.shared.request_log.dropped()
    }

    /// Stops listening and closes all connections.
    pub async fn shutdown(self) {
        self.accepting.into_inner().shutdown().await;
    }
}

/// The address so many ports further on; any port where the system is to choose.
fn ports_on(addr: SocketAddr, count: u16) -> io::Result<SocketAddr> {
    let port = match addr.port() {
        0 => 0,
        port => port.checked_add(count).ok_or(io::ErrorKind::InvalidInput)?,
    };
    Ok(SocketAddr::new(addr.ip(), port))
}

async fn accept(listener: TcpListener, prefix: Option<Arc<str>>, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(serve(stream, prefix.clone(), Arc::clone(&shared)));
                }
                // No descriptors are left, or a client left before it was taken: both pass.
                Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}
