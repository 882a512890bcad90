//! What has happened in a run so far.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::model::{Case, Outcome, Violation, Weight};
use crate::phrases;

/// Number of failures that are told while the run goes on.
const MAX_TOLD: usize = 5;

/// The time left is not estimated from less time than this.
const BASIS: Duration = Duration::from_secs(5);

/// Counts the cases of a run, and picks the failures to tell at once.
///
/// A case that runs again because its gateway exited counts once.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) cases: usize,
    ended: BTreeSet<String>,
    failed: BTreeSet<String>,
    /// The kinds of failures that were told.
    told: BTreeSet<(Option<String>, String)>,
    /// When the first case started, as time since the start of the run.
    began: Option<Duration>,
}

impl Tally {
    pub(super) fn case_started(&mut self, now: Duration) {
        self.began.get_or_insert(now);
    }

    /// Counts the case. If it is one of the first failures, and none like it was told before,
    /// returns a line to print about it.
    pub(super) fn case_ended(&mut self, case: &Case) -> Option<String> {
        self.ended.insert(case.id.clone());
        if case.outcome != Outcome::Fail {
            self.failed.remove(&case.id);
            return None;
        }
        self.failed.insert(case.id.clone());
        let mut violations = case.violations.iter().enumerate();
        let (index, first) = violations.find(|(_, it)| it.weight == Weight::Fail)?;
        let is_new = self.told.len() < MAX_TOLD && self.told.insert(kind(case, index, first));
        is_new.then(|| format!("FAIL {}: {} {}", case.id, first.code(), first.message))
    }

    pub(super) fn ended(&self) -> usize {
        self.ended.len()
    }

    /// Number of cases that ended and that failed, and the time that the others will take.
    pub(super) fn plain(&self, now: Duration) -> String {
        let ended = format!("{}/{}", self.ended(), phrases::cases(self.cases));
        [Some(ended), self.failed(), self.left(now)]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(", ")
    }

    /// Like [`Self::plain`], with the number of cases per second.
    pub(super) fn line(&self, now: Duration) -> String {
        let position = format!("{}/{}", self.ended(), self.cases);
        let rate = self.elapsed(now).map(|elapsed| {
            let ended = f64::from(u32::try_from(self.ended()).unwrap_or(u32::MAX));
            format!("{:.1} cases/s", ended / elapsed.as_secs_f64().max(0.001))
        });
        let parts = [Some(position), rate, self.failed(), self.left(now)];
        parts.into_iter().flatten().collect::<Vec<_>>().join("  ")
    }

    fn failed(&self) -> Option<String> {
        (!self.failed.is_empty()).then(|| format!("{} failed", self.failed.len()))
    }

    /// How long the remaining cases will take, if they take as long as those that have ended.
    fn left(&self, now: Duration) -> Option<String> {
        let ended = u32::try_from(self.ended()).ok().filter(|ended| *ended > 0)?;
        let left = u32::try_from(self.cases.saturating_sub(self.ended())).ok()?;
        let elapsed = self.elapsed(now).filter(|elapsed| *elapsed >= BASIS)?;
        let seconds = (elapsed / ended * left).as_secs();
        Some(match seconds {
            _ if left == 0 => return None,
            0..10 => "less than 10 s left".to_owned(),
            10..60 => format!("about {} s left", seconds / 10 * 10),
            _ => format!("about {} min left", (seconds + 30) / 60),
        })
    }

    fn elapsed(&self, now: Duration) -> Option<Duration> {
        self.began.map(|began| now.saturating_sub(began))
    }
}

/// What a failure has in common with others of its kind.
fn kind(case: &Case, index: usize, violation: &Violation) -> (Option<String>, String) {
    let fault = case.facts.fingerprints.get(index).map(fallproof_judge::Fingerprint::fault);
    (violation.requirement.clone(), fault.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn ended(id: &str, outcome: Outcome, code: &str) -> Case {
        let violation = serde_json::json!({
            "requirement": code, "weight": "fail", "step": 1, "message": "attempt 1 is wrong"
        });
        let case = serde_json::json!({
            "id": id, "title": "", "file": "", "profile": "core", "proves": [],
            "outcome": outcome, "started_ms": 0.0, "took_ms": 0.0, "violations": [violation],
            "steps": [], "replay": ""
        });
        serde_json::from_value(case).expect("it has every field")
    }

    #[test]
    fn the_time_left_is_estimated_from_the_cases_that_ended() {
        let mut tally = Tally { cases: 1920, ..Tally::default() };
        tally.case_started(SECOND * 30);
        assert_eq!(tally.plain(SECOND * 31), "0/1920 cases");
        for number in 0..412 {
            tally.case_ended(&ended(&number.to_string(), Outcome::Pass, "FP-ROUTE-01"));
        }
        assert_eq!(tally.plain(SECOND * 34), "412/1920 cases", "that is too early to tell");
        assert_eq!(tally.plain(SECOND * 64), "412/1920 cases, about 2 min left");
        assert_eq!(tally.line(SECOND * 71), "412/1920  10.0 cases/s  about 3 min left");
        tally.case_ended(&ended("0", Outcome::Fail, "FP-ROUTE-01"));
        assert_eq!(tally.plain(SECOND * 41), "412/1920 cases, 1 failed, about 40 s left");
        tally.case_ended(&ended("0", Outcome::Pass, "FP-ROUTE-01"));
        tally.cases = 413;
        assert_eq!(tally.plain(SECOND * 71), "412/413 cases, less than 10 s left");
    }

    #[test]
    fn the_first_five_kinds_of_failures_are_told_once() {
        let mut tally = Tally::default();
        let mut told = Vec::new();
        for number in 0..12 {
            let code = format!("FP-ROUTE-0{}", 1 + number / 2);
            told.extend(tally.case_ended(&ended(&format!("a/{number}"), Outcome::Fail, &code)));
        }
        let expected: Vec<_> = (0..5)
            .map(|it| format!("FAIL a/{}: FP-ROUTE-0{} attempt 1 is wrong", it * 2, it + 1))
            .collect();
        assert_eq!(told, expected);
    }
}
