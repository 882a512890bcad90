//! What happens in a run, as its reporters are told.

use std::time::SystemTime;

use fallproof_judge as judge;
use fallproof_suite::plan::Plan;

use crate::convert::Context;
use crate::model::{Case, Report, Suite, Target};
use crate::redact::Redactor;

/// Something that happens in a run. It is told in this order, once for each case that is played: a case
/// that is played again, because its gateway ended, is told of again. What people read of it is free of keys.
#[derive(Clone, Copy)]
pub enum RunEvent<'a> {
    /// The run begins.
    Started {
        /// When.
        at: SystemTime,
        /// What is tested.
        target: &'a Target,
        /// What it is tested with.
        suite: &'a Suite,
        /// How many cases were chosen.
        cases: usize,
    },
    /// The target was started, or reached, for the cases that follow.
    TargetStarted {
        /// What it was configured with, keys and all.
        plan: &'a Plan,
    },
    /// A case begins.
    CaseStarted {
        /// The scenario's id.
        id: &'a str,
    },
    /// A case has ended and was judged.
    CaseFinished {
        /// As people read it.
        case: &'a Case,
        /// What that was made from.
        raw: Raw<'a>,
    },
    /// The run has ended.
    Finished {
        /// All of it, as people read it.
        report: &'a Report,
        /// What a gateway that was started for the run has printed; may be empty.
        log: &'a str,
    },
}

/// A case with every byte of it, keys and all.
#[derive(Clone, Copy)]
pub struct Raw<'a> {
    /// What was seen, and what that comes to.
    pub judged: &'a judge::Case,
    /// Its scenario, and what the target was configured with for it.
    pub context: Context<'a>,
    /// Takes the keys out of bytes that are shown.
    pub redactor: &'a Redactor,
}

impl Raw<'_> {
    /// Whether there is anything to see of it.
    pub fn has_calls(&self) -> bool {
        !self.judged.evidence.calls().is_empty()
    }
}
