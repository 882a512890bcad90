//! Where the mock deployments of a run listen, and how the target reaches them.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

/// Where the mock deployments of a run listen, and what the target is told about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MockAddress {
    /// The address of the mock server. The next port refuses connections, and the port after that
    /// does not answer connection attempts. If the port is 0, the system chooses all three.
    pub listen: SocketAddr,
    /// What the target is told instead of `listen`.
    pub advertise: Option<Advertised>,
}

/// How a target reaches the mock deployments, e.g. through the network of a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advertised {
    /// Name or IP address of the host. An IPv6 address is in brackets.
    pub host: String,
    /// The first of three ports in a row, if they are not those on which the mocks listen.
    pub port: Option<u16>,
}

/// The addresses of a run's mock deployments as the target is told them, each `host:port`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addresses {
    /// The mock server, which serves every deployment at a path prefix of its own.
    pub wire: String,
    /// The port that refuses every connection.
    pub refusing: String,
    /// The port that does not answer connection attempts.
    pub silent: String,
}

impl From<SocketAddr> for MockAddress {
    fn from(listen: SocketAddr) -> Self {
        Self { listen, advertise: None }
    }
}

impl MockAddress {
    /// What the target is told if the mock server, the port that refuses connections and the port
    /// that does not answer have these numbers.
    pub fn told(&self, ports: [u16; 3]) -> Addresses {
        let (host, [wire, refusing, silent]) = match &self.advertise {
            Some(Advertised { host, port }) => (host.clone(), port.map_or(ports, in_a_row)),
            None => (host_of(self.listen.ip()), ports),
        };
        let at = |port| format!("{host}:{port}");
        Addresses { wire: at(wire), refusing: at(refusing), silent: at(silent) }
    }

    /// What the target is told if the mocks listen at the ports that they were given.
    pub fn planned(&self) -> Addresses {
        self.told(in_a_row(self.listen.port()))
    }
}

impl Addresses {
    /// The addresses of mocks that listen here. They are the same in each run.
    pub fn stable(listen: SocketAddr) -> Self {
        MockAddress::from(listen).planned()
    }
}

impl fmt::Display for Advertised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.host)?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

fn in_a_row(first: u16) -> [u16; 3] {
    [first, first.wrapping_add(1), first.wrapping_add(2)]
}

fn host_of(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(listen: &str, advertise: Option<(&str, Option<u16>)>) -> [String; 3] {
        let advertise = advertise.map(|(host, port)| Advertised { host: host.to_owned(), port });
        let address = MockAddress { listen: listen.parse().expect("an address"), advertise };
        let Addresses { wire, refusing, silent } = address.told([5000, 6000, 7000]);
        [wire, refusing, silent]
    }

    #[test]
    fn a_target_is_told_the_ports_that_the_mocks_have() {
        let wanted = ["127.0.0.1:5000", "127.0.0.1:6000", "127.0.0.1:7000"];
        assert_eq!(told("127.0.0.1:0", None), wanted);
        assert_eq!(told("[::1]:0", None)[0], "[::1]:5000");
        let wanted = ["mocks:5000", "mocks:6000", "mocks:7000"];
        assert_eq!(told("0.0.0.0:0", Some(("mocks", None))), wanted);
    }

    #[test]
    fn a_target_is_told_other_ports_in_a_row() {
        let wanted = ["mocks:80", "mocks:81", "mocks:82"];
        assert_eq!(told("0.0.0.0:9100", Some(("mocks", Some(80)))), wanted);
        let stable = Addresses::stable(([127, 0, 0, 1], 9100).into());
        assert_eq!(stable.silent, "127.0.0.1:9102");
    }
}
