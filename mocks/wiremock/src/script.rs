//! Scripts that a wiremock server can play.

use fallproof_protocol::behavior::{
    self, Behavior, CONNECT_TIMEOUT, CONNECTION_REFUSED, WireFault, find,
};

/// The behaviors of a provider's attempts, in order: complete replies, optionally delayed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script(Vec<Behavior>);

/// Why a script is invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScriptError {
    /// A connection fault, which a wiremock server cannot play. Holds the behavior's name.
    #[error(
        "`{0}` is a connection fault, which wiremock cannot play; use `fallproof_mocks::server`"
    )]
    WireFault(String),
    /// A behavior that a mock provider cannot play.
    #[error(transparent)]
    Invalid(#[from] behavior::ScriptError),
    /// The script is empty.
    #[error("a script needs at least one behavior")]
    Empty,
}

impl Script {
    /// Creates a script from the names of its behaviors. `fallproof list behaviors` shows all
    /// names.
    ///
    /// # Errors
    /// There is no name, a name is unknown, or a behavior is a connection fault.
    pub fn named<N: Into<String>>(names: impl IntoIterator<Item = N>) -> Result<Self, ScriptError> {
        names.into_iter().map(Behavior::named).collect::<Vec<_>>().try_into()
    }

    pub(crate) fn into_behaviors(self) -> Vec<Behavior> {
        self.0
    }
}

impl TryFrom<Vec<Behavior>> for Script {
    type Error = ScriptError;

    fn try_from(behaviors: Vec<Behavior>) -> Result<Self, ScriptError> {
        if behaviors.is_empty() {
            return Err(ScriptError::Empty);
        }
        for behavior in &behaviors {
            behavior.validate()?;
            if has_wire_fault(behavior) {
                return Err(ScriptError::WireFault(behavior.reply.clone()));
            }
        }
        Ok(Self(behaviors))
    }
}

/// Whether the behavior has a transport fault other than delaying the reply.
fn has_wire_fault(behavior: &Behavior) -> bool {
    let of_the_name = find(&behavior.reply).map(|entry| entry.wire.clone()).unwrap_or_default();
    let wire = behavior.wire.clone().or(of_the_name);
    [CONNECTION_REFUSED, CONNECT_TIMEOUT].contains(&behavior.reply.as_str())
        || WireFault { delay_ms: None, ..wire } != WireFault::default()
}
