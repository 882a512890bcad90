//! Groups symptoms into causes.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use fallproof_suite::requirement::Code;

use super::facts::{CallFacts, CaseFacts};
use super::symptom::{CallAt, Run, Symptom, ViolationAt, is_leak, is_of_answer, is_of_request};
use super::{Cause, Causes, Scope};
use crate::violation::Verdict;

/// Returns the causes of a run. `cases` are its judged cases.
pub fn causes(cases: &[&CaseFacts]) -> Causes {
    let run = Run { cases };
    let mut symptoms = run.symptoms();
    symptoms.sort_by_key(|it| {
        (Reverse(it.verdict), rank(it), Reverse(it.cases().len()), it.id.clone())
    });
    let follow = by_effect(&run, &symptoms);
    let mut groups = Vec::<Group>::new();
    for (index, symptom) in symptoms.iter().enumerate().filter(|it| !follow.contains_key(&it.0)) {
        let is_head = is_head(index, &follow, &symptoms);
        let cases = symptom.cases();
        if let Some(group) = explained_by(&run, symptom, is_head, &symptoms, &groups) {
            groups[group].symptoms.push(index);
        } else if let Some(group) = forgotten_with(&run, symptom, &symptoms, &groups) {
            groups[group].symptoms.push(index);
            groups[group].cases.extend(cases);
        } else {
            groups.push(Group { cases, symptoms: vec![index] });
        }
    }
    for index in follow.keys() {
        // What follows from no other symptom has a group of its own.
        let root = root(&follow, *index);
        if let Some(group) = groups.iter_mut().find(|group| group.symptoms.contains(&root)) {
            group.symptoms.push(*index);
        }
    }
    let groups = without_small(&run, &symptoms, groups);
    Grouping { run, symptoms, groups }.causes()
}

/// Whether much more follows from a symptom than its own cases show, because it is a general fault.
fn is_head(index: usize, follow: &BTreeMap<usize, usize>, symptoms: &[Symptom]) -> bool {
    let own = symptoms[index].cases();
    let followers = follow.iter().filter(|(_, head)| **head == index);
    let cases: BTreeSet<_> = followers.flat_map(|(it, _)| symptoms[*it].cases()).collect();
    cases.difference(&own).count() * 2 > own.len()
}

/// The symptom that a symptom follows from in the end. Each head shows in more calls than what
/// follows from it, or comes earlier, so there is an end.
fn root(follow: &BTreeMap<usize, usize>, mut index: usize) -> usize {
    while let Some(head) = follow.get(&index) {
        index = *head;
    }
    index
}

/// Merges a small group into a much larger one if the larger one contains nearly all cases of the
/// small one. The larger one is the general fault, even if its requirement comes later.
fn without_small(run: &Run<'_>, symptoms: &[Symptom], groups: Vec<Group>) -> Vec<Group> {
    let all: Vec<_> = groups.iter().map(|group| group.all_cases(symptoms)).collect();
    let first = |index: usize| &symptoms[groups[index].symptoms[0]];
    let larger = |index: usize| {
        let cases = &all[index];
        if !may_follow_from_a_later_one(first(index)) {
            return None;
        }
        let fits = |&other: &usize| {
            first(other).verdict >= first(index).verdict
                && !is_of_form(first(other))
                && !is_always_wrong(run, first(other))
                && all[other].len() >= cases.len() * MUCH_LARGER
                && all[other].intersection(cases).count() * 5 >= cases.len() * 4
        };
        (0..all.len()).filter(fits).max_by_key(|other| (all[*other].len(), Reverse(*other)))
    };
    let joins: Vec<_> = (0..groups.len()).map(larger).collect();
    // A group that is joined to another one cannot take a third one.
    let is_joined = |index: usize| joins[index].is_some_and(|to| joins[to].is_none());
    let mut joined: Vec<_> = groups.iter().map(|group| group.symptoms.clone()).collect();
    for index in (0..groups.len()).filter(|index| is_joined(*index)) {
        let symptoms = std::mem::take(&mut joined[index]);
        joined[joins[index].unwrap_or(index)].extend(symptoms);
    }
    let left = groups.into_iter().zip(joined).filter(|(_, symptoms)| !symptoms.is_empty());
    left.map(|(group, symptoms)| Group { symptoms, ..group }).collect()
}

/// Whether a symptom is about how an error is presented. Nothing else that goes wrong in a call
/// follows from that.
fn is_of_form(symptom: &Symptom) -> bool {
    symptom.id.requirement.is_some_and(|code| code == Code::Client05 || is_leak(code))
}

