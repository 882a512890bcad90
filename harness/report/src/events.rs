//! `events.ndjson`: the run as it goes, one JSON object a line.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use schemars::JsonSchema;
use serde::Serialize;

use super::assemble;
use super::model::{Case, Counts, Report, Suite, Target, Tool, Verdict};
use super::record::Listen;
use super::redact::Redactor;
use fallproof_suite::scenario;

/// The name and version of the format.
pub const FORMAT: &str = "fallproof-events/1";

/// One line.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[schemars(title = "A line of events.ndjson of Fallproof")]
pub enum Event<'a> {
    /// The first line.
    RunStarted {
        /// The name and version of this format: `fallproof-events/1`.
        format: &'a str,
        /// What runs.
        tool: &'a Tool,
        /// What is tested.
        target: &'a Target,
        /// What it is tested with.
        suite: &'a Suite,
        /// RFC 3339, UTC.
        started: &'a str,
        /// How many cases were chosen.
        cases: usize,
    },
    /// A case begins.
    CaseStarted {
        /// The scenario's id.
        id: &'a str,
    },
    /// A case has ended.
    CaseEnded {
        /// As in `report.json`.
        case: &'a Case,
    },
    /// The last line; it is missing where the run was killed.
    RunEnded {
        /// The run in one word.
        verdict: Verdict,
        /// How many cases came out how.
        counts: &'a Counts,
        /// The user broke the run off.
        interrupted: bool,
        /// RFC 3339, UTC.
        ended: &'a str,
    },
}

/// Writes events to a file, each at once.
#[derive(Debug)]
pub struct Events<'a> {
    redactor: &'a Redactor,
    /// The first error ends the writing, and is kept.
    file: Mutex<Result<File, io::Error>>,
}

impl<'a> Events<'a> {
    /// Begins a file with the line that tells what is run.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn begin(
        path: &Path,
        redactor: &'a Redactor,
        target: &Target,
        suite: &scenario::Suite,
        started: SystemTime,
        cases: usize,
    ) -> io::Result<Self> {
        let events = Self { redactor, file: Mutex::new(Ok(File::create(path)?)) };
        events.tell(&Event::RunStarted {
            format: FORMAT,
            tool: &assemble::tool(),
            target,
            suite: &assemble::suite(suite),
            started: &assemble::time(started),
            cases,
        });
        Ok(events)
    }

    /// Writes one line.
    fn tell(&self, event: &Event<'_>) {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        if let Ok(open) = &mut *file {
            let mut json = serde_json::to_value(event).expect("an event is plain data");
            self.redactor.clean_json(&mut json);
            if let Err(error) = open.write_all(format!("{json}\n").as_bytes()) {
                *file = Err(error);
            }
        }
    }

    /// Writes the last line.
    ///
    /// # Errors
    /// This line or one before could not be written.
    pub fn end(self, report: &Report) -> io::Result<()> {
        self.tell(&Event::RunEnded {
            verdict: report.verdict,
            counts: &report.counts,
            interrupted: report.run.interrupted,
            ended: &report.run.ended,
        });
        self.file.into_inner().unwrap_or_else(PoisonError::into_inner).map(drop)
    }
}

impl Listen for Events<'_> {
    fn case_started(&self, id: &str) {
        self.tell(&Event::CaseStarted { id });
    }

    fn case_ended(&self, case: &Case) {
        self.tell(&Event::CaseEnded { case });
    }
}

/// The JSON Schema of a line, as the text of `harness/report/events.schema.json`.
pub fn schema() -> String {
    format!("{:#}\n", schemars::schema_for!(Event<'_>).to_value())
}
