//! Changes from one report to another, by cause.

use std::cmp::Ordering;

use minijinja::context;
use minijinja::value::{Serde, Value};
use serde::Serialize;

use super::matching::{Match, matches};
use super::tally::{Common, Tally, common};
use super::{cell, is_reduced};
use crate::model::{Cause, Compliance, Report, Requirement, Weight};
use crate::phrases;

/// How a cause changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    New,
    Wider,
    Fixed,
    Narrower,
    Unchanged,
}

const KINDS: [Kind; 5] = [Kind::New, Kind::Wider, Kind::Fixed, Kind::Narrower, Kind::Unchanged];

/// A cause in a list of changes.
#[derive(Serialize)]
struct Row<'a> {
    id: &'a str,
    /// Whether it only warns.
    warns: bool,
    /// The target and what it does.
    sentence: String,
    /// Number of cases; empty if none counts.
    extent: String,
    /// What else is to be said about it.
    notes: Vec<String>,
    /// Cases in which only the later report has it.
    gained: Vec<&'a str>,
    /// Cases in which only the earlier report has it.
    lost: Vec<&'a str>,
}

/// Two reports, the earlier one first, with the names of their columns.
#[derive(Clone, Copy)]
struct Pair<'a> {
    reports: [&'a Report; 2],
    names: [&'a str; 2],
}

/// Returns the changes between two reports. `names` are those of their columns.
pub(super) fn change(reports: [&Report; 2], names: [&str; 2]) -> Value {
    let pair = Pair { reports, names };
    let [from, to] = names;
    let title = if pair.is_one_product() {
        format!("From {from} to {to}")
    } else {
        format!("{to} compared with {from}")
    };
    let details = if !reports.into_iter().all(has_causes) {
        pair.by_requirement()
    } else if reports.into_iter().any(is_reduced) {
        pair.whole()
    } else {
        pair.by_case()
    };
    context! { title, from, to, declared => declared(reports), ..details }
}

/// Whether a report has the causes of its violations. Earlier versions of Fallproof did not find
/// them.
pub(super) fn has_causes(report: &Report) -> bool {
    !report.causes.is_empty() || !report.requirements().any(Requirement::is_violated)
}

impl<'a> Pair<'a> {
    fn is_one_product(&self) -> bool {
        self.reports[0].target.name == self.reports[1].target.name
    }

    fn matches(&self) -> Vec<Match<'a>> {
        matches(&self.reports[0].causes, &self.reports[1].causes)
    }

    /// The changes in the cases that both reports judged.
    fn by_case(&self) -> Value {
        let common = common(self.reports);
        let (mut rows, mut uncompared) = (Vec::new(), Vec::new());
        for matched in self.matches() {
            let tally = Tally::new(&matched, &common);
            let row = self.row(&matched, &tally);
            match kind(&matched, &tally) {
                Some(kind) => rows.push((kind, Value::from(Serde(row)))),
                None => uncompared.push(Value::from(Serde(row))),
            }
        }
        let of_kind = |kind: Kind| {
            let rows = rows.iter().filter(|(it, _)| *it == kind);
            rows.map(|(_, row)| row.clone()).collect::<Vec<_>>()
        };
        let titles = self.titles(self.is_one_product());
        let mut sections: Vec<_> =
            KINDS.into_iter().zip(titles).map(|(kind, title)| (title, of_kind(kind))).collect();
        sections.push(("Not comparable".to_owned(), uncompared));
        let sum = KINDS.map(|kind| format!("{} {}", of_kind(kind).len(), word(kind))).join(", ");
        let [only_before, only_after] = self.reports.map(|report| only(report, &common));
        context! {
            intro => format!(
                "{} judged in both reports. Only these count here.",
                phrases::cases(common.len())
            ),
            sum => self.is_one_product().then_some(sum),
            sections => listed(sections),
            only_before,
            only_after,
        }
    }

    /// The headings of the lists for [`KINDS`]. `is_progress` is whether the later report can be
    /// better or worse than the earlier one.
    fn titles(&self, is_progress: bool) -> [String; 5] {
        let [from, to] = self.names;
        if is_progress {
            return ["New", "Wider", "Fixed", "Narrower", "Unchanged"].map(str::to_owned);
        }
        [
            format!("Only in {to}"),
            format!("In more cases of {to}"),
            format!("Only in {from}"),
            format!("In fewer cases of {to}"),
            "In as many cases of both".to_owned(),
        ]
    }

    fn row(&self, matched: &Match<'a>, tally: &Tally<'a>) -> Row<'a> {
        let mut row = self.named(matched, tally.numbers());
        for (cases, why) in [
            (&tally.hidden, "another failure can hide it in one of the reports"),
            (&tally.exempt, "the target declares it in one of the reports"),
        ] {
            if !cases.is_empty() {
                row.notes.push(format!("not counted: {}, {why}", phrases::cases(cases.len())));
            }
        }
        if tally.is_empty() {
            row.notes.push("none of its cases was judged in both reports".to_owned());
        }
        (row.gained, row.lost) = (tally.gained.clone(), tally.lost.clone());
        row
    }

    /// The row of a cause with these numbers of cases, without their ids.
    fn named(&self, matched: &Match<'a>, [old, new]: [usize; 2]) -> Row<'a> {
        let Match { before, after } = matched;
        let side = usize::from(!after.is_empty());
        let mut causes = after.iter().chain(before);
        let cause = causes.next().expect("a match has a cause");
        let others = causes.filter(|other| other.id != cause.id);
        let mut notes: Vec<_> = others.map(|other| format!("includes {}", other.id)).collect();
        if let (Some(was), Some(is)) = (worst(before), worst(after))
            && was != is
        {
            let name = self.names[usize::from(is == Weight::Warn)];
            notes.push(format!("only a warning for {name}"));
        }
        let sentence = format!("{} {}", self.names[side], cause.sentence());
        let warns = cause.weight == Weight::Warn;
        let extent = match (old, new) {
            (0, 0) => String::new(),
            _ if old == new => phrases::cases(new),
            _ => format!("{old} → {}", phrases::cases(new)),
        };
        Row { id: &cause.id, warns, sentence, extent, notes, gained: Vec::new(), lost: Vec::new() }
    }

    /// All causes with all their cases. A reduced report does not say which cases passed.
    fn whole(&self) -> Value {
        let mut lists = [const { Vec::new() }; KINDS.len()];
        for matched in self.matches() {
            let [before, after] = matched.cases().map(|cases| cases.len());
            let list = match before.cmp(&after) {
                _ if before == 0 => 0,
                Ordering::Less => 1,
                _ if after == 0 => 2,
                Ordering::Greater => 3,
                Ordering::Equal => 4,
            };
            let row = self.named(&matched, [before, after]);
            lists[list].push(Value::from(Serde(row)));
        }
        let intro = "A reduced report lacks the cases that did not fail, so it is not known which \
                     cases both reports judged. Each cause has the number of all its cases. One that \
                     only one report has need not be new or fixed: the other run may have skipped its \
                     cases.";
        context! { intro, sections => listed(self.titles(false).into_iter().zip(lists)) }
    }

    /// The requirements whose results differ.
    fn by_requirement(&self) -> Value {
        let [before, after] = self.reports;
        let row = |old: &Requirement| {
            let new = after.requirements().find(|new| new.code == old.code)?;
            let result = |it: &Requirement| (it.verdict, it.violated_in.len());
            let is_shown = (old.is_violated() || new.is_violated()) && result(old) != result(new);
            let cells = vec![cell(old, before), cell(new, after)];
            is_shown.then(|| context! { code => &new.code, sentence => &new.sentence, cells })
        };
        let unknown = self.reports.iter().zip(self.names).filter(|(report, _)| !has_causes(report));
        let unknown: Vec<_> = unknown.map(|(_, name)| name).collect();
        let intro = format!(
            "No causes are known for {}: earlier versions of Fallproof did not find them. \
             If the evidence of the run was kept, judging it again finds them. These are the \
             requirements with different results. The numbers count all cases of each report.",
            unknown.join(" and ")
        );
        let rows: Vec<_> = before.requirements().filter_map(row).collect();
        context! { intro, sections => Vec::<Value>::new(), requirements => rows }
    }
}

