//! In how many cases a cause shows in two complete reports.
//!
//! A case counts only if both reports judged it, and if the cause could have shown in both: a call
//! that failed early in one of them does not say whether a later fault is gone.

use std::collections::BTreeMap;

use super::matching::Match;
use crate::model::{Case, Report, Step, Violation, Weight};

/// The cases that both reports judged, by id: as in the earlier and in the later one.
pub(super) type Common<'a> = BTreeMap<&'a str, [&'a Case; 2]>;

/// Returns the cases that both reports judged.
pub(super) fn common<'a>([before, after]: [&'a Report; 2]) -> Common<'a> {
    let judged = |report: &'a Report| report.cases.iter().filter(|case| case.is_judged());
    let news: BTreeMap<_, _> = judged(after).map(|case| (case.id.as_str(), case)).collect();
    let both = |old: &'a Case| Some((old.id.as_str(), [old, *news.get(old.id.as_str())?]));
    judged(before).filter_map(both).collect()
}

/// The common cases in which a cause shows.
#[derive(Debug, Default)]
pub(super) struct Tally<'a> {
    /// Shows in both reports.
    pub(super) kept: Vec<&'a str>,
    /// Shows only in the later report.
    pub(super) gained: Vec<&'a str>,
    /// Shows only in the earlier report.
    pub(super) lost: Vec<&'a str>,
    /// Shows in one report. In the other one, a different failure may hide it.
    pub(super) hidden: Vec<&'a str>,
    /// Shows in one report. In the other one, the target is exempt because it declares it.
    pub(super) exempt: Vec<&'a str>,
}

/// Whether a cause could show in a case in which it does not.
enum Could {
    Show,
    BeHidden,
    BeExempt,
}

impl<'a> Tally<'a> {
    pub(super) fn new(matched: &Match<'_>, common: &Common<'a>) -> Self {
        let [before, after] = matched.cases();
        let mut tally = Self::default();
        for (&id, &[old, new]) in common {
            let list = match (before.contains(id), after.contains(id)) {
                (false, false) => continue,
                (true, true) => &mut tally.kept,
                (is_old, _) => {
                    let (causes, seen, other) = if is_old {
                        (&matched.before, old, new)
                    } else {
                        (&matched.after, new, old)
                    };
                    let is_of_cause = |it: &&Violation| {
                        causes.iter().any(|cause| it.cause.as_ref() == Some(&cause.id))
                    };
                    let seen_there: Vec<_> = seen.violations.iter().filter(is_of_cause).collect();
                    match could(&seen_there, seen, other) {
                        Could::Show if is_old => &mut tally.lost,
                        Could::Show => &mut tally.gained,
                        Could::BeHidden => &mut tally.hidden,
                        Could::BeExempt => &mut tally.exempt,
                    }
                }
            };
            list.push(id);
        }
        tally
    }

    /// Whether no case was judged in both reports.
    pub(super) fn is_empty(&self) -> bool {
        self.numbers() == [0, 0] && self.hidden.is_empty() && self.exempt.is_empty()
    }

    /// Number of counted cases in the earlier and in the later report.
    pub(super) fn numbers(&self) -> [usize; 2] {
        [&self.lost, &self.gained].map(|only| self.kept.len() + only.len())
    }
}

/// Whether violations of one report could show in the same case of the other one.
fn could(violations: &[&Violation], seen: &Case, other: &Case) -> Could {
    let is_exempt = |violation: &&Violation| {
        let mut there = other.violations.iter();
        there.any(|it| it.declared.is_some() && it.requirement == violation.requirement)
    };
    if violations.iter().any(is_exempt) {
        return Could::BeExempt;
    }
    let fails = other.violations.iter().any(|violation| violation.weight == Weight::Fail);
    if !fails || violations.iter().any(|violation| is_alike(violation, seen, other)) {
        Could::Show
    } else {
        Could::BeHidden
    }
}

/// Whether the call of a violation went alike in the other report, as far as the violation could
/// show.
fn is_alike(violation: &Violation, seen: &Case, other: &Case) -> bool {
    let at = violation.step;
    let (Some(seen), Some(other)) = (step(seen, at), step(other, at)) else { return false };
    let client = |step: &Step| (step.client.status, step.client.broken.is_some());
    let deployment = deployment(seen, violation.attempt);
    let is_same_attempt =
        deployment.is_some() && deployment == self::deployment(other, violation.attempt);
    // A violation with a pointer is about the body of a request, whatever the answer.
    match violation.attempt {
        Some(_) if violation.pointer.is_some() => is_same_attempt,
        Some(_) => is_same_attempt && client(seen) == client(other),
        None => client(seen) == client(other),
    }
}

fn step(case: &Case, number: usize) -> Option<&Step> {
    case.steps.iter().find(|step| step.number == number)
}

/// The deployment of an attempt with this number.
fn deployment(step: &Step, attempt: Option<usize>) -> Option<&str> {
    let attempt = step.attempts.get(attempt?.checked_sub(1)?)?;
    Some(&attempt.deployment)
}
