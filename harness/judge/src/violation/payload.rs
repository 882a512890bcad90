//! Violations of the PAYLOAD requirements.

use serde::Serialize;
use strum::Display;

use super::violations;

violations! {
    /// A difference or an error in the body that a provider got. Values are JSON; long ones are
    /// truncated.
    pub enum PayloadViolation(n, to, pointer) {
        Unreadable { reason: Unreadable } => "attempt {n} carries a body that is {reason}"
            => "sends a body that is {reason}";
        OtherEndpoint => "attempt {n} was sent to another endpoint"
            => "calls another endpoint than the client";
        Added { value: String } => "attempt {n} added {pointer}: {value}"
            => "adds {pointer}";
        Lost { value: String } => "attempt {n} lost {pointer}: {value}"
            => "loses {pointer}";
        Changed { from: String, to: String } =>
            "attempt {n} changed {pointer}: {from} became {to}"
            => "changes {pointer}";
        ItemsMoved => "attempt {n} moved items of {pointer}"
            => "changes the order of the items of {pointer}";
        ChangedBytes { offset: usize } =>
            "attempt {n} changed the part `{part}`: its bytes differ at offset {offset}",
            part = pointer.trim_start_matches('/')
            => "changes the bytes of {pointer}";
        Respelled { from: String, to: String } =>
            "attempt {n} respelled {pointer}: {from} became {to}"
            => "respells {pointer}";
        AddedSince { first: usize } => "attempt {n} has {pointer}, attempt {first} did not"
            => "sends {pointer} in a later attempt, but not in an earlier one";
        LostSince { first: usize } => "attempt {n} lacks {pointer}, attempt {first} had it"
            => "sends {pointer} in an earlier attempt, but not in a later one";
        ChangedSince { first: usize } =>
            "attempt {n} has another value at {pointer} than attempt {first}"
            => "changes {pointer} between attempts";
        ItemsMovedSince { first: usize } =>
            "attempt {n} has the items of {pointer} in another order than attempt {first}"
            => "changes the order of the items of {pointer} between attempts";
        WrongModel { named: String, wanted: String } =>
            "attempt {n} names the model {named}; its deployment requires \"{wanted}\""
            => "does not send the model name that the deployment requires";
        NotValid { provider: String, message: String } =>
            "attempt {n} is not valid for {provider}: {message}"
            => "sends a body that is invalid{at} for the provider", at = pointer.after("at");
        Reordered => "attempt {n} has its members in another order"
            => "reorders the members of the body";
        DefaultSpelledOut => "attempt {n} spells out the default of {pointer}"
            => "adds or omits the default of {pointer}";
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
    #[strum(to_string = "made of more JSON values than are compared")]
    TooManyValues,
    #[strum(to_string = "not JSON")]
    NotJson,
}
