//! What the brain tells the wire beside the reply itself.

use fallproof_strict::Violation;

use crate::behaviour::WirePlan;
use crate::journal::HitKind;
use crate::provider::{Endpoint, Surface};

/// What a request was, and how its reply is to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// What kind of request it is.
    pub kind: HitKind,
    /// Which attempt at its upstream this is, from 1; 0 for a probe.
    pub attempt: u32,
    /// The surface and the endpoint that the path led to; `None` where the provider has no such
    /// path.
    pub place: Option<(Surface, Endpoint)>,
    /// The scheduled behaviour's name, also where the request was refused before it.
    pub behaviour: String,
    /// The answer is the provider's own refusal.
    pub refused: bool,
    /// What the provider finds wrong with the request.
    pub violation: Option<Violation>,
    /// How the reply is to be sent.
    pub wire: WirePlan,
}
