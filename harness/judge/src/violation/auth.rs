//! Violations of the AUTH requirements.

use serde::Serialize;
use strum::Display;

use super::violations;

violations! {
    /// A credential that is missing, wrong or leaked.
    pub enum AuthViolation(n, to, pointer) {
        Missing { header: String } => "attempt {n} at `{to}` has no `{header}` header"
            => "sends no credential in the header that the provider expects";
        Other { header: String } =>
            "attempt {n} at `{to}` does not carry its deployment's credential in `{header}`"
            => "sends another value than expected in the credential header";
        Several { header: String, times: usize } =>
            "attempt {n} at `{to}` has {times} `{header}` headers"
            => "sends the credential header more than once";
        CarriesAnother { of: String } => "attempt {n} at `{to}` carries the credential of `{of}`"
            => "sends a deployment's credential to another deployment";
        CarriesGatewayKey => "attempt {n} at `{to}` carries the client's gateway key"
            => "sends the client's gateway key to a deployment";
        ResponseLeaks { of: String } => "the response leaks the credential of `{of}`"
            => "shows a deployment's credential to the client";
        ResponseLeaksGatewayKey => "the response leaks the client's gateway key"
            => "shows the client's gateway key in the response";
        AttemptFor { client: UnauthorizedClient } => "attempt {n} at `{to}` was made for {client}"
            => "makes attempts for {client}";
        Answered { client: UnauthorizedClient, status: u16 } =>
            "{client} got status {status}, not 401"
            => "does not send an error status to {client}";
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
