//! Violations: what AUTH finds.

use serde::Serialize;
use strum::Display;

use super::violations;

violations! {
    /// What is wrong with a credential.
    pub enum AuthViolation(n, to, pointer) {
        Missing { header: String } => "attempt {n} at {to} has no `{header}` header";
        Other { header: String } =>
            "attempt {n} at {to} has another `{header}` than its deployment's";
        Several { header: String, times: usize } =>
            "attempt {n} at {to} has {times} `{header}` headers";
        CarriesAnother { of: String } => "attempt {n} at {to} carries the credential of {of}";
        CarriesGatewayKey => "attempt {n} at {to} carries the client's key for the gateway";
        AnswerShows { of: String } => "the answer to the client shows the credential of {of}";
        AnswerShowsGatewayKey => "the answer to the client shows its own key";
        AskedFor { client: Stranger } => "attempt {n} at {to} was made for {client}";
        Answered { client: Stranger, status: u16 } => "{client} was answered {status}, not 401";
    }
}

/// A client that is to be turned away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stranger {
    /// Its key is wrong.
    #[strum(to_string = "a client with a key that it never gave out")]
    WrongKey,
    /// It has none.
    #[strum(to_string = "a client without a key")]
    NoKey,
}
