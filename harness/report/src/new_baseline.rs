//! A baseline of all that fails now, to begin with.

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

/// A first message is no longer than this.
const LONGEST_EXAMPLE: usize = 90;

/// Writes each failure of a run into a new file, and says so.
#[derive(Debug)]
pub struct NewBaseline {
    file: PathBuf,
    /// The day of the run.
    today: NaiveDate,
}

impl NewBaseline {
    /// A file that is not there yet. To find out that it cannot be written when the run is over would
    /// lose it.
    ///
    /// # Errors
    /// It is there, or its folder is not, in words for the user.
    pub fn at(file: &Path) -> Result<Self, String> {
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
        if file.exists() {
            Err(format!("{} exists already", file.display()))
        } else if folder.is_some_and(|folder| !folder.is_dir()) {
            Err(format!("{} is in no folder that there is", file.display()))
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
        let is_told = |case: &&Case| case.is_judged() || case.outcome == Outcome::Skipped;
        let untold = report.run.selection.cases - report.cases.iter().filter(is_told).count();
        if untold > 0 {
            eprintln!("it says nothing of {}", phrases::counted(untold, "case"));
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

/// The text of a baseline that expects every failure of these cases, and how many that are: one
/// entry for each requirement, with a reason that somebody is to replace.
fn text(target: &str, cases: &[Case], today: NaiveDate) -> (String, usize) {
    let mut text = format!(
        "# Failures of {} that are known, as of {today}. They are told but fail no run; one that is a\n\
         # failure no more does: delete it then. Say in each reason why it is expected; `issue` and\n\
         # `expires: 2027-01-31` may stand beside it.\n",
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
            "{}  # e.g. {}\n  - requirement: {code}\n    reason: Seen on {today} and not looked into yet.\n    scenarios:\n",
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

/// The text as the end of a comment.
fn one_line(text: &str) -> String {
    let plain = text.chars().map(|it| if it.is_control() { ' ' } else { it });
    plain.take(LONGEST_EXAMPLE).collect()
}
