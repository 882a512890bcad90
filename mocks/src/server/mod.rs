//! The mock server: the transport in front of the mock providers.
//!
//! One listener serves all deployments, each under its own path prefix. The server logs every
//! request as received, gets the reply from the provider, and decides how the bytes of the reply
//! are sent.

mod bounded_log;
mod connection;
mod dead_ends;
mod outgoing;
mod pacing;
mod prepared_reply;
mod request;
mod request_log;
mod socket;
mod stale;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
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
use pacing::Pacing;
use request_log::RequestLog;
use stale::StaleConnections;

/// A listener for any number of deployments, with one address that refuses connections and one
/// address that does not answer connection attempts.
///
/// Dropping the value stops the server.
#[derive(Debug)]
pub struct MockServer {
    addr: SocketAddr,
    refusing: DeadEnd,
    /// The address that does not answer. Its sockets are created by the first call to
    /// [`silent_addr`](Self::silent_addr).
    silent: (SocketAddr, Mutex<Option<DeadEnd>>),
    shared: Arc<Shared>,
    /// One task per listener.
    accepting: Mutex<JoinSet<()>>,
}

/// State shared by all connections.
#[derive(Debug)]
struct Shared {
    providers: MockProviders,
    request_log: Arc<RequestLog>,
    pacing: Pacing,
    stale: StaleConnections,
    /// Number of connections that were not accepted because no file descriptor was left.
    not_accepted: AtomicU64,
}

impl MockServer {
    /// Listens at `addr`. The next port refuses connections, and the port after that does not
    /// answer them. If the port in `addr` is 0, the system chooses all three ports.
    ///
    /// # Errors
    /// The port in `addr` or the next port is not available.
    pub async fn bind(addr: SocketAddr) -> io::Result<Self> {
        Self::bind_with(addr, Limits::default()).await
    }

    /// Like [`bind`](Self::bind), with limits for the request log.
    ///
    /// # Errors
    /// The port in `addr` or the next port is not available.
    pub async fn bind_with(addr: SocketAddr, limits: Limits) -> io::Result<Self> {
        let listener = TcpListener::bind(addr).await?;
        let shared = Arc::new(Shared {
            providers: MockProviders::default(),
            request_log: Arc::new(RequestLog::new(limits)),
            pacing: Pacing::default(),
            stale: StaleConnections::default(),
            not_accepted: AtomicU64::new(0),
        });
        let server = Self {
            addr: listener.local_addr()?,
            refusing: DeadEnd::refusing(ports_on(addr, 1)?)?,
            silent: (ports_on(addr, 2)?, Mutex::default()),
            shared,
            accepting: Mutex::default(),
        };
        server.accept_on(listener, None);
        Ok(server)
    }

    /// Listens at another address, which belongs to the deployment with this prefix. There, paths
    /// do not start with the prefix. Returns the address. If the port in `addr` is 0, the system
    /// chooses the port.
    ///
    /// # Errors
    /// The port is not available.
    pub async fn listen_for(&self, prefix: &str, addr: SocketAddr) -> io::Result<SocketAddr> {
        let listener = TcpListener::bind(addr).await?;
        let addr = listener.local_addr()?;
        self.accept_on(listener, Some(prefix.into()));
        Ok(addr)
    }

    fn accept_on(&self, listener: TcpListener, prefix: Option<Arc<str>>) {
        self.accepting.lock().spawn(accept(listener, prefix, Arc::clone(&self.shared)));
    }

    /// The listening address.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The start time, which is the origin of all times in the request log.
    pub fn started(&self) -> Instant {
        self.shared.request_log.started()
    }

    /// An address that refuses all connections. The attempts are not logged.
    pub fn refusing_addr(&self) -> SocketAddr {
        self.refusing.addr()
    }

    /// An address where connection attempts get no answer, so that a client waits until it times
    /// out. The attempts are not logged. The first call sets up the address, which takes about
    /// 20 ms.
    ///
    /// # Errors
    /// The port is not available. On systems that answer all connection attempts (Linux does not),
    /// the error kind is [`Unsupported`](io::ErrorKind::Unsupported).
    pub fn silent_addr(&self) -> io::Result<SocketAddr> {
        let (planned, silent) = &self.silent;
        let mut silent = silent.lock();
        let dead_end = match silent.take() {
            Some(dead_end) => dead_end,
            None => DeadEnd::silent(*planned)?,
        };
        Ok(silent.insert(dead_end).addr())
    }