/// Whether a symptom may follow from a fault of a later requirement. The attempts of a call do not
/// follow from its answer, and a grave symptom must not be overlooked.
fn may_follow_from_a_later_one(symptom: &Symptom) -> bool {
    let is_of_route = |code: Code| code.family() == "ROUTE";
    let requirement = symptom.id.requirement;
    !symptom.is_grave && requirement.is_none_or(|code| is_of_answer(code) && !is_of_route(code))
}

/// How many times larger a group must be to take another one.
const MUCH_LARGER: usize = 6;

impl Group {
    fn all_cases(&self, symptoms: &[Symptom]) -> BTreeSet<usize> {
        self.symptoms.iter().flat_map(|index| symptoms[*index].cases()).collect()
    }
}

/// Symptoms with one cause. The first one is what the target does wrong, the others follow from it.
struct Group {
    /// The cases of the first symptom, and of others that are the same fault.
    cases: BTreeSet<usize>,
    /// The symptoms, by index.
    symptoms: Vec<usize>,
}

/// The order in which requirements explain each other: a request that was changed is refused, a
/// refused attempt leads to another route, and the route decides what the client gets.
fn rank(symptom: &Symptom) -> (usize, bool, Option<Code>) {
    const FAMILIES: [&str; 8] =
        ["AUTH", "PAYLOAD", "HEADER", "CONTROL", "ROUTE", "STREAM", "CLIENT", "LEAK"];
    let requirement = symptom.id.requirement;
    let family = requirement
        .and_then(|code| FAMILIES.iter().position(|family| *family == code.family()))
        .unwrap_or(FAMILIES.len());
    // A difference between attempts, or a body that is not valid, follows from the change itself.
    let follows = matches!(requirement, Some(Code::Payload05 | Code::Payload06));
    (family, follows, requirement)
}

/// The symptoms that show the same general fault as another one: a target that never falls back
/// violates each requirement that asks for a fallback. The head of an effect shows in at least a
/// fifth of the calls in which it could.
fn by_effect(run: &Run<'_>, symptoms: &[Symptom]) -> BTreeMap<usize, usize> {
    let mut follow = BTreeMap::new();
    let is_general = |it: &Symptom| {
        it.id.requirement.is_some()
            && it.verdict == Verdict::Fail
            && it.hit.len() * 5 >= it.possible.len()
    };
    let everywhere: Vec<_> =
        symptoms.iter().map(|it| is_general(it) && is_everywhere(run, symptoms, it)).collect();
    for (index, symptom) in symptoms.iter().enumerate() {
        let Some(effect) = symptom.effect else { continue };
        let endpoints = run.endpoints(symptom);
        let is_meant = |(at, head): &(usize, &Symptom)| {
            head.effect == Some(effect)
                && is_general(head)
                && (head.is_grave || !symptom.is_grave)
                && head.endpoint.is_none_or(|it| endpoints.iter().all(|endpoint| *endpoint == it))
                && (everywhere[*at] || shares_faults(run, head, symptom))
        };
        let heads = symptoms.iter().enumerate().filter(is_meant);
        let head = heads.max_by_key(|(index, head)| (head.hit.len(), Reverse(*index)));
        if let Some((head, _)) = head.filter(|(head, _)| *head != index) {
            follow.insert(index, head);
        }
    }
    follow
}

/// Whether the effect of a head shows in at least a fifth of the calls to its endpoint with a failed
/// attempt, whatever failed.
fn is_everywhere(run: &Run<'_>, symptoms: &[Symptom], head: &Symptom) -> bool {
    let endpoint = |at: &CallAt| run.call(*at).map(|call| call.endpoint);
    let is_there = |at: &CallAt| head.endpoint.is_none() || head.endpoint == endpoint(at);
    let failing: BTreeSet<_> = run.failing().filter(is_there).collect();
    let of_effect = symptoms.iter().filter(|it| {
        head.effect.is_some() && it.effect == head.effect && it.verdict == Verdict::Fail
    });
    let hit: BTreeSet<_> = of_effect.flat_map(|it| it.hit.intersection(&failing)).collect();
    hit.len() * 5 >= failing.len()
}

/// Whether nearly all calls of a symptom fail like those of the head. A target that does not fall
/// back after a broken answer may also lack a chain for prompts that are too long, but these are two
/// faults.
fn shares_faults(run: &Run<'_>, head: &Symptom, symptom: &Symptom) -> bool {
    let of_head = run.faults(head);
    let calls = symptom.hit.iter().filter_map(|at| run.call(*at));
    let fits = |call: &&CallFacts| {
        let mut faults = call.faults().peekable();
        faults.peek().is_none() || faults.any(|fault| of_head.contains(&fault))
    };
    calls.clone().filter(fits).count() * 5 >= calls.count() * 4
}

