//! The cases on the page: all of them, the broken ones first.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use indexmap::{IndexMap, IndexSet};
use minijinja::context;
use minijinja::value::{Serde, Value};

use super::step;
use crate::model::{Case, Outcome, Report};
use crate::phrases;

/// Number of cases of each cause that are shown with their calls and differences.
const IN_FULL: usize = 3;

/// Cases in full are visible without a click if there are at most this many.
const FEW: usize = 3;

/// The failed cases, with details; the others by reason, or one a line.
pub(super) fn view(report: &Report) -> Value {
    let in_full = in_full(report);
    let of = |is_in: fn(&Case) -> bool| report.cases.iter().filter(move |case| is_in(case));
    let in_detail = |is_in: fn(&Case) -> bool| -> Vec<_> {
        of(is_in).map(|case| detail(case, in_full.contains(&*case.id))).collect()
    };
    let lines = |outcome: Outcome| -> Vec<_> {
        report.cases.iter().filter(|it| it.outcome == outcome).map(line).collect()
    };
    let is_unexpected = |case: &Case| case.outcome == Outcome::Fail && !case.is_expected();
    let failed = in_detail(is_unexpected);
    let in_short = of(|it| it.outcome == Outcome::Fail).filter(|it| !in_full.contains(&*it.id));
    context! {
        is_few => failed.len() <= FEW,
        per_cause => IN_FULL,
        in_short => in_short.count(),
        harness_error => in_detail(|it| it.outcome == Outcome::HarnessError),
        failed,
        expected => in_detail(Case::is_expected),
        inconclusive => Serde(by_reason(report, Outcome::Inconclusive)),
        not_robust => lines(Outcome::NotRobust),
        warned => lines(Outcome::Warn),
        skipped => Serde(by_reason(report, Outcome::Skipped)),
        not_run => Serde(&report.not_run),
        unselected => report.suite.cases.saturating_sub(report.run.selection.cases),
        passed => lines(Outcome::Pass),
    }
}

/// Ids of the cases that are shown with their calls: the first ones of each cause, and those that
/// no cause explains.
fn in_full(report: &Report) -> BTreeSet<&str> {
    let first = |cases: &[String]| cases.len().min(IN_FULL);
    let of_causes = report.causes.iter().flat_map(|it| &it.cases[..first(&it.cases)]);
    let is_explained =
        |case: &Case| case.violations.iter().any(|violation| violation.cause.is_some());
    let others = report.cases.iter().filter(|case| !is_explained(case)).map(|case| &case.id);
    of_causes.chain(others).map(String::as_str).collect()
}

/// A case that can be opened. Its calls are shown if it is one of those in full.
fn detail(case: &Case, is_in_full: bool) -> Value {
    let Case { id, title, why, reason, violations, replay, har, links, steps, .. } = case;
    // What fails the case comes first, what is only informational last.
    let mut codes: Vec<_> = violations.iter().map(|it| (Reverse(it.weight), it.code())).collect();
    codes.sort_by_key(|(weight, _)| *weight);
    let codes: IndexSet<_> = codes.into_iter().map(|(_, code)| code).collect();
    let shown = if is_in_full { steps.as_slice() } else { &[] };
    context! {
        id,
        title,
        why,
        reason,
        violations => Serde(violations),
        replay,
        har,
        links => Serde(links),
        codes => Serde(codes),
        causes => Serde(causes(case)),
        calls => steps.len(),
        silent_calls => phrases::silent_calls(case),
        steps => shown.iter().map(|it| step::view(it, None, true)).collect::<Vec<_>>(),
        is_in_full,
        failure => Serde(&case.failure),
    }
}

/// Ids of the causes of a case.
fn causes(case: &Case) -> Vec<&str> {
    let mut causes: Vec<_> = case.violations.iter().filter_map(|it| it.cause.as_deref()).collect();
    let mut seen = BTreeSet::new();
    causes.retain(|id| seen.insert(*id));
    causes
}

/// A case in one line. What violates a requirement without a cause is told in words.
fn line(case: &Case) -> Value {
    let is_robust = case.outcome != Outcome::NotRobust;
    let violations = case.violations.iter().filter(|_| !is_robust);
    let message = violations.map(|it| it.message.clone()).next();
    let more = case.violations.len().saturating_sub(1);
    context! {
        id => &case.id,
        causes => Serde(causes(case)),
        took => format!("{:.0}", case.took_ms),
        message,
        more,
    }
}

/// The cases with this outcome, by reason.
fn by_reason(report: &Report, outcome: Outcome) -> IndexMap<&str, Vec<Value>> {
    let mut by_reason: IndexMap<&str, Vec<_>> = IndexMap::new();
    for case in report.cases.iter().filter(|case| case.outcome == outcome) {
        let (id, har) = (&case.id, &case.har);
        let reason = case.reason.as_deref().unwrap_or_default();
        by_reason.entry(reason).or_default().push(context! { id, har });
    }
    by_reason.sort_unstable_by(|one, ids, other, others| {
        others.len().cmp(&ids.len()).then_with(|| one.cmp(other))
    });
    by_reason
}
