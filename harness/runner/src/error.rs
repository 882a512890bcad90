//! Why a run could not begin.

use std::io;
use std::net::SocketAddr;

use fallproof_protocol::behavior::ScriptError;

use crate::adapter::{LaunchError, RenderError};
use crate::client::BaseUrl;

/// Why a run could not begin.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The mocks could not listen.
    #[error("the deployments cannot listen on {0}: {why}", why = not_listening(*.0, .1))]
    Deployments(SocketAddr, #[source] io::Error),
    /// The reference router could not listen.
    #[error("the reference router cannot listen: {0}")]
    Router(#[source] io::Error),
    /// A script cannot be played. Holds the scenario.
    #[error("{0}: {1}")]
    Script(String, #[source] ScriptError),
    /// Nothing answers where the target was said to be.
    #[error("no target at http://{at}: {1}; start the gateway first, or correct --target", at = .0.authority)]
    Unreachable(BaseUrl, String),
    /// The gateway could not be started.
    #[error(transparent)]
    Launch(#[from] LaunchError),
}

impl From<RenderError> for StartError {
    fn from(error: RenderError) -> Self {
        Self::Launch(error.into())
    }
}

fn not_listening(address: SocketAddr, error: &io::Error) -> String {
    if error.kind() != io::ErrorKind::AddrInUse {
        return error.to_string();
    }
    format!(
        "port {} or {} is in use; stop what uses it, or name another address with --mocks",
        address.port(),
        address.port().wrapping_add(1),
    )
}
