//! Events of a run, for its reporters.

use std::time::SystemTime;

use fallproof_judge as judge;
use fallproof_suite::plan::Plan;

use crate::convert::Context;
use crate::model::{Case, Report, Suite, Target};
use crate::redact::Redactor;

/// An event of a run. Reporters get the events in the order in which they occur.
///
/// If a case is rerun because its gateway exited, its events are emitted again. API keys are
/// redacted in everything that is meant for people.
#[derive(Clone, Copy)]
pub enum RunEvent<'a> {
    /// The run starts.
    Started {
        /// Start of the run.
        at: SystemTime,
        /// The gateway under test.
        target: &'a Target,
        /// The suite that the target is tested with.
        suite: &'a Suite,
        /// Number of selected cases.
        cases: usize,
    },
    /// The target for the cases that follow was started, or a running target was reached.
    TargetStarted {
        /// Configuration of the target, including API keys.
        plan: &'a Plan,
    },
    /// A case starts.
    CaseStarted {
        /// The scenario's id.
        id: &'a str,
    },
    /// A case has ended and was judged.
    CaseFinished {
        /// The case as reported, with API keys redacted.
        case: &'a Case,
        /// The data that the report of the case was made from.
        raw: Raw<'a>,
    },
    /// The run has ended.
    Finished {
        /// The report, with API keys redacted.
        report: &'a Report,
        /// Output of a gateway that was started for the run; may be empty.
        log: &'a str,
    },
}

/// A case with its complete traffic, including API keys.
#[derive(Clone, Copy)]
pub struct Raw<'a> {
    /// The evidence and its judgment.
    pub judged: &'a judge::Case,
    /// The scenario, and how the target is configured for it.
    pub context: Context<'a>,
    /// Redacts API keys. Use it for all bytes that are shown.
    pub redactor: &'a Redactor,
}

impl Raw<'_> {
    /// Whether any call was made.
    pub fn has_calls(&self) -> bool {
        !self.judged.evidence.calls().is_empty()
    }
}