fn kind(matched: &Match<'_>, tally: &Tally<'_>) -> Option<Kind> {
    let [before, after] = tally.numbers();
    let is_changed = !tally.gained.is_empty() || !tally.lost.is_empty();
    match (before, after) {
        (0, 0) => None,
        (0, _) if matched.before.is_empty() => Some(Kind::New),
        (_, 0) if matched.after.is_empty() => Some(Kind::Fixed),
        _ if !is_changed => Some(Kind::Unchanged),
        _ if after < before => Some(Kind::Narrower),
        _ => Some(Kind::Wider),
    }
}

fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::New => "new",
        Kind::Wider => "wider",
        Kind::Fixed => "fixed",
        Kind::Narrower => "narrower",
        Kind::Unchanged => "unchanged",
    }
}

fn worst(causes: &[&Cause]) -> Option<Weight> {
    causes.iter().map(|cause| cause.weight).max()
}

/// The lists that are not empty.
fn listed(lists: impl IntoIterator<Item = (String, Vec<Value>)>) -> Vec<Value> {
    let lists = lists.into_iter().filter(|(_, rows)| !rows.is_empty());
    lists.map(|(title, rows)| context! { title, rows }).collect()
}

/// Ids of the cases that were judged only in this report. `common` holds those judged in both.
fn only(report: &Report, common: &Common<'_>) -> Vec<String> {
    let judged = report.cases.iter().filter(|case| case.is_judged());
    let only = judged.filter(|case| !common.contains_key(case.id.as_str()));
    only.map(|case| case.id.clone()).collect()
}

/// Requirements that are violated in neither report but have different results, e.g. first met and
/// then exempt.
fn declared([before, after]: [&Report; 2]) -> Vec<Value> {
    let is_fine = |compliance| {
        matches!(compliance, Compliance::Pass | Compliance::Declared | Compliance::Observed)
    };
    let changed = |old: &Requirement| {
        let new = after.requirements().find(|new| new.code == old.code)?;
        let is_changed = old.verdict != new.verdict && is_fine(old.verdict) && is_fine(new.verdict);
        is_changed.then(|| {
            let (before, after) = (old.verdict.word(), new.verdict.word());
            context! { code => &old.code, sentence => &new.sentence, before, after }
        })
    };
    before.requirements().filter_map(changed).collect()
}
