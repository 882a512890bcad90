//! Checks that records are consistent with each other.

use std::collections::HashSet;

use fallproof_protocol::http1;
use fallproof_protocol::request_log::{RecordedRequest, RequestKind, Traffic};

use super::Header;
use super::error::{Inconsistency, Problem};
use crate::evidence::{CallEvidence, CaseResult, Ending, Evidence, Exchange};
use crate::plan::{Group, Plan};
use crate::scenario::{Scenario, Step, is_case_id, is_id};
use crate::secret;
use crate::text::is_printable;

/// Checks that the header of a run is valid.
pub(super) fn header(header: &Header) -> Result<(), Problem> {
    // People paste this command into a terminal.
    if !header.replay.chars().all(is_printable) {
        return Err(Problem::Header("a `replay` with characters that cannot be printed"));
    }
    if header.gateway_key.len() > secret::LONGEST {
        return Err(Problem::Header("a `gateway_key` of more than 4096 bytes"));
    }
    Ok(())
}

/// Checks that the scenario can be played.
pub(super) fn scenario(scenario: &Scenario) -> Result<(), Problem> {
    if !is_case_id(&scenario.id) {
        return Err(Problem::Id(scenario.id.clone()));
    }
    let wrong = |what: String| Problem::Unplayable(scenario.id.clone(), what);
    let names = scenario.groups.keys().chain(scenario.deployments.keys());
    if let Some(name) = names.clone().find(|name| !is_id(name)) {
        return Err(wrong(format!("no group or deployment can have the name `{name}`")));
    }
    for (name, group) in &scenario.groups {
        if group.chain.is_empty() {
            return Err(wrong(format!(
                "group `{name}` has an empty chain: expected at least one deployment"
            )));
        }
        if let Some(it) = group.deployments().find(|it| !scenario.deployments.contains_key(*it)) {
            return Err(wrong(format!("group `{name}` names the unknown deployment `{it}`")));
        }
    }
    for planned in scenario.calls() {
        let name = &planned.send.group;
        if !scenario.groups.contains_key(name) {
            return Err(wrong(format!("a call asks for the unknown group `{name}`")));
        }
        if !planned.send.body.is_playable() {
            return Err(wrong("a body has an invalid placeholder".to_owned()));
        }
    }
    match scenario.calls().next() {
        Some(_) => Ok(()),
        None => Err(wrong("it has no calls: expected at least one".to_owned())),
    }
}

/// Checks that the plan matches the scenarios. It must contain all groups of a scenario, or none.
pub(super) fn plan<'a>(
    plan: &Plan,
    scenario: impl Fn(&str) -> Option<&'a Scenario>,
) -> Result<(), Problem> {
    let mut seen = HashSet::new();
    for group in &plan.groups {
        if let Some(it) = group.deployments().find(|it| it.key.len() > secret::LONGEST) {
            let what = format!("the key of `{}` has more than {} bytes", it.name, secret::LONGEST);
            return Err(Problem::Plan(group.scenario.clone(), what));
        }
    }
    for groups in plan.groups.chunk_by(|one, other| one.scenario == other.scenario) {
        let id = &groups[0].scenario;
        let scenario = scenario(id).ok_or_else(|| Problem::NoScenario(id.clone()))?;
        let wrong = |what: String| Problem::Plan(id.clone(), what);
        if !seen.insert(id) {
            return Err(wrong("its groups are not adjacent".to_owned()));
        }
        if !groups.iter().map(|group| &group.name).eq(scenario.groups.keys()) {
            let names: Vec<_> = scenario.groups.keys().map(String::as_str).collect();
            return Err(wrong(format!("expected its groups: {}", names.join(", "))));
        }
        for (group, described) in groups.iter().zip(scenario.groups.values()) {
            if !group.deployments().map(|deployment| &deployment.name).eq(described.deployments()) {
                let names: Vec<_> = described.deployments().map(String::as_str).collect();
                let expected = names.join(", ");
                return Err(wrong(format!("expected in `{}`: {expected}", group.model)));
            }
        }
    }
    Ok(())
}

