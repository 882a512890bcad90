//! Writes a first baseline, which expects the cause of every failure of this run.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use chrono::{DateTime, NaiveDate, Utc};

use crate::event::RunEvent;
use crate::model::{Case, Cause, Outcome, Report, Weight};
use crate::phrases;
use crate::print::eprintln;
use crate::reporter::{ReportError, Reporter};

/// Writes all causes of failures of a run to a new file and prints their number.
#[derive(Debug)]
pub struct NewBaseline {
    file: PathBuf,
    /// The day of the run.
    today: NaiveDate,
}

impl NewBaseline {
    /// Checks the path before the run, so that a long run is not lost to a bad path.
    ///
    /// # Errors
    /// A message for the user if the file exists or its folder does not.
    pub fn at(file: &Path) -> Result<Self, String> {
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
        if file.exists() {
            Err(format!("{} already exists", file.display()))
        } else if folder.is_some_and(|folder| !folder.is_dir()) {
            Err(format!("{}: its folder does not exist", file.display()))
        } else {
            Ok(Self { file: file.to_owned(), today: NaiveDate::default() })
        }
    }

    fn write(&self, report: &Report) -> Result<(), ReportError> {
        let file = self.file.display();
        // The causes of a part of the cases would not fit those of a whole run.
        if report.run.interrupted {
            eprintln!("{file} was not written, because the run was interrupted");
            return Ok(());
        }
        let causes = report.causes.iter().filter(|cause| cause.weight == Weight::Fail);
        let text = text(&report.target.to_string(), causes.clone(), self.today);
        let written =
            File::create_new(&self.file).and_then(|mut file| file.write_all(text.as_bytes()));
        written.map_err(ReportError::at(&self.file))?;
        eprintln!("wrote {file}: {}", phrases::counted(causes.count(), "expected cause"));
        let is_covered = |case: &&Case| case.is_judged() || case.outcome == Outcome::Skipped;
        let missing = report.run.selection.cases - report.cases.iter().filter(is_covered).count();
        if missing > 0 {
            eprintln!(
                "{} had no verdict, so the baseline does not cover them",
                phrases::cases(missing)
            );
        }
        Ok(())
    }
}

impl Reporter for NewBaseline {
    fn event(&mut self, event: &RunEvent<'_>) -> Result<(), ReportError> {
        match event {
            RunEvent::Started { at, .. } => self.today = DateTime::<Utc>::from(*at).date_naive(),
            RunEvent::TargetStarted { .. }
            | RunEvent::CaseStarted { .. }
            | RunEvent::CaseFinished { .. } => {}
            RunEvent::Finished { report, .. } => self.write(report)?,
        }
        Ok(())
    }
}

/// Returns the text of a baseline that expects these causes, each with a placeholder reason.
fn text<'a>(target: &str, causes: impl Iterator<Item = &'a Cause>, today: NaiveDate) -> String {
    let target = phrases::line(target);
    let mut text = format!(
        "# Known failures of {target}, as of {today}. They are reported, but do not fail a run.\n\
         # An entry whose cause is gone is stale and fails the run: remove it. Give each entry a\n\
         # reason; `issue` and `expires: 2027-01-31` are optional.\n"
    );
    let mut heading = "expected:\n";
    for cause in causes {
        let _ = write!(
            text,
            "{heading}\n  # {target} {}: {}\n  - cause: {}\n    \
             reason: Seen on {today}, not investigated yet.\n    cases:\n",
            phrases::line(&cause.sentence()),
            phrases::cases(cause.cases.len()),
            cause.id,
        );
        heading = "";
        let mut cases = cause.cases.clone();
        cases.sort();
        for id in cases {
            let _ = writeln!(text, "      - {id}");
        }
    }
    if !heading.is_empty() {
        text.push_str("expected: []\n");
    }
    text
}
