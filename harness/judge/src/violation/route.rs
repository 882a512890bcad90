//! Violations of the ROUTE requirements.

use serde::Serialize;
use strum::Display;

use super::violations;

violations! {
    /// An attempt at the wrong deployment or at the wrong time, or a missing attempt.
    pub enum RouteViolation(n, to, pointer) {
        WentBack { after: String } =>
            "attempt {n} went back to `{to}` after `{after}` had been tried"
            => "goes back to an earlier deployment of the chain";
        PassedOver { deployment: String } =>
            "attempt {n} went to `{to}` before `{deployment}` was tried"
            => "passes over a deployment of the chain";
        StillCoolingDown { deployment: String } =>
            "attempt {n} went to `{to}` although the cooldown of `{deployment}` is over"
            => "passes over a deployment whose cooldown is over";
        NotForThis =>
            "attempt {n} went to `{to}`, a special fallback, but no earlier attempt was refused for its cause"
            => "goes to a special fallback without a refusal for its cause";
        NoAttempt { though: String } =>
            "no deployment was tried, although the cooldown of `{though}` is over"
            => "makes no attempts although the cooldown of a deployment is over";
        AfterSuccess { of: usize } =>
            "attempt {n} went to `{to}` although attempt {of} had succeeded"
            => "makes further attempts after a success";
        NoFallback { failed: Failed, next: String } =>
            "attempt {n} failed {failed}, but `{next}` was never tried"
            => "does not fall back after a failed attempt";
        NoFallbackFromUnreachable { from: String, next: String } =>
            "`{from}` accepts no connections, and `{next}` was never tried"
            => "does not fall back from a deployment that accepts no connections";
        SentAgain { refused_by: String } =>
            "attempt {n} resent a request that `{refused_by}` had refused as the client's mistake"
            => "resends a request that was refused as the client's mistake";
        TooOften { deployment: String, times: usize, retries: u32, most: usize } =>
            "`{deployment}` was tried {times} times; with `retries: {retries}` the limit is {most}"
            => "tries a deployment more often than the retries allow";
        InCooldown { why: CooldownReason, duration_ms: u64 } =>
            "attempt {n} went to `{to}`, {why}; its cooldown ends in {duration_ms} ms"
            => "tries a deployment {when}", when = why.when();
        OtherGroup { group: String, deployment: String, of: String } =>
            "a call for `{group}` was sent to `{deployment}`, which belongs to `{of}`"
            => "sends a call to a deployment of another group";
        NamesNoGroup => "attempt {n} went to `{to}` although the call names no model group"
            => "makes attempts for a call that names no model group";
        NoContextLengthFallback { next: String } =>
            "attempt {n} was refused because the request is too long, but `{next}` was never tried"
            => "does not try the context-length fallback for a request that is too long";
        NoContentFilterFallback { next: String } =>
            "attempt {n} was refused by a content filter, but `{next}` was never tried"
            => "does not try the content-filter fallback for a filtered request";
        TookTooLong { ms: u64, limit_ms: u64 } =>
            "attempt {n} took {ms} ms and was not aborted; the limit is {limit_ms} ms"
            => "does not abort attempts that take longer than the timeout";
        NeverTimedOut { limit_ms: u64 } =>
            "attempt {n} hangs and never timed out; the limit is {limit_ms} ms"
            => "never aborts attempts that hang";
        TimedOutLate { ms: u64, limit_ms: u64 } =>
            "attempt {n} timed out after {ms} ms; the limit is {limit_ms} ms"
            => "aborts attempts long after their timeout";
        BeganLate { ms: u64, limit_ms: u64 } =>
            "attempt {n} started {ms} ms after the first one; the limit of the call is {limit_ms} ms"
            => "starts attempts after the total timeout of the call";
        OtherConversation { given_by: String } =>
            "attempt {n} went to `{to}`, but the previous response is from `{given_by}`"
            => "continues a response at a deployment that did not give it";
        RetriedRefusal { status: u16 } =>
            "attempt {n} retried `{to}`, which had refused the call with {status}"
            => "retries a deployment that had refused the call";
        RetriedAtOnce { after_ms: u64 } =>
            "attempt {n} retried `{to}` {after_ms} ms after its 429"
            => "retries a deployment immediately after `Too Many Requests`";
        GaveUpOnStale { deployment: String } =>
            "a connection to `{deployment}` was gone when the call used it, and no attempt was made after that"
            => "makes no further attempts after a stale connection";
        NotOnNewConnection { deployment: String } =>
            "a connection to `{deployment}` was gone when the call used it, and the attempt was not made again on a new one"
            => "does not try a new connection after a stale connection";
        NoSuchPath { provider: String, target: String } =>
            "attempt {n} requested {target} at `{to}`, but {provider} has no such path"
            => "requests a path that the provider does not have";
        WrongApiVersion { asked: Option<String>, wanted: Option<String> } =>
            "attempt {n} at `{to}` requests the API version {asked}; its deployment has {wanted}",
            asked = asked.as_deref().unwrap_or("none"), wanted = wanted.as_deref().unwrap_or("none")
            => "does not request the API version configured for the deployment";
    }
}

/// Why a deployment is cooling down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CooldownReason {
    /// Its answer asked for a wait.
    #[strum(to_string = "which had sent Retry-After")]
    RetryAfter,
    /// It reached the group's limit of consecutive failures.
    #[strum(to_string = "which had failed repeatedly")]
    RepeatedFailures,
}

impl CooldownReason {
    fn when(self) -> &'static str {
        match self {
            Self::RetryAfter => "during the wait that it asked for",
            Self::RepeatedFailures => "during its cooldown after repeated failures",
        }
    }
}

/// How an attempt failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Failed {
    /// It got no complete answer.
    #[strum(to_string = "without a complete answer")]
    Broken,
    /// It was answered with an error. Holds the status.
    #[strum(to_string = "with {0}")]
    With(u16),
}