/// Checks that the evidence matches this scenario and the groups that the target was configured to
/// serve.
pub(super) fn case(
    scenario: &Scenario,
    groups: &[Group],
    evidence: &Evidence,
) -> Result<(), Inconsistency> {
    let CaseResult::Played(calls) = &evidence.result else { return Ok(()) };
    if groups.is_empty() {
        return Err(Inconsistency::NotPlanned);
    }
    let planned = scenario.steps.iter().enumerate().flat_map(|(position, step)| {
        let calls = match step {
            Step::Calls(calls) => calls.as_slice(),
            Step::Advance(_) => &[],
        };
        calls.iter().enumerate().map(move |(call, planned)| (position, call, &planned.send.group))
    });
    let made = calls.iter().map(|it| (it.position, it.call, &it.group));
    if let Some(call) = first_difference(planned, made) {
        return Err(Inconsistency::Call(call));
    }
    for (at, call) in calls.iter().enumerate() {
        self::call(groups, call).map_err(|wrong| wrong(at))?;
    }
    Ok(())
}

fn call(groups: &[Group], call: &CallEvidence) -> Result<(), fn(usize) -> Inconsistency> {
    let is_at = |recorded: &RecordedRequest, group: &Group| {
        recorded.prefix.as_deref().is_some_and(|prefix| group.deployment_at(prefix).is_some())
    };
    let own = groups.iter().find(|group| group.name == call.group);
    let is_stale_of =
        |group: &Group| call.stale.iter().all(|stale| group.deployment_at(&stale.prefix).is_some());
    let stale = call.stale.is_empty() || own.is_some_and(is_stale_of);
    let own = call.requests.iter().all(|recorded| own.is_some_and(|group| is_at(recorded, group)));
    let misdirected =
        call.misdirected.iter().all(|recorded| groups.iter().any(|group| is_at(recorded, group)));
    if !own
        || !stale
        || !misdirected
        || call.all_requests().any(|recorded| recorded.kind != RequestKind::Attempt)
    {
        return Err(Inconsistency::Attempt);
    }
    if !call.all_requests().all(is_of_its_head) {
        return Err(Inconsistency::Head);
    }
    let statuses = call.all_requests().filter_map(|recorded| recorded.status);
    if !statuses.into_iter().all(|status| (100..=599).contains(&status)) {
        return Err(Inconsistency::Status);
    }
    if !is_of_what_was_received(&call.exchange) {
        return Err(Inconsistency::Answer);
    }
    let mut traffic =
        call.all_requests().map(|recorded| &recorded.out).chain([&call.exchange.received]);
    if traffic.all(is_in_order) { Ok(()) } else { Err(Inconsistency::Pieces) }
}

/// Whether the parsed fields of a request match its head. In the head, the request target may have
/// a prefix.
fn is_of_its_head(recorded: &RecordedRequest) -> bool {
    http1::request_head(&recorded.head).ok().flatten().is_some_and(|head| {
        head.method == recorded.method
            && head.target.ends_with(&recorded.target)
            && head.headers == recorded.headers
    })
}

/// Whether the parsed fields of a response match the head that was received.
fn is_of_what_was_received(exchange: &Exchange) -> bool {
    let Exchange { status, headers, received, ending, .. } = exchange;
    let mut rest = received.bytes.as_slice();
    let head = loop {
        match http1::response_head(rest) {
            // Another head follows an interim response.
            Ok(Some(head)) if (100..200).contains(&head.status) => rest = &rest[head.length..],
            head => break head.ok().flatten(),
        }
    };
    match (status, head) {
        (Some(status), Some(head)) => *status == head.status && *headers == head.headers,
        (Some(_), None) => false,
        // If a head does not say where its body ends, none of its fields are recorded.
        (None, Some(_)) => {
            headers.is_empty() && matches!(ending, Ending::NotHttp(_) | Ending::TooLong)
        }
        (None, None) => headers.is_empty(),
    }
}

fn is_in_order(traffic: &Traffic) -> bool {
    traffic.pieces.is_sorted_by_key(|(_, end)| *end) && traffic.bytes.len() <= traffic.length()
}

/// The index of the first difference between two sequences, if they differ.
fn first_difference<T: PartialEq>(
    one: impl Iterator<Item = T>,
    other: impl Iterator<Item = T>,
) -> Option<usize> {
    let (mut one, mut other) = (one, other);
    (0..).find_map(|index| match (one.next(), other.next()) {
        (None, None) => Some(None),
        (one, other) if one == other => None,
        _ => Some(Some(index)),
    })?
}
