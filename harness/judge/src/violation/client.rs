//! Violations of the CLIENT requirements.

use std::time::Duration;

use fallproof_suite::evidence::Ending;
use serde::Serialize;
use strum::Display;

use super::{fault, violations};
use crate::{list, quoted};

violations! {
    /// An error in the response that the client got.
    pub enum ClientViolation(n, to, pointer) {
        NotJson { answered: String } =>
            "`{answered}` answered with JSON, but the client did not get JSON"
            => "does not return JSON although the deployment answered with JSON";
        Changed { answered: String } =>
            "{pointer} of the response differs from the answer of `{answered}`"
            => "loses or changes {part} of the answer", part = pointer.or("a member");
        ChangedBytes { answered: String, given: usize, got: usize } =>
            "the response differs from the answer of `{answered}`: {given} bytes became {got}"
            => "changes the bytes of the answer";
        MixedAnswers { deployments: Vec<String> } =>
            "the response mixes content of {deployments}", deployments = quoted(deployments)
            => "mixes content of several deployments in one response";
        InventedSuccess => "every attempt failed, but the client got a success status"
            => "answers with a success status although all attempts failed";
        NoErrorObject { status: u16 } =>
            "the {status} response has no `error` object with a `message`"
            => "sends an error response without an `error` object with a `message`";
        ErrorAsText { status: u16 } =>
            "the {status} response is text, not JSON with an `error` object"
            => "sends an error response as text";
        ErrorAsPage { status: u16 } =>
            "the {status} response is HTML, not JSON with an `error` object"
            => "sends an error response as HTML";
        EmptyError { status: u16 } =>
            "the {status} response has an empty body, not JSON with an `error` object"
            => "sends an error response with an empty body";
        InventedStatus { failures: Vec<ProviderFailure>, status: u16 } =>
            "the client got status {status}; the providers' failures were {failures}",
            failures = list(failures)
            => "answers with a status that fits no failure of a provider";
        AnswerAsError { answered: String, status: u16 } =>
            "`{answered}` answered, but the client got status {status}"
            => "answers without a success status although a deployment succeeded";
        OwnFailure { status: u16 } =>
            "the client got status {status} without an attempt at any deployment"
            => "answers with a server error of its own{odd}",
                odd = pointer.after("to an odd value of");
        RetryAfterLost { asked_by: String, asked: Duration, status: u16, reported: Option<Duration> } =>
            "`{asked_by}` asked for a wait of {asked}; the client got status {status} with {reported}",
            asked = seconds(*asked), reported = wait(*reported)
            => "reports a shorter wait than a deployment asked for, or none";
        ReasonNotReported { refused_by: String } =>
            "`{refused_by}` refused the request, but its reason is not in the error message"
            => "leaves a provider's reason for a refusal out of the error message";
        NamesAnother { named: String, of: String, answered: String } =>
            "the response names the model {named} of `{of}`, but `{answered}` answered"
            => "names the model of a deployment other than the one that answered";
        CooldownNotReported { duration_ms: u64, status: u16, reported: Option<Duration> } =>
            "all deployments are cooling down (first one back in {duration_ms} ms); the client got status {status} with {reported}",
            reported = wait(*reported)
            => "does not report a cooldown of all deployments by status and wait";
        Unanswered { ending: Ending } => "the target {ending}"
            => "{how}", how = fault::of_ending(ending);
        Endless { after_ms: u64 } =>
            "the target began its response, but did not end it within the limit of {after_ms} ms"
            => "begins a response, but does not end it in time";
        StaleHeader { header: String } =>
            "the response has `{header}` of attempt {n}, which failed at `{to}`"
            => "returns the {header} of a failed attempt", header = fault::GAP;
        Miscoded { how: CodingMisfit } => "the response {how}"
            => "{how}", how = how.of("response");
        AttemptMiscoded { how: CodingMisfit } => "attempt {n} {how}"
            => "{how}", how = how.of("request");
        UnacceptableCoding { coding: String } =>
            "the response has the content coding `{coding}`, which the client does not accept"
            => "sends a response in `{coding}`, which the client does not accept";
        PackedCallFailed { coding: &'static str, status: u16 } =>
            "the client sent its body in {coding} and got status {status} without an attempt"
            => "answers a {coding} request with a server error and makes no attempt";
        NotHttp { error: String } => "the response is not HTTP: {error}"
            => "sends a response that is not HTTP";
        LengthAndCoding => "the response has both `content-length` and `transfer-encoding`"
            => "sends `content-length` and `transfer-encoding` in one response";
        UnknownTransferCoding { coding: String } =>
            "the response has the transfer coding `{coding}`; clients only know `chunked`"
            => "sends a transfer coding other than `chunked`";
        BytesAfterEnd { bytes: usize, start: String } =>
            "{bytes} bytes follow the end of the response: {start}"
            => "sends more bytes after the end of a response";
        OtherGroup { group: String, of: String } =>
            "the response to a call for `{group}` has content of `{of}`, which belongs to another group"
            => "returns content of a deployment of another group";
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

impl CodingMisfit {
    /// The fault of a target that sends such a message, a request or a response.
    fn of(self, message: &str) -> String {
        match self {
            Self::NotPacked { coding } => {
                format!("labels a {message} as {coding} that is not in {coding}")
            }
            Self::Unlabeled { coding } => {
                format!("sends a {coding} {message} without `content-encoding`")
            }
        }
    }
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
