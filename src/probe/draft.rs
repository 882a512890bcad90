//! Derives capabilities from a target's responses to the probe.

use std::collections::{BTreeMap, BTreeSet};

use fallproof_protocol::condition::Condition;
use fallproof_protocol::json::error_message;
use fallproof_protocol::provider::{Endpoint, Surface};
use indexmap::IndexMap;

use fallproof_judge::{Case, Outcome, Verdict, Violation};
use fallproof_suite::capabilities::{Capabilities, Change, Rewrite};
use fallproof_suite::evidence::{CallEvidence, Ending, Inconclusive};
use fallproof_suite::feature::Feature;
use fallproof_suite::requirement::{Code, Level};
use fallproof_suite::scenario::Scenario;

/// Drafted capabilities, and remarks for the reviewer.
#[derive(Debug, Default)]
pub struct Draft {
    /// The capabilities that were detected.
    pub capabilities: Capabilities,
    /// Observations for the reviewer, one sentence each.
    pub remarks: Vec<String>,
}

/// Drafts capabilities from the results of the probe's scenarios.
pub fn draft<'a>(answers: impl IntoIterator<Item = (&'a Scenario, &'a Case)>) -> Draft {
    let mut draft = Draft::default();
    let answers: Vec<_> = answers.into_iter().collect();
    let about = |family: &str| {
        let family = family.to_owned();
        let of = move |(scenario, _): &&(&Scenario, &Case)| scenario.family() == family;
        answers.iter().filter(of).map(|(scenario, case)| (*scenario, *case)).collect::<Vec<_>>()
    };
    let endpoints = [about("endpoints"), about("forms")].concat();
    unsupported(&mut draft, &endpoints, Feature::Endpoint);
    unsupported(&mut draft, &about("streams"), Feature::Stream);
    remove_redundant(&mut draft.capabilities.unsupported);
    let failures = [about("statuses"), about("failures"), about("slow")].concat();
    fallback_on(&mut draft, &failures);
    cooldowns(&mut draft, &about("rests"));
    rewrites(&mut draft, &about("parameters"));
    let broken = about("broken-streams");
    not_claimed(&mut draft, &[failures, broken].concat());
    draft
}

type Answer<'a> = (&'a Scenario, &'a Case);

fn served(case: &Case) -> bool {
    let answered = |step: &CallEvidence| {
        !step.requests.is_empty() && step.exchange.status.is_some_and(|status| status < 400)
    };
    !case.evidence.calls().is_empty() && case.evidence.calls().iter().all(answered)
}

/// Why the target did not serve the call of a case, as a reason for the capabilities.
fn why_not(case: &Case) -> String {
    match &case.judgment.outcome {
        Outcome::Skipped(reason) => return reason.to_string(),
        Outcome::Inconclusive(Inconclusive::NotWired { status: Some(status), message, .. }) => {
            return answered(*status, message.clone());
        }
        _ => {}
    }
    let Some(step) = case.evidence.calls().first() else {
        return match &case.judgment.outcome {
            Outcome::Inconclusive(unclear) => unclear.to_string(),
            _ => "was not run".to_owned(),
        };
    };
    let exchange = &step.exchange;
    match exchange.status.filter(|_| exchange.ending == Ending::Complete) {
        Some(status) if status < 400 && step.requests.is_empty() => {
            format!("answered {status} without calling a deployment")
        }
        Some(status) => answered(status, error_message(&exchange.body)),
        None => exchange.ending.in_words(),
    }
}

fn answered(status: u16, message: Option<String>) -> String {
    match message {
        Some(message) => format!("answered {status}: {message}"),
        None => format!("answered {status}"),
    }
}

