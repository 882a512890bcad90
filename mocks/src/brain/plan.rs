//! What the brain tells the wire beside the reply itself.

use serde::{Deserialize, Serialize};

use crate::behaviour::WirePlan;
use crate::journal::HitKind;
use crate::provider::{Endpoint, Surface};
use crate::strict::Violation;

/// What a request was, and how its reply is to be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    #[serde(with = "violation")]
    pub violation: Option<Violation>,
    /// How the reply is to be sent.
    pub wire: WirePlan,
}

/// [`Violation`] as it travels to the wire.
mod violation {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::strict::{Strength, Violation};

    #[derive(Serialize, Deserialize)]
    #[serde(remote = "Violation")]
    struct Form {
        message: String,
        error_type: String,
        param: Option<String>,
        code: Option<String>,
        pointer: String,
        #[serde(with = "StrengthForm")]
        strength: Strength,
    }

    #[derive(Serialize, Deserialize)]
    #[serde(remote = "Strength")]
    enum StrengthForm {
        Documented,
        Observed,
    }

    #[derive(Serialize)]
    struct Borrowed<'a>(#[serde(with = "Form")] &'a Violation);

    #[derive(Deserialize)]
    struct Owned(#[serde(with = "Form")] Violation);

    #[expect(clippy::ref_option, reason = "serde calls it so")]
    pub(super) fn serialize<S: Serializer>(
        violation: &Option<Violation>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        violation.as_ref().map(Borrowed).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Violation>, D::Error> {
        Ok(Option::<Owned>::deserialize(deserializer)?.map(|owned| owned.0))
    }
}
