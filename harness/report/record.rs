//! Turns cases into their reports as they end.

use std::time::Instant;

use super::convert::{self, Context};
use super::model::Case;
use super::redact::Redactor;
use crate::drive::{self, Rig, Watch};
use crate::scenario::Scenario;

/// Watches a run and keeps the report of each case, free of keys.
pub struct Recorder<'a> {
    rig: &'a Rig,
    redactor: &'a Redactor,
    started: Instant,
    replay: &'a (dyn Fn(&Scenario) -> String + Sync),
}

impl<'a> Recorder<'a> {
    /// Records the cases of a run that starts now. `replay` gives the command that runs a scenario
    /// again.
    pub fn new(
        rig: &'a Rig,
        redactor: &'a Redactor,
        replay: &'a (dyn Fn(&Scenario) -> String + Sync),
    ) -> Self {
        Self { rig, redactor, started: Instant::now(), replay }
    }
}

impl Watch for Recorder<'_> {
    type Kept = Case;

    fn started(&self, _: &Scenario) {}

    fn ended(&self, scenario: &Scenario, case: drive::Case) -> Case {
        let context = Context {
            scenario,
            groups: self.rig.plan().groups_of(&scenario.id),
            run_started: self.started,
            wire_started: self.rig.started(),
            replay: &(self.replay)(scenario),
        };
        self.redactor.clean(&convert::case(&case, context))
    }
}
