//! Terminal output of a run: what did not pass, requested traces, and the result.

use std::collections::BTreeMap;
use std::io::{self, Write as _};

use crate::event::RunEvent;
use crate::model::Report;
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
        let mut stdout = anstream::stdout().lock();
        if let Some(traces) = &self.traces {
            for case in &report.cases {
                traces.get(&case.id).iter().try_for_each(|trace| writeln!(stdout, "{trace}"))?;
                let shown = text::case_within(case, self.detail.width);
                if !shown.is_empty() {
                    writeln!(stdout, "{shown}")?;
                }
            }
        } else {
            for case in text::in_full(report, self.detail) {
                writeln!(stdout, "{}", text::case_within(case, self.detail.width))?;
            }
        }
        write!(stdout, "{}", text::rest(report, self.detail))?;
        if let Some(dir) = &self.dir {
            writeln!(stdout, "{}", dir.named())?;
        }
        stdout.flush()
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
