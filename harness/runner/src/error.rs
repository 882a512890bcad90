//! Errors that prevent a run from starting.

use std::io;
use std::net::SocketAddr;

use fallproof_mocks::server::is_out_of_descriptors;
use fallproof_protocol::behavior::ScriptError;

use crate::adapter::{LaunchError, RenderError};
use crate::client::{BaseUrl, ConnectError};

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
    /// Nothing listens at the target's URL, or its certificate is not valid.
    #[error("{}", unreachable(.0, .1))]
    Unreachable(BaseUrl, #[source] ConnectError),
    /// The gateway could not be started.
    #[error(transparent)]
    Launch(#[from] LaunchError),
}

impl StartError {
    /// Whether the machine is to blame: no file descriptor was left.
    pub fn is_out_of_descriptors(&self) -> bool {
        match self {
            Self::Deployments(_, error)
            | Self::Router(error)
            | Self::Unreachable(_, ConnectError::Refused(error)) => is_out_of_descriptors(error),
            _ => false,
        }
    }
}

impl From<RenderError> for StartError {
    fn from(error: RenderError) -> Self {
        Self::Launch(error.into())
    }
}

fn unreachable(url: &BaseUrl, error: &ConnectError) -> String {
    let at = format!("{}://{}", url.scheme(), url.authority);
    match error {
        ConnectError::Certificate(_) => format!(
            "the certificate of {at} is not valid: {error}; if it comes from a certificate \
             authority of your own, name that with --ca FILE"
        ),
        _ => format!("no target at {at}: {error}; start the gateway first, or fix --target"),
    }
}

fn not_listening(address: SocketAddr, error: &io::Error) -> String {
    if error.kind() != io::ErrorKind::AddrInUse {
        return error.to_string();
    }
    format!(
        "port {} or {} is in use; stop the process that uses it, or set another address with \
         --listen",
        address.port(),
        address.port().wrapping_add(1),
    )
}
