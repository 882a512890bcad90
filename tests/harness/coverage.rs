//! Coverage of the suite: some scenario must use each endpoint, surface, parameter and behavior of
//! the mocks.

use std::collections::{BTreeMap, BTreeSet};

use fallproof_mocks::behavior::{CutEnd, CutPoint, HeadFault, behavior_names};
use fallproof_mocks::provider::{Endpoint, Surface};
use fallproof_protocol::multipart;
use fallproof_strict as strict;
use fallproof_suite::scenario::{Body, Call, Deployment, Scenario};
use serde_json::Value;

use crate::common::SUITE;

/// Parameters that cannot succeed in a call to a chain of deployments, each with the reason.
const NOT_SENT: [(&str, &str); 1] = [(
    "previous_response_id",
    "it names a response that only the deployment that created it knows",
)];

/// The deployments that a call may be sent to, in order.
fn chain<'a>(scenario: &'a Scenario, call: &Call) -> Vec<&'a Deployment> {
    let chain = scenario.groups[&call.group].chain.iter();
    chain.map(|name| &scenario.deployments[name]).collect()
}

/// Every surface with every endpoint that it has.
fn routes() -> impl Iterator<Item = (Surface, Endpoint)> {
    Surface::ALL.into_iter().flat_map(|surface| {
        let endpoints = Endpoint::ALL.into_iter();
        endpoints.filter(move |it| it.is_on(surface)).map(move |endpoint| (surface, endpoint))
    })
}

/// The parameters of a call that every deployment of its chain accepts; empty if one rejects the
/// call.
fn accepted(call: &Call, chain: &[&Deployment]) -> Vec<String> {
    let body = call.body.rendered("group", "call");
    let takes = |deployment: &&Deployment| {
        let (surface, model) = (deployment.surface, deployment.model.as_str());
        if let Body::Form(_) = call.body {
            let fields = multipart::read(&body.content_type, &body.bytes);
            let fields = fields.expect("a generated form can be parsed");
            strict::check_form(surface, call.endpoint, model, &fields).is_none()
        } else {
            strict::check(surface, call.endpoint, model, &body.bytes).is_none()
        }
    };
    if !chain.iter().all(takes) {
        return Vec::new();
    }
    match &call.body {
        Body::Form(parts) => {
            let names = parts.iter().map(|part| part.name.trim_end_matches("[]").to_owned());
            names.chain(["model".to_owned()]).collect()
        }
        _ => match serde_json::from_slice(&body.bytes) {
            Ok(Value::Object(members)) => members.into_iter().map(|(name, _)| name).collect(),
            _ => Vec::new(),
        },
    }
}

fn parameters(surface: Surface, endpoint: Endpoint) -> BTreeSet<String> {
    let schema: Value =
        serde_json::from_str(strict::schema_text(surface, endpoint)).expect("a schema is JSON");
    let names = schema["properties"].as_object().expect("a schema has properties").keys();
    names.filter(|name| NOT_SENT.iter().all(|(it, _)| it != name)).cloned().collect()
}

#[test]
fn every_endpoint_is_primary_and_fallback_on_every_surface() {
    let (mut first, mut later) = (BTreeSet::new(), BTreeSet::new());
    for scenario in &SUITE.scenarios {
        for planned in scenario.calls() {
            let chain = chain(scenario, &planned.send);
            for (index, deployment) in chain.iter().enumerate().filter(|_| chain.len() > 1) {
                let met = if index == 0 { &mut first } else { &mut later };
                met.insert((deployment.surface, planned.send.endpoint));
            }
        }
    }
    let wanted: BTreeSet<_> = routes().collect();
    assert_eq!(first.intersection(&wanted).count(), wanted.len(), "{first:?}");
    assert_eq!(later.intersection(&wanted).count(), wanted.len(), "{later:?}");
}

