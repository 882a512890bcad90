//! The options that say where the mock providers listen, and how the gateway reaches them.

use std::net::{IpAddr, SocketAddr};

use axum::http::uri::Authority;
use clap::Args;
use fallproof_runner::gateway::DEFAULT_MOCKS;
use fallproof_runner::shell::quoted;
use fallproof_suite::plan::{Advertised, MockAddress};

use super::Stop;

#[derive(Debug, Args)]
pub(super) struct Mocks {
    /// Address that the mock providers listen on; they also use the next two ports
    ///
    /// [default: 127.0.0.1:9100; with --launch 127.0.0.1, and the system chooses the ports]
    #[arg(long, value_name = "IP[:PORT]", value_parser = listen)]
    listen: Option<Listen>,
    /// Host that the gateway is told for the mock providers [default: the address of --listen]
    ///
    /// For a gateway that reaches them in another way, e.g. `host.docker.internal` in a container.
    /// With a PORT, it is told this port and the next two, which must lead to those of --listen.
    #[arg(long, value_name = "HOST[:PORT]", value_parser = advertised)]
    advertise: Option<Advertised>,
}

/// The last port that can be given. The mocks also use the next two.
const LAST_PORT: u16 = u16::MAX - 2;

/// The value of `--listen`.
#[derive(Debug, Clone, Copy)]
struct Listen {
    ip: IpAddr,
    port: Option<u16>,
}

impl Mocks {
    /// Whether one of the options is given.
    pub(super) fn are_given(&self) -> bool {
        self.listen.is_some() || self.advertise.is_some()
    }

    /// Where the mocks of a gateway that the user starts are.
    pub(super) fn fixed(&self) -> Result<MockAddress, Stop> {
        self.at(DEFAULT_MOCKS.port())
    }

    /// Where the mocks of a gateway that Fallproof starts are. The system chooses their ports,
    /// because several gateways may run at the same time.
    pub(super) fn free(&self) -> Result<MockAddress, Stop> {
        let has_port = self.listen.is_some_and(|it| it.port.is_some())
            || self.advertise.as_ref().is_some_and(|it| it.port.is_some());
        if has_port {
            return Err(Stop::usage(
                "with --launch, the system chooses the ports of the mock providers: give --listen \
                 and --advertise without a port",
            ));
        }
        self.at(0)
    }

    fn at(&self, port: u16) -> Result<MockAddress, Stop> {
        let listen = self.listen.unwrap_or(Listen { ip: DEFAULT_MOCKS.ip(), port: None });
        is_reachable(listen.ip, self.advertise.as_ref())?;
        Ok(MockAddress {
            listen: SocketAddr::new(listen.ip, listen.port.unwrap_or(port)),
            advertise: self.advertise.clone(),
        })
    }

    /// The options that give the same addresses in another command.
    pub(super) fn again(&self) -> impl Iterator<Item = String> {
        let listen = self.listen.map(|Listen { ip, port }| match port {
            Some(port) => SocketAddr::new(ip, port).to_string(),
            None => ip.to_string(),
        });
        let advertise = self.advertise.as_ref().map(Advertised::to_string);
        [("listen", listen), ("advertise", advertise)]
            .into_iter()
            .filter_map(|(name, value)| Some(format!("--{name} {}", quoted(&value?))))
    }
}

/// Checks that a gateway can connect to the address that it gets.
pub(super) fn is_reachable(listen: IpAddr, advertise: Option<&Advertised>) -> Result<(), Stop> {
    if !listen.is_unspecified() || advertise.is_some() {
        return Ok(());
    }
    Err(Stop::Usage(format!(
        "nobody can connect to {listen}, which stands for every address of this machine: name the \
         one to use with --advertise, e.g. --advertise host.docker.internal"
    )))
}

fn listen(text: &str) -> Result<Listen, String> {
    let address = text.parse::<SocketAddr>().map(|it| (it.ip(), Some(it.port())));
    let address = address.or_else(|_| text.parse::<IpAddr>().map(|ip| (ip, None)));
    let (ip, port) = address.map_err(|_| "expected an IP address, e.g. 0.0.0.0 or 0.0.0.0:9100")?;
    // With port 0, the system chooses.
    if port.is_some_and(|port| port > LAST_PORT) {
        return Err(format!("two more ports follow, so the port must be at most {LAST_PORT}"));
    }
    Ok(Listen { ip, port })
}

/// Parses a host, which is a name or an IP address, and the port if there is one.
pub(super) fn advertised(text: &str) -> Result<Advertised, String> {
    let wrong =
        || "expected a host, e.g. host.docker.internal, 10.0.0.2:9100 or [fd00::2]".to_owned();
    let authority = text.parse::<Authority>().map_err(|_| wrong())?;
    let (host, port) = (authority.host(), authority.port_u16());
    let port_length = text.len().checked_sub(host.len() + 1);
    let is_host_and_port = text.starts_with(host) && port.is_some() == port_length.is_some();
    let has_bad_port = port.is_some_and(|port| port == 0 || port > LAST_PORT);
    if host.is_empty() || !is_host_and_port || has_bad_port {
        return Err(wrong());
    }
    Ok(Advertised { host: host.to_owned(), port })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_may_have_a_port() {
        for text in ["mocks", "host.docker.internal", "10.0.0.2:80", "[fd00::2]", "[fd00::2]:9100"]
        {
            assert_eq!(advertised(text).map(|it| it.to_string()), Ok(text.to_owned()));
        }
        let known = advertised("10.0.0.2:80").expect("a host and a port");
        assert_eq!((known.host.as_str(), known.port), ("10.0.0.2", Some(80)));
    }

    #[test]
    fn other_text_is_no_host() {
        for text in
            ["", ":80", "mocks:", "mocks:x", "mocks:65534", "mocks:0", "fd00::2", "me@mocks", "a/b"]
        {
            assert!(advertised(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_address_to_listen_on_may_have_a_port() {
        let read = |text| listen(text).map(|it| (it.ip.to_string(), it.port));
        assert_eq!(read("0.0.0.0"), Ok(("0.0.0.0".to_owned(), None)));
        assert_eq!(read("[::1]:9100"), Ok(("::1".to_owned(), Some(9100))));
        assert!(listen("127.0.0.1:65534").is_err(), "the next two ports do not exist");
        assert_eq!(read("::"), Ok(("::".to_owned(), None)));
        assert!(read("localhost").is_err());
    }
}
