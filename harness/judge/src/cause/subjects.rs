//! Splits the violations of a requirement by what they are about.

use std::collections::{BTreeMap, BTreeSet};

use fallproof_protocol::provider::Endpoint;

use super::CauseId;
use super::own_error::Sent;
use super::symptom::{Run, Symptom, ViolationAt, plain};
use crate::violation::Subject;

/// In how many cases a header must be hit before its endpoints say anything.
const ENOUGH: usize = 3;

/// The target does not care about the member if it fails at this many.
const MANY: usize = 5;

/// A header or query parameter with its violations.
struct OfSubject<'a> {
    name: &'a Subject,
    violations: Vec<ViolationAt>,
    endpoints: BTreeSet<Endpoint>,
}

impl Run<'_> {
    /// One symptom for the headers and query parameters that are hit at about the same endpoints,
    /// because gateways handle these in one place.
    pub(super) fn by_subject(&self, id: &CauseId, violations: &[ViolationAt]) -> Vec<Symptom> {
        let mut groups = self.alike(violations);
        let is_split = groups.len() > 1;
        // What is about no header comes with the most frequent one.
        let others = violations.iter().filter(|at| self.fingerprint(**at).subject.is_none());
        match groups.first_mut() {
            Some(first) => first.violations.extend(others),
            None => return vec![self.symptom_of(id.clone(), violations.to_vec())],
        }
        let symptom = |it: OfSubject<'_>| {
            let id = if is_split { id.with(&plain(it.name.name())) } else { id.clone() };
            self.symptom_of(id, it.violations)
        };
        groups.into_iter().map(symptom).collect()
    }

    /// One symptom for each odd member that the target fails at. If it fails at nearly the same type of
    /// value in many members, it does not care which member it is, and they are all one symptom.
    pub(super) fn by_odd_member(&self, id: &CauseId, violations: Vec<ViolationAt>) -> Vec<Symptom> {
        let members: BTreeSet<_> =
            violations.iter().filter_map(|at| self.fingerprint(*at).member()).collect();
        let mut types = BTreeMap::<_, usize>::new();
        for at in &violations {
            let error = self.call(self.call_of(*at)).and_then(|call| call.own_error.as_ref());
            if let Some(Sent::Odd(odd)) = error.and_then(|it| it.sent.as_ref())
                && let [only] = &**odd
            {
                *types.entry(only.value_type()).or_default() += 1;
            }
        }
        let is_one_type = types.values().any(|number| number * 5 >= violations.len() * 4);
        if members.len() >= MANY && is_one_type {
            return vec![self.symptom_of(id.clone(), violations)];
        }
        self.by_member(id, violations)
    }

    /// The subjects that are hit at about the same endpoints, the most frequent first; each group has
    /// the name of its most frequent subject.
    fn alike(&self, violations: &[ViolationAt]) -> Vec<OfSubject<'_>> {
        let mut by_name = BTreeMap::<_, Vec<_>>::new();
        for at in violations {
            if let Some(subject) = &self.fingerprint(*at).subject {
                by_name.entry(subject).or_default().push(*at);
            }
        }
        let mut subjects: Vec<_> = by_name.into_iter().collect();
        subjects.sort_by_key(|(name, violations)| (std::cmp::Reverse(violations.len()), *name));
        let mut groups = Vec::<OfSubject<'_>>::new();
        for (name, violations) in subjects {
            let calls = violations.iter().filter_map(|at| self.call(self.call_of(*at)));
            let endpoints: BTreeSet<_> = calls.map(|call| call.endpoint).collect();
            let cases: BTreeSet<_> = violations.iter().map(|(case, _)| case).collect();
            let fits = |group: &&mut OfSubject<'_>| {
                let common = group.endpoints.intersection(&endpoints).count();
                let all = group.endpoints.union(&endpoints).count();
                cases.len() < ENOUGH || common * 2 >= all
            };
            match groups.iter_mut().find(fits) {
                Some(group) => group.violations.extend(violations),
                None => groups.push(OfSubject { name, violations, endpoints }),
            }
        }
        groups
    }
}
