//! Violations of the AUTH requirements.

use serde::Serialize;
use strum::Display;

use super::violations;

violations! {
    /// A credential that is missing, wrong or leaked.
    pub enum AuthViolation(n, to, pointer) {
        Missing { header: String } => "attempt {n} at `{to}` has no `{header}` header";
        Other { header: String } =>
            "attempt {n} at `{to}` does not carry its deployment's credential in `{header}`";
        Several { header: String, times: usize } =>
            "attempt {n} at `{to}` has {times} `{header}` headers";
        CarriesAnother { of: String } => "attempt {n} at `{to}` carries the credential of `{of}`";
        CarriesGatewayKey => "attempt {n} at `{to}` carries the client's gateway key";
        ResponseLeaks { of: String } => "the response leaks the credential of `{of}`";
        ResponseLeaksGatewayKey => "the response leaks the client's gateway key";
        AttemptFor { client: UnauthorizedClient } => "attempt {n} at `{to}` was made for {client}";
        Answered { client: UnauthorizedClient, status: u16 } =>
            "{client} got status {status}, not 401";
    }
}

/// A client that the gateway must reject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum UnauthorizedClient {
    /// Its API key is wrong.
    #[strum(to_string = "a client with an invalid gateway key")]
    WrongKey,
    /// It did not send an API key.
    #[strum(to_string = "a client without a gateway key")]
    NoKey,
}
