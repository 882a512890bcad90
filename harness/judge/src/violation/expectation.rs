//! Violations of a scenario's own expectations.

use fallproof_suite::evidence::Ending;

use super::violations;
use crate::quoted;

violations! {
    /// An expectation of the scenario that was not met. Values from an error object are JSON.
    pub enum ExpectationViolation(n, to, pointer) {
        Interrupted { ending: Ending } => "the target {ending}";
        Attempts { expected: Vec<String>, seen: Vec<String> } =>
            "expected attempts at {expected}; got {seen}",
            expected = quoted(expected), seen = quoted(seen);
        EarlierAnswer { expected: Vec<String>, call: usize } =>
            "expected attempts at {expected}; got the answer to call {call} once more",
            expected = quoted(expected);
        ScriptEnded { deployment: String, attempt: usize } =>
            "unexpected attempt {attempt} at `{deployment}`: its script was exhausted; lengthen it, or add `repeat_last: true`";
        Status { expected: u16, got: u16 } =>
            "expected status {expected} for the client, got {got}";
        AnsweredBy { expected: String, got: Option<String> } =>
            "expected the answer from `{expected}`, got {got}",
            got = got.as_ref().map_or_else(|| "none".to_owned(), |got| format!("that from `{got}`"));
        TooShort { promised: usize, got: usize } =>
            "the target's content length is {promised}, but its response ended after {got} bytes";
        NoError { got: String } => "expected an error in OpenAI's format, got {got}";
        ErrorMember { member: &'static str, expected: String, got: String } =>
            "expected error.{member} \"{expected}\", got {got}";
        ErrorMessage { expected: String, got: String } =>
            "expected \"{expected}\" in error.message, got {got}";
        Header { name: String, expected: String, got: Option<String> } =>
            "expected the header `{name}: {expected}`, got {got}",
            got = got.as_deref().unwrap_or("none");
        FailedByItself { status: u16, answer: String } =>
            "the target itself answered {status}, without trying a deployment: {answer}";
        CarriesHeader { name: String } =>
            "attempt {n} at `{to}` carries the header `{name}`, which the scenario excludes";
        CarriesText { text: String } =>
            "attempt {n} at `{to}` carries \"{text}\", which the scenario excludes";
        RefusedByTarget { answer: String } =>
            "the target itself rejected a request that every deployment of the chain accepts: {answer}";
    }
}
