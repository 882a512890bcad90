//! Judges the evidence of a case. Pure functions turn evidence into violations, and violations into
//! a verdict.
//!
//! Each family of requirements has a check in a module of the same name; large families have
//! submodules. For example, `route/cooldown.rs` checks `FP-ROUTE-06`; the table in `route.rs` lists
//! the submodule of each ROUTE requirement. Violations are data; the sentences that describe ROUTE
//! violations are in `violation/route.rs`. The checks use only what a black-box harness can observe
//! from outside a gateway.

mod auth;
mod cause;
mod choice;
mod claims;
mod client;
mod collector;
mod control;
mod cooldown_state;
mod delay;
mod excuse;
mod expectation;
mod header;
mod leak;
mod made_again;
mod names;
pub mod observe;
mod odd;
mod payload;
mod route;
mod stream;
#[cfg(test)]
mod testing;
mod verdict;
mod violation;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use fallproof_suite::evidence::{CaseResult, Evidence, TargetFacts};
use fallproof_suite::scenario::{self, Scenario};
use memchr::memmem;

pub use self::cause::{
    AttemptFacts, CallFacts, CaseFacts, Cause, CauseId, Causes, FaultClass, Fingerprint, OwnError,
    Scope, Sent, causes,
};
pub use self::claims::{Claim, Contradiction, Seen, Sighting, contradictions};
pub use self::excuse::Excuse;
pub use self::odd::OddMember;
pub use self::verdict::{Failure, Outcome};
pub use self::violation::{
    Alteration, AuthViolation, ChainDeviation, ClientViolation, CodingMisfit, ControlViolation,
    CooldownReason, Effect, ExpectationViolation, Failed, FalseStart, HeaderViolation,
    LeakViolation, PayloadViolation, Phrase, ProviderFailure, Restart, RouteViolation,
    StreamViolation, Subject, UnauthorizedClient, Unreadable, Verdict, Violation, ViolationKind,
};
use crate::collector::Collector;
use crate::observe::{ObservedCall, View};

/// A case that was run and judged.
#[derive(Debug)]
pub struct Case {
    /// The evidence of the run.
    pub evidence: Evidence,
    /// The judgment of the evidence.
    pub judgment: Judgment,
}

impl Case {
    /// Judges the evidence of this scenario. If a check panics, only this case ends with an error.
    pub fn new(scenario: &Scenario, target: TargetFacts<'_>, evidence: Evidence) -> Self {
        let judged = catch_unwind(AssertUnwindSafe(|| judge_case(scenario, target, &evidence)));
        let panicked = |_| Outcome::HarnessError("a check panicked on this evidence".to_owned());
        let judgment = judged.unwrap_or_else(|panic| Judgment::of(panicked(panic)));
        Self { evidence, judgment }
    }

    /// Creates a case that has no calls to judge, because it was not run or not completed.
    pub fn of(scenario: &Scenario, result: CaseResult) -> Self {
        let evidence = Evidence::without_calls(scenario, result);
        let judgment = Judgment::of(outcome_of(&evidence.result));
        Self { evidence, judgment }
    }
}

/// The verdict on a case, with its violations.
#[derive(Debug)]
pub struct Judgment {
    /// The verdict.
    pub outcome: Outcome,
    /// All violations, in the order of the calls.
    pub violations: Vec<Violation>,
    /// How the failure appeared to the client; `None` if the case did not fail.
    pub failure: Option<Failure>,
    /// Indexes of the calls that failed silently, in order.
    pub silent: Vec<usize>,
    /// What the case shows about the target's claims.
    pub claims: Vec<Sighting>,
    /// What the case contributes to the causes of the run.
    pub facts: CaseFacts,
}

impl Judgment {
    fn of(outcome: Outcome) -> Self {
        Self {
            outcome,
            violations: Vec::new(),
            failure: None,
            silent: Vec::new(),
            claims: Vec::new(),
            facts: CaseFacts::default(),
        }
    }
}

