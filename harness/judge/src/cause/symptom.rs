//! Symptoms: violations of one requirement that look alike.

use std::collections::{BTreeMap, BTreeSet};

use fallproof_protocol::provider::{Endpoint, Surface};
use fallproof_suite::requirement::Code;

use super::CauseId;
use super::facts::{CUT_OFF, CallFacts, CaseFacts, FaultClass, Fingerprint, LARGE_EVENT};
use crate::violation::{Effect, Verdict};

/// A call of a run: index of the case, index of the call.
pub(super) type CallAt = (usize, usize);

/// A violation of a run: index of the case, index of the violation.
pub(super) type ViolationAt = (usize, usize);

/// How many times more often an endpoint must be hit than all others, to be a symptom of its own.
const APART: usize = 4;

/// A fault that shows in this share of the other endpoints' calls, or more, is general.
const GENERAL: usize = 10;

/// In how many cases an endpoint must be hit to be a symptom of its own.
const ENOUGH: usize = 3;

/// The most letters of a member's name in an id.
const MOST_LETTERS: usize = 40;

/// Violations of one requirement that look alike.
#[derive(Debug)]
pub(super) struct Symptom {
    pub(super) id: CauseId,
    /// The endpoint, if only one is meant.
    pub(super) endpoint: Option<Endpoint>,
    pub(super) violations: Vec<ViolationAt>,
    /// The calls with a violation.
    pub(super) hit: BTreeSet<CallAt>,
    /// The calls in which it could show, including those with a violation.
    pub(super) possible: BTreeSet<CallAt>,
    pub(super) verdict: Verdict,
    pub(super) effect: Option<Effect>,
    /// Whether it is so grave that it must not be hidden below a cause that rarely shows it.
    pub(super) is_grave: bool,
}

/// The fingerprints and facts of a run.
pub(super) struct Run<'a> {
    pub(super) cases: &'a [&'a CaseFacts],
}

