//! Who is told how a run goes.

use fallproof_suite::evidence::{Evidence, TargetFacts};
use fallproof_suite::scenario::Scenario;

/// Who is told how a run goes, on the threads that do it.
pub trait Observer: Sync {
    /// What is kept of a case.
    type Kept: Send;

    /// A case begins.
    fn case_started(&self, scenario: &Scenario);

    /// A case has ended, of a target of which this is known.
    fn case_ended(
        &self,
        scenario: &Scenario,
        target: TargetFacts<'_>,
        evidence: Evidence,
    ) -> Self::Kept;
}

/// Nobody is told, and all is kept.
impl Observer for () {
    type Kept = Evidence;

    fn case_started(&self, _: &Scenario) {}

    fn case_ended(&self, _: &Scenario, _: TargetFacts<'_>, evidence: Evidence) -> Evidence {
        evidence
    }
}
