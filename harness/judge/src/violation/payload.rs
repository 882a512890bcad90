//! Violations of the PAYLOAD requirements.

use serde::Serialize;
use strum::Display;

use super::violations;

violations! {
    /// A difference or an error in the body that a provider got. Values are JSON; long ones are
    /// truncated.
    pub enum PayloadViolation(n, to, pointer) {
        Unreadable { reason: Unreadable } => "attempt {n} carries a body that is {reason}";
        OtherEndpoint => "attempt {n} was sent to another endpoint";
        Added { value: String } => "attempt {n} added {pointer}: {value}";
        Lost { value: String } => "attempt {n} lost {pointer}: {value}";
        Changed { from: String, to: String } =>
            "attempt {n} changed {pointer}: {from} became {to}";
        ChangedBytes { offset: usize } =>
            "attempt {n} changed the part `{part}`: its bytes differ at offset {offset}",
            part = pointer.trim_start_matches('/');
        Respelled { from: String, to: String } =>
            "attempt {n} respelled {pointer}: {from} became {to}";
        AddedSince { first: usize } => "attempt {n} has {pointer}, attempt {first} did not";
        LostSince { first: usize } => "attempt {n} lacks {pointer}, attempt {first} had it";
        ChangedSince { first: usize } =>
            "attempt {n} has another value at {pointer} than attempt {first}";
        WrongModel { named: String, wanted: String } =>
            "attempt {n} names the model {named}; its deployment requires \"{wanted}\"";
        NotValid { provider: String, message: String } =>
            "attempt {n} is not valid for {provider}: {message}";
        Reordered => "attempt {n} has its members in another order";
        DefaultSpelledOut => "attempt {n} spells out the default of {pointer}";
    }
}

/// Why a body could not be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each message describes its variant")]
pub enum Unreadable {
    #[strum(to_string = "not a valid form")]
    NotForm,
    #[strum(to_string = "nested too deeply to be compared")]
    TooDeep,
    #[strum(to_string = "not JSON")]
    NotJson,
}
