//! The providers' error replies, byte for byte, from the data in `errors/`.

use crate::behaviour::WirePlan;
use crate::provider::{Deployment, Endpoint, Surface};
use crate::strict::Violation;

/// A reply as a provider sends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// Names and values in the order sent.
    pub headers: Vec<(String, String)>,
    /// The body, byte for byte.
    pub body: Vec<u8>,
}

/// What a provider's outer layers refuse before a model sees the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DoorRefusal {
    /// The path is not one of the provider's. Holds method and path as sent.
    UnknownPath { method: String, path: String },
    /// The path exists, the method does not fit.
    WrongMethod { method: String, path: String },
    /// Azure legacy: no `api-version`, or one that does not exist.
    ApiVersion,
    /// No credential in the provider's form.
    MissingKey,
    /// A credential that is not the deployment's.
    WrongKey { key: String },
    /// The model or deployment named is not there. Holds the name.
    UnknownModel { name: String },
    /// The body is not JSON.
    InvalidJson,
}

/// Every name that a script may use, `ok` among them, in the catalogue's order.
pub fn catalogue_names() -> impl Iterator<Item = &'static str> {
    ["ok", "server_error"].into_iter()
}

/// The reply of this catalogue name as `deployment` gives it at `endpoint`, and what the wire does
/// to it (e.g. `connection_reset`); the reply is `None` where it is the success reply. `None` for
/// an unknown name.
pub fn behaviour(
    name: &str,
    deployment: &Deployment,
    endpoint: Endpoint,
) -> Option<(Option<Reply>, WirePlan)> {
    let _ = (name, deployment, endpoint);
    None
}

/// The provider's own reply to a body with this violation.
pub fn refusal(surface: Surface, endpoint: Endpoint, violation: &Violation) -> Reply {
    let _ = (surface, endpoint, violation);
    Reply { status: 400, headers: Vec::new(), body: Vec::new() }
}

/// The reply of the provider's outer layers. `endpoint` where the path told it.
pub fn door(surface: Surface, endpoint: Option<Endpoint>, refusal: &DoorRefusal) -> Reply {
    let _ = (surface, endpoint, refusal);
    Reply { status: 404, headers: Vec::new(), body: Vec::new() }
}
