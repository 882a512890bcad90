//! Violations: what a scenario expects and was not so.

use fallproof_suite::evidence::Ending;

use super::violations;
use crate::list;

violations! {
    /// What was expected and not so. What was got in an error is in JSON.
    pub enum ExpectationViolation(n, to, pointer) {
        BrokenOff { ending: Ending } => "the target {ending}";
        Attempts { expected: Vec<String>, seen: Vec<String> } =>
            "expected attempts at {expected}, saw {seen}",
            expected = list(expected), seen = list(seen);
        ScriptEnded { deployment: String, attempt: usize } =>
            "the script of {deployment} had ended when attempt {attempt} came; lengthen it, or add `repeat_last: true`";
        Status { expected: u16, got: u16 } =>
            "expected status {expected} for the client, got {got}";
        AnsweredBy { expected: String, got: Option<String> } =>
            "expected the answer of {expected}, got that of {got}",
            got = got.as_deref().unwrap_or("no deployment");
        NoError => "expected an error in OpenAI's shape, got something else";
        ErrorMember { member: &'static str, expected: String, got: String } =>
            "expected error.{member} \"{expected}\", got {got}";
        ErrorMessage { expected: String, got: String } =>
            "expected \"{expected}\" in error.message, got {got}";
        Header { name: String, expected: String, got: Option<String> } =>
            "expected the header `{name}: {expected}`, got {got}",
            got = got.as_deref().unwrap_or("none");
        RefusedByTarget { answer: String } =>
            "the target refused by itself what each of the chain takes: {answer}";
    }
}
