//! Checks: small pure functions from what was observed to findings.
//!
//! Each check proves the requirements of one family. No check looks at anything that a black-box
//! harness of an external gateway could not see.

mod auth;
mod client;
mod control;
mod expectation;
mod header;
mod leak;
mod limit;
mod names;
pub mod observe;
mod payload;
mod place;
mod rest;
mod route;
mod stream;
mod unaltered;
mod verdict;

use memchr::memmem;

pub use self::verdict::{Failure, Outcome};
use crate::observe::{Step, View};
use fallproof_suite::evidence::{CaseResult, Evidence, TargetFacts};
use fallproof_suite::requirement::{self, Level, Severity};
use fallproof_suite::scenario::{self, Scenario};

/// One breach of a requirement, or of what the scenario itself expects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The requirement's code; `None` for an expectation of the scenario.
    pub requirement: Option<&'static str>,
    /// The call, as its place among the case's steps, from 0.
    pub step: usize,
    /// The attempt within the step, from 1.
    pub attempt: Option<usize>,
    /// Where in the attempt's body, as a JSON pointer.
    pub pointer: Option<String>,
    /// What is wrong, in one sentence.
    pub message: String,
    /// Whether it fails the target, only warns, or is no more than noted.
    pub verdict: Verdict,
    /// Why it is not held against the target, where it declares that it does so.
    pub declared: Option<String>,
}

/// What a finding means for the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Observed, or declared by the target: not held against it.
    Note,
    /// A SHOULD was not kept, or a rule that is only documented was broken.
    Warn,
    /// The target does not conform.
    Fail,
}

/// A case that was run and judged.
#[derive(Debug)]
pub struct Case {
    /// What was seen of it.
    pub evidence: Evidence,
    /// What that comes to.
    pub judgment: Judgment,
}

impl Case {
    /// Judges what was seen of this scenario.
    pub fn new(scenario: &Scenario, target: TargetFacts<'_>, evidence: Evidence) -> Self {
        let judgment = judge_case(scenario, target, &evidence);
        Self { evidence, judgment }
    }

    /// A case of which only this is known: it was not run, or not to its end.
    pub fn of(scenario: &Scenario, result: CaseResult) -> Self {
        let evidence = Evidence::without_calls(scenario, result);
        let judgment = Judgment::of(outcome_of(&evidence.result));
        Self { evidence, judgment }
    }
}

/// What a case comes to.
#[derive(Debug)]
pub struct Judgment {
    /// The verdict.
    pub outcome: Outcome,
    /// Every breach found, call by call.
    pub findings: Vec<Finding>,
    /// Where it failed: whether the client could tell.
    pub failure: Option<Failure>,
}

impl Judgment {
    fn of(outcome: Outcome) -> Self {
        Self { outcome, findings: Vec::new(), failure: None }
    }
}

/// Judges the evidence of a case. It is a pure function: the same evidence gives the same verdict.
pub fn judge_case(scenario: &Scenario, target: TargetFacts<'_>, evidence: &Evidence) -> Judgment {
    let CaseResult::Played(calls) = &evidence.result else {
        return Judgment::of(outcome_of(&evidence.result));
    };
    let steps: Vec<_> = calls.iter().map(Step::new).collect();
    let view = |(index, step): (usize, &'_ Step<'_>)| {
        let scenario::Step::Calls(planned) = scenario.steps.get(step.position)? else {
            return None;
        };
        let before = steps.iter().take_while(|it| it.position < step.position).count();
        Some(View {
            scenario,
            groups: target.groups,
            group: target.groups.iter().find(|group| group.name == step.group)?,
            gateway_key: target.gateway_key,
            declaration: target.declaration,
            planned: planned.get(step.call)?,
            index,
            step: &steps[index],
            earlier: &steps[..before],
        })
    };
    let findings: Vec<_> = steps.iter().enumerate().filter_map(view).flat_map(judge).collect();
    let outcome = verdict::verdict(scenario, calls, &findings);
    let failure = (outcome == Outcome::Fail).then(|| verdict::failure(calls, &findings));
    Judgment { outcome, findings, failure }
}

