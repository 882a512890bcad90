//! Violations: what PAYLOAD finds.

use serde::Serialize;
use strum::Display;

use super::violations;

violations! {
    /// What is wrong with what a provider got. Values are in JSON, cut where they are long.
    pub enum PayloadViolation(n, to, pointer) {
        Unreadable { reason: Unreadable } => "attempt {n} carries a body that is {reason}";
        OtherEndpoint => "attempt {n} was sent to another endpoint";
        Added { value: String } => "attempt {n} added {pointer}: {value}";
        Lost { value: String } => "attempt {n} lost {pointer}: {value}";
        Changed { from: String, to: String } =>
            "attempt {n} changed {pointer}: {from} became {to}";
        Respelled { from: String, to: String } =>
            "attempt {n} respelled {pointer}: {from} became {to}";
        UnlikeFirst { how: Unlike } => "attempt {n} {how}: {pointer}";
        WrongModel { named: String, wanted: String } =>
            "attempt {n} names the model {named}; its deployment goes by \"{wanted}\"";
        NotValid { provider: String, message: String } =>
            "attempt {n} is not valid for {provider}: {message}";
        Reordered => "attempt {n} has its members in another order";
        DefaultSpelledOut => "attempt {n} spells out the default of {pointer}";
    }
}

/// How a later attempt differs from the first one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unlike {
    /// It has more.
    #[strum(to_string = "has what the first attempt had not")]
    Added,
    /// It has less.
    #[strum(to_string = "unsupported what the first attempt had")]
    Lost,
    /// It has something else.
    #[strum(to_string = "has another value than the first attempt had")]
    Changed,
}

/// What a body is that could not be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the words say what each is")]
pub enum Unreadable {
    #[strum(to_string = "not a form")]
    NotForm,
    #[strum(to_string = "nested too deeply to be compared")]
    TooDeep,
    #[strum(to_string = "not JSON")]
    NotJson,
}
