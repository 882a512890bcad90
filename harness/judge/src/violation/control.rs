//! Violations of the CONTROL requirements.

use serde::Serialize;
use strum::Display;

use super::violations;

violations! {
    /// A way in which a client's request controlled the gateway.
    pub enum ControlViolation(n, to, pointer) {
        SteeredByBody { member: String, how: ChainDeviation } =>
            "with `{member}` in the client's body, {how}";
        SteeredByHeader { header: String, how: ChainDeviation } =>
            "with the client's header `{header}`, {how}";
        CarriesClientKey => "attempt {n} at `{to}` carries a key from the client's request";
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
