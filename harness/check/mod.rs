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
mod payload;
mod place;
mod rest;
mod route;
mod stream;
mod unaltered;
mod verdict;

use memchr::memmem;

pub use self::verdict::{Failure, Outcome, Unclear};
use crate::declaration::Declaration;
use crate::observe::{Step, View};
use crate::plan::Group;
use crate::requirement::{Code, Level, Severity};
use crate::scenario::{self, Scenario};

/// One breach of a requirement, or of what the scenario itself expects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The requirement's code; `None` for an expectation of the scenario.
    pub requirement: Option<Code>,
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

/// What was found in a case, and what it comes to.
#[derive(Debug)]
pub struct Judged {
    /// The verdict.
    pub outcome: Outcome,
    /// Every breach found, call by call.
    pub findings: Vec<Finding>,
    /// Where it failed: whether the client could tell.
    pub failure: Option<Failure>,
}

/// Judges a case: every call that was made of the scenario, at a target that was configured with
/// these groups for it, says this of itself, and was given this key by its client. It is a pure
/// function: the same evidence gives the same verdict.
pub fn judge_case(
    scenario: &Scenario,
    groups: &[Group],
    declaration: &Declaration,
    gateway_key: &str,
    steps: &[Step],
) -> Judged {
    let view = |(index, step): (usize, &'_ Step)| {
        let scenario::Step::Calls(planned) = scenario.steps.get(step.position)? else {
            return None;
        };
        let before = steps.iter().take_while(|it| it.position < step.position).count();
        Some(View {
            scenario,
            groups,
            group: groups.iter().find(|group| group.name == step.group)?,
            gateway_key,
            declaration,
            planned: planned.get(step.call)?,
            index,
            step: &steps[index],
            earlier: &steps[..before],
        })
    };
    let findings: Vec<_> = steps.iter().enumerate().filter_map(view).flat_map(judge).collect();
    let outcome = verdict::verdict(scenario, steps, &findings);
    let failure = (outcome == Outcome::Fail).then(|| verdict::failure(steps, &findings));
    Judged { outcome, findings, failure }
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
    found.sort_by_key(|finding| (finding.requirement.is_none(), finding.requirement));
    found
}

/// Whether the text is somewhere in these bytes, which may be megabytes; the empty one is nowhere.
pub(crate) fn contains(bytes: &[u8], text: &str) -> bool {
    !text.is_empty() && memmem::find(bytes, text.as_bytes()).is_some()
}

/// Why the target does not claim all that the scenario was written to prove, where it does not.
fn unclaimed(view: View<'_>) -> Option<&str> {
    view.scenario.proves.iter().find_map(|&code| view.declaration.waives(code))
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
        requirement: Code,
        attempt: Option<usize>,
        pointer: Option<&str>,
        message: String,
    ) {
        self.declared_breach(requirement, attempt, pointer, message, None);
    }

    /// A breach that the target may declare, or have declared, as its way.
    fn declared_breach(
        &mut self,
        requirement: Code,
        attempt: Option<usize>,
        pointer: Option<&str>,
        message: String,
        declared: Option<String>,
    ) {
        let found = requirement.requirement();
        let level = found.level;
        let declared = declared.or_else(|| {
            let View { scenario, declaration, .. } = self.view;
            let is_its_own = scenario.proves.contains(&requirement);
            // What follows from a claim that is not made is no breach either.
            let follows = || unclaimed(self.view).filter(|_| !is_its_own);
            let waived = declaration.waives(requirement).or_else(follows)?;
            (level != Level::Invariant).then(|| waived.to_owned())
        });
        let verdict = match (declared.is_some(), level, found.severity) {
            (true, ..) | (_, Level::Observation, _) => Verdict::Note,
            (_, _, Severity::Should) => Verdict::Warn,
            (_, _, Severity::Must) => Verdict::Fail,
        };
        let finding = self.finding(Some(requirement), attempt, pointer, message, verdict);
        self.found.push(Finding { declared, ..finding });
    }

    fn add(
        &mut self,
        requirement: Option<Code>,
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
        requirement: Option<Code>,
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
