//! The option `--allow-remote`: addresses beyond this machine.

use std::net::IpAddr;

use clap::Args;
use fallproof_runner::client::BaseUrl;

use super::Stop;

#[derive(Debug, Args)]
pub(super) struct Remote {
    /// Allow addresses beyond this machine: a gateway elsewhere, or servers that others can reach
    ///
    /// Without this option, only loopback addresses are accepted.
    #[arg(long)]
    pub(super) allow_remote: bool,
}

/// A server of Fallproof. Its text says what somebody gets who reaches it.
#[derive(Debug, Clone, Copy, strum::Display)]
pub(super) enum Server {
    /// The mock providers of a run.
    #[strum(to_string = "the mock providers answer everybody who reaches their ports; their keys \
                         are made up, and what the gateway sends them is recorded")]
    Mocks,
    /// The mock providers of `serve`, with their admin API.
    #[strum(to_string = "the mock providers answer everybody who reaches their ports, and the \
                         admin port needs no key: it shows every request, and sets the scripts")]
    Serve,
    /// The reference router.
    #[strum(to_string = "everybody who reaches its port can send calls to the router, which has \
                         the keys of its deployments")]
    Router,
}

impl Remote {
    /// Checks that the target may be there.
    pub(super) fn target(&self, url: &BaseUrl) -> Result<(), Stop> {
        let how = if url.tls.is_some() { "over TLS" } else { "in clear text" };
        self.check(url.is_loopback(), || {
            format!("--target {url} is not on this machine: the client's key goes there {how}")
        })
    }

    /// Checks that a server may listen at this address.
    pub(super) fn listen(&self, server: Server, address: IpAddr) -> Result<(), Stop> {
        self.check(address.to_canonical().is_loopback(), || {
            format!("--listen {address} can be reached from other machines: {server}")
        })
    }

    fn check(&self, is_here: bool, exposed: impl FnOnce() -> String) -> Result<(), Stop> {
        if is_here || self.allow_remote {
            return Ok(());
        }
        Err(Stop::Usage(format!("{}; to allow this, add --allow-remote", exposed())))
    }
}
