//! What changed from one report to another, by the cases that both have judged.

use std::cmp::Ordering;

use indexmap::IndexMap;
use minijinja::context;
use minijinja::value::{Serde, Value};
use serde::Serialize;

use crate::model::{Case, EXPECTATION, Kept, Report, Requirement, Weight};

/// A requirement that is kept in other cases than before.
#[derive(Serialize)]
struct Shift<'a> {
    code: &'a str,
    sentence: &'a str,
    /// In how many of the common cases it was not kept, and is not now.
    before: usize,
    after: usize,
    /// The cases where it is kept better.
    mended: Vec<&'a str>,
    /// The cases where it is kept worse.
    broken: Vec<&'a str>,
}

/// From one report to another, which are called so.
pub(super) fn change([before, after]: [&Report; 2], [from, to]: [&str; 2]) -> Value {
    let (olds, news) = (judged(before), judged(after));
    let common = olds.iter().filter_map(|(id, &old)| Some((*id, old, *news.get(id)?)));
    let common: Vec<_> = common.collect();
    let mut shifts = shifts(&common, [after, before]);
    shifts.retain(|_, shift| !shift.mended.is_empty() || !shift.broken.is_empty());
    let choices = choices(before, after, &shifts);
    let is_same_product = before.target.name == after.target.name;
    let title = if is_same_product {
        format!("From {from} to {to}")
    } else {
        format!("{to} beside {from}")
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
        // How many cases led to a verdict in both.
        judged => common.len(),
        is_same => !common.is_empty() && moved.is_empty(),
        moved,
        choices,
        only_before => only(&olds, &news),
        only_after => only(&news, &olds),
    }
}

/// Each requirement that a common case breaks, before or after.
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
                Ordering::Less => shift.mended.push(id),
                Ordering::Greater => shift.broken.push(id),
                Ordering::Equal => {}
            }
        }
    }
    shifts.sort_unstable_keys();
    shifts
}

/// What moved, below headings that are fair to both: of two products, neither is the old one.
fn moved(shifts: &IndexMap<&str, Shift<'_>>, is_same_product: bool, to: &str) -> Vec<Value> {
    let titles = if is_same_product {
        ["Better", "Worse", "Better in some cases and worse in others"].map(str::to_owned)
    } else {
        [
            format!("Kept in more cases by {to}"),
            format!("Kept in fewer cases by {to}"),
            "Each keeps it in cases where the other does not".to_owned(),
        ]
    };
    let is = |(mended, broken): (bool, bool)| {
        let is =
            |it: &&Shift<'_>| (!it.mended.is_empty(), !it.broken.is_empty()) == (mended, broken);
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
            EXPECTATION => "What a scenario expects beyond the requirements comes true.",
            _ => sentence,
        };
        Self { code, sentence, before: 0, after: 0, mended: Vec::new(), broken: Vec::new() }
    }
}

/// The cases that led to a verdict, by id.
fn judged(report: &Report) -> IndexMap<&str, &Case> {
    let judged = report.cases.iter().filter(|case| case.is_judged());
    judged.map(|case| (case.id.as_str(), case)).collect()
}

/// How badly a case breaks a requirement: 0 not at all, 1 it warns, 2 it fails.
fn grade(case: &Case, code: &str) -> u8 {
    let violations = case.violations.iter().filter(|violation| violation.code() == code);
    let grades = violations.map(|violation| match violation.weight {
        Weight::Fail => 2,
        Weight::Warn => 1,
        Weight::Note => 0,
    });
    grades.max().unwrap_or_default()
}

/// What is kept in both, and in another way.
fn choices(before: &Report, after: &Report, shifts: &IndexMap<&str, Shift<'_>>) -> Vec<Value> {
    let is_kept = |kept| matches!(kept, Kept::Pass | Kept::Declared | Kept::Observed);
    let choice = |old: &Requirement| {
        let new = after.requirements().find(|new| new.code == old.code)?;
        let is_moved = shifts.contains_key(old.code.as_str());
        let is_other = old.verdict != new.verdict && is_kept(old.verdict) && is_kept(new.verdict);
        (is_other && !is_moved).then(|| {
            let (before, after) = (old.verdict.word(), new.verdict.word());
            context! { code => &old.code, sentence => &new.sentence, before, after }
        })
    };
    before.requirements().filter_map(choice).collect()
}
