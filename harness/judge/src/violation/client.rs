//! Violations: what CLIENT finds.

use std::time::Duration;

use fallproof_suite::evidence::Ending;
use serde::Serialize;
use strum::Display;

use super::violations;
use crate::list;

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
        CooldownUntold { duration_ms: u64, status: u16, told: Option<Duration> } =>
            "all deployments rest, the first for {duration_ms} ms more; the client got {status} and is told {told}",
            told = seconds(*told);
        Unanswered { ending: Ending } => "the target {ending}";
        StaleHeader { header: String } =>
            "the answer has `{header}` of attempt {n}, which failed at {to}";
        OtherGroup { group: String, of: String } =>
            "the call asked for {group} and holds the words of {of}, which is of another group";
    }
}

/// How a provider failed, as its client could be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ProviderFailure {
    /// It answered with an error. Holds the status.
    #[strum(to_string = "{0}")]
    Status(u16),
    /// It did not answer, or not to the end.
    #[strum(to_string = "a broken answer")]
    Broken,
}

fn seconds(wait: Option<Duration>) -> String {
    wait.map_or_else(|| "nothing".to_owned(), |wait| format!("{} s", wait.as_secs_f64()))
}
