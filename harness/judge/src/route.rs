//! ROUTE: which deployments are asked, in what order, how often, how long, and when it ends.
//!
//! | code | where |
//! |---|---|
//! | `FP-ROUTE-01`, `08` | [`order`]; `08` is a cooldown that does not end |
//! | `FP-ROUTE-02`, `04` | [`ended`]: after a success, after a refusal |
//! | `FP-ROUTE-03` | [`hand_over`] |
//! | `FP-ROUTE-05`, `15` | [`retries`] |
//! | `FP-ROUTE-06`, `07` | [`cooldown`] |
//! | `FP-ROUTE-09`, `14` | [`affinity`]: the own group, the deployment that gave a response |
//! | `FP-ROUTE-10`, `11` | [`detour`] |
//! | `FP-ROUTE-12`, `13` | [`timeout`] |
//! | `FP-ROUTE-16`, `17` | [`path`] |

mod affinity;
mod cooldown;
mod detour;
mod ended;
mod hand_over;
mod order;
mod path;
mod places;
mod retries;
mod timeout;

pub(super) use self::cooldown::may_rest;
pub use self::hand_over::Failed;
pub(super) use self::hand_over::{leads_on, passes_on_at_once};
pub(super) use self::places::could_be_asked;
use super::collector::Collector;
use super::rest::Reason;
use super::violation::{Violation, violations};
use crate::observe::View;

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
        InCooldown { why: Reason, for_ms: u64 } =>
            "attempt {n} went to {to}, {why} for {for_ms} ms more";
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

pub(super) fn check(view: View<'_>) -> Vec<Violation> {
    let mut found = Collector::new(view);
    let attempts: Vec<_> = view.attempts().collect();
    affinity::check(&mut found, &attempts);
    order::check(&mut found, &attempts);
    cooldown::check(&mut found, &attempts);
    ended::check(&mut found, &attempts);
    hand_over::check(&mut found, &attempts);
    detour::check(&mut found, &attempts);
    retries::check(&mut found, &attempts);
    timeout::check(&mut found, &attempts);
    path::check(&mut found, &attempts);
    found.found
}
