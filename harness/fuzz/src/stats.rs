//! What a campaign has come to: how many cases ran, and which failures they found.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use fallproof_judge::Violation;
use fallproof_protocol::provider::Endpoint;
use fallproof_suite::evidence;

use super::case::FuzzCase;
use super::cause::Cause;

/// Findings of one cause.
#[derive(Debug, Clone)]
pub struct Failure {
    /// What they have in common.
    pub cause: Cause,
    /// The number of the first case, from 0.
    pub number: u64,
    /// The first case itself.
    pub case: FuzzCase,
    /// What was found there.
    pub violation: Violation,
    /// In how many cases it was found.
    pub count: u64,
    /// Where their calls went.
    pub endpoints: BTreeSet<Endpoint>,
}

/// Cases that say nothing about the target.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inconclusive {
    /// How many.
    pub count: u64,
    /// Why, of the one that ran first.
    pub reason: String,
    /// Whether the target went away, which ends the campaign.
    pub is_gone: bool,
}

/// What a campaign comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing was found.
    Pass,
    /// Something was found.
    Fail,
    /// Nothing was found, and nothing could be. Holds the reason.
    Inconclusive(String),
    /// Fallproof itself failed.
    HarnessError {
        /// In so many cases.
        count: usize,
        /// The number of the first.
        number: u64,
        /// What failed there.
        message: String,
    },
}

/// What a campaign has come to so far. Shared by its threads.
#[derive(Debug, Default)]
pub struct Stats {
    cases: AtomicU64,
    flaky: AtomicU64,
    failures: Mutex<BTreeMap<Cause, Failure>>,
    inconclusive: Mutex<Inconclusive>,
    harness_errors: Mutex<BTreeMap<u64, String>>,
}

impl Stats {
    /// How many cases have run.
    pub fn cases(&self) -> u64 {
        self.cases.load(Ordering::Relaxed)
    }

    /// How many findings did not come again when their case ran alone; they are left out.
    pub fn flaky(&self) -> u64 {
        self.flaky.load(Ordering::Relaxed)
    }

    /// Cases that say nothing about the target.
    pub fn inconclusive(&self) -> Inconclusive {
        lock(&self.inconclusive).clone()
    }

    /// How many causes have been found.
    pub fn causes(&self) -> usize {
        lock(&self.failures).len()
    }

    /// What was found, in the order of the requirements.
    pub fn failures(&self) -> Vec<Failure> {
        lock(&self.failures).values().cloned().collect()
    }

    /// Cases in which Fallproof itself failed, by number, and how.
    pub fn harness_errors(&self) -> BTreeMap<u64, String> {
        lock(&self.harness_errors).clone()
    }

    /// What the campaign comes to.
    pub fn verdict(&self) -> Verdict {
        let errors = self.harness_errors();
        if let Some((&number, message)) = errors.first_key_value() {
            return Verdict::HarnessError { count: errors.len(), number, message: message.clone() };
        }
        let inconclusive = self.inconclusive();
        let says_nothing = inconclusive.is_gone || inconclusive.count == self.cases();
        match self.causes() {
            0 if inconclusive.count > 0 && says_nothing => {
                Verdict::Inconclusive(inconclusive.reason)
            }
            0 => Verdict::Pass,
            _ => Verdict::Fail,
        }
    }

    pub(super) fn count_cases(&self, cases: usize) {
        self.cases.fetch_add(cases as u64, Ordering::Relaxed);
    }

    pub(super) fn count_flaky(&self, findings: usize) {
        self.flaky.fetch_add(findings as u64, Ordering::Relaxed);
    }

    pub(super) fn add_harness_error(&self, number: u64, message: String) {
        lock(&self.harness_errors).insert(number, message);
    }

    /// Counts a case that says nothing; `ends` where no further one can say more once the target is
    /// gone.
    pub(super) fn add_inconclusive(&self, unclear: &evidence::Inconclusive, ends: bool) {
        let mut inconclusive = lock(&self.inconclusive);
        inconclusive.count += 1;
        inconclusive.is_gone |= ends && unclear.is_gone();
        if inconclusive.count == 1 {
            inconclusive.reason = unclear.to_string();
        }
    }

    /// Whether no case before this one is known to show this cause.
    pub(super) fn is_first(&self, cause: &Cause, number: u64) -> bool {
        lock(&self.failures).get(cause).is_none_or(|failure| number < failure.number)
    }

    /// Counts what was found in a case.
    pub(super) fn add(&self, number: u64, case: &FuzzCase, found: BTreeMap<Cause, Violation>) {
        let mut failures = lock(&self.failures);
        for (cause, violation) in found {
            let failure = failures.entry(cause.clone()).or_insert_with(|| Failure {
                cause,
                number,
                case: case.clone(),
                violation: violation.clone(),
                count: 0,
                endpoints: BTreeSet::new(),
            });
            failure.count += 1;
            failure.endpoints.insert(case.endpoint);
            if number < failure.number {
                (failure.number, failure.case, failure.violation) =
                    (number, case.clone(), violation);
            }
        }
    }
}

/// The maps in here are whole between any two steps, so a panic elsewhere does no harm.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_verdict_is_what_weighs_most() {
        let stats = Stats::default();
        assert_eq!(stats.verdict(), Verdict::Pass);
        stats.count_cases(2);
        let unclear = |is_gone| evidence::Inconclusive::NotWired {
            complaint: "not wired".to_owned(),
            is_gone,
        };
        stats.add_inconclusive(&unclear(false), true);
        assert_eq!(stats.verdict(), Verdict::Pass, "the other case says something");
        stats.add_inconclusive(&unclear(true), false);
        assert_eq!(stats.verdict(), Verdict::Inconclusive("not wired".to_owned()));
        assert!(!stats.inconclusive().is_gone);
        for number in [7, 3] {
            stats.add_harness_error(number, format!("in {number}"));
        }
        let message = "in 3".to_owned();
        assert_eq!(stats.verdict(), Verdict::HarnessError { count: 2, number: 3, message });
    }
}
