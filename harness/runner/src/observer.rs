//! The interface for observing a run.

use std::process::ExitStatus;

use fallproof_suite::evidence::{Ending, Evidence, TargetFacts};
use fallproof_suite::plan::Plan;
use fallproof_suite::scenario::Scenario;

/// Observer of a run. Its methods are called on worker threads.
pub trait Observer: Sync {
    /// Output of a case, returned by the run.
    type Output: Send;

    /// A batch starts. The heading is empty if there is only one batch.
    fn batch_started(&self, _heading: &str) {}

    /// The target was started or reloaded with this configuration, for the cases that follow.
    fn target_started(&self, _plan: &Plan) {}

    /// A case starts.
    fn case_started(&self, scenario: &Scenario);

    /// A case has ended. Returns its output. If the case is rerun, `case_started` and this method
    /// are called again, and the earlier output is dropped.
    fn case_ended(
        &self,
        scenario: &Scenario,
        target: TargetFacts<'_>,
        evidence: Evidence,
    ) -> Self::Output;

    /// Whether the target misbehaved in this case, and so may have exited during it.
    fn is_suspect(&self, output: &Self::Output) -> bool;

    /// The target exited and is restarted for the remaining scenarios.
    fn target_ended(&self, _status: ExitStatus, _remaining: usize) {}
}

/// No-op observer that returns the evidence of each case.
impl Observer for () {
    type Output = Evidence;

    fn case_started(&self, _: &Scenario) {}

    fn case_ended(&self, _: &Scenario, _: TargetFacts<'_>, evidence: Evidence) -> Evidence {
        evidence
    }

    fn is_suspect(&self, evidence: &Evidence) -> bool {
        let is_regular =
            |ending: &Ending| matches!(ending, Ending::Complete | Ending::Disconnected);
        evidence.calls().iter().any(|call| !is_regular(&call.exchange.ending))
    }
}
