//! CLIENT: what comes back is one provider's answer, or the truth about why there is none.
//!
//! | code | where |
//! |---|---|
//! | `FP-CLIENT-01`, `02` | [`answer`]; [`stream`](super::stream) where it is streamed |
//! | `FP-CLIENT-03`, `04`, `13` | [`speaker`]: one provider of the own group, and one that answered |
//! | `FP-CLIENT-05`, `06`, `08` | [`error`] |
//! | `FP-CLIENT-07`, `10` | [`wait`]: when to come back |
//! | `FP-CLIENT-09` | [`model`] |
//! | `FP-CLIENT-11` | [`unanswered`] |
//! | `FP-CLIENT-12` | [`headers`] |

mod answer;
mod error;
mod headers;
mod model;
mod speaker;
mod wait;

use std::time::Duration;

pub use self::error::ProviderFailure;
pub(super) use self::error::error_of;
use super::collector::Collector;
use super::list;
use super::violation::{Violation, violations};
use crate::observe::{Ended, View};
use fallproof_suite::evidence::Ending;
use fallproof_suite::requirement::Code;

violations! {
    /// What is wrong with what the client got.
    pub enum ClientViolation(n, to, pointer) {
        NotJson { answered: String } => "{answered} answered JSON, the client got none";
        Changed { answered: String } =>
            "{pointer} of the answer is not what {answered} gave there";
        ChangedBytes { answered: String, given: usize, got: usize } =>
            "the answer is not what {answered} gave: {given} bytes became {got}";
        SeveralSpeak { deployments: Vec<String> } =>
            "one answer holds the words of {deployments}", deployments = deployments.join(" and ");
        SuccessMadeUp => "every attempt failed, and the client was told of a success";
        NoErrorObject { status: u16 } =>
            "the {status} has no `error` object with a `message`";
        StatusMadeUp { failures: Vec<ProviderFailure>, status: u16 } =>
            "the providers' failures were {failures}; the client got {status}",
            failures = list(failures);
        RetryAfterLost { asked_by: String, asked: Duration, status: u16, told: Option<Duration> } =>
            "{asked_by} asked to be left alone for {asked}; the {status} tells the client {told}",
            asked = seconds(Some(*asked)), told = seconds(*told);
        ReasonLost { refused_by: String } =>
            "{refused_by} refused the request, and its reason is not told";
        WrongModel { named: String, of: String, answered: String } =>
            "the answer names the model {named}, which is that of {of}; {answered} answered";
        CooldownUntold { for_ms: u64, status: u16, told: Option<Duration> } =>
            "all deployments rest, the first for {for_ms} ms more; the client got {status} and is told {told}",
            told = seconds(*told);
        Unanswered { ending: Ending } => "the target {ending}", ending = ending.in_words();
        StaleHeader { header: String } =>
            "the answer has `{header}` of attempt {n}, which failed at {to}";
        OtherGroup { group: String, of: String } =>
            "the call asked for {group} and holds the words of {of}, which is of another group";
    }
}

fn seconds(wait: Option<Duration>) -> String {
    wait.map_or_else(|| "nothing".to_owned(), |wait| format!("{} s", wait.as_secs_f64()))
}

pub(super) fn check(view: View<'_>) -> Vec<Violation> {
    let mut found = Collector::new(view);
    let exchange = &view.step.exchange;
    unanswered(&mut found);
    speaker::own_group(&mut found);
    headers::check(&mut found);
    let (Some(status), true) = (exchange.status, exchange.ending == Ending::Complete) else {
        return found.found;
    };
    let attempts: Vec<_> = view.attempts().collect();
    let is_success = (200..300).contains(&status);
    // Answers that are streamed are STREAM's, but for who is said to speak.
    if is_success && view.wants_stream() {
        model::streamed(&mut found, &attempts);
        return found.found;
    }
    if is_success {
        let successes = || attempts.iter().rev().filter(|it| it.ended() == Ended::Success);
        let speaking = successes().find(|it| it.hop.marker().found_in(&exchange.body));
        match speaking.or_else(|| successes().next()) {
            Some(answering) => answer::check(&mut found, answering),
            None => speaker::no_success(&mut found, &attempts),
        }
        speaker::only_one(&mut found);
    } else {
        error::shape(&mut found, status);
        wait::cooldown(&mut found, &attempts, status);
        if let Some(last) = attempts.last() {
            error::status(&mut found, &attempts, status);
            wait::retry_after(&mut found, last, status);
            error::reason(&mut found, last);
        }
    }
    found.found
}

fn unanswered(found: &mut Collector<'_>) {
    let exchange = &found.view.step.exchange;
    let is_silent = match exchange.ending {
        Ending::TimedOut => true,
        Ending::Closed | Ending::Reset | Ending::Unreachable(_) => exchange.status.is_none(),
        _ => false,
    };
    if is_silent {
        let ending = exchange.ending.clone();
        found.breach(Code::Client11, ClientViolation::Unanswered { ending });
    }
}
