//! CONTROL: what a client writes does not steer the gateway.

use serde_json::Value;

use super::names::{self, is_one_of};
use super::route::{could_be_asked, leads_on};
use super::{Finding, Findings};
use crate::observe::View;
use crate::requirement::Code;

pub(super) fn check(view: View<'_>) -> Vec<Finding> {
    let mut findings = Findings::new(view);
    let body = serde_json::from_slice(&view.step.exchange.sent).unwrap_or(Value::Null);
    let member = steering_member(&body).map(|name| format!("`{name}` in the body"));
    let header = view
        .client_headers()
        .find(|(name, _)| names::of_gateways().has_header(name))
        .map(|(name, _)| format!("the header `{name}`"));
    if let Some(how) = another_way(view) {
        for (requirement, tried) in [(Code::Control01, member), (Code::Control02, header)] {
            if let Some(tried) = tried {
                findings.breach(
                    requirement,
                    None,
                    None,
                    format!("with {tried} of the client, {how}"),
                );
            }
        }
    }
    credential(&mut findings, &body);
    findings.found
}

/// Whether a breach of this requirement is one although no provider was asked.
pub(super) fn holds_unasked(requirement: Code) -> bool {
    [Code::Control01, Code::Control02].contains(&requirement)
}

/// Whether this pointer into a body is that of a member that gateways take for their own.
pub(super) fn is_for_gateways(pointer: &str) -> bool {
    let members = &names::of_gateways().members;
    pointer.strip_prefix('/').is_some_and(|name| members.iter().any(|it| it == name))
}

fn steering_member(body: &Value) -> Option<String> {
    let names::OfGateways { members, metadata, .. } = names::of_gateways();
    let top = members.iter().find(|name| body.get(name.as_str()).is_some());
    let inner = || metadata.iter().find(|name| body["metadata"].get(name.as_str()).is_some());
    top.cloned().or_else(|| inner().map(|name| format!("metadata.{name}")))
}

/// How the call went another way than the chain has it. A gateway that refuses the
/// call by itself does no harm.
fn another_way(view: View<'_>) -> Option<String> {
    let chain = &view.group.chain;
    let attempts: Vec<_> = view.attempts().collect();
    let first_visible = (0..chain.len()).find(|&place| could_be_asked(view, place, 1))?;
    let (Some(first), Some(last)) = (attempts.first(), attempts.last()) else {
        let answered = view.step.exchange.status.is_some_and(|status| status < 300);
        return answered
            .then(|| "none of the chain was asked, and still it was answered".to_owned());
    };
    if first.place > first_visible {
        let (went, before) = (&first.hop.upstream, &chain[first_visible].upstream);
        return Some(format!("the call went to {went} before {before} was asked"));
    }
    let onward = leads_on(view, last).filter(|onward| onward.declared.is_none())?;
    let next = view.group.hops().nth(onward.next)?;
    Some(format!("{} was not asked", next.upstream))
}

/// The gateway's own key is AUTH's.
fn credential(findings: &mut Findings<'_>, body: &Value) {
    let view = findings.view;
    let in_headers = view
        .client_headers()
        .filter(|(name, _)| is_one_of(name, &names::headers().keys))
        .map(|(_, value)| value);
    let places = ["/api_key", "/litellm_params/api_key", "/metadata/api_key"];
    let in_body = places.iter().filter_map(|place| body.pointer(place)?.as_str());
    let keys: Vec<_> = in_headers.chain(in_body).filter(|key| !key.is_empty()).collect();
    for attempt in view.attempts() {
        let carried = |key: &&str| {
            let values =
                attempt.hit.headers.iter().map(|(_, value)| String::from_utf8_lossy(value));
            values.into_iter().any(|value| value.contains(key))
        };
        if keys.iter().any(carried) {
            findings.breach(
                Code::Control03,
                Some(attempt.number),
                None,
                format!(
                    "attempt {} at {} carries a key that the client sent along",
                    attempt.number, attempt.hop.upstream
                ),
            );
        }
    }
}