impl<'a> Run<'a> {
    pub(super) fn fingerprint(&self, at: ViolationAt) -> &'a Fingerprint {
        &self.cases[at.0].fingerprints[at.1]
    }

    pub(super) fn call(&self, at: CallAt) -> Option<&'a CallFacts> {
        self.cases[at.0].calls.get(at.1)
    }

    pub(super) fn call_of(&self, at: ViolationAt) -> CallAt {
        (at.0, self.fingerprint(at).call)
    }

    fn calls(&self) -> impl Iterator<Item = (CallAt, &'a CallFacts)> {
        let calls = self.cases.iter().enumerate();
        calls.flat_map(|(case, facts)| {
            facts.calls.iter().enumerate().map(move |(call, it)| ((case, call), it))
        })
    }

    /// The calls with a failed attempt.
    pub(super) fn failing(&self) -> impl Iterator<Item = CallAt> {
        let calls = self.calls().filter(|(_, call)| call.faults().next().is_some());
        calls.map(|(at, _)| at)
    }

    /// The endpoints where a symptom shows.
    pub(super) fn endpoints(&self, symptom: &Symptom) -> BTreeSet<Endpoint> {
        symptom.hit.iter().filter_map(|at| self.call(*at)).map(|call| call.endpoint).collect()
    }

    /// Whether a symptom shows in nearly every case in which it could, at the endpoints where it does.
    pub(super) fn is_constant(&self, symptom: &Symptom) -> bool {
        let endpoints = self.endpoints(symptom);
        let is_there =
            |at: &&CallAt| self.call(**at).is_some_and(|it| endpoints.contains(&it.endpoint));
        let could: BTreeSet<_> =
            symptom.possible.iter().filter(is_there).map(|(case, _)| case).collect();
        symptom.cases().len() * 5 >= could.len() * 4
    }

    /// How attempts failed in the calls of a symptom.
    pub(super) fn faults(&self, symptom: &Symptom) -> BTreeSet<FaultClass> {
        symptom.hit.iter().filter_map(|at| self.call(*at)).flat_map(CallFacts::faults).collect()
    }

    /// The violations that count, by requirement. An expectation counts only if its case violates
    /// no requirement. What a call shows of the gateway's program counts only if the call violates
    /// no other requirement, and missing events only if there is a stream.
    fn violations(&self) -> BTreeMap<(Option<Code>, &'static str), Vec<ViolationAt>> {
        let mut by_requirement = BTreeMap::<_, Vec<_>>::new();
        for (case, facts) in self.cases.iter().enumerate() {
            let counts = |it: &&Fingerprint| it.verdict > Verdict::Note;
            let is_explained =
                facts.fingerprints.iter().filter(counts).any(|it| it.requirement.is_some());
            let effect = facts.fingerprints.iter().find_map(|it| it.effect);
            for (index, it) in facts.fingerprints.iter().enumerate().filter(|(_, it)| counts(it)) {
                let detail = match it.requirement {
                    None if is_explained => continue,
                    Some(Code::Leak06) if fails_otherwise(facts, it.call) => continue,
                    Some(code) if is_of_events(code) && is_no_stream(facts, it.call) => continue,
                    None => effect.map_or("", Effect::name),
                    Some(code) => detail(code, it),
                };
                by_requirement.entry((it.requirement, detail)).or_default().push((case, index));
            }
        }
        by_requirement
    }

    /// All symptoms of the run, in the order of the requirements.
    pub(super) fn symptoms(&self) -> Vec<Symptom> {
        let mut found = Vec::new();
        for ((requirement, detail), violations) in self.violations() {
            let id = CauseId { requirement, detail: detail.to_owned() };
            if requirement.is_some_and(is_about_members) {
                found.extend(self.by_member(&id, violations));
            } else if detail == OWN_FAILURE {
                found.extend(self.by_odd_member(&id, violations));
            } else if requirement.is_some_and(is_about_headers) {
                found.extend(self.by_subject(&id, &violations));
            } else if requirement.is_none_or(is_of_answer) && detail != LARGE_EVENT {
                let possible = self.possible(&violations, None);
                found.extend(self.by_endpoint(&id, violations, possible));
            } else {
                found.push(self.symptom_of(id, violations));
            }
        }
        found
    }

    /// One symptom for each member. If nearly every call with any of many members is hit, the
    /// target does not care which one it is, and they are all one symptom.
    pub(super) fn by_member(&self, id: &CauseId, violations: Vec<ViolationAt>) -> Vec<Symptom> {
        let member = |at: &ViolationAt| self.fingerprint(*at).member().unwrap_or_default();
        let names: BTreeSet<_> = violations.iter().map(member).collect();
        let hit = self.hit(&violations);
        let is_any = |call: &CallFacts| call.members.iter().any(|it| names.contains(it.as_str()));
        let with_any: BTreeSet<_> = self
            .possible(&violations, None)
            .into_iter()
            .filter(|at| self.call(*at).is_some_and(is_any))
            .collect();
        let hit_of_them = with_any.intersection(&hit).count();
        if names.len() >= 5 && hit_of_them * 2 >= with_any.len() {
            return vec![self.symptom(id.clone(), None, violations, with_any)];
        }
        let mut by_name = BTreeMap::<_, Vec<_>>::new();
        for at in &violations {
            by_name.entry(member(at)).or_default().push(*at);
        }
        let symptom = |(name, violations): (&str, Vec<_>)| {
            let id = id.with(&plain(name));
            let possible = self.possible(&violations, Some(name));
            self.symptom(id, None, violations, possible)
        };
        by_name.into_iter().map(symptom).collect()
    }

    /// One symptom for all endpoints, except those that are hit far more often than all others.
    fn by_endpoint(
        &self,
        id: &CauseId,
        mut violations: Vec<ViolationAt>,
        mut possible: BTreeSet<CallAt>,
    ) -> Vec<Symptom> {
        let endpoint = |at: CallAt| self.call(at).map(|call| call.endpoint);
        let mut found = Vec::new();
        while let Some(apart) = self.apart(&self.hit(&violations), &possible) {
            let (those, others) =
                (violations.into_iter()).partition(|at| endpoint(self.call_of(*at)) == Some(apart));
            let (could, others_could) =
                possible.into_iter().partition(|at| endpoint(*at) == Some(apart));
            let id = id.with(apart.path().trim_start_matches('/'));
            found.push(self.symptom(id, Some(apart), those, could));
            (violations, possible) = (others, others_could);
        }
        found.push(self.symptom(id.clone(), None, violations, possible));
        found
    }

    /// The endpoint that is hit most often in proportion, if that is far more often than all others.
    fn apart(&self, hit: &BTreeSet<CallAt>, possible: &BTreeSet<CallAt>) -> Option<Endpoint> {
        let count = |calls: &BTreeSet<CallAt>| {
            let mut counts = BTreeMap::<Endpoint, usize>::new();
            let endpoints = calls.iter().filter_map(|at| self.call(*at)).map(|it| it.endpoint);
            for endpoint in endpoints {
                *counts.entry(endpoint).or_default() += 1;
            }
            counts
        };
        let (hits, all) = (count(hit), count(possible));
        if hits.len() < 2 {
            return None;
        }
        let cases_at = |endpoint| {
            let there = |at: &&CallAt| self.call(**at).map(|it| it.endpoint) == Some(endpoint);
            hit.iter().filter(there).map(|(case, _)| case).collect::<BTreeSet<_>>().len()
        };
        let (hit_in_all, possible_in_all) = (hit.len(), possible.len());
        let is_apart = |(endpoint, hits): &(&Endpoint, &usize)| {
            let could = all.get(endpoint).copied().unwrap_or_default().max(**hits);
            let (others, others_could) = (hit_in_all - **hits, possible_in_all - could);
            // hits / could >= APART * others / others_could, without division. A fault that shows
            // often at the others, too, is not the endpoint's own.
            let is_general = others * GENERAL >= others_could;
            !is_general
                && cases_at(**endpoint) >= ENOUGH
                && **hits * others_could >= APART * others * could
        };
        let rate = |(endpoint, hits): &(&Endpoint, &usize)| {
            let could = all.get(endpoint).copied().unwrap_or_default().max(**hits);
            (**hits * 10_000 / could, **hits)
        };
        hits.iter().filter(is_apart).max_by_key(rate).map(|(endpoint, _)| *endpoint)
    }

    fn hit(&self, violations: &[ViolationAt]) -> BTreeSet<CallAt> {
        violations.iter().map(|at| self.call_of(*at)).collect()
    }

    /// The calls in which such violations could show: with an attempt that late in the call, at one
    /// of these surfaces, after one of these failures, and with this member.
    fn possible(&self, violations: &[ViolationAt], member: Option<&str>) -> BTreeSet<CallAt> {
        let hit = self.hit(violations);
        let attempts: Option<Vec<_>> =
            violations.iter().map(|at| self.fingerprint(*at).attempt).collect();
        let first = attempts.iter().flatten().min().copied();
        let surfaces: BTreeSet<Surface> = (violations.iter())
            .filter_map(|at| {
                let attempt = self.fingerprint(*at).attempt?;
                self.call(self.call_of(*at))?.attempts.get(attempt).map(|it| it.surface)
            })
            .collect();
        let faults = self.common_faults(&hit);
        let could = |call: &CallFacts| {
            let is_there = first.is_none_or(|first| {
                let mut later = call.attempts.iter().skip(first);
                later.any(|attempt| surfaces.is_empty() || surfaces.contains(&attempt.surface))
            });
            let fails = faults.is_empty() || call.faults().any(|fault| faults.contains(&fault));
            is_there && fails
        };
        let could: BTreeSet<_> =
            self.calls().filter(|(_, call)| could(call)).map(|(at, _)| at).collect();
        // A target can also add or change a member that the client did not send.
        let has = |at: &CallAt| {
            let mut names = self.call(*at).map(|call| call.members.iter()).into_iter().flatten();
            names.any(|name| Some(name.as_str()) == member)
        };
        let with_member: BTreeSet<_> = could.iter().copied().filter(has).collect();
        let is_of_member = with_member.intersection(&hit).count() * 2 >= hit.len();
        let could = if member.is_some() && is_of_member { with_member } else { could };
        could.into_iter().chain(hit).collect()
    }

    /// The failures that precede a violation: those that all these calls have, if there are any, or
    /// else all failures of the calls.
    fn common_faults(&self, hit: &BTreeSet<CallAt>) -> BTreeSet<FaultClass> {
        let calls = hit.iter().filter_map(|at| self.call(*at));
        let mut of_calls = calls.map(|call| call.faults().collect::<BTreeSet<_>>());
        let Some(first) = of_calls.next() else { return BTreeSet::new() };
        let (common, all) =
            of_calls.fold((first.clone(), first), |(common, all), it| (&common & &it, &all | &it));
        if common.is_empty() { all } else { common }
    }

    /// The number of calls to these endpoints with an attempt at another surface.
    pub(super) fn at_other_surfaces(
        &self,
        endpoints: &BTreeSet<Endpoint>,
        surfaces: &BTreeSet<Surface>,
    ) -> usize {
        let is_other = |call: &CallFacts| {
            endpoints.contains(&call.endpoint)
                && call.attempts.iter().any(|it| !surfaces.contains(&it.surface))
        };
        self.calls().filter(|(_, call)| is_other(call)).count()
    }

    /// A symptom at all endpoints.
    pub(super) fn symptom_of(&self, id: CauseId, violations: Vec<ViolationAt>) -> Symptom {
        let possible = self.possible(&violations, None);
        self.symptom(id, None, violations, possible)
    }

    fn symptom(
        &self,
        id: CauseId,
        endpoint: Option<Endpoint>,
        violations: Vec<ViolationAt>,
        possible: BTreeSet<CallAt>,
    ) -> Symptom {
        let hit = self.hit(&violations);
        let of = violations.iter().map(|at| self.fingerprint(*at));
        let verdict = of.clone().map(|it| it.verdict).max().unwrap_or(Verdict::Note);
        // Some expectations of a case say what it did, others what came of that.
        let is_expectation = id.requirement.is_none();
        let mut effects = BTreeMap::<_, usize>::new();
        for it in of.filter(|it| !is_expectation || it.effect.is_some()) {
            *effects.entry(it.effect).or_default() += 1;
        }
        let all: usize = effects.values().sum();
        let nearly_all = effects.into_iter().find(|(_, number)| number * 5 >= all * 4);
        let effect = nearly_all.and_then(|(effect, _)| effect);
        let is_grave =
            verdict == Verdict::Fail && violations.iter().any(|at| is_grave(self.fingerprint(*at)));
        Symptom { id, endpoint, violations, hit, possible, verdict, effect, is_grave }
    }
}

