//! Changes from one report to another, in the common cases: those that both reports judged.

use std::cmp::Ordering;

use indexmap::IndexMap;
use minijinja::context;
use minijinja::value::{Serde, Value};
use serde::Serialize;

use crate::model::{Case, Compliance, EXPECTATION, Report, Requirement, Weight};

/// A requirement whose violations changed.
#[derive(Serialize)]
struct Shift<'a> {
    code: &'a str,
    sentence: &'a str,
    /// Number of common cases that violate the requirement in the earlier report.
    before: usize,
    /// Number of common cases that violate the requirement in the later report.
    after: usize,
    /// Cases that now violate the requirement less severely, or no longer.
    improved: Vec<&'a str>,
    /// Cases that now violate the requirement more severely, or for the first time.
    regressed: Vec<&'a str>,
}

/// Returns the changes between two reports. `from` and `to` are the names of their columns.
pub(super) fn change([before, after]: [&Report; 2], [from, to]: [&str; 2]) -> Value {
    let (olds, news) = (judged(before), judged(after));
    let common = olds.iter().filter_map(|(id, &old)| Some((*id, old, *news.get(id)?)));
    let common: Vec<_> = common.collect();
    let mut shifts = shifts(&common, [after, before]);
    shifts.retain(|_, shift| !shift.improved.is_empty() || !shift.regressed.is_empty());
    let declared = declared(before, after, &shifts);
    let is_same_product = before.target.name == after.target.name;
    let title = if is_same_product {
        format!("From {from} to {to}")
    } else {
        format!("{to} compared with {from}")
    };
    let moved = moved(&shifts, is_same_product, to);
    let only = |these: &IndexMap<&str, &Case>, others: &IndexMap<&str, &Case>| {
        let only = these.keys().filter(|id| !others.contains_key(*id));
        only.map(|&id| id.to_owned()).collect::<Vec<_>>()
    };
    context! {
        title,
        from,
        to,
        // Number of cases that both reports judged.
        judged => common.len(),
        is_same => !common.is_empty() && moved.is_empty(),
        moved,
        declared,
        only_before => only(&olds, &news),
        only_after => only(&news, &olds),
    }
}

/// The requirements that are violated in a common case, in either report.
fn shifts<'a>(
    common: &[(&'a str, &'a Case, &'a Case)],
    reports: [&'a Report; 2],
) -> IndexMap<&'a str, Shift<'a>> {
    let mut shifts = IndexMap::new();
    for &(id, old, new) in common {
        let mut codes: Vec<_> = old.codes();
        codes.extend(new.codes());
        codes.sort_unstable();
        codes.dedup();
        for code in codes {
            let (was, is) = (grade(old, code), grade(new, code));
            let shift = shifts.entry(code).or_insert_with(|| Shift::new(code, reports));
            shift.before += usize::from(was > 0);
            shift.after += usize::from(is > 0);
            match is.cmp(&was) {
                Ordering::Less => shift.improved.push(id),
                Ordering::Greater => shift.regressed.push(id),
                Ordering::Equal => {}
            }
        }
    }
    shifts.sort_unstable_keys();
    shifts
}

/// The changed requirements, grouped under headings. For two different products, the headings do
/// not say that one is better.
fn moved(shifts: &IndexMap<&str, Shift<'_>>, is_same_product: bool, to: &str) -> Vec<Value> {
    let titles = if is_same_product {
        ["Improved", "Regressed", "Improved in some cases, regressed in others"].map(str::to_owned)
    } else {
        [
            format!("Met in more cases by {to}"),
            format!("Met in fewer cases by {to}"),
            "Each target meets the requirement in cases where the other does not".to_owned(),
        ]
    };
    let is = |wanted: (bool, bool)| {
        let is = |it: &&Shift<'_>| (!it.improved.is_empty(), !it.regressed.is_empty()) == wanted;
        shifts.values().filter(is).map(Serde).map(Value::from).collect::<Vec<_>>()
    };
    let moved = titles.into_iter().zip([(true, false), (false, true), (true, true)].map(is));
    moved
        .filter(|(_, shifts)| !shifts.is_empty())
        .map(|(title, shifts)| context! { title, shifts })
        .collect()
}

impl<'a> Shift<'a> {
    fn new(code: &'a str, reports: [&'a Report; 2]) -> Self {
        let found = reports.iter().flat_map(|report| report.requirements());
        let mut found = found.filter(|requirement| requirement.code == code);
        let sentence = found.next().map_or("", |requirement| requirement.sentence.as_str());
        let sentence = match code {
            EXPECTATION => "The scenario's own expectations are met.",
            _ => sentence,
        };
        Self { code, sentence, before: 0, after: 0, improved: Vec::new(), regressed: Vec::new() }
    }
}

/// The judged cases, by id.
fn judged(report: &Report) -> IndexMap<&str, &Case> {
    let judged = report.cases.iter().filter(|case| case.is_judged());
    judged.map(|case| (case.id.as_str(), case)).collect()
}

/// How severely a case violates a requirement: 0 not at all, 1 with a warning, 2 with a failure.
fn grade(case: &Case, code: &str) -> u8 {
    let violations = case.violations.iter().filter(|violation| violation.code() == code);
    let grades = violations.map(|violation| match violation.weight {
        Weight::Fail => 2,
        Weight::Warn => 1,
        Weight::Note => 0,
    });
    grades.max().unwrap_or_default()
}

/// Requirements that are violated in neither report but have different results, e.g. first met and
/// then exempt.
fn declared(before: &Report, after: &Report, shifts: &IndexMap<&str, Shift<'_>>) -> Vec<Value> {
    let is_fine = |compliance| {
        matches!(compliance, Compliance::Pass | Compliance::Declared | Compliance::Observed)
    };
    let changed = |old: &Requirement| {
        let new = after.requirements().find(|new| new.code == old.code)?;
        let is_moved = shifts.contains_key(old.code.as_str());
        let is_changed = old.verdict != new.verdict && is_fine(old.verdict) && is_fine(new.verdict);
        (is_changed && !is_moved).then(|| {
            let (before, after) = (old.verdict.word(), new.verdict.word());
            context! { code => &old.code, sentence => &new.sentence, before, after }
        })
    };
    before.requirements().filter_map(changed).collect()
}
