//! Judges each case of a run when the case ends, and reports progress.

use std::process::ExitStatus;

use super::print::eprintln;
use fallproof_judge::Case;
use fallproof_report::model::{self, Outcome};
use fallproof_report::record::Recorder;
use fallproof_runner::Observer;
use fallproof_suite::evidence::{Evidence, TargetFacts};
use fallproof_suite::plan::Plan;
use fallproof_suite::scenario::Scenario;

pub(super) struct Judging<'a>(pub(super) &'a Recorder<'a>);

impl Observer for Judging<'_> {
    type Output = model::Case;

    fn batch_started(&self, heading: &str) {
        if !heading.is_empty() {
            eprintln!("{heading}");
        }
    }

    fn target_started(&self, plan: &Plan) {
        self.0.target_started(plan);
    }

    fn case_started(&self, scenario: &Scenario) {
        self.0.started(scenario);
    }

    fn case_ended(
        &self,
        scenario: &Scenario,
        target: TargetFacts<'_>,
        evidence: Evidence,
    ) -> model::Case {
        self.0.ended(scenario, target.groups, &Case::new(scenario, target, evidence))
    }

    fn is_suspect(&self, case: &model::Case) -> bool {
        matches!(case.outcome, Outcome::Fail | Outcome::Inconclusive)
    }

    fn target_ended(&self, how: ExitStatus, left: usize) {
        eprintln!("the gateway exited ({how}); restarting it for the remaining {left} scenarios");
    }
}
