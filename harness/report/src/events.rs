//! `events.ndjson`: the events of a run as they happen, one JSON object per line.

use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;

use crate::assemble;
use crate::event::RunEvent;
use crate::model::{Case, Cause, Counts, Suite, Target, Tool, Verdict};
use crate::reporter::{ReportError, Reporter};

/// Name and version of the format.
pub const FORMAT: &str = "fallproof-events/1";

/// One line of the file.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[schemars(title = "A line of events.ndjson of Fallproof")]
pub enum Event<'a> {
    /// The first line.
    RunStarted {
        /// Name and version of this format: `fallproof-events/1`.
        format: &'a str,
        /// The program that made the file.
        tool: &'a Tool,
        /// The gateway under test.
        target: &'a Target,
        /// The suite that the target is tested with.
        suite: &'a Suite,
        /// Start of the run, RFC 3339, UTC.
        started: &'a str,
        /// Number of selected cases.
        cases: usize,
    },
    /// A case starts.
    CaseStarted {
        /// The scenario's id.
        id: &'a str,
    },
    /// A case has ended.
    CaseEnded {
        /// The case, as in `report.json`.
        case: &'a Case,
    },
    /// The last line. It is missing if the process was killed.
    RunEnded {
        /// Verdict of the run.
        verdict: Verdict,
        /// Number of cases by outcome.
        counts: &'a Counts,
        /// The causes, as in `report.json`.
        causes: &'a [Cause],
        /// Whether the user interrupted the run.
        interrupted: bool,
        /// End of the run, RFC 3339, UTC.
        ended: &'a str,
    },
}

/// Writes events to a file, unbuffered.
#[derive(Debug)]
pub struct Events {
    path: PathBuf,
    file: File,
}

impl Events {
    /// Creates the file.
    ///
    /// # Errors
    /// The file cannot be created.
    pub fn create(path: PathBuf) -> Result<Self, ReportError> {
        let file = File::create(&path).map_err(ReportError::at(&path))?;
        Ok(Self { path, file })
    }
}

impl Reporter for Events {
    fn event(&mut self, event: &RunEvent<'_>) -> Result<(), ReportError> {
        let (tool, started);
        let event = match *event {
            RunEvent::Started { at, target, suite, cases } => {
                (tool, started) = (assemble::tool(), assemble::time(at));
                let (tool, started) = (&tool, started.as_str());
                Event::RunStarted { format: FORMAT, tool, target, suite, started, cases }
            }
            RunEvent::TargetStarted { .. } => return Ok(()),
            RunEvent::CaseStarted { id } => Event::CaseStarted { id },
            RunEvent::CaseFinished { case, .. } => Event::CaseEnded { case },
            RunEvent::Finished { report, .. } => Event::RunEnded {
                verdict: report.verdict,
                counts: &report.counts,
                causes: &report.causes,
                interrupted: report.run.interrupted,
                ended: &report.run.ended,
            },
        };
        let json = serde_json::to_string(&event).expect("an event is plain data");
        self.file.write_all(format!("{json}\n").as_bytes()).map_err(ReportError::at(&self.path))
    }
}

/// Returns the JSON Schema of a line: the content of `harness/report/src/events.schema.json`.
pub fn schema() -> String {
    format!("{:#}\n", schemars::schema_for!(Event<'_>).to_value())
}
