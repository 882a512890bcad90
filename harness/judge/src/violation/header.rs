//! Violations: what HEADER finds.

use super::violations;
use crate::list;

violations! {
    /// What is wrong with the headers of an attempt.
    pub enum HeaderViolation(n, to, pointer) {
        PassedOn { header: String } => "attempt {n} at {to} carries the client's `{header}`";
        Internal { header: String } =>
            "attempt {n} at {to} carries `{header}`, which is for gateways";
        WrongContentType { got: Vec<String> } =>
            "attempt {n} at {to} has the content type {got}, and the client sent JSON",
            got = list(got);
        Lacks { header: String } => "attempt {n} at {to} unsupported the client's `{header}`";
    }
}
