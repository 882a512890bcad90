//! Addresses where no connection comes about: one where it is refused, and one where nobody answers.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use socket2::{Domain, Socket, Type};

/// On the same machine the system takes or refuses a connection at once.
const ANSWERED_WITHIN: Duration = Duration::from_millis(20);

/// More connections than any system takes beyond the room that it was told to keep.
const MOST_TAKEN: usize = 8;

/// An address that refuses connections, or that does not answer them, for as long as this lives.
#[derive(Debug)]
pub(super) struct DeadEnd {
    addr: SocketAddr,
    _sockets: Vec<Socket>,
}

impl DeadEnd {
    /// Bound and never listening: that keeps the port, and the system refuses who comes.
    pub(super) fn refusing(addr: SocketAddr) -> io::Result<Self> {
        let socket = bound(addr)?;
        Ok(Self { addr: local_addr(&socket)?, _sockets: vec![socket] })
    }

    /// Listening with hardly any room, filled up until a connection attempt is not answered: Linux
    /// drops what it has no room for without a word. Takes about 20 ms.
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
        let message = "this system answers every connection attempt, as Linux would not";
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
