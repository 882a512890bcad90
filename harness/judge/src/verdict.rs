//! The verdict on a case, derived from its violations.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use fallproof_protocol::sse::{self, Event};
use fallproof_suite::evidence::{Ending, Inconclusive};
use fallproof_suite::scenario::{Level, Scenario};
use fallproof_suite::skip::SkipReason;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::control;
use crate::observe::ObservedCall;
use crate::violation::{ClientViolation, RouteViolation, Verdict, Violation, ViolationKind};

/// The verdict on one scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// No violation, or only informational ones.
    Pass,
    /// Only SHOULDs were broken, or rules that are documented but were not observed.
    Warn,
    /// The target does not conform.
    Fail,
    /// A scenario with `level: robustness` found a violation. It does not change the verdict.
    NotRobust,
    /// The target could not be judged.
    Inconclusive(Inconclusive),
    /// The scenario was not run.
    Skipped(SkipReason),
    /// An error in Fallproof itself. Holds the message.
    HarnessError(String),
}

/// How a failure appeared to the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Failure {
    /// In each call that failed, the client got an error or an interrupted response, so it knows.
    Honest,
    /// In at least one call, the client got a success, or a response that never ended.
    Silent,
}

/// Returns the verdict on a scenario that was run, from its evidence and violations.
pub(super) fn verdict(
    scenario: &Scenario,
    calls: &[ObservedCall<'_>],
    violations: &[Violation],
) -> Outcome {
    if let Some(ending @ Ending::Unreachable(_)) = calls.first().map(|call| &call.exchange.ending) {
        return Outcome::Inconclusive(Inconclusive::Unreachable(ending.clone()));
    }
    // Without a single attempt there is nothing to judge: the group is not wired to the mocks, or a
    // cache answered.
    let wrong: Vec<_> = violations.iter().filter(|it| it.verdict > Verdict::Note).collect();
    let fails = |call: &ObservedCall<'_>| call.exchange.status.is_some_and(|status| status >= 500);
    if let Some(call) = calls.first()
        && (!wrong.is_empty() || fails(call) && is_visible(scenario) && !is_expected(scenario, 0))
        && !wrong.iter().any(|it| holds_without_attempt(scenario, it))
        && calls.iter().all(|call| call.requests.is_empty())
        && call.exchange.ending == Ending::Complete
    {
        let status = call.exchange.status.unwrap_or_default();
        let answer: String =
            String::from_utf8_lossy(&call.exchange.body).chars().take(200).collect();
        return Outcome::Inconclusive(Inconclusive::NoAttempt { status, answer });
    }
    match violations.iter().map(|it| it.verdict).max() {
        None | Some(Verdict::Note) => Outcome::Pass,
        Some(_) if scenario.level == Level::Robustness => Outcome::NotRobust,
        Some(Verdict::Warn) => Outcome::Warn,
        Some(Verdict::Fail) => Outcome::Fail,
    }
}

/// Whether a violation counts although no deployment got an attempt: the scenario expects no
/// attempt, or the requirement or the kind of violation does not need one. In other cases, false if
/// a deployment refuses connections, because that looks the same as a group that is not wired to the
/// mocks.
fn holds_without_attempt(scenario: &Scenario, violation: &Violation) -> bool {
    // The checks for these violations have made sure that the group is wired.
    let is_wired = matches!(
        violation.kind,
        ViolationKind::Client(ClientViolation::OwnFailure { .. })
            | ViolationKind::Route(RouteViolation::NoFallbackFromUnreachable { .. })
    );
    is_wired
        || is_visible(scenario)
            && (is_expected(scenario, violation.call)
                || violation.requirement.is_some_and(control::holds_without_attempt))
}

/// Whether attempts at every deployment can be observed, because no deployment refuses connections.
fn is_visible(scenario: &Scenario) -> bool {
    scenario.deployments.values().all(|deployment| deployment.dead_end().is_none())
}

/// Whether the scenario expects that this call causes no attempt.
fn is_expected(scenario: &Scenario, call: usize) -> bool {
    let mut calls = scenario.calls().map(|planned| planned.expect.attempts.as_deref());
    calls.nth(call) == Some(Some(&[]))
}

/// Returns the indexes of the calls that failed silently: a call with a violation looked like a
/// success or never ended.
pub(super) fn silent(calls: &[ObservedCall<'_>], violations: &[Violation]) -> Vec<usize> {
    let failed = violations.iter().filter(|it| it.verdict == Verdict::Fail);
    let failed: BTreeSet<_> = failed.map(|it| it.call).collect();
    failed.into_iter().filter(|&call| calls.get(call).is_some_and(looks_like_success)).collect()
}

/// Whether a call looked like a success to its client, or never ended. A stream that reports an
/// error does not look like a success.
pub(crate) fn looks_like_success(call: &ObservedCall<'_>) -> bool {
    let exchange = &call.exchange;
    match exchange.ending {
        Ending::Complete => {
            exchange.status.is_some_and(|status| status < 400)
                && !sse::events(&exchange.body).iter().any(Event::reports_failure)
        }
        Ending::TimedOut | Ending::TooLong => true,
        Ending::Closed
        | Ending::Reset
        | Ending::NotHttp(_)
        | Ending::Unreachable(_)
        | Ending::Disconnected => false,
    }
}