/// Judges the evidence of a case. This is a pure function: the same evidence gives the same
/// verdict.
pub fn judge_case(scenario: &Scenario, target: TargetFacts<'_>, evidence: &Evidence) -> Judgment {
    let CaseResult::Played(calls) = &evidence.result else {
        return Judgment::of(outcome_of(&evidence.result));
    };
    let observed: Vec<_> = calls.iter().map(ObservedCall::new).collect();
    let view = |(index, call): (usize, &'_ ObservedCall<'_>)| {
        let scenario::Step::Calls(planned) = scenario.steps.get(call.position)? else {
            return None;
        };
        let before = observed.iter().take_while(|it| it.position < call.position).count();
        Some(View {
            scenario,
            groups: target.groups,
            all_groups: target.all_groups,
            group: target.groups.iter().find(|group| group.name == call.group)?,
            gateway_key: target.gateway_key,
            started: target.started,
            capabilities: target.capabilities,
            planned: planned.get(call.call)?,
            index,
            observed: &observed[index],
            earlier: &observed[..before],
            wired: evidence.wired || reaches_mocks(&observed, &call.group),
        })
    };
    let views: Vec<_> = observed.iter().enumerate().filter_map(view).collect();
    let mut violations: Vec<_> = views.iter().copied().flat_map(judge).collect();
    let mut claims: Vec<_> = views.iter().copied().flat_map(claims::of_call).collect();
    claims.extend(claims::of_case(scenario, target.capabilities, &violations));
    made_again::excuse(&mut violations, calls);
    let unclear = delay::excuse(&mut violations, target.groups, calls, evidence.delay);
    let outcome = match unclear {
        Some(unclear) => Outcome::Inconclusive(unclear),
        None => verdict::verdict(scenario, &observed, &violations),
    };
    if outcome == Outcome::NotRobust {
        for violation in &mut violations {
            violation.verdict = Verdict::Note;
        }
    }
    let facts = CaseFacts {
        calls: views.iter().copied().map(cause::facts).collect(),
        fingerprints: violations.iter().map(Fingerprint::of).collect(),
    };
    let has_failed = outcome == Outcome::Fail;
    let silent = if has_failed { verdict::silent(&observed, &violations) } else { Vec::new() };
    let how = if silent.is_empty() { Failure::Honest } else { Failure::Silent };
    // A client that has disconnected cannot be told anything.
    let outlives =
        |it: &Violation| matches!(it.kind, ViolationKind::Stream(StreamViolation::OutlivesClient));
    let mut failures = violations.iter().filter(|it| it.verdict == Verdict::Fail);
    let failure = (has_failed && !failures.all(outlives)).then_some(how);
    Judgment { outcome, violations, failure, silent, claims, facts }
}

/// Whether any call of the case reached a deployment of this group.
fn reaches_mocks(calls: &[ObservedCall<'_>], group: &str) -> bool {
    calls.iter().any(|call| call.group == group && !call.requests.is_empty())
}

/// The outcome of a case that has no calls to judge.
fn outcome_of(result: &CaseResult) -> Outcome {
    match result {
        CaseResult::Played(_) => Outcome::Pass,
        CaseResult::Skipped(reason) => Outcome::Skipped(reason.clone()),
        CaseResult::Inconclusive(reason) => Outcome::Inconclusive(reason.clone()),
        CaseResult::HarnessError(message) => Outcome::HarnessError(message.clone()),
    }
}

/// Judges one call against every requirement and the scenario's expectations. Returns the
/// violations in the order of the requirements; missed expectations come last.
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
    let mut found = found.into_found();
    found.extend(expectation::check(view));
    found.sort_by_key(|violation| (violation.requirement.is_none(), violation.requirement));
    found
}

/// Whether the bytes contain the string; false for an empty string. Uses `memmem`, because the
/// bytes may be megabytes.
fn contains(bytes: &[u8], text: &str) -> bool {
    !text.is_empty() && memmem::find(bytes, text.as_bytes()).is_some()
}

/// Joins the items with commas. Returns "none" for an empty list.
fn list(items: &[impl ToString]) -> String {
    if items.is_empty() {
        return "none".to_owned();
    }
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// Puts each name in backticks and joins the names with commas. Returns "none" for an empty list.
fn quoted(names: &[String]) -> String {
    list(&names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>())
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
