//! What a run prints: its cases, worth it or asked for, and what came of it in a line.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::time::Instant;

use crate::event::RunEvent;
use crate::model::{Outcome, Report};
use crate::report_dir::ReportDir;
use crate::reporter::{ReportError, Reporter};
use crate::{phrases, text, trace};

/// A target that is not wired is no wall of text.
const MOST_UNCLEAR: usize = 20;

/// Prints cases to stdout, and how it went to stderr.
pub struct Terminal {
    /// When the run started.
    clock: Instant,
    /// Every byte of each case, by its id, where that is asked for.
    traces: Option<BTreeMap<String, String>>,
    /// The folder whose files are named.
    dir: Option<ReportDir>,
}

impl Terminal {
    /// Of a run that started then.
    pub fn new(clock: Instant, with_traces: bool, dir: Option<ReportDir>) -> Self {
        Self { clock, traces: with_traces.then(BTreeMap::new), dir }
    }

    /// Prints the cases that are worth it, and what is to be done about the baseline.
    fn print(&self, report: &Report) -> io::Result<()> {
        let mut stdout = anstream::stdout().lock();
        let mut unclear = 0;
        for case in &report.cases {
            let is_unclear = case.outcome == Outcome::Inconclusive;
            unclear += usize::from(is_unclear);
            if is_unclear && unclear > MOST_UNCLEAR {
                continue;
            }
            let trace = self.traces.as_ref().and_then(|traces| traces.get(&case.id));
            for part in trace.into_iter().chain([&text::case(case)]).filter(|it| !it.is_empty()) {
                writeln!(stdout, "{part}")?;
            }
        }
        if unclear > MOST_UNCLEAR {
            let more = phrases::counted(unclear - MOST_UNCLEAR, "more case");
            writeln!(stdout, "INCONCLUSIVE in {more}, which --report tells\n")?;
        }
        write!(stdout, "{}", text::baseline(report.baseline.as_ref()))?;
        stdout.flush()
    }

    /// Tells how it went, and what was written.
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
