//! Connections to a target.

use std::io;
use std::net::SocketAddr;

use fallproof_suite::evidence::Ending;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};

use super::base_url::BaseUrl;
use super::tls;
use crate::descriptors;

/// A connection to a target. Dropping it closes its socket.
pub(super) trait Connection: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Connection for T {}

/// A connection could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The target did not accept the connection, or did not speak TLS.
    #[error(transparent)]
    Refused(#[from] io::Error),
    /// The target did not accept the connection in time.
    #[error("no connection within 5 s")]
    TimedOut,
    /// The certificate of the target is not valid.
    #[error("{0}")]
    Certificate(#[source] io::Error),
}

impl From<ConnectError> for Ending {
    fn from(error: ConnectError) -> Self {
        Self::Unreachable(error.to_string())
    }
}

/// Opens a connection to the target.
pub(super) async fn open(base: &BaseUrl) -> Result<Box<dyn Connection>, ConnectError> {
    // A name such as `gateway.localhost` means this machine, whatever the system resolves it to.
    let is_here = |it: &SocketAddr| !base.is_loopback() || it.ip().to_canonical().is_loopback();
    let connected = async {
        let addresses: Vec<_> = lookup_host(&base.authority).await?.filter(is_here).collect();
        TcpStream::connect(&addresses[..]).await
    };
    let stream = connected.await.inspect_err(descriptors::note)?;
    let Some(tls) = &base.tls else { return Ok(Box::new(stream)) };
    match tls.open(stream).await {
        Ok(stream) => Ok(Box::new(stream)),
        Err(error) if tls::is_about_certificate(&error) => Err(ConnectError::Certificate(error)),
        Err(error) => Err(ConnectError::Refused(error)),
    }
}
