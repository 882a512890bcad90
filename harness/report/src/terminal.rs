//! Terminal output of a run: what did not pass, requested traces, and the result.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;

use crate::event::RunEvent;
use crate::model::Report;
use crate::print;
use crate::report_dir::ReportDir;
use crate::reporter::{ReportError, Reporter};
use crate::text::{self, Detail};
use crate::trace;

/// Prints the result to stdout.
pub struct Terminal {
    /// How much is printed.
    detail: Detail,
    /// Traces by case id, if requested.
    traces: Option<BTreeMap<String, String>>,
    /// The report directory, which is named at the end.
    dir: Option<ReportDir>,
}

impl Terminal {
    /// Creates the reporter of a run. With traces, every case that did not pass is printed in full.
    pub fn new(detail: Detail, with_traces: bool, dir: Option<ReportDir>) -> Self {
        let detail = Detail { all_cases: detail.all_cases || with_traces, ..detail };
        Self { detail, traces: with_traces.then(BTreeMap::new), dir }
    }

    fn print(&self, report: &Report) -> io::Result<()> {
        let mut shown = String::new();
        let mut add = |text: &str| {
            shown.push_str(text);
            shown.push('\n');
        };
        if let Some(traces) = &self.traces {
            for case in &report.cases {
                traces.get(&case.id).iter().for_each(|trace| add(trace));
                let text = text::case_within(case, self.detail.width);
                if !text.is_empty() {
                    add(&text);
                }
            }
        } else {
            for case in text::in_full(report, self.detail) {
                add(&text::case_within(case, self.detail.width));
            }
        }
        shown.push_str(&text::rest(report, self.detail));
        if let Some(dir) = &self.dir {
            let _ = writeln!(shown, "{}", dir.named());
        }
        print::stdout(&shown)
    }
}

impl Reporter for Terminal {
    fn event(&mut self, event: &RunEvent<'_>) -> Result<(), ReportError> {
        match event {
            RunEvent::CaseFinished { case, raw } => {
                let traces = self.traces.as_mut().filter(|_| raw.has_calls());
                traces.map(|traces| traces.insert(case.id.clone(), trace::write(*raw)));
                Ok(())
            }
            RunEvent::Finished { report, .. } => self.print(report).map_err(ReportError::stdout),
            RunEvent::Started { .. }
            | RunEvent::TargetStarted { .. }
            | RunEvent::CaseStarted { .. } => Ok(()),
        }
    }
}
