//! Reads the file of a baseline.

use std::collections::BTreeSet;
use std::path::Path;

use chrono::NaiveDate;
use fallproof_suite::requirement;
use fallproof_suite::scenario::{Pattern, Suite};
use fallproof_suite::yaml::{At, Diagnostic, LoadError, Optional, Source, nearest};
use serde::Deserialize;

use super::Entry;
use crate::model::{EXPECTATION, Expected};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BaselineFile {
    expected: Vec<EntryFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EntryFile {
    cause: At<String>,
    reason: At<String>,
    #[serde(default)]
    issue: Optional<String>,
    #[serde(default)]
    expires: Optional<At<String>>,
    cases: At<Vec<At<String>>>,
}

/// Returns the entries of the file, or all of its problems.
pub(super) fn load(file: &Path, suite: &Suite) -> Result<Vec<Entry>, LoadError> {
    let source = Source::read(file)?;
    let read: BaselineFile = source.parse()?;
    let mut loader = Loader { source: &source, suite, problems: Vec::new() };
    let entries = read.expected.into_iter().map(|entry| loader.entry(entry)).collect();
    if loader.problems.is_empty() {
        Ok(entries)
    } else {
        Err(LoadError { diagnostics: loader.problems })
    }
}

/// Checks the parsed file and collects what is wrong in `problems`.
struct Loader<'a> {
    source: &'a Source,
    suite: &'a Suite,
    problems: Vec<Diagnostic>,
}

impl Loader<'_> {
    fn entry(&mut self, read: EntryFile) -> Entry {
        let EntryFile { cause, reason, issue, expires, cases } = read;
        self.cause(&cause);
        if reason.value.trim().is_empty() {
            let problem = self.source.error(&reason.span, "an expected cause needs a reason");
            self.problems.push(problem);
        }
        if cases.value.is_empty() {
            let problem = self.source.error(&cases.span, "the list of cases is empty");
            self.problems.push(problem);
        }
        let position = self.source.error(&cause.span, "").line_and_column();
        Entry {
            cause: cause.value,
            cases: cases.value.iter().flat_map(|pattern| self.ids(pattern)).collect(),
            line: position.map_or(0, |(line, _)| line),
            expected: Expected { reason: reason.value, issue: issue.0 },
            expires: expires.0.and_then(|date| self.date(&date)),
        }
    }

    /// Checks the requirement in the id of a cause. What follows it depends on the target.
    fn cause(&mut self, id: &At<String>) {
        let of_id = |code: &str| code.trim_start_matches("FP-").to_ascii_lowercase();
        let codes = requirement::all().iter().map(|it| of_id(it.code.as_str()));
        let known: Vec<_> = codes.chain([EXPECTATION.to_owned()]).collect();
        let (written, detail) = match id.value.split_once('/') {
            Some((written, detail)) => (written, format!("/{detail}")),
            None => (id.value.as_str(), String::new()),
        };
        if known.iter().any(|it| it == written) {
            return;
        }
        let message = format!("no cause has the id `{}`", id.value);
        let right = nearest(&of_id(written), known.iter().map(|it| &**it));
        let mut problem = self.source.error(&id.span, message);
        if let Some(right) = right {
            problem = problem.label(format!("did you mean `{right}{detail}`?"));
        }
        self.problems.push(problem.help(
            "an id starts with a requirement, as in `payload-02/metadata`; reports list the ids of \
             all causes, and --write-baseline writes an entry for each one",
        ));
    }

    /// The ids of the scenarios that match a pattern.
    fn ids(&mut self, written: &At<String>) -> BTreeSet<String> {
        let wrong = |message| self.source.error(&written.span, message);
        let problem = match Pattern::new(&written.value) {
            Ok(pattern) => {
                let scenarios = self.suite.scenarios.iter();
                let fitting = scenarios.filter(|it| pattern.fits(&it.id));
                let ids: BTreeSet<_> = fitting.map(|it| it.id.clone()).collect();
                if !ids.is_empty() {
                    return ids;
                }
                let problem = wrong(format!("no scenario matches `{}`", written.value));
                problem.near(&written.value, self.suite.ids_and_folders())
            }
            Err(error) => wrong(error.to_string()),
        };
        self.problems.push(problem);
        BTreeSet::new()
    }

    fn date(&mut self, date: &At<String>) -> Option<NaiveDate> {
        let parsed = NaiveDate::parse_from_str(&date.value, "%Y-%m-%d").ok();
        if parsed.is_none() {
            let problem = self.source.error(&date.span, "expected a date like `2027-01-31`");
            self.problems.push(problem);
        }
        parsed
    }
}
