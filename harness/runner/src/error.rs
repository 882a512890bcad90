//! Errors that prevent a run from starting.

use std::io;
use std::net::SocketAddr;

use fallproof_protocol::behavior::ScriptError;

use crate::adapter::{LaunchError, RenderError};
use crate::client::BaseUrl;

/// A run could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The mocks could not listen.
    #[error("the mock deployments cannot listen on {0}: {why}", why = not_listening(*.0, .1))]
    Deployments(SocketAddr, #[source] io::Error),
    /// The reference router could not listen.
    #[error("the reference router cannot listen: {0}")]
    Router(#[source] io::Error),
    /// A script is invalid. Holds the id of the scenario.
    #[error("{0}: {1}")]
    Script(String, #[source] ScriptError),
    /// Nothing listens at the target's URL.
    #[error("no target at http://{at}: {1}; start the gateway first, or fix --target", at = .0.authority)]
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
        "port {} or {} is in use; stop the process that uses it, or set another address with \
         --mocks",
        address.port(),
        address.port().wrapping_add(1),
    )
}
