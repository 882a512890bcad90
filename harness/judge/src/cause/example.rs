//! What is said of a cause: its text, and the violation to look at.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::facts::{CallFacts, Fingerprint};
use super::symptom::{CallAt, Run, Symptom, ViolationAt};
use crate::violation::{Phrase, Subject};

impl Run<'_> {
    /// The most frequent phrase of a symptom's violations, with what such violations of all these
    /// symptoms are about, the most frequent first.
    pub(super) fn fault<'a>(
        &'a self,
        symptom: &'a Symptom,
        all: impl Iterator<Item = &'a Symptom>,
    ) -> String {
        let Some(phrase) = self.phrase(symptom) else { return String::new() };
        let alike = all.filter(|it| it.id.requirement == symptom.id.requirement);
        phrase.about(&most_frequent(alike.flat_map(|it| self.subjects(it, phrase))))
    }

    /// The simplest violation of the symptom: in the case with the fewest causes, calls and
    /// attempts, after the most frequent failures. `of` has the causes of each case.
    pub(super) fn example(&self, symptom: &Symptom, of: &[Vec<Option<usize>>]) -> ViolationAt {
        let phrase = self.phrase(symptom);
        let subjects = phrase.map(|phrase| most_frequent(self.subjects(symptom, phrase)));
        let root = subjects.unwrap_or_default().first().map(|it| it.root());
        let faults =
            |at: CallAt| self.call(at).into_iter().flat_map(CallFacts::faults).collect::<Vec<_>>();
        let mut often = BTreeMap::<_, usize>::new();
        for at in &symptom.hit {
            *often.entry(faults(*at)).or_default() += 1;
        }
        let simplicity = |at: &&ViolationAt| {
            let (case, violation) = **at;
            let facts = self.cases[case];
            let causes: BTreeSet<_> = of[case].iter().flatten().collect();
            let attempts: usize = facts.calls.iter().map(|call| call.attempts.len()).sum();
            let it = &facts.fingerprints[violation];
            let is_other = Some(&it.phrase) != phrase
                || it.subject.as_ref().map(Subject::root) != root
                || it.verdict != symptom.verdict;
            let like_it = often.get(&faults((case, it.call))).copied().unwrap_or_default();
            let size = (causes.len(), facts.calls.len(), attempts, facts.fingerprints.len());
            (is_other, size, Reverse(like_it), case, violation)
        };
        symptom.violations.iter().min_by_key(simplicity).copied().unwrap_or_default()
    }

    /// The most frequent phrase of a symptom's violations. Of a scenario's expectations, those count
    /// that say what the target did; the others say what came of that.
    fn phrase(&self, symptom: &Symptom) -> Option<&Phrase> {
        let is_expectation = symptom.id.requirement.is_none() && symptom.effect.is_some();
        let counts = |it: &&Fingerprint| !is_expectation || it.effect == symptom.effect;
        let all = symptom.violations.iter().map(|at| self.fingerprint(*at)).filter(counts);
        most_frequent(all.map(|it| &it.phrase)).first().copied()
    }

    /// What the violations of a symptom with this phrase are about.
    fn subjects<'a>(
        &'a self,
        symptom: &'a Symptom,
        phrase: &'a Phrase,
    ) -> impl Iterator<Item = &'a Subject> {
        let all = symptom.violations.iter().map(|at| self.fingerprint(*at));
        all.filter(|it| it.phrase == *phrase).filter_map(|it| it.subject.as_ref())
    }
}

/// Each of the items once, the most frequent first.
fn most_frequent<'a, T: Ord>(items: impl Iterator<Item = &'a T>) -> Vec<&'a T> {
    let mut counts = BTreeMap::<_, usize>::new();
    for item in items {
        *counts.entry(item).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(item, number)| (Reverse(*number), *item));
    counts.into_iter().map(|(item, _)| item).collect()
}
