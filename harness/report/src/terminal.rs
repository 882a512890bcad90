//! Terminal output of a run: cases that did not pass, requested traces, and a summary line.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::time::Instant;

use crate::event::RunEvent;
use crate::model::{Outcome, Report};
use crate::report_dir::ReportDir;
use crate::reporter::{ReportError, Reporter};
use crate::{phrases, text, trace};

/// Maximum number of inconclusive cases that are printed, so that a misconfigured target does not
/// flood the terminal.
const MAX_INCONCLUSIVE: usize = 20;

/// Prints cases to stdout and the summary to stderr.
pub struct Terminal {
    /// When the run started.
    clock: Instant,
    /// Traces by case id, if requested.
    traces: Option<BTreeMap<String, String>>,
    /// Report directory, whose files are listed at the end.
    dir: Option<ReportDir>,
}

impl Terminal {
    /// Creates the reporter of a run that started at `clock`.
    pub fn new(clock: Instant, with_traces: bool, dir: Option<ReportDir>) -> Self {
        Self { clock, traces: with_traces.then(BTreeMap::new), dir }
    }

    /// Prints the cases that did not pass, and the stale and expired entries of the baseline.
    fn print(&self, report: &Report) -> io::Result<()> {
        let mut stdout = anstream::stdout().lock();
        let mut inconclusive = 0;
        for case in &report.cases {
            let is_inconclusive = case.outcome == Outcome::Inconclusive;
            inconclusive += usize::from(is_inconclusive);
            if is_inconclusive && inconclusive > MAX_INCONCLUSIVE {
                continue;
            }
            let trace = self.traces.as_ref().and_then(|traces| traces.get(&case.id));
            for part in trace.into_iter().chain([&text::case(case)]).filter(|it| !it.is_empty()) {
                writeln!(stdout, "{part}")?;
            }
        }
        if inconclusive > MAX_INCONCLUSIVE {
            let more = phrases::counted(inconclusive - MAX_INCONCLUSIVE, "more inconclusive case");
            writeln!(stdout, "… and {more} (see --report)\n")?;
        }
        write!(stdout, "{}", text::claims(report))?;
        write!(stdout, "{}", text::baseline(report.baseline.as_ref()))?;
        stdout.flush()
    }

    /// Prints the summary line and the files that were written.
    fn sum_up(&self, report: &Report) -> io::Result<()> {
        let mut stderr = anstream::stderr().lock();
        let took = self.clock.elapsed().as_secs_f64();
        writeln!(stderr, "{} in {took:.2} s", text::summary(&report.counts))?;
        let mut written = self.dir.iter().flat_map(ReportDir::written);
        written.try_for_each(|file| writeln!(stderr, "wrote {file}"))
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
            RunEvent::Finished { report, .. } => {
                self.print(report).map_err(ReportError::stdout)?;
                self.sum_up(report)
                    .map_err(|error| ReportError::new("failed printing to stderr", error))
            }
            RunEvent::Started { .. }
            | RunEvent::TargetStarted { .. }
            | RunEvent::CaseStarted { .. } => Ok(()),
        }
    }
}
