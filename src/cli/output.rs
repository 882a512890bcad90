//! The output options: where a judged run is reported, and the exit code of the command.

use std::path::PathBuf;
use std::time::SystemTime;

use chrono::{DateTime, Utc};
use clap::Args;
use fallproof_report::baseline::Baseline;
use fallproof_report::hints::Hints;
use fallproof_report::model::{Case, Verdict};
use fallproof_report::new_baseline::NewBaseline;
use fallproof_report::phrases;
use fallproof_report::record::Recorder;
use fallproof_report::report_dir::ReportDir;
use fallproof_report::reporter::{Reporter, Reporters};
use fallproof_report::terminal::Terminal;
use fallproof_report::text::Detail;
use fallproof_report::{assemble, causes};
use fallproof_suite::scenario::{Scenario, Suite};

use super::{Stop, github};

#[derive(Debug, Args)]
#[command(next_help_heading = "Output options")]
pub(super) struct Output {
    /// Do not fail the run for the known causes in this file; they are still reported
    #[arg(long, value_name = "FILE")]
    pub(super) baseline: Option<PathBuf>,
    /// Write the causes of this run's failures into a new file for --baseline
    ///
    /// A run that is interrupted writes none.
    #[arg(long, value_name = "FILE", conflicts_with = "baseline")]
    write_baseline: Option<PathBuf>,
    /// Print every case in full that did not pass, not only the causes
    #[arg(short, long)]
    verbose: bool,
    /// Show an example of this many causes, or of `all`; the others get one line each
    #[arg(long, value_name = "N", default_value = "10", value_parser = number_of_causes)]
    causes: usize,
    /// Print all bytes that each case sent and received, with times; implies --verbose
    #[arg(long)]
    trace: bool,
    /// Write the reports into this folder, replacing an earlier report
    ///
    /// The folder must be new or empty, or hold an earlier report.
    #[arg(long, value_name = "DIR")]
    pub(super) report: Option<PathBuf>,
}

/// The requested outputs, after their files were opened.
pub(super) struct Opened {
    baseline: Option<Baseline>,
    /// The folder of reports.
    pub(super) dir: Option<ReportDir>,
    /// The reporters of the run, in the order in which they are called.
    pub(super) reporters: Vec<Box<dyn Reporter>>,
    /// Hints to print at the end.
    pub(super) hints: Option<Hints>,
    detail: Detail,
    trace: bool,
}

impl Output {
    /// Whether any output needs the whole suite, for example to show how much of it was run.
    pub(super) fn is_kept(&self) -> bool {
        self.report.is_some() || self.baseline.is_some() || github::summary().is_some()
    }

    /// Loads the baseline, whose cases must be scenarios of this suite.
    pub(super) fn known(&self, suite: &Suite) -> Result<Option<Baseline>, Stop> {
        Ok(self.baseline.as_deref().map(|file| Baseline::load(file, suite)).transpose()?)
    }

    pub(super) fn open(&self, baseline: Option<Baseline>) -> Result<Opened, Stop> {
        let mut reporters: Vec<Box<dyn Reporter>> = Vec::new();
        if let Some(file) = &self.write_baseline {
            reporters.push(Box::new(NewBaseline::at(file).map_err(Stop::usage)?));
        }
        let dir = self.report.as_deref().map(ReportDir::take).transpose().map_err(Stop::usage)?;
        if let Some(dir) = &dir {
            reporters.extend(dir.reporters().map_err(Stop::usage)?);
        }
        let width = textwrap::termwidth();
        let detail = Detail { width, all_cases: self.verbose, causes: self.causes };
        Ok(Opened { baseline, dir, reporters, hints: None, detail, trace: self.trace })
    }
}

impl Opened {
    /// The reporters of the run. Those that write the report folder come before the terminal, so that
    /// the reports are complete even if nothing can be printed.
    pub(super) fn reporters(&mut self) -> Reporters {
        let mut all = std::mem::take(&mut self.reporters);
        all.push(Box::new(Terminal::new(self.detail, self.trace, self.dir.clone())));
        all.extend(self.hints.map(|hints| Box::new(hints) as _));
        all.extend(github::reporters());
        Reporters::new(all)
    }

    /// Reports the finished run, and converts its verdict to the result of the command.
    pub(super) fn finish(
        self,
        chosen: &[&Scenario],
        mut cases: Vec<Case>,
        ended: SystemTime,
        recorder: &Recorder<'_>,
        log: &str,
    ) -> Result<(), Stop> {
        let header = recorder.header;
        let today = DateTime::<Utc>::from(header.started).date_naive();
        assemble::sort(&mut cases, chosen);
        let mut causes = causes::find(&mut cases);
        let baseline = self.baseline.map(|it| it.apply(&mut cases, &mut causes, today));
        let report = assemble::report(header, chosen, cases, causes, ended, baseline);
        let report = recorder.run_ended(report, log)?;
        match report.verdict {
            Verdict::Conformant => Ok(()),
            Verdict::NotConformant => Err(Stop::NotConformant),
            Verdict::Interrupted => Err(Stop::Interrupted),
            Verdict::HarnessError => Err(Stop::Harness(phrases::headline(&report))),
        }
    }
}

/// Parses the number of causes to show in full.
fn number_of_causes(text: &str) -> Result<usize, String> {
    match text {
        "all" => Ok(usize::MAX),
        number => number.parse().map_err(|_| "expected a number, or `all`".to_owned()),
    }
}
