//! What a campaign has come to: how many cases ran, and which failures they found.

use std::collections::{BTreeMap, BTreeSet};

use fallproof_judge::Violation;
use fallproof_protocol::provider::Endpoint;
use fallproof_suite::evidence;

use super::case::FuzzCase;
use super::cause::Cause;

/// What a campaign has come to so far.
#[derive(Debug, Default)]
pub struct Stats {
    /// How many cases have run.
    pub cases: u64,
    /// How many violations did not come again when their case ran alone; they are left out.
    pub flaky: usize,
    /// What was found, in the order of the requirements.
    pub failures: BTreeMap<Cause, Failure>,
    /// Cases that say nothing about the target.
    pub inconclusive: Inconclusive,
    /// Cases in which Fallproof itself failed, by number, and how.
    pub harness_errors: BTreeMap<u64, String>,
}

/// Violations of one cause.
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
#[derive(Debug, Default)]
pub struct Inconclusive {
    /// How many.
    pub count: u64,
    /// Why, of the one that ran first.
    pub reason: String,
    /// Whether the target went away, which ends the campaign.
    pub is_gone: bool,
}

impl Inconclusive {
    /// Counts a case. A target that is started anew for each batch does not go away for good.
    pub(super) fn add(&mut self, case: &evidence::Inconclusive, is_fixed: bool) {
        if self.count == 0 {
            self.reason = case.to_string();
        }
        self.count += 1;
        self.is_gone |= is_fixed && case.is_gone();
    }
}

/// What a campaign comes to.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing was found.
    Pass,
    /// Something was found.
    Fail,
    /// Nothing was found, and nothing could be. Holds the reason.
    Inconclusive(String),
    /// Fallproof itself failed. Holds the number of the first such case, and how.
    HarnessError(u64, String),
}

impl Stats {
    /// What it comes to.
    pub fn verdict(&self) -> Verdict {
        let Inconclusive { count, reason, is_gone } = &self.inconclusive;
        if let Some((&number, message)) = self.harness_errors.first_key_value() {
            Verdict::HarnessError(number, message.clone())
        } else if !self.failures.is_empty() {
            Verdict::Fail
        } else if *count > 0 && (*is_gone || *count == self.cases) {
            Verdict::Inconclusive(reason.clone())
        } else {
            Verdict::Pass
        }
    }

    /// Whether no case before this one is known to show this cause.
    pub(super) fn is_first(&self, cause: &Cause, number: u64) -> bool {
        self.failures.get(cause).is_none_or(|failure| number < failure.number)
    }

    /// Counts what was found in a case.
    pub(super) fn add(&mut self, number: u64, case: &FuzzCase, found: BTreeMap<Cause, Violation>) {
        for (cause, violation) in found {
            let is_first = self.is_first(&cause, number);
            let failure = self.failures.entry(cause.clone()).or_insert_with(|| Failure {
                cause,
                number,
                case: case.clone(),
                violation: violation.clone(),
                count: 0,
                endpoints: BTreeSet::new(),
            });
            failure.count += 1;
            failure.endpoints.insert(case.endpoint);
            if is_first {
                (failure.number, failure.case, failure.violation) =
                    (number, case.clone(), violation);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_verdict_is_what_weighs_most() {
        let mut stats = Stats { cases: 2, ..Stats::default() };
        assert_eq!(stats.verdict(), Verdict::Pass);
        let reason = "not wired".to_owned();
        stats.inconclusive = Inconclusive { count: 1, reason: reason.clone(), is_gone: false };
        assert_eq!(stats.verdict(), Verdict::Pass, "the other case says something");
        stats.inconclusive.count = 2;
        assert_eq!(stats.verdict(), Verdict::Inconclusive(reason));
        for number in [7, 3] {
            stats.harness_errors.insert(number, format!("in {number}"));
        }
        assert_eq!(stats.verdict(), Verdict::HarnessError(3, "in 3".to_owned()));
    }
}