/// The group whose cases contain nearly all cases of a symptom, or nearly equal them. The head of an
/// effect is a general fault: it follows only from one with nearly the same cases.
fn explained_by(
    run: &Run<'_>,
    symptom: &Symptom,
    is_head: bool,
    symptoms: &[Symptom],
    groups: &[Group],
) -> Option<usize> {
    let cases = symptom.cases();
    let fits = |group: &Group| {
        let common = group.cases.intersection(&cases).count();
        let nearly_all = common * 5 >= cases.len() * 4;
        let nearly_equal = common * 10 >= group.cases.len() * 9 && common * 5 >= cases.len() * 3;
        let first = &symptoms[group.symptoms[0]];
        // What is in only a few of a group's cases says little about it, and must not be overlooked.
        let is_typical = !symptom.is_grave || common * 2 >= group.cases.len();
        let is_meant = is_typical && !is_of_form(first) && is_informative(run, symptom, first);
        let is_meant = is_meant && !(is_always_wrong(run, first) && common * 5 < group.cases.len());
        nearly_equal || !is_head && nearly_all && is_meant
    };
    // In per mille of all cases of the two.
    let likeness = |group: &Group| {
        let common = group.cases.intersection(&cases).count();
        common * 1000 / (group.cases.len() + cases.len() - common).max(1)
    };
    let fitting = groups.iter().enumerate().filter(|(_, group)| fits(group));
    fitting.rev().max_by_key(|(_, group)| likeness(group)).map(|(index, _)| index)
}

/// The group of a member that is lost wherever it is sent, if the symptom is another such member that
/// shows at no other endpoint: the target forwards only what it knows.
fn forgotten_with(
    run: &Run<'_>,
    symptom: &Symptom,
    symptoms: &[Symptom],
    groups: &[Group],
) -> Option<usize> {
    let is_forgotten =
        |it: &Symptom| it.id.requirement == Some(Code::Payload02) && run.is_constant(it);
    let endpoints = run.endpoints(symptom);
    let fits = |group: &Group| {
        let first = &symptoms[group.symptoms[0]];
        is_forgotten(first)
            && first.verdict == symptom.verdict
            && endpoints.is_subset(&run.endpoints(first))
    };
    is_forgotten(symptom).then(|| groups.iter().position(fits)).flatten()
}

/// Whether a symptom is about a route that is always wrong, for example one with the wrong API
/// version. It explains nothing that rarely shows.
fn is_always_wrong(run: &Run<'_>, symptom: &Symptom) -> bool {
    symptom.id.requirement.is_some_and(|code| code.family() == "ROUTE") && run.is_constant(symptom)
}

/// Whether it means anything that the first symptom occurs in the cases of the other one. Changes of
/// two parts of a request, its body and a header for example, are independent faults: if the first
/// occurs in nearly every case where the other could show, it is there by chance.
fn is_informative(run: &Run<'_>, symptom: &Symptom, first: &Symptom) -> bool {
    let family = |symptom: &Symptom| symptom.id.requirement.map(Code::family);
    if !symptom.id.requirement.is_some_and(is_of_request) || family(symptom) == family(first) {
        return true;
    }
    let endpoint = |at: &CallAt| run.call(*at).map(|call| call.endpoint);
    let endpoints = run.endpoints(symptom);
    let is_there = |at: &&CallAt| endpoint(at).is_some_and(|it| endpoints.contains(&it));
    let possible: Vec<_> = symptom.possible.iter().filter(is_there).collect();
    let with_first = possible.iter().filter(|at| first.hit.contains(at)).count();
    with_first * 4 <= possible.len() * 3
}

struct Grouping<'a> {
    run: Run<'a>,
    symptoms: Vec<Symptom>,
    groups: Vec<Group>,
}

