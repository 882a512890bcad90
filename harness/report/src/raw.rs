//! Keeps the bytes of cases, in the forms that are wanted, while the cases themselves are let go.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use super::convert::Context;
use super::model::{Case, Outcome};
use super::redact::Redactor;
use super::{har, trace};
use fallproof_judge as judge;

/// The bytes of the cases of a run.
#[derive(Debug)]
pub struct Raw {
    /// The time of the day at which the run started.
    started: SystemTime,
    with_har: bool,
    with_trace: bool,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    hars: BTreeMap<String, String>,
    traces: BTreeMap<String, String>,
}

impl Raw {
    /// Of a run that started then: a HAR of each case that failed, a trace of each.
    pub fn new(started: SystemTime, with_har: bool, with_trace: bool) -> Self {
        Self { started, with_har, with_trace, kept: Mutex::default() }
    }

    /// Keeps what is wanted of a case, and says so in its report.
    pub fn keep(
        &self,
        case: &judge::Case,
        told: &mut Case,
        context: Context<'_>,
        redactor: &Redactor,
    ) {
        let has_failed =
            matches!(told.outcome, Outcome::Fail | Outcome::Inconclusive | Outcome::HarnessError);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if self.with_har && has_failed && !case.evidence.calls().is_empty() {
            let started = self.started + case.evidence.started;
            let file = har::file(&told.id);
            kept.hars.insert(file.clone(), har::write(case, told, context, started, redactor));
            told.har = Some(file);
        }
        if self.with_trace && !case.evidence.calls().is_empty() {
            kept.traces.insert(told.id.clone(), trace::write(case, context, redactor));
        }
    }

    /// The HAR files by their places in the folder of the report.
    pub fn hars(&self) -> BTreeMap<String, String> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).hars.clone()
    }

    /// The trace of a case, if it is wanted; empty where there is none.
    pub fn trace(&self, id: &str) -> String {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.traces.get(id).cloned().unwrap_or_default()
    }
}
