//! Which failures of an attempt fall back, are retried, and count toward a cooldown.

use super::Code;

/// What follows from one kind of failure, unless a group's `fallback_on` or a declaration of the
/// gateway says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FailureRule {
    /// The kind of failure.
    pub failure: &'static str,
    /// The statuses of this kind, each with the same consequences. Empty if it has no status of its
    /// own.
    pub statuses: &'static [u16],
    /// Whether the next deployment is tried: `yes` or `no`, and under which condition.
    pub falls_back: &'static str,
    /// Whether the same deployment is tried again, within its `retries`.
    pub is_retried: &'static str,
    /// Whether it counts toward a cooldown.
    pub counts: &'static str,
}

/// All kinds of failures.
pub const FAILURE_RULES: [FailureRule; 9] = [
    rule(
        "connection refused, reset, or closed before a complete answer",
        &[],
        ["yes", "yes", "yes"],
    ),
    rule("timeout", &[], ["yes", "yes", "yes"]),
    rule(
        "invalid or incomplete 2xx; an error in a 2xx, or in a stream before its first content",
        &[],
        ["yes", "yes", "yes"],
    ),
    rule(
        "408, 409, 5xx",
        &[408, 409, 500, 502, 503, 504, 529],
        ["yes", "yes, unless it carries `Retry-After`", "yes"],
    ),
    rule("429", &[429], ["yes", "no", "yes; `Retry-After` starts a cooldown at once"]),
    rule("401, 403, 404", &[401, 403, 404], ["yes", "no", "yes"]),
    rule(
        "context length exceeded, content filter",
        &[],
        ["only in the special chain for that failure", "no", "no"],
    ),
    rule("any other 4xx", &[400, 405, 413, 415, 422], ["no", "no", "no"]),
    rule(
        "a stream cut after its first content",
        &[],
        ["no: the client has seen part of it", "no", "yes"],
    ),
];

const fn rule(
    failure: &'static str,
    statuses: &'static [u16],
    [falls_back, is_retried, counts]: [&'static str; 3],
) -> FailureRule {
    FailureRule { failure, statuses, falls_back, is_retried, counts }
}

impl FailureRule {
    /// Whether the rules are part of what this requirement says.
    pub fn explain(code: Code) -> bool {
        matches!(
            code,
            Code::Route03 | Code::Route04 | Code::Route05 | Code::Route07 | Code::Route15
        )
    }
}
