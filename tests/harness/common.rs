//! What several of the tests need.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

/// A loopback address whose port and the one after it are free.
pub(crate) fn two_free_ports() -> SocketAddr {
    loop {
        let first = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
        let addr = first.local_addr().expect("it is bound");
        if addr.port() < u16::MAX
            && TcpListener::bind((Ipv4Addr::LOCALHOST, addr.port() + 1)).is_ok()
        {
            return addr;
        }
    }
}
