//! Violations: what ROUTE finds.

use serde::Serialize;
use strum::Display;

use super::violations;

violations! {
    /// What is wrong with which deployments were asked.
    pub enum RouteViolation(n, to, pointer) {
        WentBack { after: String } => "attempt {n} went back to {to}, after {after} was asked";
        PassedOver { deployment: String } =>
            "attempt {n} went to {to} before {deployment} was asked";
        StillPutAside { deployment: String } =>
            "attempt {n} went to {to} before {deployment} was asked, whose rest is over";
        NotForThis =>
            "attempt {n} went to {to}, which is for refused requests, and none was refused so";
        NobodyAsked { though: String } =>
            "nobody was asked, although the rest of {though} is over";
        AfterSuccess { of: usize } =>
            "attempt {n} went to {to} although attempt {of} had succeeded";
        NotHandedOver { failed: Failed, next: String } =>
            "attempt {n} failed {failed} and {next} was never asked";
        SentAgain { refused_by: String } =>
            "attempt {n} sent again what {refused_by} had refused as the client's mistake";
        TooOften { deployment: String, times: usize, retries: u32, most: usize } =>
            "{deployment} was asked {times} times; with retries {retries} it is to be asked at most {most} times";
        InCooldown { why: Reason, duration_ms: u64 } =>
            "attempt {n} went to {to}, {why} for {duration_ms} ms more";
        OtherGroup { group: String, deployment: String, of: String } =>
            "a call for {group} was sent to {deployment}, which belongs to {of}";
        TooLongAndStays { next: String } =>
            "attempt {n} was refused as too long and {next} was never asked";
        FilteredAndStays { next: String } =>
            "attempt {n} was refused by a content filter and {next} was never asked";
        TookTooLong { ms: u64, limit_ms: u64 } =>
            "attempt {n} took {ms} ms and was waited for; the limit is {limit_ms} ms";
        NeverGivenUp { limit_ms: u64 } =>
            "attempt {n} hangs, and was never given up; the limit is {limit_ms} ms";
        GivenUpLate { ms: u64, limit_ms: u64 } =>
            "attempt {n} was given up after {ms} ms; the limit is {limit_ms} ms";
        BeganLate { ms: u64, limit_ms: u64 } =>
            "attempt {n} began {ms} ms after the first one; the whole call may take {limit_ms} ms";
        OtherConversation { given_by: String } =>
            "attempt {n} went to {to}; the response that the call goes on from is of {given_by}";
        RetriedRefusal { status: u16 } =>
            "attempt {n} went to {to}, which had refused it with {status}";
        RetriedAtOnce { after_ms: u64 } =>
            "attempt {n} went to {to}, which had had too many calls {after_ms} ms before";
        NoSuchPath { provider: String, target: String } =>
            "attempt {n} asked {to} ({provider}) for {target}, which it does not have";
        WrongApiVersion { asked: Option<String>, wanted: String } =>
            "attempt {n} at {to} asks for the API version {asked}; its deployment has {wanted}",
            asked = asked.as_deref().unwrap_or("none");
    }
}

/// Why a deployment rests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// It asked to be left alone.
    #[strum(to_string = "which had asked to be left alone")]
    Asked,
    /// It kept failing.
    #[strum(to_string = "which was to get no calls")]
    KeptFailing,
}

/// How an attempt failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Failed {
    /// It had no complete answer.
    #[strum(to_string = "without a complete answer")]
    Broken,
    /// It was answered with an error. Holds the status.
    #[strum(to_string = "with {0}")]
    With(u16),
}