/// The outcome of a case that was not played.
fn outcome_of(result: &CaseResult) -> Outcome {
    match result {
        CaseResult::Played(_) => Outcome::Pass,
        CaseResult::Skipped(reason) => Outcome::Skipped(reason.clone()),
        CaseResult::Inconclusive(unclear) => Outcome::Inconclusive(unclear.clone()),
        CaseResult::HarnessError(words) => Outcome::HarnessError(words.clone()),
    }
}

/// Judges one step by every requirement and by its expectations; in the order of the requirements,
/// expectations last.
fn judge(view: View<'_>) -> Vec<Finding> {
    let mut found: Vec<_> = [
        payload::check,
        route::check,
        limit::check,
        place::check,
        stream::check,
        auth::check,
        header::check,
        client::check,
        control::check,
        leak::check,
        expectation::check,
    ]
    .into_iter()
    .flat_map(|check| check(view))
    .collect();
    let place = |code| requirement::all().iter().position(|requirement| requirement.code == code);
    found.sort_by_key(|finding| {
        finding.requirement.map_or(usize::MAX, |code| place(code).unwrap_or(0))
    });
    found
}

/// Whether the text is somewhere in these bytes, which may be megabytes; the empty one is nowhere.
pub(crate) fn contains(bytes: &[u8], text: &str) -> bool {
    !text.is_empty() && memmem::find(bytes, text.as_bytes()).is_some()
}

/// Why the target does not claim all that the scenario was written to prove, where it does not.
fn unclaimed(view: View<'_>) -> Option<&str> {
    view.scenario.proves.iter().find_map(|code| view.declaration.waives(code))
}

/// Collects the findings of one step.
struct Findings<'a> {
    view: View<'a>,
    found: Vec<Finding>,
}

impl<'a> Findings<'a> {
    fn new(view: View<'a>) -> Self {
        Self { view, found: Vec::new() }
    }

    /// A breach of a requirement, as hard as the requirement binds this target.
    fn breach(
        &mut self,
        requirement: &'static str,
        attempt: Option<usize>,
        pointer: Option<&str>,
        message: String,
    ) {
        self.declared_breach(requirement, attempt, pointer, message, None);
    }

    /// A breach that the target may declare, or have declared, as its way.
    fn declared_breach(
        &mut self,
        requirement: &'static str,
        attempt: Option<usize>,
        pointer: Option<&str>,
        message: String,
        declared: Option<String>,
    ) {
        let found = requirement::find(requirement);
        let level = found.map_or(Level::Invariant, |found| found.level);
        let declared = declared.or_else(|| {
            let View { scenario, declaration, .. } = self.view;
            let is_its_own = scenario.proves.iter().any(|code| code == requirement);
            // What follows from a claim that is not made is no breach either.
            let follows = || unclaimed(self.view).filter(|_| !is_its_own);
            let waived = declaration.waives(requirement).or_else(follows)?;
            (level != Level::Invariant).then(|| waived.to_owned())
        });
        let verdict = match (declared.is_some(), level, found.map(|found| found.severity)) {
            (true, ..) | (_, Level::Observation, _) => Verdict::Note,
            (_, _, Some(Severity::Should)) => Verdict::Warn,
            (_, _, Some(Severity::Must) | None) => Verdict::Fail,
        };
        let finding = self.finding(Some(requirement), attempt, pointer, message, verdict);
        self.found.push(Finding { declared, ..finding });
    }

    fn add(
        &mut self,
        requirement: Option<&'static str>,
        attempt: Option<usize>,
        pointer: Option<&str>,
        message: String,
        verdict: Verdict,
    ) {
        let finding = self.finding(requirement, attempt, pointer, message, verdict);
        self.found.push(finding);
    }

    fn finding(
        &self,
        requirement: Option<&'static str>,
        attempt: Option<usize>,
        pointer: Option<&str>,
        message: String,
        verdict: Verdict,
    ) -> Finding {
        Finding {
            requirement,
            step: self.view.index,
            attempt,
            pointer: pointer.map(str::to_owned),
            message,
            verdict,
            declared: None,
        }
    }
}