impl Symptom {
    /// The cases with a violation.
    pub(super) fn cases(&self) -> BTreeSet<usize> {
        self.hit.iter().map(|(case, _)| *case).collect()
    }
}

/// The name as part of an id. A target can invent any name.
pub(super) fn plain(name: &str) -> String {
    let is_plain = |it: char| it.is_ascii_alphanumeric() || matches!(it, '_' | '-' | '.');
    name.chars().take(MOST_LETTERS).map(|it| if is_plain(it) { it } else { '_' }).collect()
}

/// Whether a requirement is about single members of a request's body.
fn is_about_members(code: Code) -> bool {
    matches!(
        code,
        Code::Payload01 | Code::Payload02 | Code::Payload03 | Code::Payload05 | Code::Payload06
    )
}

/// Whether a requirement is about single headers.
fn is_about_headers(code: Code) -> bool {
    code.family() == "HEADER" || code == Code::Client12
}

/// Whether a requirement is about what comes of the attempts, which gateways often handle in one
/// place for each endpoint.
pub(super) fn is_of_answer(code: Code) -> bool {
    matches!(code.family(), "ROUTE" | "STREAM" | "CLIENT")
}

/// Whether a requirement is about what a provider gets.
pub(super) fn is_of_request(code: Code) -> bool {
    matches!(code.family(), "AUTH" | "PAYLOAD" | "HEADER" | "CONTROL")
}

