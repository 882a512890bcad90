//! CONTROL: a client's request does not control the gateway.
//!
//! [`check`] checks `FP-CONTROL-01` and `02`; [`credential`] checks `03`.

#[cfg(test)]
mod tests;

use fallproof_suite::requirement::Code;
use serde_json::Value;

use super::collector::Collector;
use super::names::{self, is_one_of};
use super::route::{could_be_asked, required_fallback};
use crate::observe::View;
use crate::violation::{ChainDeviation, ControlViolation};

pub(super) fn check(found: &mut Collector<'_>) {
    let view = found.view;
    let body = serde_json::from_slice(&view.observed.exchange.sent).unwrap_or(Value::Null);
    if let Some(how) = deviation(view) {
        if let Some(member) = steering_member(&body) {
            let how = how.clone();
            found.breach(Code::Control01, ControlViolation::SteeredByBody { member, how });
        }
        let mut headers = view.client_headers().map(|(name, _)| name);
        if let Some(header) = headers.find(|name| names::of_gateways().has_header(name)) {
            let header = header.to_owned();
            found.breach(Code::Control02, ControlViolation::SteeredByHeader { header, how });
        }
    }
    credential(found, &body);
}

/// Whether this requirement can be violated without an attempt.
pub(super) fn holds_without_attempt(requirement: Code) -> bool {
    use Code::{Client14, Client15, Control01, Control02};
    [Control01, Control02, Client14, Client15].contains(&requirement)
}

/// Whether this pointer into a body refers to a top-level member that gateways interpret
/// themselves.
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

/// How the call departed from the fallback chain, if it did. A call that the gateway itself
/// rejected does not count.
fn deviation(view: View<'_>) -> Option<ChainDeviation> {
    let chain = &view.group.chain;
    let attempts: Vec<_> = view.attempts().collect();
    let first_visible =
        (0..chain.len()).find(|&chain_index| could_be_asked(view, chain_index, 1))?;
    let (Some(first), Some(last)) = (attempts.first(), attempts.last()) else {
        let answered = view.observed.exchange.status.is_some_and(|status| status < 300);
        return answered.then_some(ChainDeviation::NoAttempt);
    };
    if first.chain_index > first_visible {
        let (to, before) = (first.deployment.name.clone(), chain[first_visible].name.clone());
        return Some(ChainDeviation::PassedOver { to, before });
    }
    let fallback = required_fallback(view, last).filter(|fallback| fallback.excuse.is_none())?;
    let next = view.group.deployments().nth(fallback.next)?;
    Some(ChainDeviation::NotTried(next.name.clone()))
}

/// Checks that the headers of attempts do not contain an additional API key from the client's
/// headers or body. AUTH covers the client's gateway key.
fn credential(found: &mut Collector<'_>, body: &Value) {
    let view = found.view;
    let in_headers = view
        .client_headers()
        .filter(|(name, _)| is_one_of(name, &names::headers().keys))
        .map(|(_, value)| value);
    let pointers = ["/api_key", "/litellm_params/api_key", "/metadata/api_key"];
    let in_body = pointers.iter().filter_map(|pointer| body.pointer(pointer)?.as_str());
    let keys: Vec<_> = in_headers.chain(in_body).filter(|key| !key.is_empty()).collect();
    for attempt in view.attempts() {
        let carried = |key: &&str| {
            let values =
                attempt.recorded.headers.iter().map(|(_, value)| String::from_utf8_lossy(value));
            values.into_iter().any(|value| value.contains(key))
        };
        if keys.iter().any(carried) {
            found.breach(Code::Control03, ControlViolation::CarriesClientKey).at(&attempt);
        }
    }
}
