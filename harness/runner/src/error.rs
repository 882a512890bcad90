//! Why a run could not begin.

use std::io;
use std::net::SocketAddr;

use fallproof_protocol::behaviour::ScriptError;

use crate::adapter::{LaunchError, RenderError};
use crate::client::BaseUrl;

/// Why a run could not begin.
#[derive(Debug)]
pub enum StartError {
    /// The upstreams could not listen.
    Upstreams(SocketAddr, io::Error),
    /// The reference router could not listen.
    Router(io::Error),
    /// A script cannot be played. Holds the scenario.
    Script(String, ScriptError),
    /// Nothing answers where the target was said to be.
    Unreachable(BaseUrl, String),
    /// The gateway could not be started.
    Launch(LaunchError),
}

impl std::fmt::Display for StartError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Upstreams(address, error) if error.kind() == io::ErrorKind::AddrInUse => write!(
                formatter,
                "the upstreams cannot listen on {address}: port {} or {} is in use; stop what uses it, or name another address with --upstreams",
                address.port(),
                address.port().wrapping_add(1),
            ),
            Self::Upstreams(address, error) => {
                write!(formatter, "the upstreams cannot listen on {address}: {error}")
            }
            Self::Router(error) => write!(formatter, "the reference router cannot listen: {error}"),
            Self::Script(scenario, error) => write!(formatter, "{scenario}: {error}"),
            Self::Unreachable(url, error) => write!(
                formatter,
                "no target at http://{}: {error}; start the gateway first, or correct --target",
                url.authority
            ),
            Self::Launch(error) => write!(formatter, "{error}"),
        }
    }
}

impl std::error::Error for StartError {}

impl From<RenderError> for StartError {
    fn from(error: RenderError) -> Self {
        Self::Launch(error.into())
    }
}