#[test]
fn every_parameter_of_every_endpoint_is_sent_over_a_fallback() {
    let mut sent: BTreeMap<(Surface, Endpoint), BTreeSet<String>> = BTreeMap::new();
    for scenario in &SUITE.scenarios {
        for planned in scenario.calls() {
            let chain = chain(scenario, &planned.send);
            let accepted = accepted(&planned.send, &chain);
            for deployment in chain.iter().skip(1) {
                let route = (deployment.surface, planned.send.endpoint);
                sent.entry(route).or_default().extend(accepted.iter().cloned());
            }
        }
    }
    let mut lacking = Vec::new();
    for route @ (surface, endpoint) in routes() {
        let sent = sent.remove(&route).unwrap_or_default();
        for name in parameters(surface, endpoint).difference(&sent) {
            lacking.push(format!("{} {}: {name}", surface.name(), endpoint.path()));
        }
    }
    assert!(lacking.is_empty(), "parameters that no scenario sends: {lacking:#?}");
}

/// Parameters of some models only, with the prefixes of their names. No schema has these rules,
/// because nobody has seen a refusal.
const OF_SOME_MODELS: [(&str, &[&str]); 2] =
    [("prompt_cache_options", &["gpt-5.6"]), ("prompt_cache_retention", &["gpt-4.1", "gpt-5"])];

#[test]
fn the_parameters_of_the_prompt_cache_are_sent_to_models_that_have_them() {
    for scenario in &SUITE.scenarios {
        for planned in scenario.calls() {
            let body: Value =
                serde_json::from_str(&planned.send.body.for_model("")).unwrap_or_default();
            let used = OF_SOME_MODELS.iter().filter(|(name, _)| body.get(name).is_some());
            for (name, prefixes) in used {
                for Deployment { model, .. } in chain(scenario, &planned.send) {
                    let has_it = prefixes.iter().any(|prefix| model.starts_with(prefix));
                    assert!(has_it, "{}: {model} does not have {name}", scenario.id);
                }
            }
        }
    }
}

#[test]
fn every_behavior_is_used() {
    let played: BTreeSet<_> = SUITE
        .scenarios
        .iter()
        .flat_map(|scenario| scenario.deployments.values())
        .flat_map(|deployment| &deployment.script)
        .map(|behavior| behavior.reply.as_str())
        .collect();
    let all: BTreeSet<_> = behavior_names().collect();
    let lacking: Vec<_> = all.difference(&played).collect();
    assert!(lacking.is_empty(), "behaviors that no scenario uses: {lacking:?}");
}

#[test]
fn every_wire_fault_is_used() {
    let mut met = BTreeSet::new();
    for scenario in &SUITE.scenarios {
        let scripts = scenario.deployments.values().flat_map(|deployment| &deployment.script);
        for wire in scripts.map(|behavior| &behavior.wire) {
            if let Some(cut) = &wire.cut {
                let at = match cut.at {
                    CutPoint::BeforeHead => "before the head",
                    CutPoint::AfterHead => "after the head",
                    CutPoint::BodyBytes(_) => "in the body",
                    CutPoint::Events(_) => "between events",
                };
                let end = match cut.end {
                    CutEnd::Close => "close",
                    CutEnd::Reset => "reset",
                    CutEnd::Stall => "stall",
                };
                met.insert(format!("{end} {at}"));
            }
            met.extend(wire.head.map(|fault| match fault {
                HeadFault::Garbage => "garbage".to_owned(),
                HeadFault::ContentLengthOffBy(by) if by.is_positive() => "too long".to_owned(),
                HeadFault::ContentLengthOffBy(_) => "too short".to_owned(),
            }));
        }
    }
    // Faults before the head are named behaviors, checked above.
    for at in ["after the head", "in the body", "between events"] {
        for end in ["close", "reset", "stall"] {
            assert!(met.contains(&format!("{end} {at}")), "no scenario has the fault `{end} {at}`");
        }
    }
    for head in ["garbage", "too long", "too short"] {
        assert!(met.contains(head), "no scenario has the head fault `{head}`");
    }
}
