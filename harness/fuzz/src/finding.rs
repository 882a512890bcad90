//! Groups the failures of a campaign by their causes.

use std::collections::BTreeSet;

use fallproof_judge::{self as judge, CaseFacts, causes};
use fallproof_protocol::provider::Endpoint;

use super::campaign::Campaign;
use super::stats::{Failure, Judged, Stats};
use super::symptom::Symptom;

#[cfg(test)]
mod tests;

/// A fault of the target that a campaign found.
#[derive(Debug)]
pub struct Finding {
    /// The cause. Its numbers of cases are about the cases below
    /// [`COMPARED`](super::stats::COMPARED).
    pub cause: judge::Cause,
    /// Endpoints of its cases.
    pub endpoints: BTreeSet<Endpoint>,
    /// The failure to minimize and save: the first case with the symptom of the cause's example.
    pub example: Failure,
    /// The other failures that follow from the cause.
    pub others: Vec<Failure>,
}

/// Returns the findings of a campaign, the worst first. Each failure belongs to the cause of its
/// first case.
pub fn findings(campaign: &Campaign, stats: &Stats) -> Vec<Finding> {
    let (numbers, judged): (Vec<u64>, Vec<&Judged>) = stats.judged.iter().unzip();
    let facts: Vec<&CaseFacts> = judged.iter().map(|it| &it.facts).collect();
    let judge::Causes { all, of } = causes(&facts);
    let cause_of = |failure: &Failure| {
        let case = numbers.binary_search(&failure.number).ok()?;
        let of_case = judged[case].violations.iter().zip(&of[case]);
        of_case.into_iter().find_map(|(it, cause)| cause.filter(|_| *it == failure.violation))
    };
    let mut failures = vec![Vec::new(); all.len()];
    for failure in stats.failures.values() {
        if let Some(cause) = cause_of(failure) {
            failures[cause].push(failure.clone());
        }
    }
    let finding = |(cause, failures): (judge::Cause, Vec<Failure>)| {
        let calls = cause.cases.iter().flat_map(|case| &facts[*case].calls);
        let endpoints: BTreeSet<_> = calls.map(|call| call.endpoint).collect();
        let case = cause.cases[0];
        let violation = &judged[case].violations[cause.example];
        let symptom = Symptom::of(violation);
        let (same, others): (Vec<_>, _) =
            failures.into_iter().partition(|it| it.symptom == symptom);
        // The first case with this symptom may belong to another cause.
        let example = same.into_iter().next().unwrap_or_else(|| Failure {
            symptom,
            number: numbers[case],
            case: campaign.case(numbers[case]),
            violation: violation.clone(),
            count: cause.cases.len() as u64,
            endpoints: endpoints.clone(),
        });
        Finding { cause, endpoints, example, others }
    };
    all.into_iter().zip(failures).map(finding).collect()
}
