//! Violations of the ROUTE requirements.

use serde::Serialize;
use strum::Display;

use super::violations;

violations! {
    /// An attempt at the wrong deployment or at the wrong time, or a missing attempt.
    pub enum RouteViolation(n, to, pointer) {
        WentBack { after: String } =>
            "attempt {n} went back to `{to}` after `{after}` had been tried";
        PassedOver { deployment: String } =>
            "attempt {n} went to `{to}` before `{deployment}` was tried";
        StillCoolingDown { deployment: String } =>
            "attempt {n} went to `{to}` although the cooldown of `{deployment}` is over";
        NotForThis =>
            "attempt {n} went to `{to}`, a special fallback, but no earlier attempt was refused for its cause";
        NoAttempt { though: String } =>
            "no deployment was tried, although the cooldown of `{though}` is over";
        AfterSuccess { of: usize } =>
            "attempt {n} went to `{to}` although attempt {of} had succeeded";
        NoFallback { failed: Failed, next: String } =>
            "attempt {n} failed {failed}, but `{next}` was never tried";
        SentAgain { refused_by: String } =>
            "attempt {n} resent a request that `{refused_by}` had refused as the client's mistake";
        TooOften { deployment: String, times: usize, retries: u32, most: usize } =>
            "`{deployment}` was tried {times} times; with `retries: {retries}` the limit is {most}";
        InCooldown { why: CooldownReason, duration_ms: u64 } =>
            "attempt {n} went to `{to}`, {why}; its cooldown ends in {duration_ms} ms";
        OtherGroup { group: String, deployment: String, of: String } =>
            "a call for `{group}` was sent to `{deployment}`, which belongs to `{of}`";
        NamesNoGroup => "attempt {n} went to `{to}` although the call names no model group";
        NoContextLengthFallback { next: String } =>
            "attempt {n} was refused as too long, but `{next}` was never tried";
        NoContentFilterFallback { next: String } =>
            "attempt {n} was refused by a content filter, but `{next}` was never tried";
        TookTooLong { ms: u64, limit_ms: u64 } =>
            "attempt {n} took {ms} ms without a timeout; the limit is {limit_ms} ms";
        NeverTimedOut { limit_ms: u64 } =>
            "attempt {n} hangs and never timed out; the limit is {limit_ms} ms";
        TimedOutLate { ms: u64, limit_ms: u64 } =>
            "attempt {n} timed out after {ms} ms; the limit is {limit_ms} ms";
        BeganLate { ms: u64, limit_ms: u64 } =>
            "attempt {n} started {ms} ms after the first one; the limit of the call is {limit_ms} ms";
        OtherConversation { given_by: String } =>
            "attempt {n} went to `{to}`, but the previous response is from `{given_by}`";
        RetriedRefusal { status: u16 } =>
            "attempt {n} retried `{to}`, which had refused the call with {status}";
        RetriedAtOnce { after_ms: u64 } =>
            "attempt {n} retried `{to}` {after_ms} ms after its 429";
        GaveUpOnStale { deployment: String } =>
            "a connection to `{deployment}` was gone when the call used it, and no attempt was made after that";
        NotOnNewConnection { deployment: String } =>
            "a connection to `{deployment}` was gone when the call used it, and the attempt was not made again on a new one";
        NoSuchPath { provider: String, target: String } =>
            "attempt {n} requested {target} at `{to}`, but {provider} has no such path";
        WrongApiVersion { asked: Option<String>, wanted: Option<String> } =>
            "attempt {n} at `{to}` requests the API version {asked}; its deployment has {wanted}",
            asked = asked.as_deref().unwrap_or("none"), wanted = wanted.as_deref().unwrap_or("none");
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
