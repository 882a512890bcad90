//! Baselines: known failures of a target, each with a reason. They are still reported, but do not
//! fail the run. An entry is stale if its failure no longer occurs. A stale entry fails the run, so
//! that the file stays accurate.

use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use serde::Deserialize;

use crate::model::{self, Case, EXPECTATION, Expected, Stale, Violation, Weight};
use fallproof_suite::requirement;
use fallproof_suite::scenario::{Pattern, Suite};
use fallproof_suite::yaml::{At, Diagnostic, LoadError, Optional, Source};

/// A file of expected failures.
#[derive(Debug)]
pub struct Baseline {
    file: PathBuf,
    entries: Vec<Entry>,
}

/// One expected failure, in every scenario that matches a pattern.
#[derive(Debug)]
struct Entry {
    requirement: String,
    /// The pattern as written in the file.
    written: String,
    pattern: Pattern,
    line: usize,
    expected: Expected,
    /// The last day on which the entry is valid.
    expires: Option<NaiveDate>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BaselineFile {
    expected: Vec<EntryFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EntryFile {
    requirement: At<String>,
    reason: At<String>,
    #[serde(default)]
    issue: Optional<String>,
    #[serde(default)]
    expires: Optional<At<String>>,
    scenarios: At<Vec<At<String>>>,
}

impl Baseline {
    /// Reads a file of expected failures. Its patterns must match scenarios of `suite`.
    ///
    /// # Errors
    /// All problems of the file, with their positions.
    pub fn load(file: &Path, suite: &Suite) -> Result<Self, LoadError> {
        let source = Source::read(file)?;
        let read: BaselineFile = source.parse()?;
        let mut loader = Loader { source: &source, suite, problems: Vec::new() };
        let entries = read.expected.into_iter().flat_map(|entry| loader.entries(entry)).collect();
        if loader.problems.is_empty() {
            Ok(Self { file: file.to_owned(), entries })
        } else {
            Err(LoadError { diagnostics: loader.problems })
        }
    }

    /// Marks the failures that the baseline expects on this day. Returns the stale and expired
    /// entries.
    pub fn apply(&self, cases: &mut [Case], today: NaiveDate) -> model::Baseline {
        let (mut stale, mut expired) = (Vec::new(), Vec::new());
        for entry in &self.entries {
            if entry.expires.is_some_and(|last| last < today) {
                expired.push(entry.named());
                continue;
            }
            let mut is_judged = false;
            let mut has_failed = false;
            let matches = |case: &&mut Case| case.is_judged() && entry.pattern.fits(&case.id);
            for case in cases.iter_mut().filter(matches) {
                is_judged = true;
                for violation in
                    case.violations.iter_mut().filter(|violation| entry.matches(violation))
                {
                    has_failed = true;
                    violation.expected.get_or_insert_with(|| entry.expected.clone());
                }
            }
            if is_judged && !has_failed {
                stale.push(entry.named());
            }
        }
        model::Baseline { file: self.file.display().to_string(), stale, expired }
    }
}

impl Entry {
    fn matches(&self, violation: &Violation) -> bool {
        violation.code() == self.requirement && violation.weight == Weight::Fail
    }

    fn named(&self) -> Stale {
        Stale {
            scenario: self.written.clone(),
            requirement: self.requirement.clone(),
            line: self.line,
        }
    }
}

/// Checks the parsed file and collects what is wrong in `problems`.
struct Loader<'a> {
    source: &'a Source,
    suite: &'a Suite,
    problems: Vec<Diagnostic>,
}

impl Loader<'_> {
    /// Returns one entry for each scenario pattern of an entry in the file.
    fn entries(&mut self, read: EntryFile) -> Vec<Entry> {
        let EntryFile { requirement, reason, issue, expires, scenarios } = read;
        self.requirement(&requirement);
        if reason.value.trim().is_empty() {
            let problem = self.source.error(&reason.span, "an expected failure needs a reason");
            self.problems.push(problem);
        }
        if scenarios.value.is_empty() {
            let problem = self.source.error(&scenarios.span, "the list of scenarios is empty");
            self.problems.push(problem);
        }
        let expires = expires.0.and_then(|date| self.date(&date));
        let expected = Expected { reason: reason.value, issue: issue.0 };
        let entry = |scenario: At<String>| {
            let pattern = self.pattern(&scenario)?;
            let position = self.source.error(&scenario.span, "").line_and_column();
            Some(Entry {
                requirement: requirement.value.clone(),
                written: scenario.value,
                pattern,
                line: position.map_or(0, |(line, _)| line),
                expected: expected.clone(),
                expires,
            })
        };
        scenarios.value.into_iter().filter_map(entry).collect()
    }

    fn requirement(&mut self, code: &At<String>) {
        if code.value == EXPECTATION || requirement::find(&code.value).is_some() {
            return;
        }
        let problem = requirement::unknown(code, self.source);
        self.problems.push(problem.help(format!(
            "`fallproof list requirements` lists them; `{EXPECTATION}` means the scenario's own \
             expectations"
        )));
    }

    fn pattern(&mut self, scenario: &At<String>) -> Option<Pattern> {
        let wrong = |message| self.source.error(&scenario.span, message);
        let problem = match Pattern::new(&scenario.value) {
            Ok(pattern) if self.suite.scenarios.iter().any(|it| pattern.fits(&it.id)) => {
                return Some(pattern);
            }
            Ok(_) => {
                let problem = wrong(format!("no scenario matches `{}`", scenario.value));
                problem.near(&scenario.value, self.suite.ids_and_folders())
            }
            Err(error) => wrong(error.to_string()),
        };
        self.problems.push(problem);
        None
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
