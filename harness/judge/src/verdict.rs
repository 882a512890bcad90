//! The verdict on a case: what its violations come to.

#[cfg(test)]
mod tests;

use fallproof_suite::evidence::{CallEvidence, Ending, Inconclusive};
use fallproof_suite::scenario::Scenario;
use fallproof_suite::skip::SkipReason;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::control;
use crate::violation::{Verdict, Violation};

/// The verdict on one scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Everything held.
    Pass,
    /// Only SHOULDs, or rules that are merely documented, were broken.
    Warn,
    /// The target does not conform.
    Fail,
    /// Nothing can be said of the target.
    Inconclusive(Inconclusive),
    /// It was not run.
    Skipped(SkipReason),
    /// A fault of Fallproof's own. Holds what went wrong.
    HarnessError(String),
}

/// What a failure looked like to the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Failure {
    /// It got an error, or saw its answer break off: the call was lost, and it knows.
    Honest,
    /// It was told of a success, or of nothing at all.
    Silent,
}

/// The verdict on a scenario that was run, from what was seen and what is wrong with it.
pub(super) fn verdict(
    scenario: &Scenario,
    steps: &[CallEvidence],
    violations: &[Violation],
) -> Outcome {
    if let Some(ending @ Ending::Unreachable(_)) = steps.first().map(|step| &step.exchange.ending) {
        return Outcome::Inconclusive(Inconclusive::Unreachable(ending.clone()));
    }
    // Without a single attempt nothing was tried: the group is not wired, or a cache answered.
    let wrong: Vec<_> = violations.iter().filter(|it| it.verdict > Verdict::Note).collect();
    if let Some(step) = steps.first()
        && !wrong.is_empty()
        && !wrong.iter().any(|it| is_of_no_attempt(scenario, it))
        && steps.iter().all(|step| step.requests.is_empty())
        && step.exchange.ending == Ending::Complete
    {
        let status = step.exchange.status.unwrap_or_default();
        let answer: String =
            String::from_utf8_lossy(&step.exchange.body).chars().take(200).collect();
        return Outcome::Inconclusive(Inconclusive::NobodyAsked { status, answer });
    }
    match violations.iter().map(|it| it.verdict).max() {
        None | Some(Verdict::Note) => Outcome::Pass,
        Some(Verdict::Warn) => Outcome::Warn,
        Some(Verdict::Fail) => Outcome::Fail,
    }
}

/// Whether it is a breach that nobody was asked, or one of a call that was to reach nobody. Of a
/// group whose connections must fail it is not known whether it is wired.
fn is_of_no_attempt(scenario: &Scenario, violation: &Violation) -> bool {
    let mut calls = scenario.calls().map(|planned| planned.expect.attempts.as_deref());
    let is_to_reach_nobody = calls.nth(violation.call) == Some(Some(&[]));
    let is_visible =
        scenario.deployments.values().all(|deployment| deployment.dead_end().is_none());
    is_visible && (is_to_reach_nobody || violation.requirement.is_some_and(control::holds_unasked))
}

/// What the failure of a case looked like: silent where a call that broke a requirement looked like
/// a success, or never ended.
pub(super) fn failure(steps: &[CallEvidence], violations: &[Violation]) -> Failure {
    let failed = violations.iter().filter(|it| it.verdict == Verdict::Fail);
    let is_silent = |step: &CallEvidence| match step.exchange.ending {
        Ending::Complete => step.exchange.status.is_some_and(|status| status < 400),
        Ending::TimedOut | Ending::TooLong => true,
        Ending::Closed
        | Ending::Reset
        | Ending::NotHttp(_)
        | Ending::Unreachable(_)
        | Ending::Disconnected => false,
    };
    let mut steps = failed.filter_map(|it| steps.get(it.call));
    if steps.any(is_silent) { Failure::Silent } else { Failure::Honest }
}
