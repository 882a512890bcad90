//! Writes a first baseline, which expects every failure of this run.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anstream::eprintln;
use chrono::{DateTime, NaiveDate, Utc};
use fallproof_suite::requirement;

use crate::event::RunEvent;
use crate::model::{Case, EXPECTATION, Outcome, Report, Weight};
use crate::phrases;
use crate::reporter::{ReportError, Reporter};

/// Maximum length of an example message, in characters.
const MAX_EXAMPLE: usize = 90;

/// Writes all failures of a run to a new file and prints their number.
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
        let (text, entries) = text(&report.target.to_string(), &report.cases, self.today);
        let written =
            File::create_new(&self.file).and_then(|mut file| file.write_all(text.as_bytes()));
        written.map_err(ReportError::at(&self.file))?;
        eprintln!(
            "wrote {}: {}",
            self.file.display(),
            phrases::counted(entries, "expected failure")
        );
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

/// Returns the text of a baseline that expects every failure of these cases, and the number of
/// failures. The baseline has one entry for each requirement, with a placeholder reason.
fn text(target: &str, cases: &[Case], today: NaiveDate) -> (String, usize) {
    let mut text = format!(
        "# Known failures of {}, as of {today}. They are reported, but do not fail a run. An entry\n\
         # that no longer fails is stale and fails the run: remove it. Give each entry a reason;\n\
         # `issue` and `expires: 2027-01-31` are optional.\n",
        one_line(target)
    );
    let failures: Vec<_> = cases
        .iter()
        .flat_map(|case| case.violations.iter().map(move |violation| (case, violation)))
        .filter(|(_, violation)| violation.weight == Weight::Fail)
        .collect();
    let codes = requirement::all().iter().map(|requirement| requirement.code.as_str());
    let mut number = 0;
    for code in codes.chain([EXPECTATION]) {
        let of_code = failures.iter().filter(|(_, violation)| violation.code() == code);
        let mut ids: Vec<_> = of_code.clone().map(|(case, _)| case.id.as_str()).collect();
        ids.dedup();
        let Some((_, first)) = of_code.clone().next() else { continue };
        let _ = write!(
            text,
            "{}  # e.g. {}\n  - requirement: {code}\n    \
             reason: Seen on {today}, not investigated yet.\n    scenarios:\n",
            if number == 0 { "expected:\n" } else { "" },
            one_line(&first.message),
        );
        for id in &ids {
            let _ = writeln!(text, "      - {id}");
        }
        number += ids.len();
    }
    if number == 0 {
        text.push_str("expected: []\n");
    }
    (text, number)
}

/// The text shortened to one line, for use in a comment.
fn one_line(text: &str) -> String {
    let plain = text.chars().map(|it| if it.is_control() { ' ' } else { it });
    plain.take(MAX_EXAMPLE).collect()
}
