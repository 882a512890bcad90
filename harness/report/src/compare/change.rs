//! What changed from one report to another, by the cases that both have judged.

use indexmap::IndexMap;
use serde::Serialize;

use crate::model::{Case, EXPECTATION, Kept, Report, Requirement, Weight};

/// From one report to another.
#[derive(Debug, Serialize)]
pub(super) struct Change<'a> {
    pub(super) title: String,
    pub(super) from: String,
    pub(super) to: String,
    /// Both are of the same product: what is other now became so.
    pub(super) is_same_product: bool,
    /// How many cases led to a verdict in both.
    pub(super) judged: usize,
    pub(super) better: Vec<Shift<'a>>,
    pub(super) worse: Vec<Shift<'a>>,
    /// Better in some cases, and worse in others.
    pub(super) mixed: Vec<Shift<'a>>,
    /// Other choices of the makers, which are neither.
    pub(super) choices: Vec<Choice<'a>>,
    /// The cases that led to a verdict in the first report only.
    pub(super) only_before: Vec<&'a str>,
    /// The cases that led to a verdict in the second report only.
    pub(super) only_after: Vec<&'a str>,
}

/// A requirement that is kept in other cases than before.
#[derive(Debug, Serialize)]
pub(super) struct Shift<'a> {
    pub(super) code: &'a str,
    pub(super) sentence: &'a str,
    /// In how many of the common cases it was not kept, and is not now.
    pub(super) before: usize,
    pub(super) after: usize,
    /// The cases where it is kept better.
    pub(super) mended: Vec<&'a str>,
    /// The cases where it is kept worse.
    pub(super) broken: Vec<&'a str>,
}

/// A requirement that is kept in another way than before.
#[derive(Debug, Serialize)]
pub(super) struct Choice<'a> {
    pub(super) code: &'a str,
    pub(super) sentence: &'a str,
    pub(super) before: &'static str,
    pub(super) after: &'static str,
}

impl<'a> Change<'a> {
    pub(super) fn new([before, after]: [&'a Report; 2], [from, to]: [&str; 2]) -> Self {
        let (olds, news) = (judged(before), judged(after));
        let mut shifts: IndexMap<&str, Shift<'a>> = IndexMap::new();
        let common = olds.iter().filter_map(|(id, &old)| Some((*id, old, *news.get(id)?)));
        let common: Vec<_> = common.collect();
        for &(id, old, new) in &common {
            let mut codes: Vec<_> = old.codes();
            codes.extend(new.codes());
            codes.sort_unstable();
            codes.dedup();
            for code in codes {
                let (was, is) = (grade(old, code), grade(new, code));
                let shift = shifts.entry(code).or_insert_with(|| Shift::new(code, [after, before]));
                shift.before += usize::from(was > 0);
                shift.after += usize::from(is > 0);
                match is.cmp(&was) {
                    std::cmp::Ordering::Less => shift.mended.push(id),
                    std::cmp::Ordering::Greater => shift.broken.push(id),
                    std::cmp::Ordering::Equal => {}
                }
            }
        }
        shifts.sort_unstable_keys();
        let choices = choices(before, after, &shifts);
        let (mut better, mut worse, mut mixed) = (Vec::new(), Vec::new(), Vec::new());
        for shift in shifts.into_values() {
            match (shift.mended.is_empty(), shift.broken.is_empty()) {
                (false, true) => better.push(shift),
                (true, false) => worse.push(shift),
                (false, false) => mixed.push(shift),
                (true, true) => {}
            }
        }
        let only = |these: &IndexMap<&'a str, &Case>, others: &IndexMap<&str, &Case>| {
            these.keys().copied().filter(|id| !others.contains_key(id)).collect()
        };
        let is_same_product = before.target.name == after.target.name;
        Self {
            title: if is_same_product {
                format!("From {from} to {to}")
            } else {
                format!("{to} beside {from}")
            },
            from: from.to_owned(),
            to: to.to_owned(),
            is_same_product,
            judged: common.len(),
            better,
            worse,
            mixed,
            choices,
            only_before: only(&olds, &news),
            only_after: only(&news, &olds),
        }
    }
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
    let findings = case.findings.iter().filter(|finding| finding.code() == code);
    let grades = findings.map(|finding| match finding.weight {
        Weight::Fail => 2,
        Weight::Warn => 1,
        Weight::Note => 0,
    });
    grades.max().unwrap_or_default()
}

/// What is kept in both, and in another way.
fn choices<'a>(
    before: &'a Report,
    after: &'a Report,
    shifts: &IndexMap<&str, Shift<'_>>,
) -> Vec<Choice<'a>> {
    let is_kept = |kept| matches!(kept, Kept::Pass | Kept::Declared | Kept::Observed);
    let choice = |old: &'a Requirement| {
        let new = after.requirements().find(|new| new.code == old.code)?;
        let is_moved = shifts
            .get(old.code.as_str())
            .is_some_and(|shift| !shift.mended.is_empty() || !shift.broken.is_empty());
        let is_other = old.verdict != new.verdict && is_kept(old.verdict) && is_kept(new.verdict);
        (is_other && !is_moved).then_some(Choice {
            code: &old.code,
            sentence: &new.sentence,
            before: old.verdict.word(),
            after: new.verdict.word(),
        })
    };
    before.requirements().filter_map(choice).collect()
}

impl<'a> Change<'a> {
    /// What moved, below headings that are fair to both: of two products, neither is the old one.
    pub(super) fn titled(&self) -> [(String, &Vec<Shift<'a>>); 3] {
        let to = &self.to;
        let [better, worse, mixed] = if self.is_same_product {
            ["Better", "Worse", "Better in some cases and worse in others"].map(str::to_owned)
        } else {
            [
                format!("Kept in more cases by {to}"),
                format!("Kept in fewer cases by {to}"),
                "Each keeps it in cases where the other does not".to_owned(),
            ]
        };
        [(better, &self.better), (worse, &self.worse), (mixed, &self.mixed)]
    }

    /// Whether every requirement is kept in the same cases.
    pub(super) fn is_same(&self) -> bool {
        self.judged > 0 && self.titled().iter().all(|(_, shifts)| shifts.is_empty())
    }
}
