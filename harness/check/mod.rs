//! Checks: small pure functions from what was observed to violations.
//!
//! Each proves the requirements of one family, in a file of that name: `FP-ROUTE-06` is in
//! [`route`]. No check looks at anything that a black-box harness of an external gateway could not
//! see.

mod auth;
mod client;
mod collector;
mod control;
mod excuse;
mod expectation;
mod header;
mod leak;
mod names;
mod payload;
mod rest;
mod route;
mod stream;
#[cfg(test)]
mod testing;
mod verdict;
mod violation;

use std::time::Duration;

use memchr::memmem;

pub use self::auth::{AuthViolation, Stranger};
pub use self::client::{ClientViolation, ProviderFailure};
pub use self::control::{ControlViolation, OtherWay};
pub use self::excuse::{Excuse, Freedom};
pub use self::expectation::ExpectationViolation;
pub use self::header::HeaderViolation;
pub use self::leak::LeakViolation;
pub use self::payload::{PayloadViolation, Unlike, Unreadable};
pub use self::rest::Reason;
pub use self::route::{Failed, RouteViolation};
pub use self::stream::{Alteration, StreamViolation};
pub use self::verdict::{Failure, Inconclusive, Outcome};
pub use self::violation::{Verdict, Violation, ViolationKind};
use crate::declaration::Declaration;
use crate::observe::{Step, View};
use crate::plan::Group;
use crate::scenario::{self, Scenario};

/// What was found in a case, and what it comes to.
#[derive(Debug)]
pub struct Judged {
    /// The verdict.
    pub outcome: Outcome,
    /// Every breach found, call by call.
    pub violations: Vec<Violation>,
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
    let violations: Vec<_> = steps.iter().enumerate().filter_map(view).flat_map(judge).collect();
    let outcome = verdict::verdict(scenario, steps, &violations);
    let failure = (outcome == Outcome::Fail).then(|| verdict::failure(steps, &violations));
    Judged { outcome, violations, failure }
}

/// Judges one call by every requirement and by its expectations; in the order of the requirements,
/// expectations last.
fn judge(view: View<'_>) -> Vec<Violation> {
    let mut found: Vec<_> = [
        payload::check,
        route::check,
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
