//! Violations of the CLIENT requirements.

use std::time::Duration;

use fallproof_suite::evidence::Ending;
use serde::Serialize;
use strum::Display;

use super::violations;
use crate::{list, quoted};

violations! {
    /// An error in the response that the client got.
    pub enum ClientViolation(n, to, pointer) {
        NotJson { answered: String } =>
            "`{answered}` answered with JSON, but the client did not get JSON";
        Changed { answered: String } =>
            "{pointer} of the response differs from the answer of `{answered}`";
        ChangedBytes { answered: String, given: usize, got: usize } =>
            "the response differs from the answer of `{answered}`: {given} bytes became {got}";
        MixedAnswers { deployments: Vec<String> } =>
            "the response mixes content of {deployments}", deployments = quoted(deployments);
        InventedSuccess => "every attempt failed, but the client got a success status";
        NoErrorObject { status: u16 } =>
            "the {status} response has no `error` object with a `message`";
        InventedStatus { failures: Vec<ProviderFailure>, status: u16 } =>
            "the client got status {status}; the providers' failures were {failures}",
            failures = list(failures);
        AnswerAsError { answered: String, status: u16 } =>
            "`{answered}` answered, but the client got status {status}";
        OwnFailure { status: u16 } =>
            "the client got status {status} without an attempt at any deployment";
        RetryAfterLost { asked_by: String, asked: Duration, status: u16, reported: Option<Duration> } =>
            "`{asked_by}` asked for a wait of {asked}; the client got status {status} with {reported}",
            asked = seconds(*asked), reported = wait(*reported);
        ReasonNotReported { refused_by: String } =>
            "`{refused_by}` refused the request, but its reason is not in the error message";
        NamesAnother { named: String, of: String, answered: String } =>
            "the response names the model {named} of `{of}`, but `{answered}` answered";
        CooldownNotReported { duration_ms: u64, status: u16, reported: Option<Duration> } =>
            "all deployments are cooling down (first one back in {duration_ms} ms); the client got status {status} with {reported}",
            reported = wait(*reported);
        Unanswered { ending: Ending } => "the target {ending}";
        Endless { after_ms: u64 } =>
            "the target began its response, but did not end it within the limit of {after_ms} ms";
        StaleHeader { header: String } =>
            "the response has `{header}` of attempt {n}, which failed at `{to}`";
        Miscoded { how: CodingMisfit } => "the response {how}";
        AttemptMiscoded { how: CodingMisfit } => "attempt {n} {how}";
        UnacceptableCoding { coding: String } =>
            "the response has the content coding `{coding}`, which the client does not accept";
        PackedCallFailed { coding: &'static str, status: u16 } =>
            "the client sent its body in {coding} and got status {status} without an attempt";
        OtherGroup { group: String, of: String } =>
            "the response to a call for `{group}` has content of `{of}`, which belongs to another group";
    }
}

/// How a body contradicts its `content-encoding` header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CodingMisfit {
    /// The header names a coding, but the body is not in it.
    #[strum(to_string = "says `content-encoding: {coding}`, but its body is not in {coding}")]
    NotPacked {
        /// The coding.
        coding: &'static str,
    },
    /// The body is in a coding, but there is no header.
    #[strum(to_string = "has a body in {coding}, but no `content-encoding`")]
    Unlabeled {
        /// The coding.
        coding: &'static str,
    },
}

/// How a provider failed, as a gateway can report it to its client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ProviderFailure {
    /// It answered with an error. Holds the status.
    #[strum(to_string = "{0}")]
    Status(u16),
    /// It sent no answer, or an incomplete one.
    #[strum(to_string = "an incomplete answer")]
    Broken,
}

fn wait(wait: Option<Duration>) -> String {
    wait.map_or_else(|| "no Retry-After".to_owned(), |wait| format!("a wait of {}", seconds(wait)))
}

fn seconds(wait: Duration) -> String {
    format!("{} s", wait.as_secs_f64())
}