/// Whether a requirement is about what a response shows of a gateway.
pub(super) fn is_leak(code: Code) -> bool {
    code.family() == "LEAK"
}

/// Whether the call violates a requirement about something else than what its response shows.
fn fails_otherwise(facts: &CaseFacts, call: usize) -> bool {
    facts.fingerprints.iter().any(|it| {
        it.call == call
            && it.verdict == Verdict::Fail
            && it.requirement.is_some_and(|code| !is_leak(code))
    })
}

/// Whether a requirement is about the events of a stream.
fn is_of_events(code: Code) -> bool {
    matches!(code, Code::Stream01 | Code::Stream07 | Code::Stream08 | Code::Stream15)
}

/// Whether the client got something else than a stream, so that all events are missing.
fn is_no_stream(facts: &CaseFacts, call: usize) -> bool {
    facts.fingerprints.iter().any(|it| {
        it.call == call && it.verdict == Verdict::Fail && it.requirement == Some(Code::Stream10)
    })
}

/// Whether the client gets no answer although there is one, or gets content of two attempts.
fn is_grave(fingerprint: &Fingerprint) -> bool {
    match fingerprint.requirement {
        Some(Code::Client11 | Code::Stream05 | Code::Stream06) => true,
        Some(Code::Client06) => fingerprint.kind == ANSWER_AS_ERROR,
        _ => false,
    }
}

/// The kind of a violation by a target that answers with an error although a deployment succeeded.
const ANSWER_AS_ERROR: &str = "answer-as-error";

/// The kind of a violation by a target that answers with an error and makes no attempt.
const OWN_FAILURE: &str = "own-failure";

/// What distinguishes violations of the same requirement from the beginning.
fn detail(code: Code, fingerprint: &Fingerprint) -> &'static str {
    match (code, fingerprint.kind) {
        (Code::Client05, kind @ ("error-as-text" | "error-as-page" | "empty-error"))
        | (Code::Client06, kind @ (OWN_FAILURE | ANSWER_AS_ERROR))
        | (Code::Client11, kind @ CUT_OFF)
        | (Code::Stream01, kind @ LARGE_EVENT)
        | (Code::Stream08 | Code::Stream12, kind) => kind,
        _ => "",
    }
}
