//! The time limit of a case. Each wait within a case should have its own limit. If a wait has none
//! by mistake, this limit ends the case, so that a target cannot make a run last forever.

use std::time::Duration;

use fallproof_suite::evidence::CaseResult;
use fallproof_suite::scenario::{Scenario, Step};
use tokio::time::timeout;

use super::call::END_TIMEOUT;

/// Longest time that a case may take if each call takes up to `call`. `waits` is true if the waits
/// of the scenario take real time.
pub(super) fn of(scenario: &Scenario, call: Duration, waits: bool) -> Duration {
    let deployments = u32::try_from(scenario.deployments.len()).unwrap_or(u32::MAX);
    // Before and after a call, each deployment has up to two waits.
    let around = END_TIMEOUT.saturating_mul(deployments.saturating_mul(4).saturating_add(4));
    // The preflight makes a call for each group.
    let steps = scenario.steps.iter().filter(|step| matches!(step, Step::Calls(_)));
    let rounds = u32::try_from(steps.count() + scenario.groups.len()).unwrap_or(u32::MAX);
    let waited = if waits { scenario.waits() } else { Duration::ZERO };
    call.saturating_add(around).saturating_mul(rounds).saturating_add(waited)
}

/// Returns the result of this work, or a harness error if it exceeds the limit.
pub(super) async fn within(limit: Duration, work: impl Future<Output = CaseResult>) -> CaseResult {
    timeout(limit, work).await.unwrap_or_else(|_| {
        let seconds = limit.as_secs();
        CaseResult::HarnessError(format!("the case was aborted after its limit of {seconds} s"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::scenario;

    #[tokio::test]
    async fn a_case_that_does_not_end_is_a_harness_error() {
        let result = within(Duration::from_millis(1), std::future::pending()).await;
        let message = "the case was aborted after its limit of 0 s".to_owned();
        assert_eq!(result, CaseResult::HarnessError(message));
        let skipped = CaseResult::Played(Vec::new());
        let done = std::future::ready(skipped.clone());
        assert_eq!(within(Duration::from_secs(60), done).await, skipped);
    }

    #[test]
    fn the_limit_leaves_time_for_every_wait() {
        let one = scenario("auth/refused-key-is-not-shown");
        let call = Duration::from_secs(5);
        assert!(of(&one, call, true) > call + END_TIMEOUT * 2);
        assert!(of(&one, call, true) < Duration::from_secs(120));
        let limit = of(&one, Duration::MAX, true);
        assert_eq!(limit, Duration::MAX);
    }
}
