//! Addresses that do not accept connections: they either refuse connection attempts or do not
//! answer them.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use socket2::{Domain, Socket, Type};

/// How long to wait for the answer to a local connection attempt. The system accepts or refuses
/// such an attempt at once.
const ANSWERED_WITHIN: Duration = Duration::from_millis(20);

/// Maximum number of connections to open while filling a backlog. A system that accepts even more
/// is assumed to accept all of them.
const MOST_TAKEN: usize = 8;

/// An address that refuses connection attempts or does not answer them, until this value is
/// dropped.
#[derive(Debug)]
pub(super) struct DeadEnd {
    addr: SocketAddr,
    _sockets: Vec<Socket>,
}

impl DeadEnd {
    /// Binds the port without listening. This reserves the port, and the system refuses
    /// connections.
    pub(super) fn refusing(addr: SocketAddr) -> io::Result<Self> {
        let socket = bound(addr)?;
        Ok(Self { addr: local_addr(&socket)?, _sockets: vec![socket] })
    }

    /// Listens with a minimal backlog, and opens connections until a connection attempt gets no
    /// answer, because Linux silently drops attempts when the backlog is full. This takes about 20
    /// ms.
    pub(super) fn silent(addr: SocketAddr) -> io::Result<Self> {
        let listener = bound(addr)?;
        listener.listen(0)?;
        let addr = local_addr(&listener)?;
        let mut sockets = vec![listener];
        while sockets.len() <= MOST_TAKEN {
            let socket = Socket::new(Domain::for_address(addr), Type::STREAM, None)?;
            match socket.connect_timeout(&addr.into(), ANSWERED_WITHIN) {
                Ok(()) => sockets.push(socket),
                Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                    return Ok(Self { addr, _sockets: sockets });
                }
                Err(_) => break,
            }
        }
        let message = "this system answers every connection attempt; Linux does not";
        Err(io::Error::new(io::ErrorKind::Unsupported, message))
    }

    pub(super) fn addr(&self) -> SocketAddr {
        self.addr
    }
}

fn bound(addr: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(addr), Type::STREAM, None)?;
    socket.bind(&addr.into())?;
    Ok(socket)
}

fn local_addr(socket: &Socket) -> io::Result<SocketAddr> {
    socket.local_addr()?.as_socket().ok_or_else(|| io::ErrorKind::AddrNotAvailable.into())
}
