//! Statistics of a campaign: how many cases ran, and which failures were found.

use std::collections::{BTreeMap, BTreeSet};

use fallproof_judge::{CallFacts, CaseFacts, Fingerprint, Violation};
use fallproof_protocol::provider::Endpoint;
use fallproof_suite::evidence;

use super::case::FuzzCase;
use super::symptom::Symptom;

/// Number of cases whose facts are kept to find causes: those with a lower number. More cases would
/// need more memory, but show no other causes.
pub const COMPARED: u64 = 5_000;

/// Results of a campaign so far.
#[derive(Debug, Default)]
pub struct Stats {
    /// Number of cases that have run.
    pub cases: u64,
    /// Number of violations that did not occur again when their case ran alone. They are discarded.
    pub flaky: usize,
    /// The failures, ordered by requirement.
    pub failures: BTreeMap<Symptom, Failure>,
    /// The judged cases below [`COMPARED`], and the first case of each failure, by number.
    pub judged: BTreeMap<u64, Judged>,
    /// Inconclusive cases.
    pub inconclusive: Inconclusive,
    /// Error messages of the cases in which Fallproof itself failed, by case number.
    pub harness_errors: BTreeMap<u64, String>,
}

/// What a judged case contributes to the causes of a campaign.
#[derive(Debug)]
pub struct Judged {
    /// The facts, with a fingerprint for each violation.
    pub facts: CaseFacts,
    /// The violations, without notes.
    pub violations: Vec<Violation>,
}

/// Violations that show the same symptom.
#[derive(Debug, Clone)]
pub struct Failure {
    /// The symptom.
    pub symptom: Symptom,
    /// Number of the first case, from 0.
    pub number: u64,
    /// The first case.
    pub case: FuzzCase,
    /// The violation in the first case.
    pub violation: Violation,
    /// Number of cases with this failure.
    pub count: u64,
    /// Endpoints of the cases with this failure.
    pub endpoints: BTreeSet<Endpoint>,
}

/// Cases without a verdict on the target.
#[derive(Debug, Default)]
pub struct Inconclusive {
    /// Number of inconclusive cases.
    pub count: u64,
    /// Reason of the first inconclusive case.
    pub reason: String,
    /// Whether the target became unreachable, which ends the campaign.
    pub is_gone: bool,
}

impl Inconclusive {
    /// Counts a case. A target that is restarted for each batch never counts as unreachable.
    pub(super) fn add(&mut self, case: &evidence::Inconclusive, is_fixed: bool) {
        if self.count == 0 {
            self.reason = case.to_string();
        }
        self.count += 1;
        self.is_gone |= is_fixed && case.is_gone();
    }
}

/// The verdict of a campaign.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// No failures.
    Pass,
    /// At least one failure.
    Fail,
    /// No failures, but the target could not be tested. Holds the reason.
    Inconclusive(String),
    /// Fallproof itself failed. Holds the number and the message of the first such case.
    HarnessError(u64, String),
}

impl Judged {
    pub(super) fn new(calls: Vec<CallFacts>, violations: Vec<Violation>) -> Self {
        let fingerprints = violations.iter().map(Fingerprint::of).collect();
        Self { facts: CaseFacts { calls, fingerprints }, violations }
    }
}

impl Stats {
    /// The verdict. A harness error outweighs failures; failures outweigh inconclusive cases.
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

    /// Whether this is the earliest known case with this symptom.
    pub(super) fn is_first(&self, symptom: &Symptom, number: u64) -> bool {
        self.failures.get(symptom).is_none_or(|failure| number < failure.number)
    }

    /// Counts the violations of a case.
    pub(super) fn add(&mut self, number: u64, case: &FuzzCase, judged: Judged) {
        // Of several violations with one symptom, the first one is shown.
        let shown = judged.violations.iter().rev().map(|it| (Symptom::of(it), it));
        let mut is_first_of_any = false;
        for (symptom, violation) in shown.collect::<BTreeMap<_, _>>() {
            let is_first = self.is_first(&symptom, number);
            is_first_of_any |= is_first;
            let failure = self.failures.entry(symptom.clone()).or_insert_with(|| Failure {
                symptom,
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
                    (number, case.clone(), violation.clone());
            }
        }
        if number < COMPARED || is_first_of_any {
            self.judged.insert(number, judged);
        }
        if is_first_of_any {
            // The case may have taken the place of one that was the first until now.
            let first: BTreeSet<_> = self.failures.values().map(|it| it.number).collect();
            self.judged.retain(|number, _| *number < COMPARED || first.contains(number));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_severe_result_is_the_verdict() {
        let mut stats = Stats { cases: 2, ..Stats::default() };
        assert_eq!(stats.verdict(), Verdict::Pass);
        let reason = "not reachable".to_owned();
        stats.inconclusive = Inconclusive { count: 1, reason: reason.clone(), is_gone: false };
        assert_eq!(stats.verdict(), Verdict::Pass, "the other case is conclusive");
        stats.inconclusive.count = 2;
        assert_eq!(stats.verdict(), Verdict::Inconclusive(reason));
        for number in [7, 3] {
            stats.harness_errors.insert(number, format!("in {number}"));
        }
        assert_eq!(stats.verdict(), Verdict::HarnessError(3, "in 3".to_owned()));
    }
}