impl Grouping<'_> {
    fn causes(&self) -> Causes {
        let mut of: Vec<Vec<Option<usize>>> =
            self.run.cases.iter().map(|case| vec![None; case.fingerprints.len()]).collect();
        for (index, group) in self.groups.iter().enumerate() {
            for (case, violation) in self.violations(group) {
                of[case][violation] = Some(index);
            }
        }
        self.assign_consequences(&mut of);
        let number = 0..self.groups.len();
        let mut all: Vec<_> = number.map(|index| (index, self.cause(index, &of))).collect();
        // The worst first.
        all.sort_by_key(|(_, cause)| {
            let is_expectation = cause.id.requirement.is_none();
            let level = cause.id.requirement.map(|code| code.requirement().level as u8);
            let size = cause.cases.len();
            (Reverse(cause.verdict), is_expectation, Reverse(size), level, cause.id.clone())
        });
        let mut position = vec![0; all.len()];
        for (to, (from, _)) in all.iter().enumerate() {
            position[*from] = to;
        }
        for cause in of.iter_mut().flatten().flatten() {
            *cause = position[*cause];
        }
        Causes { all: all.into_iter().map(|(_, cause)| cause).collect(), of }
    }

    fn violations(&self, group: &Group) -> impl Iterator<Item = ViolationAt> {
        group.symptoms.iter().flat_map(|index| self.symptoms[*index].violations.iter().copied())
    }

    /// What is no symptom of its own follows from a requirement that its case violates: in the same
    /// call, or else in an earlier one, or else in any. This holds for a missed expectation of a
    /// scenario, and for what a failed call shows of the gateway's program.
    fn assign_consequences(&self, of: &mut [Vec<Option<usize>>]) {
        for (facts, of) in self.run.cases.iter().zip(of) {
            for index in 0..of.len() {
                let it = &facts.fingerprints[index];
                if of[index].is_some() || it.verdict == Verdict::Note {
                    continue;
                }
                let others = facts.fingerprints.iter().zip(of.iter());
                let explains = others.filter_map(|(other, cause)| Some((other, (*cause)?)));
                let nearest = explains.min_by_key(|(other, _)| {
                    let distance = it.call.checked_sub(other.call).unwrap_or(usize::MAX);
                    (Reverse(other.verdict), distance)
                });
                of[index] = nearest.map(|(_, cause)| cause);
            }
        }
    }

    fn cause(&self, index: usize, of: &[Vec<Option<usize>>]) -> Cause {
        let group = &self.groups[index];
        let first = &self.symptoms[group.symptoms[0]];
        let is_of_cause = |(_, causes): &(usize, &Vec<_>)| causes.contains(&Some(index));
        let mut cases: Vec<_> =
            of.iter().enumerate().filter(is_of_cause).map(|(case, _)| case).collect();
        let (case, example) = self.run.example(first, of);
        cases.sort_by_key(|it| (*it != case, *it));
        let is_silent = |case: &&usize| {
            let facts = self.run.cases[**case];
            let mut violations = facts.fingerprints.iter().zip(&of[**case]);
            violations.any(|(it, cause)| {
                let call = facts.calls.get(it.call);
                *cause == Some(index) && call.is_some_and(|call| call.looks_like_success)
            })
        };
        let silent = cases.iter().filter(is_silent).count();
        let calls = cases.iter().flat_map(|case| self.calls_with(*case, index, &of[*case]));
        let scope = Scope::new(&self.run, first).without_contradicted(calls);
        let is_meant = |endpoint| scope.endpoints.is_empty() || scope.endpoints.contains(&endpoint);
        let possible = first
            .possible
            .iter()
            .filter(|at| self.run.call(**at).is_some_and(|call| is_meant(call.endpoint)));
        let could_show = possible.map(|(case, _)| *case).chain(cases.iter().copied());
        Cause {
            id: first.id.clone(),
            fault: self.run.fault(first, group.symptoms.iter().map(|it| &self.symptoms[*it])),
            verdict: first.verdict,
            could_show: could_show.collect::<BTreeSet<_>>().len(),
            scope,
            silent,
            follows: self.follows(index, first.id.requirement, of),
            symptoms: group.symptoms.iter().map(|it| self.symptoms[*it].id.clone()).collect(),
            cases,
            example,
        }
    }

    /// The calls of a case that show this cause.
    fn calls_with(
        &self,
        case: usize,
        cause: usize,
        of: &[Option<usize>],
    ) -> impl Iterator<Item = &CallFacts> {
        let facts = self.run.cases[case];
        let fingerprints = facts.fingerprints.iter().zip(of);
        let of_cause = fingerprints.filter(|(_, it)| **it == Some(cause)).map(|(it, _)| it.call);
        let calls: BTreeSet<_> = of_cause.collect();
        calls.into_iter().filter_map(|call| facts.calls.get(call))
    }

    fn follows(
        &self,
        index: usize,
        first: Option<Code>,
        of: &[Vec<Option<usize>>],
    ) -> Vec<(Option<Code>, usize)> {
        let mut cases = BTreeMap::<_, BTreeSet<usize>>::new();
        for (case, causes) in of.iter().enumerate() {
            let of_cause = self.run.cases[case].fingerprints.iter().zip(causes);
            for (it, _) in of_cause.filter(|(_, cause)| **cause == Some(index)) {
                cases.entry(it.requirement).or_default().insert(case);
            }
        }
        cases.remove(&first);
        let mut follows: Vec<_> = cases.into_iter().map(|(code, it)| (code, it.len())).collect();
        follows.sort_by_key(|(code, number)| (code.is_none(), Reverse(*number), *code));
        follows
    }
}