/// Marks an endpoint as unsupported if it works on no surface. If it works only on some surfaces,
/// adds a remark for each of the other surfaces.
fn unsupported(draft: &mut Draft, answers: &[Answer<'_>], feature: fn(Endpoint) -> Feature) {
    let mut by_endpoint = BTreeMap::<Endpoint, Vec<(Surface, &Case)>>::new();
    for (scenario, case) in answers {
        let Some(endpoint) = scenario.calls().next().map(|call| call.send.endpoint) else {
            continue;
        };
        let surface = scenario.deployments.values().next().map(|deployment| deployment.surface);
        by_endpoint.entry(endpoint).or_default().extend(surface.map(|surface| (surface, *case)));
    }
    for (endpoint, cases) in by_endpoint {
        let failed: Vec<_> = cases.iter().filter(|(_, case)| !served(case)).collect();
        if failed.len() == cases.len() {
            let why = failed.first().map_or_else(String::new, |(_, case)| why_not(case));
            draft.capabilities.unsupported.insert(feature(endpoint), why);
        } else {
            draft.remarks.extend(failed.iter().map(|(surface, case)| {
                format!("{} from {}: {}", feature(endpoint), surface.name(), why_not(case))
            }));
        }
    }
}

/// Removes the streams of endpoints that are unsupported altogether.
fn remove_redundant(unsupported: &mut IndexMap<Feature, String>) {
    let all: Vec<_> = unsupported.keys().copied().collect();
    unsupported.retain(|feature, _| match feature {
        Feature::Stream(endpoint) => !all.contains(&Feature::Endpoint(*endpoint)),
        _ => true,
    });
}

/// The failure that a scenario tests, derived from its id.
fn failure(scenario: &Scenario) -> Option<Condition> {
    match scenario.id.split_once('@') {
        None => Some(Condition::Timeout),
        Some(("statuses", status)) => status.parse().ok().map(Condition::Status),
        Some((_, "connection" | "connection-closed" | "connection-refused" | "garbage")) => {
            Some(Condition::Connection)
        }
        Some((_, "error-in-success")) => Some(Condition::ErrorInSuccess),
        Some((_, "cut-body" | "empty-body" | "broken-json" | "wrong-type")) => {
            Some(Condition::InvalidResponse)
        }
        Some(_) => None,
    }
}

fn fallback_on(draft: &mut Draft, answers: &[Answer<'_>]) {
    let mut seen = IndexMap::<String, (Condition, bool)>::new();
    let mut attempts = BTreeMap::<usize, Vec<String>>::new();
    for (scenario, case) in answers {
        let (Some(condition), Some(step)) = (failure(scenario), case.evidence.calls().first())
        else {
            continue;
        };
        let asked = |deployment: &str| {
            let of = |prefix: &&str| prefix.rsplit('/').next() == Some(deployment);
            step.requests
                .iter()
                .filter_map(|recorded| recorded.prefix.as_deref())
                .filter(of)
                .count()
        };
        seen.insert(scenario.id.clone(), (condition, asked("backup") > 0));
        let name = scenario.id.rsplit('@').next().unwrap_or_default();
        attempts.entry(asked("primary")).or_default().push(name.to_owned());
    }
    let kinds = [
        Condition::Connection,
        Condition::Timeout,
        Condition::InvalidResponse,
        Condition::ErrorInSuccess,
    ];
    let mut conditions = Vec::new();
    for kind in kinds {
        let of_kind: Vec<_> = seen.iter().filter(|(_, (it, _))| *it == kind).collect();
        let not: Vec<_> = of_kind.iter().filter(|(_, (_, led))| !led).collect();
        let is_mixed = !not.is_empty() && not.len() < of_kind.len();
        if is_mixed && kind == Condition::InvalidResponse {
            // The cases of this kind differ too much for one claim.
            let ids: Vec<_> = not.iter().map(|(id, _)| format!("`{id}`")).collect();
            let remark =
                format!("`fallback_on` leaves out `{kind}`: no fallback in {}", ids.join(", "));
            draft.remarks.push(remark);
        } else if !of_kind.is_empty() && not.len() < of_kind.len() {
            conditions.push(kind);
            draft.remarks.extend(
                not.iter().map(|(id, _)| format!("falls back on `{kind}`, but not in `{id}`")),
            );
        }
    }
    let statuses = seen.values().filter(|(it, led)| *led && matches!(it, Condition::Status(_)));
    conditions.extend(statuses.map(|(status, _)| *status));
    draft.capabilities.fallback_on = Some(folded(conditions, &seen));
    for (count, cases) in attempts.into_iter().filter(|(count, _)| *count > 1) {
        let cases = cases.join(" ");
        draft
            .remarks
            .push(format!("made {count} attempts at one deployment despite `retries: 0`: {cases}"));
    }
}

/// Replaces statuses with `4xx` or `5xx` if the target falls back on every status of that class.
fn folded(
    mut conditions: Vec<Condition>,
    seen: &IndexMap<String, (Condition, bool)>,
) -> Vec<Condition> {
    for any in [Condition::Any4xx, Condition::Any5xx] {
        let mut of_kind = seen.values().filter(|(condition, _)| any.covers(*condition)).peekable();
        if of_kind.peek().is_some() && of_kind.all(|(_, led)| *led) {
            conditions.retain(|condition| !any.covers(*condition));
            conditions.push(any);
        }
    }
    conditions
}

fn cooldowns(draft: &mut Draft, answers: &[Answer<'_>]) {
    const COOLDOWN: Code = Code::Route06;
    let asked_again: Vec<_> = answers
        .iter()
        .filter(|(_, case)| failing(case).any(|it| it.requirement == Some(COOLDOWN)))
        .map(|(scenario, _)| scenario.id.rsplit('@').next().unwrap_or_default())
        .collect();
    if !asked_again.is_empty() {
        let why = format!("calls the deployment again at once after {}", asked_again.join(" and "));
        draft.capabilities.waived.insert(COOLDOWN, why);
    }
}

fn failing(case: &Case) -> impl Iterator<Item = &Violation> {
    let is_judged = !matches!(case.judgment.outcome, Outcome::Inconclusive(_));
    let violations = case.judgment.violations.iter();
    violations.filter(move |violation| is_judged && violation.verdict == Verdict::Fail)
}

/// Drafts a rewrite for each member that is lost, added or changed at the first attempt. A change
/// that happens only at later attempts is a bug: it becomes a remark, and the cases still fail.
fn rewrites(draft: &mut Draft, answers: &[Answer<'_>]) {
    const PAYLOAD: [Code; 3] = [Code::Payload01, Code::Payload02, Code::Payload03];
    let mut seen = BTreeMap::<(Endpoint, String), (BTreeSet<Surface>, String)>::new();
    let mut later = BTreeMap::<(Endpoint, String), String>::new();
    for (scenario, case) in answers {
        let Some(endpoint) = scenario.calls().next().map(|call| call.send.endpoint) else {
            continue;
        };
        for violation in &case.judgment.violations {
            let (Some(code), Some(pointer), Some(attempt)) =
                (violation.requirement, &violation.pointer, violation.attempt)
            else {
                continue;
            };
            let calls = case.evidence.calls();
            let recorded =
                calls.get(violation.call).and_then(|call| call.requests.get(attempt - 1));
            let surface = recorded.and_then(|recorded| recorded.route).map(|(surface, _)| surface);
            if let (true, Some(surface)) = (PAYLOAD.contains(&code), surface) {
                let key = (endpoint, top(pointer));
                if attempt > 1 {
                    later.entry(key).or_insert_with(|| violation.to_string());
                    continue;
                }
                let entry =
                    seen.entry(key).or_insert_with(|| (BTreeSet::new(), violation.to_string()));
                entry.0.insert(surface);
            }
        }
    }
    later.retain(|key, _| !seen.contains_key(key));
    draft.remarks.extend(later.into_iter().map(|((endpoint, _), message)| {
        format!("{}: {message} (not at attempt 1)", endpoint.path())
    }));
    for ((endpoint, pointer), (surfaces, reason)) in seen {
        let every = surfaces.len() > 1;
        let surfaces: Vec<_> =
            if every { vec![None] } else { surfaces.into_iter().map(Some).collect() };
        draft.capabilities.rewrites.extend(surfaces.into_iter().map(|surface| Rewrite {
            pointer: pointer.clone(),
            change: Change::Any,
            endpoint: Some(endpoint),
            surface,
            reason: reason.clone(),
        }));
    }
}

/// Shortens a JSON pointer to the top-level member of the body.
fn top(pointer: &str) -> String {
    let name = pointer.trim_start_matches('/').split('/').next().unwrap_or_default();
    format!("/{name}")
}

/// Waives the policy requirements that the target violates.
fn not_claimed(draft: &mut Draft, answers: &[Answer<'_>]) {
    for (scenario, case) in answers {
        for violation in failing(case) {
            let Some(code) = violation.requirement else { continue };
            // Fallback conditions are covered by `fallback_on`.
            let is_covered = [Code::Route03, Code::Route04].contains(&code);
            if code.requirement().level == Level::Policy && !is_covered {
                let why = format!("{}: {violation}", scenario.id);
                draft.capabilities.waived.entry(code).or_insert(why);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_of_an_unsupported_endpoint_is_redundant() {
        let (gone, there) = (Endpoint::Completions, Endpoint::Responses);
        let features = [Feature::Endpoint(gone), Feature::Stream(gone), Feature::Stream(there)];
        let mut unsupported = features.map(|it| (it, "why".to_owned())).into_iter().collect();
        remove_redundant(&mut unsupported);
        let left: Vec<_> = unsupported.into_keys().collect();
        assert_eq!(left, [features[0], features[2]]);
    }
}
