//! What a CI job on GitHub is told beside the log: annotations, requirement by requirement, and a
//! summary.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anstream::eprintln;
use indexmap::IndexMap;

use crate::event::RunEvent;
use crate::model::{Case, EXPECTATION, Outcome, Report, Stale, Violation, Weight};
use crate::reporter::{ReportError, Reporter};
use crate::{markdown, phrases};

/// So many of a kind GitHub shows for a step; it drops the rest without a word.
const MOST: usize = 10;

/// Annotates the job whose output this is.
#[derive(Debug)]
pub struct Annotations;

impl Reporter for Annotations {
    fn event(&mut self, event: &RunEvent<'_>) -> Result<(), ReportError> {
        let RunEvent::Finished { report, .. } = event else { return Ok(()) };
        let told = annotations(report, |file| Path::new(file).is_file());
        anstream::stdout().write_all(told.as_bytes()).map_err(ReportError::stdout)
    }
}

/// Appends to the summary of a job. That it cannot is told, but changes nothing about what was found.
#[derive(Debug)]
pub struct JobSummary {
    /// The file that GitHub shows.
    pub file: PathBuf,
}

impl Reporter for JobSummary {
    fn event(&mut self, event: &RunEvent<'_>) -> Result<(), ReportError> {
        let RunEvent::Finished { report, .. } = event else { return Ok(()) };
        let file = OpenOptions::new().create(true).append(true).open(&self.file);
        let written = file.and_then(|mut file| writeln!(file, "{}", markdown::write(report)?));
        if let Err(error) = written {
            eprintln!("warning: no summary in {}: {error}", self.file.display());
        }
        Ok(())
    }
}

/// The lines that make GitHub annotate a job. `is_here` says whether a file is one of the
/// repository that the job is about.
pub fn annotations(report: &Report, is_here: impl Fn(&str) -> bool) -> String {
    let mut errors = broken(report, Weight::Fail);
    errors.extend(unsaid(report, Outcome::HarnessError, "Fallproof itself failed in"));
    errors.extend(unsaid(report, Outcome::Inconclusive, "nothing can be said of"));
    let mut warnings = broken(report, Weight::Warn);
    if let Some(baseline) = &report.baseline {
        let about = |entry: &Stale, what: &str| Annotation {
            file: Some((baseline.file.clone(), Some(entry.line))),
            title: "the baseline is out of date".to_owned(),
            message: format!("{} in {} {what}", entry.requirement, entry.scenario),
        };
        let stale = baseline.stale.iter();
        errors.extend(stale.map(|entry| about(entry, "is a failure no more: delete the entry")));
        let expired = baseline.expired.iter();
        warnings.extend(expired.map(|entry| about(entry, "has expired and is expected no more")));
    }
    let mut text = String::new();
    for (kind, annotations) in [("error", errors), ("warning", warnings)] {
        for annotation in shortened(annotations) {
            annotation.write(&mut text, kind, &is_here);
        }
    }
    text
}

struct Annotation {
    /// The file, and the line in it, from 1, where one is known.
    file: Option<(String, Option<usize>)>,
    title: String,
    message: String,
}

impl Annotation {
    fn write(&self, text: &mut String, kind: &str, is_here: impl Fn(&str) -> bool) {
        let _ = write!(text, "::{kind} ");
        if let Some((file, line)) = self.file.as_ref().filter(|(file, _)| is_here(file)) {
            let _ = write!(text, "file={},", property(file));
            let _ = line.iter().try_for_each(|line| write!(text, "line={line},"));
        }
        let _ = writeln!(text, "title={}::{}", property(&self.title), data(&self.message));
    }
}

/// One annotation for each requirement that was broken with this weight and not expected to be.
fn broken(report: &Report, weight: Weight) -> Vec<Annotation> {
    let mut by_code: IndexMap<&str, Vec<(&Case, &Violation)>> = IndexMap::new();
    for case in &report.cases {
        let counts =
            |violation: &&Violation| violation.weight == weight && violation.expected.is_none();
        let violations = || case.violations.iter().filter(counts);
        // Where a requirement is broken, that is why the case did not end as expected.
        let is_explained = violations().any(|violation| violation.requirement.is_some());
        for violation in violations().filter(|it| it.requirement.is_some() || !is_explained) {
            let places = by_code.entry(violation.code()).or_default();
            if places.last().is_none_or(|(last, _)| last.id != case.id) {
                places.push((case, violation));
            }
        }
    }
    let sentence = |code: &str| {
        let found = report.requirements().find(|requirement| requirement.code == code);
        found.map_or_else(String::new, |found| format!("{}\n", found.sentence))
    };
    let annotation = |(code, places): (&str, Vec<(&Case, &Violation)>)| {
        let (case, violation) = places[0];
        let what = if code == EXPECTATION { "an expectation is broken" } else { code };
        let told = format!("{}{}: {}", sentence(code), case.id, violation.message);
        Annotation {
            file: Some((case.file.clone(), None)),
            title: format!("{what} in {}", phrases::cases(places.len())),
            message: format!("{told}\nagain: {}", case.replay),
        }
    };
    by_code.into_iter().map(annotation).collect()
}

/// One annotation for all cases that led to no verdict in this way.
fn unsaid(report: &Report, outcome: Outcome, what: &str) -> Option<Annotation> {
    let cases: Vec<_> = report.cases.iter().filter(|case| case.outcome == outcome).collect();
    let first = cases.first()?;
    Some(Annotation {
        file: None,
        title: format!("{what} {}", phrases::cases(cases.len())),
        message: format!("{}: {}", first.id, first.reason.as_deref().unwrap_or_default()),
    })
}

/// As many as are shown; the last one tells of those that are not.
fn shortened(mut annotations: Vec<Annotation>) -> Vec<Annotation> {
    if annotations.len() > MOST {
        let left_out = annotations.len() - (MOST - 1);
        annotations.truncate(MOST - 1);
        annotations.push(Annotation {
            file: None,
            title: format!("{left_out} more"),
            message: "The summary of the job tells all of them.".to_owned(),
        });
    }
    annotations
}

/// Text after the `::` of a command.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Text of a command's property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
