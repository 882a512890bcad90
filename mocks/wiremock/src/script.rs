//! Scripts that a wiremock server can play.

use fallproof_protocol::behaviour::{
    self, Behaviour, CONNECT_TIMEOUT, CONNECTION_REFUSED, WirePlan, find,
};

/// What a provider does at its attempts, in order: whole replies, each perhaps after a delay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script(Vec<Behaviour>);

/// Why a script cannot be played.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScriptError {
    /// A fault of the connection, which a wiremock server cannot play. Holds the behavior's name.
    #[error(
        "`{0}` is a fault of the connection, which wiremock cannot play: use `fallproof_mocks::wire`"
    )]
    WireFault(String),
    /// No provider can play it.
    #[error(transparent)]
    Invalid(#[from] behaviour::ScriptError),
    /// There is nothing in it.
    #[error("a script has at least one behavior")]
    Empty,
}

impl Script {
    /// The behaviors of these names, as `fallproof behaviours` lists them.
    ///
    /// # Errors
    /// A name is unknown, or a fault of the connection.
    pub fn named<N: Into<String>>(names: impl IntoIterator<Item = N>) -> Result<Self, ScriptError> {
        names.into_iter().map(Behaviour::named).collect::<Vec<_>>().try_into()
    }

    pub(crate) fn into_behaviours(self) -> Vec<Behaviour> {
        self.0
    }
}

impl TryFrom<Vec<Behaviour>> for Script {
    type Error = ScriptError;

    fn try_from(behaviours: Vec<Behaviour>) -> Result<Self, ScriptError> {
        if behaviours.is_empty() {
            return Err(ScriptError::Empty);
        }
        for behaviour in &behaviours {
            behaviour.validate()?;
            if has_wire_fault(behaviour) {
                return Err(ScriptError::WireFault(behaviour.reply.clone()));
            }
        }
        Ok(Self(behaviours))
    }
}

/// Whether it does anything to the bytes of the reply but send them later.
fn has_wire_fault(behaviour: &Behaviour) -> bool {
    let of_the_name = find(&behaviour.reply).map(|entry| entry.wire.clone()).unwrap_or_default();
    let wire = behaviour.wire.clone().or(of_the_name);
    [CONNECTION_REFUSED, CONNECT_TIMEOUT].contains(&behaviour.reply.as_str())
        || WirePlan { delay_ms: None, ..wire } != WirePlan::default()
}
