//! Turns cases into their reports as they end, and tells of them.

use super::convert::{self, Context};
use super::model::Case;
use super::raw::Raw;
use super::redact::Redactor;
use fallproof_judge as judge;
use fallproof_suite::plan::Group;
use fallproof_suite::scenario::Scenario;

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

/// Makes the report of each case, free of keys.
#[derive(Clone)]
pub struct Recorder<'a> {
    /// Takes the keys out.
    pub redactor: &'a Redactor,
    /// The command that runs a scenario again.
    pub replay: &'a (dyn Fn(&Scenario) -> String + Sync),
    /// Keeps the bytes.
    pub raw: &'a Raw,
    /// Who is told.
    pub listeners: Vec<&'a dyn Listen>,
}

impl Recorder<'_> {
    /// A case begins.
    pub fn started(&self, scenario: &Scenario) {
        self.listeners.iter().for_each(|listener| listener.case_started(&scenario.id));
    }

    /// A case of a target that was configured with these groups has ended and was judged.
    pub fn ended(&self, scenario: &Scenario, groups: &[Group], case: &judge::Case) -> Ended {
        let outcome = &case.judgment.outcome;
        let is_left = matches!(outcome, judge::Outcome::Inconclusive(unclear) if unclear.is_gone());
        let context = Context { scenario, groups, replay: &(self.replay)(scenario) };
        let mut told = self.redactor.clean(&convert::case(case, context));
        self.raw.keep(case, &mut told, context, self.redactor);
        self.listeners.iter().for_each(|listener| listener.case_ended(&told));
        Ended { case: told, is_left }
    }
}
