//! Which causes of two reports are the same.

use std::collections::BTreeSet;

use crate::model::Cause;

/// Causes of two reports that are the same fault. One report may split a cause that the other one
/// has whole. One of the two lists may be empty.
#[derive(Debug)]
pub(super) struct Match<'a> {
    pub(super) before: Vec<&'a Cause>,
    pub(super) after: Vec<&'a Cause>,
}

/// Matches the causes by id. One without a partner joins the cause that has a symptom and most cases
/// in common with it. Those of the later report come first.
pub(super) fn matches<'a>(before: &'a [Cause], after: &'a [Cause]) -> Vec<Match<'a>> {
    let by_id = |cause: &'a Cause| Match {
        before: before.iter().filter(|other| other.id == cause.id).collect(),
        after: vec![cause],
    };
    let mut all: Vec<_> = after.iter().map(by_id).collect();
    for cause in before.iter().filter(|it| !after.iter().any(|other| other.id == it.id)) {
        let best = all.iter_mut().max_by_key(|it| likeness(cause, &it.after));
        match best.filter(|it| likeness(cause, &it.after) > 0) {
            Some(found) => found.before.push(cause),
            None => all.push(Match { before: vec![cause], after: Vec::new() }),
        }
    }
    for index in 0..after.len() {
        if !all[index].before.is_empty() {
            continue;
        }
        let cause = &after[index];
        let best = all.iter_mut().max_by_key(|it| likeness(cause, &it.before));
        if let Some(found) = best.filter(|it| likeness(cause, &it.before) > 0) {
            found.after.push(cause);
            all[index].after.clear();
        }
    }
    all.retain(|it| !it.before.is_empty() || !it.after.is_empty());
    all
}

/// The number of cases that a cause has in common with the one of `others` that is most like it. 0
/// if none is the same: they need a common symptom, and half of the cases of the smaller one.
fn likeness(cause: &Cause, others: &[&Cause]) -> usize {
    let cases: BTreeSet<_> = cause.cases.iter().collect();
    let common = |other: &&Cause| {
        let common = other.cases.iter().filter(|case| cases.contains(case)).count();
        let is_same = other.symptoms.iter().any(|symptom| cause.resembles(symptom));
        let is_half = common * 2 >= cause.cases.len().min(other.cases.len());
        if is_same && is_half { common } else { 0 }
    };
    others.iter().map(common).max().unwrap_or_default()
}

impl Match<'_> {
    /// The ids of its cases in the earlier and in the later report.
    pub(super) fn cases(&self) -> [BTreeSet<&str>; 2] {
        [&self.before, &self.after].map(|causes| {
            causes.iter().flat_map(|cause| cause.cases.iter().map(String::as_str)).collect()
        })
    }
}
