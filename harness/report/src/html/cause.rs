//! The causes on the page: what is broken, the worst first.

use std::collections::{BTreeMap, BTreeSet};

use minijinja::context;
use minijinja::value::{Serde, Value};

use super::step;
use crate::model::{Case, Cause, Outcome, Report, Weight};
use crate::phrases;

/// Number of failing causes that are shown at once. The others are folded.
const FIRST: usize = 12;

/// Number of failing causes whose example is visible without a click.
const OPEN: usize = 3;

/// The causes: those that fail the run, those that the baseline expects, those that only warn.
pub(super) fn view(report: &Report) -> Value {
    let by_id: BTreeMap<_, _> = report.cases.iter().map(|case| (&*case.id, case)).collect();
    let of = |is_in: fn(&Cause) -> bool| -> Vec<_> {
        let some = report.causes.iter().filter(|it| is_in(it));
        some.map(|it| one(it, &by_id, &report.target.name)).collect()
    };
    let mut failing = of(|it| it.weight == Weight::Fail && it.expected.is_none());
    let folded = failing.split_off(failing.len().min(FIRST));
    let expected = of(|it| it.weight == Weight::Fail && it.expected.is_some());
    let warning = of(|it| it.weight != Weight::Fail);
    context! { open => OPEN, explained => explained(report), failing, folded, expected, warning }
}

/// How many of the failed cases the causes explain, in a sentence. Empty without causes.
fn explained(report: &Report) -> String {
    let causes: Vec<_> = report.causes.iter().filter(|it| it.weight == Weight::Fail).collect();
    let explained: BTreeSet<&str> =
        causes.iter().flat_map(|it| &it.cases).map(String::as_str).collect();
    let failed: Vec<_> = report.cases.iter().filter(|it| it.outcome == Outcome::Fail).collect();
    let found = failed.iter().filter(|it| explained.contains(&*it.id)).count();
    let (subject, order) = match causes.len() {
        0 => return String::new(),
        1 => ("1 cause explains".to_owned(), ""),
        number => (format!("{number} causes explain"), ", the worst one first"),
    };
    let failed = match failed.len() {
        1 if found == 1 => "the failed case".to_owned(),
        all if all == found => format!("all {all} failed cases"),
        all => format!("{found} of {all} failed cases"),
    };
    format!("{subject} {failed}{order}.")
}

fn one(cause: &Cause, by_id: &BTreeMap<&str, &Case>, target: &str) -> Value {
    let Cause { fault, scope, could_show, requirement, .. } = cause;
    let number = cause.cases.len();
    let follows = cause.follows.iter().map(|it| {
        let cases = phrases::cases(it.cases);
        context! { requirement => &it.requirement, cases }
    });
    context! {
        id => &cause.id,
        target,
        fault,
        scope,
        number,
        extent => extent(number, *could_show),
        percent => 100 * number / (*could_show).max(1),
        silent => phrases::silent(cause),
        requirement,
        follows => follows.collect::<Vec<_>>(),
        example => example(cause, by_id),
        others => Serde(cause.cases.get(1..).unwrap_or_default()),
        sources => Serde(&cause.sources),
        expected => Serde(&cause.expected),
        is_warning => cause.weight != Weight::Fail,
    }
}

/// The number of cases of a cause, and of those in which it could show.
fn extent(cases: usize, could_show: usize) -> String {
    match (cases, could_show) {
        (1, 1) => "the only case in which it could show".to_owned(),
        (cases, all) if cases >= all => format!("all {cases} cases in which it could show"),
        (cases, all) => format!("{cases} of the {all} cases in which it could show"),
    }
}

/// The case to look at, and the call in which the violation occurred.
fn example(cause: &Cause, by_id: &BTreeMap<&str, &Case>) -> Value {
    let example = &cause.example;
    let shown = by_id.get(&*example.case);
    let step = shown.and_then(|it| it.steps.iter().find(|it| it.number == example.step));
    let calls = shown.map_or(0, |it| it.steps.len());
    // Other violations of the attempt may have differences, too.
    let is_in_body = shown.is_some_and(|it| {
        it.violations.iter().any(|it| it.cause.as_ref() == Some(&cause.id) && it.pointer.is_some())
    });
    context! {
        case => &example.case,
        title => shown.map(|it| &it.title),
        har => shown.and_then(|it| it.har.as_ref()),
        message => &example.message,
        notes => example.notes(),
        replay => &example.replay,
        call => (calls > 1).then(|| format!("call {} of {calls}", example.step)),
        step => step.map(|step| step::view(step, example.attempt, is_in_body)),
    }
}
