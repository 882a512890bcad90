//! Violations of the CONTROL requirements.

use serde::Serialize;
use strum::Display;

use super::{fault, violations};

violations! {
    /// A way in which a client's request controlled the gateway.
    pub enum ControlViolation(n, to, pointer) {
        SteeredByBody { member: String, how: ChainDeviation } =>
            "with `{member}` in the client's body, {how}"
            => "{fault} if the body has {member}", fault = how.fault(), member = fault::GAP;
        SteeredByHeader { header: String, how: ChainDeviation } =>
            "with the client's header `{header}`, {how}"
            => "{fault} if the client sends the {header}",
                fault = how.fault(), header = fault::GAP;
        CarriesClientKey => "attempt {n} at `{to}` carries a key from the client's request"
            => "sends a key from the client's request to a deployment";
    }
}

/// How a call departed from its fallback chain.
#[derive(Debug, Clone, PartialEq, Eq, Display, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each message describes its variant")]
pub enum ChainDeviation {
    #[strum(to_string = "the call succeeded without an attempt at the chain")]
    NoAttempt,
    #[strum(to_string = "the call went to `{to}` before `{before}` was tried")]
    PassedOver { to: String, before: String },
    #[strum(to_string = "`{0}` was not tried")]
    NotTried(String),
}

impl ChainDeviation {
    fn fault(&self) -> &'static str {
        match self {
            Self::NoAttempt => "succeeds without trying the chain",
            Self::PassedOver { .. } => "passes over a deployment",
            Self::NotTried(_) => "does not fall back",
        }
    }
}
