//! Judges the evidence of a case: small pure functions from what was seen to violations, and from
//! these to a verdict.
//!
//! Each check proves the requirements of one family, in a file of that name, and beside it are the
//! parts of a large one: `FP-ROUTE-06` is in `route/cooldown.rs`, which the table in `route.rs` says.
//! What a check finds is data, with its sentence in `violation/route.rs`. No check looks at anything
//! that a black-box harness of an external gateway could not see.

mod auth;
mod client;
mod collector;
mod control;
mod cooldown_state;
mod excuse;
mod expectation;
mod header;
mod leak;
mod names;
pub mod observe;
mod payload;
mod route;
mod stream;
#[cfg(test)]
mod testing;
mod verdict;
mod violation;

use std::time::Duration;

use fallproof_suite::evidence::{CaseResult, Evidence, TargetFacts};
use fallproof_suite::scenario::{self, Scenario};
use memchr::memmem;

pub use self::excuse::{Excuse, Freedom};
pub use self::verdict::{Failure, Outcome};
pub use self::violation::{
    Alteration, AuthViolation, ClientViolation, ControlViolation, ExpectationViolation, Failed,
    HeaderViolation, LeakViolation, OtherWay, PayloadViolation, ProviderFailure, Reason,
    RouteViolation, Stranger, StreamViolation, Unlike, Unreadable, Verdict, Violation,
    ViolationKind,
};
use crate::collector::Collector;
use crate::observe::{Step, View};

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
    /// Every violation, call by call.
    pub violations: Vec<Violation>,
    /// Where it failed: whether the client could tell.
    pub failure: Option<Failure>,
}

impl Judgment {
    fn of(outcome: Outcome) -> Self {
        Self { outcome, violations: Vec::new(), failure: None }
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
            started: target.started,
            capabilities: target.capabilities,
            planned: planned.get(step.call)?,
            index,
            step: &steps[index],
            earlier: &steps[..before],
        })
    };
    let violations: Vec<_> = steps.iter().enumerate().filter_map(view).flat_map(judge).collect();
    let outcome = verdict::verdict(scenario, calls, &violations);
    let failure = (outcome == Outcome::Fail).then(|| verdict::failure(calls, &violations));
    Judgment { outcome, violations, failure }
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

/// Judges one call by every requirement and by its expectations; in the order of the requirements,
/// expectations last.
fn judge(view: View<'_>) -> Vec<Violation> {
    let mut found = Collector::new(view);
    payload::check(&mut found);
    route::check(&mut found);
    stream::check(&mut found);
    auth::check(&mut found);
    header::check(&mut found);
    client::check(&mut found);
    control::check(&mut found);
    leak::check(&mut found);
    let mut found = found.found;
    found.extend(expectation::check(view));
    found.sort_by_key(|violation| (violation.requirement.is_none(), violation.requirement));
    found
}

/// Whether the text is somewhere in these bytes, which may be megabytes; the empty one is nowhere.
fn contains(bytes: &[u8], text: &str) -> bool {
    !text.is_empty() && memmem::find(bytes, text.as_bytes()).is_some()
}

/// The words of a list in a sentence.
fn list(items: &[impl ToString]) -> String {
    if items.is_empty() {
        return "none".to_owned();
    }
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
