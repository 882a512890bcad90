//! Baselines: known causes of failures, each with a reason. They are still reported, but do not
//! fail the run. An entry is stale if its cause is no longer found. A stale entry fails the run, so
//! that the file stays accurate.
//!
//! An entry lists the cases of its cause. They decide whether the entry can be stale, and whether a
//! cause with another id is the same one.

mod file;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use fallproof_suite::scenario::Suite;
use fallproof_suite::yaml::{LoadError, nearest};

use crate::model::{self, Case, Cause, Expected, Stale, Weight, Wider};

/// A file of expected causes.
#[derive(Debug)]
pub struct Baseline {
    file: PathBuf,
    entries: Vec<Entry>,
}

/// One expected cause.
#[derive(Debug)]
struct Entry {
    /// Id of the cause.
    cause: String,
    /// Ids of the cases in which it is known to show.
    cases: BTreeSet<String>,
    line: usize,
    expected: Expected,
    /// The last day on which the entry is valid.
    expires: Option<NaiveDate>,
}

impl Baseline {
    /// Reads a file of expected causes. Their cases must be scenarios of `suite`.
    ///
    /// # Errors
    /// All problems of the file, with their positions.
    pub fn load(file: &Path, suite: &Suite) -> Result<Self, LoadError> {
        Ok(Self { file: file.to_owned(), entries: file::load(file, suite)? })
    }

    /// Marks the causes that the baseline expects on this day, and their failures in the cases.
    /// Returns the entries to report.
    pub fn apply(
        &self,
        cases: &mut [Case],
        causes: &mut [Cause],
        today: NaiveDate,
    ) -> model::Baseline {
        let is_expired = |entry: &&Entry| entry.expires.is_some_and(|last| last < today);
        let (expired, valid): (Vec<_>, Vec<_>) = self.entries.iter().partition(is_expired);
        let mut wider = Vec::new();
        for cause in causes.iter_mut().filter(|cause| cause.weight == Weight::Fail) {
            let mut about: Vec<_> = valid.iter().filter(|entry| entry.is_about(cause)).collect();
            about.sort_by_key(|entry| entry.cause != cause.id);
            let Some(entry) = about.iter().find(|entry| entry.expects(cause)) else { continue };
            cause.expected = Some(entry.expected.clone());
            let is_listed = |case: &&String| about.iter().any(|entry| entry.cases.contains(*case));
            let cases: Vec<_> = cause.cases.iter().filter(|it| !is_listed(it)).cloned().collect();
            if !cases.is_empty() {
                wider.push(Wider { cause: cause.id.clone(), line: entry.line, cases });
            }
        }
        mark(cases, causes);
        let is_found = |entry: &Entry| {
            causes.iter().any(|cause| cause.weight == Weight::Fail && entry.is_about(cause))
        };
        let stale = valid.iter().filter(|entry| !is_found(entry) && entry.was_run(cases));
        model::Baseline {
            file: self.file.display().to_string(),
            stale: stale.map(|entry| entry.named(similar(entry, causes))).collect(),
            expired: expired.iter().map(|entry| entry.named(None)).collect(),
            wider,
        }
    }
}

impl Entry {
    /// Whether the cause is that of the entry, or shares a symptom and a case with it.
    fn is_about(&self, cause: &Cause) -> bool {
        self.cause == cause.id || cause.resembles(&self.cause) && self.common(cause) > 0
    }

    /// Whether the entry excuses the cause. If the ids differ, at least half of its cases must be
    /// listed: a new cause can share a symptom with a known one.
    fn expects(&self, cause: &Cause) -> bool {
        self.cause == cause.id || self.common(cause) * 2 >= cause.cases.len()
    }

    /// Number of cases of the cause that the entry lists.
    fn common(&self, cause: &Cause) -> usize {
        cause.cases.iter().filter(|case| self.cases.contains(*case)).count()
    }

    /// Whether the run shows that the cause is gone: all cases of the entry were part of the run,
    /// and at least one of them was judged.
    fn was_run(&self, cases: &[Case]) -> bool {
        let listed: Vec<_> = cases.iter().filter(|case| self.cases.contains(&case.id)).collect();
        listed.len() == self.cases.len() && listed.iter().any(|case| case.is_judged())
    }

    fn named(&self, similar: Option<String>) -> Stale {
        Stale { cause: self.cause.clone(), line: self.line, similar }
    }
}

/// Marks the failures of expected causes.
fn mark(cases: &mut [Case], causes: &[Cause]) {
    for violation in cases.iter_mut().flat_map(|case| &mut case.violations) {
        if violation.weight == Weight::Fail {
            let cause = causes.iter().find(|cause| violation.cause.as_ref() == Some(&cause.id));
            violation.expected = cause.and_then(|cause| cause.expected.clone());
        }
    }
}

/// The id of an unexpected cause that is similar to that of a stale entry.
fn similar(entry: &Entry, causes: &[Cause]) -> Option<String> {
    let is_unexpected = |cause: &&Cause| cause.weight == Weight::Fail && cause.expected.is_none();
    let ids = causes.iter().filter(is_unexpected).map(|cause| cause.id.as_str());
    nearest(&entry.cause, ids).map(str::to_owned)
}
