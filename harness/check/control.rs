//! CONTROL: what a client writes does not steer the gateway.

use serde_json::Value;

use super::header::OF_GATEWAYS;
use super::route::could_be_asked;
use super::{Finding, Findings};
use crate::observe::{Attempt, Ended, View};

const BY_BODY: &str = "FP-CONTROL-01";
const BY_HEADER: &str = "FP-CONTROL-02";
const CREDENTIAL: &str = "FP-CONTROL-03";

/// Body members that gateways take for their own, and that no provider's API has.
const MEMBERS: [&str; 37] = [
    "api_base",
    "api_key",
    "api_version",
    "base_url",
    "config",
    "content_policy_fallbacks",
    "context_window_fallbacks",
    "custom_host",
    "custom_llm_provider",
    "deployment_id",
    "disable_fallbacks",
    "extra_body",
    "extra_headers",
    "fallbacks",
    "litellm_call_id",
    "litellm_metadata",
    "litellm_params",
    "max_retries",
    "mock_response",
    "mock_testing_fallbacks",
    "model_group",
    "model_info",
    "model_list",
    "models",
    "num_retries",
    "order",
    "organization",
    "provider",
    "route",
    "router_settings",
    "routes",
    "specific_deployment",
    "targets",
    "tensorzero::variant_name",
    "transforms",
    "use_chat_completions_api",
    "user_config",
];

/// The same within `metadata`, where a provider takes any key.
const METADATA: [&str; 18] = [
    "api_base",
    "api_key",
    "attempted_fallbacks",
    "caching_groups",
    "deployment",
    "deployment_model_name",
    "fallbacks",
    "headers",
    "hidden_params",
    "litellm_parent_otel_span",
    "model_group",
    "model_group_size",
    "model_info",
    "num_retries",
    "previous_models",
    "route",
    "tags",
    "user_api_key",
];

/// Headers in which a client may have a key of its own; only `authorization` is for the gateway.
const KEY_HEADERS: [&str; 5] =
    ["api-key", "ocp-apim-subscription-key", "x-api-key", "x-goog-api-key", "x-provider-key"];

pub(super) fn check(view: View<'_>) -> Vec<Finding> {
    let mut findings = Findings::new(view);
    let body = serde_json::from_slice(&view.step.exchange.sent).unwrap_or(Value::Null);
    let member = steering_member(&body).map(|name| format!("`{name}` in the body"));
    let header = view
        .client_headers()
        .find(|(name, _)| OF_GATEWAYS.iter().any(|it| name.to_ascii_lowercase().starts_with(it)))
        .map(|(name, _)| format!("the header `{name}`"));
    if let Some(how) = another_way(view) {
        for (requirement, tried) in [(BY_BODY, member), (BY_HEADER, header)] {
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

/// Whether this pointer into a body is that of a member that gateways take for their own.
pub(super) fn is_for_gateways(pointer: &str) -> bool {
    pointer.strip_prefix('/').is_some_and(|name| MEMBERS.contains(&name))
}

fn steering_member(body: &Value) -> Option<String> {
    let top = MEMBERS.iter().find(|name| body.get(**name).is_some());
    let inner = || METADATA.iter().find(|name| body["metadata"].get(**name).is_some());
    top.map(|name| (*name).to_owned()).or_else(|| inner().map(|name| format!("metadata.{name}")))
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
    let next = (last.place + 1..chain.len())
        .find(|&place| could_be_asked(view, place, last.number + 1))?;
    hands_over(last).then(|| format!("{} was not asked", chain[next].upstream))
}

fn hands_over(attempt: &Attempt<'_>) -> bool {
    match attempt.ended() {
        Ended::Broken => !attempt.is_broken_refusal(),
        ended => matches!(ended, Ended::Error(408 | 429 | 500..=599)),
    }
}

/// The gateway's own key is AUTH's.
fn credential(findings: &mut Findings<'_>, body: &Value) {
    let view = findings.view;
    let in_headers = view
        .client_headers()
        .filter(|(name, _)| KEY_HEADERS.iter().any(|key| key.eq_ignore_ascii_case(name)))
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
                CREDENTIAL,
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
