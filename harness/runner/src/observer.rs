//! Who is told how a run goes.

use std::process::ExitStatus;

use fallproof_suite::evidence::{Ending, Evidence, TargetFacts};
use fallproof_suite::plan::Plan;
use fallproof_suite::scenario::Scenario;

/// Who is told how a run goes, on the threads that do it.
pub trait Observer: Sync {
    /// What is kept of a case.
    type Kept: Send;

    /// A batch begins. Its heading is empty where there is only one.
    fn batch_started(&self, _heading: &str) {}

    /// The target was started, or took another configuration: it is configured so for the cases that
    /// follow.
    fn target_started(&self, _plan: &Plan) {}

    /// A case begins.
    fn case_started(&self, scenario: &Scenario);

    /// A case has ended, of a target of which this is known. One that is run again begins and ends
    /// again, and what was kept of it before is dropped.
    fn case_ended(
        &self,
        scenario: &Scenario,
        target: TargetFacts<'_>,
        evidence: Evidence,
    ) -> Self::Kept;

    /// Whether the target did not do well in this case, so that it may have ended in it.
    fn is_suspect(&self, kept: &Self::Kept) -> bool;

    /// The target has ended by itself, and is started again for so many scenarios.
    fn target_ended(&self, _how: ExitStatus, _left: usize) {}
}

/// Nobody is told, and all is kept.
impl Observer for () {
    type Kept = Evidence;

    fn case_started(&self, _: &Scenario) {}

    fn case_ended(&self, _: &Scenario, _: TargetFacts<'_>, evidence: Evidence) -> Evidence {
        evidence
    }

    fn is_suspect(&self, evidence: &Evidence) -> bool {
        let is_through =
            |ending: &Ending| matches!(ending, Ending::Complete | Ending::Disconnected);
        evidence.calls().iter().any(|call| !is_through(&call.exchange.ending))
    }
}