    /// Adds a deployment, or replaces the deployment with the same prefix. The script starts from
    /// the beginning. Earlier requests stay in the request log.
    ///
    /// # Errors
    /// The prefix or a behavior is invalid.
    pub fn mount(&self, mock: MockDeployment) -> Result<(), ScriptError> {
        self.shared.stale.forget(&mock.prefix);
        self.shared.providers.mount(mock)
    }

    /// Replaces a deployment, or adds it if it does not exist. The script starts from the
    /// beginning. The deployment's stored responses are kept, and the numbers of its attempts
    /// continue.
    ///
    /// # Errors
    /// The prefix or a behavior is invalid.
    pub fn update(&self, mock: MockDeployment) -> Result<(), ScriptError> {
        self.shared.stale.forget(&mock.prefix);
        self.shared.providers.update(mock)
    }

    /// Removes a deployment. Further requests to it are unmatched; earlier requests stay in the
    /// request log.
    pub fn unmount(&self, prefix: &str) {
        self.shared.stale.forget(prefix);
        self.shared.providers.unmount(prefix);
    }

    /// Reports that the client has received more of the stream that this deployment sends. Ends the
    /// current delay of a [paced](crate::behavior::WireFault::paced) reply.
    pub fn received(&self, prefix: &str) {
        self.shared.pacing.received(prefix);
    }

    /// The attempts and probes at a deployment, in arrival order.
    ///
    /// Waits for requests that the server is still working on: once a client has a complete reply,
    /// every request that led to it is listed in full. A request that is delayed, stalled or not
    /// read by its client is returned as it is, without an end. If its client has disconnected,
    /// this function waits up to 3 seconds for the request's end.
    pub async fn requests(&self, prefix: &str) -> Vec<RecordedRequest> {
        self.shared.request_log.settled(Some(prefix)).await;
        self.shared.request_log.requests(Some(prefix))
    }

    /// Like [`requests`](Self::requests), but also removes the requests from the log.
    pub async fn take(&self, prefix: &str) -> Vec<RecordedRequest> {
        self.shared.request_log.settled(Some(prefix)).await;
        self.shared.request_log.take(Some(prefix))
    }

    /// Waits, without a timeout, until the log has this many requests to the deployment.
    pub async fn arrived(&self, prefix: &str, requests: usize) {
        self.shared.request_log.arrived(Some(prefix), requests).await;
    }

    /// Waits, without a timeout, until all requests to this deployment have ended, including
    /// delayed and stalled ones. A stalled request ends only when its client disconnects.
    pub async fn ended(&self, prefix: &str) {
        self.shared.request_log.ended(Some(prefix)).await;
    }

    /// Requests to an unknown deployment, requests that the client did not send completely, and
    /// data that was not HTTP.
    pub async fn unmatched(&self) -> Vec<RecordedRequest> {
        self.shared.request_log.settled(None).await;
        self.shared.request_log.requests(None)
    }

    /// Like [`unmatched`](Self::unmatched), but also removes the requests from the log.
    pub async fn take_unmatched(&self) -> Vec<RecordedRequest> {
        self.shared.request_log.settled(None).await;
        self.shared.request_log.take(None)
    }

    /// How many requests the log has dropped since the start to stay within its limits. The first
    /// number counts requests to deployments, and the second counts unmatched requests. Requests
    /// that were removed by [`take`](Self::take) or [`take_unmatched`](Self::take_unmatched) are
    /// not counted.
    pub fn dropped(&self) -> (u64, u64) {
        self.shared.request_log.dropped()
    }

    /// How often a connection had to wait because this process, or the whole system, had no file
    /// descriptor left. Requests may have been late, or missing, for this reason.
    pub fn out_of_descriptors(&self) -> u64 {
        self.shared.not_accepted.load(Ordering::Relaxed)
    }

    /// Stops listening and closes all connections.
    pub async fn shutdown(self) {
        self.accepting.into_inner().shutdown().await;
    }
}

/// Whether an operation failed because this process or the whole system has no file descriptor left.
pub fn is_out_of_descriptors(error: &io::Error) -> bool {
    // The standard library has no kind for these.
    const ENFILE: i32 = 23;
    const EMFILE: i32 = 24;
    const WSAEMFILE: i32 = 10024;
    let codes: &[i32] = if cfg!(windows) { &[WSAEMFILE] } else { &[ENFILE, EMFILE] };
    error.raw_os_error().is_some_and(|code| codes.contains(&code))
}

/// The same address with a port that is higher by `count`; port 0 stays 0.
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
                // There are no file descriptors left, or the client disconnected before it was
                // accepted. Both problems are temporary.
                Err(error) => {
                    if is_out_of_descriptors(&error) {
                        shared.not_accepted.fetch_add(1, Ordering::Relaxed);
                    }
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
}
