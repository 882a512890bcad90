//! Output for a GitHub Actions job: annotations by cause, and a job summary.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::baseline_notes::{self, Kind, Note};
use crate::event::RunEvent;
use crate::model::{Cause, Outcome, Report, Weight};
use crate::print::eprintln;
use crate::reporter::{ReportError, Reporter};
use crate::{markdown, phrases};

/// Maximum number of annotations of one kind that GitHub shows for a step. GitHub silently drops
/// all annotations beyond this number.
const MAX_ANNOTATIONS: usize = 10;

/// Prints annotations of the current job to stdout.
#[derive(Debug)]
pub struct Annotations;

impl Reporter for Annotations {
    fn event(&mut self, event: &RunEvent<'_>) -> Result<(), ReportError> {
        let RunEvent::Finished { report, .. } = event else { return Ok(()) };
        let text = annotations(report, |file| Path::new(file).is_file());
        anstream::stdout().write_all(text.as_bytes()).map_err(ReportError::stdout)
    }
}

/// Appends the report to the summary of a job. If this fails, prints a warning; the result of the
/// run does not change.
#[derive(Debug)]
pub struct JobSummary {
    /// The file that GitHub shows as the summary.
    pub file: PathBuf,
}

impl Reporter for JobSummary {
    fn event(&mut self, event: &RunEvent<'_>) -> Result<(), ReportError> {
        let RunEvent::Finished { report, .. } = event else { return Ok(()) };
        let file = OpenOptions::new().create(true).append(true).open(&self.file);
        let written = file.and_then(|mut file| writeln!(file, "{}", markdown::write(report)?));
        if let Err(error) = written {
            eprintln!("warning: cannot write the summary to {}: {error}", self.file.display());
        }
        Ok(())
    }
}

/// The workflow commands that annotate a job. `is_here` returns whether a file is part of the
/// repository of the job.
pub fn annotations(report: &Report, is_here: impl Fn(&str) -> bool) -> String {
    let mut errors = causes(report, Weight::Fail);
    errors.extend(not_judged(report, Outcome::HarnessError, "Fallproof itself failed in"));
    errors.extend(not_judged(report, Outcome::Inconclusive, "inconclusive result in"));
    let mut warnings = causes(report, Weight::Warn);
    if let Some(baseline) = &report.baseline {
        for Note { kind, line, message } in baseline_notes::notes(baseline) {
            let (annotations, title) = match kind {
                Kind::Stale => (&mut errors, "stale entry of the baseline"),
                Kind::Expired => (&mut warnings, "expired entry of the baseline"),
                Kind::Wider => (&mut warnings, "expected cause in more cases"),
            };
            let (file, title) = (Some((baseline.file.clone(), Some(line))), title.to_owned());
            annotations.push(Annotation { file, title, message });
        }
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
    /// The file, and the line in it if known, counted from 1.
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

/// One annotation for each unexpected cause of this weight.
fn causes(report: &Report, weight: Weight) -> Vec<Annotation> {
    let causes = report.causes.iter();
    let shown = causes.filter(|cause| cause.weight == weight && cause.expected.is_none());
    let annotation = |cause: &Cause| {
        let example = &cause.example;
        let case = report.cases.iter().find(|case| case.id == example.case);
        Annotation {
            file: case.map(|case| (case.file.clone(), None)),
            title: format!("{} in {}", cause.id, phrases::cases(cause.cases.len())),
            message: format!(
                "{} {}\n{}: {}\nrerun: {}",
                report.target,
                cause.sentence(),
                example.case,
                example.message,
                example.replay
            ),
        }
    };
    shown.map(annotation).collect()
}

/// One annotation for all cases with this outcome, which means that the target was not judged.
fn not_judged(report: &Report, outcome: Outcome, what: &str) -> Option<Annotation> {
    let cases: Vec<_> = report.cases.iter().filter(|case| case.outcome == outcome).collect();
    let first = cases.first()?;
    Some(Annotation {
        file: None,
        title: format!("{what} {}", phrases::cases(cases.len())),
        message: format!("{}: {}", first.id, first.reason.as_deref().unwrap_or_default()),
    })
}

/// Limits the annotations to the number that GitHub shows. The last one says how many were left
/// out.
fn shortened(mut annotations: Vec<Annotation>) -> Vec<Annotation> {
    if annotations.len() > MAX_ANNOTATIONS {
        let left_out = annotations.len() - (MAX_ANNOTATIONS - 1);
        annotations.truncate(MAX_ANNOTATIONS - 1);
        annotations.push(Annotation {
            file: None,
            title: format!("{left_out} more"),
            message: "The job summary lists all of them.".to_owned(),
        });
    }
    annotations
}

/// Escapes the message of a workflow command.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes a property of a workflow command.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
