//! Violations: what CONTROL finds.

use serde::Serialize;
use strum::Display;

use super::violations;

violations! {
    /// What a client had its way in.
    pub enum ControlViolation(n, to, pointer) {
        SteeredByBody { member: String, how: OtherWay } =>
            "with `{member}` in the body of the client, {how}";
        SteeredByHeader { header: String, how: OtherWay } =>
            "with the header `{header}` of the client, {how}";
        CarriesClientKey => "attempt {n} at {to} carries a key that the client sent along";
    }
}

/// How a call went another way than the chain has it.
#[derive(Debug, Clone, PartialEq, Eq, Display, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the words say what each is")]
pub enum OtherWay {
    #[strum(to_string = "none of the chain was asked, and still it was answered")]
    NobodyAsked,
    #[strum(to_string = "the call went to {to} before {before} was asked")]
    PassedOver { to: String, before: String },
    #[strum(to_string = "{0} was not asked")]
    NotHandedOver(String),
}
