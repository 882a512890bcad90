//! Violations of a scenario's own expectations.

use fallproof_suite::evidence::Ending;

use super::{fault, violations};
use crate::quoted;

violations! {
    /// An expectation of the scenario that was not met. Values from an error object are JSON.
    pub enum ExpectationViolation(n, to, pointer) {
        Interrupted { ending: Ending } => "the target {ending}"
            => "{how}", how = fault::of_ending(ending);
        NotDisconnected =>
            "the client did not leave: the response was complete before it was to disconnect"
            => "ends its response before the client leaves";
        Attempts { expected: Vec<String>, seen: Vec<String> } =>
            "expected attempts at {expected}; got {seen}",
            expected = quoted(expected), seen = quoted(seen)
            => "makes {which} attempts than expected", which = which(expected, seen);
        EarlierAnswer { expected: Vec<String>, call: usize } =>
            "expected attempts at {expected}; got the answer to call {call} once more",
            expected = quoted(expected)
            => "repeats the answer to an earlier call and makes no attempt";
        ScriptEnded { deployment: String, attempt: usize } =>
            "unexpected attempt {attempt} at `{deployment}`: its script was exhausted; lengthen it, or add `repeat_last: true`"
            => "makes attempts beyond the end of a deployment's script";
        Status { expected: u16, got: u16 } =>
            "expected status {expected} for the client, got {got}"
            => "answers with another status than expected";
        AnsweredBy { expected: String, got: Option<String> } =>
            "expected the answer from `{expected}`, got {got}",
            got = got.as_ref().map_or_else(|| "none".to_owned(), |got| format!("that from `{got}`"))
            => "does not return the answer of the expected deployment";
        TooShort { promised: usize, got: usize } =>
            "the target's content length is {promised}, but its response ended after {got} bytes"
            => "sends fewer bytes than its content length";
        NoError { got: String } => "expected an error in OpenAI's format, got {got}"
            => "sends no error in OpenAI's format";
        ErrorMember { member: &'static str, expected: String, got: String } =>
            "expected error.{member} \"{expected}\", got {got}"
            => "does not send the expected `error.{member}`";
        ErrorMessage { expected: String, got: String } =>
            "expected \"{expected}\" in error.message, got {got}"
            => "does not send the expected text in `error.message`";
        Header { name: String, expected: String, got: Option<String> } =>
            "expected the header `{name}: {expected}`, got {got}",
            got = got.as_deref().unwrap_or("none")
            => "does not send the {header} as expected", header = fault::GAP;
        FailedByItself { status: u16, answer: String } =>
            "the target itself answered {status}, without trying a deployment: {answer}"
            => "answers with a server error without trying a deployment";
        CarriesHeader { name: String } =>
            "attempt {n} at `{to}` carries the header `{name}`, which the scenario excludes"
            => "sends a deployment the {header}, which the scenario excludes",
                header = fault::GAP;
        CarriesText { text: String } =>
            "attempt {n} at `{to}` carries \"{text}\", which the scenario excludes"
            => "sends a deployment text that the scenario excludes";
        RefusedByTarget { answer: String } =>
            "the target itself rejected a request that every deployment of the chain accepts: {answer}"
            => "rejects a request that every deployment of the chain accepts";
    }
}

/// Compares the number of attempts if one list only continues the other.
fn which(expected: &[String], seen: &[String]) -> &'static str {
    if fault::is_start_of(seen, expected) {
        "fewer"
    } else if fault::is_start_of(expected, seen) {
        "more"
    } else {
        "other"
    }
}
