//! Turns cases into their reports as they end, and tells of them.

use std::time::Instant;

use super::convert::{self, Context};
use super::model::Case;
use super::raw::Raw;
use super::redact::Redactor;
use crate::check;
use crate::drive::{self, Rig, Watch};
use crate::plan::Plan;
use crate::scenario::Scenario;

/// Who is told of each case as it goes, on the threads that do it.
pub trait Listen: Sync {
    /// A case begins.
    fn case_started(&self, id: &str);

    /// A case has ended; its report is free of keys.
    fn case_ended(&self, case: &Case);
}

/// A case that has ended, as it is reported.
#[derive(Debug)]
pub struct Ended {
    /// Its report.
    pub case: Case,
    /// Whether the target was gone, so that it can be run once that is back.
    pub is_left: bool,
}

/// Watches a run and keeps the report of each case, free of keys.
#[derive(Clone)]
pub struct Recorder<'a> {
    /// What the target is configured with.
    pub plan: &'a Plan,
    /// When the clock of the journal started.
    pub wire_started: Instant,
    /// Takes the keys out.
    pub redactor: &'a Redactor,
    /// When the run started.
    pub started: Instant,
    /// The command that runs a scenario again.
    pub replay: &'a (dyn Fn(&Scenario) -> String + Sync),
    /// Keeps the bytes.
    pub raw: &'a Raw,
    /// Who is told.
    pub listeners: Vec<&'a dyn Listen>,
}

impl<'a> Recorder<'a> {
    /// The same, for the cases that this rig runs.
    #[must_use]
    pub fn of(&self, rig: &'a Rig) -> Self {
        Self { plan: rig.plan(), wire_started: rig.started(), ..self.clone() }
    }
}

impl Watch for Recorder<'_> {
    type Kept = Ended;

    fn started(&self, scenario: &Scenario) {
        self.listeners.iter().for_each(|listener| listener.case_started(&scenario.id));
    }

    fn ended(&self, scenario: &Scenario, case: drive::Case) -> Ended {
        let is_left =
            matches!(&case.outcome, check::Outcome::Inconclusive(unclear) if unclear.is_gone());
        let context = Context {
            scenario,
            groups: self.plan.groups_of(&scenario.id),
            run_started: self.started,
            wire_started: self.wire_started,
            replay: &(self.replay)(scenario),
        };
        let mut told = self.redactor.clean(&convert::case(&case, context));
        self.raw.keep(&case, &mut told, context, self.redactor);
        self.listeners.iter().for_each(|listener| listener.case_ended(&told));
        Ended { case: told, is_left }
    }
}
