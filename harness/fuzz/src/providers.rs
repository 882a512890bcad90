//! Computes the responses of a case's deployments, with the help of the mock providers.

use fallproof_mocks::provider_set::{self, Answer, MockDeployment, MockProviders};
use fallproof_protocol::behavior::{Behavior, WireFault};
use fallproof_protocol::marker::Marker;
use fallproof_protocol::provider::{Deployment, Endpoint, Names, Surface};
use fallproof_strict::Strength;
use fallproof_suite::scenario::DEFAULT_API_VERSION;

use super::case::{CaseDeployment, Request};

const KEY: &str = "the-key";
const PREFIX: &str = "/any/any";

/// The response of this deployment's provider to a call, according to this entry of its script.
pub(super) fn answer(
    deployment: &CaseDeployment,
    endpoint: Endpoint,
    request: &Request,
    scheduled: &Behavior,
) -> Answer {
    let providers = MockProviders::default();
    let mock = MockDeployment {
        prefix: PREFIX.to_owned(),
        deployment: Deployment {
            surface: deployment.acceptor.surface,
            model: deployment.acceptor.model.clone(),
            name: deployment.name.clone(),
            key: KEY.to_owned(),
        },
        names: Names::Own,
        script: vec![scheduled.clone()],
        repeat_last: false,
        marker: Marker::new(PREFIX),
    };
    providers.mount(mock).expect("the scripts of a case are valid");
    let bearer = format!("Bearer {KEY}");
    let headers = [
        ("content-type", b"application/json".as_slice()),
        ("authorization", bearer.as_bytes()),
        ("api-key", KEY.as_bytes()),
    ];
    let body = request.formatting.text(&request.body, &deployment.name);
    let target = target(deployment, endpoint);
    let request = provider_set::Request {
        method: "POST",
        target: &target,
        headers: &headers,
        body: body.as_bytes(),
    };
    providers.answer(PREFIX, &request).expect("the mock was mounted above")
}

/// Whether the provider accepts this call. Ignores rules that are documented but were not observed.
pub(super) fn accepts(deployment: &CaseDeployment, endpoint: Endpoint, request: &Request) -> bool {
    let violation = deployment.acceptor.violation(endpoint, &request.text());
    violation.is_none_or(|violation| violation.strength != Strength::Observed)
}

/// Whether this entry of a script is a success whose response arrives completely.
pub(super) fn is_complete_success(scheduled: &Behavior) -> bool {
    let wire = WireFault { write: scheduled.wire.write, ..WireFault::default() };
    let is_plain = *scheduled == Behavior { wire, ..Behavior::named(&scheduled.reply) };
    is_plain && ["ok", "refusal"].contains(&scheduled.reply.as_str())
}

/// Path and query of this endpoint at the deployment's provider.
fn target(deployment: &CaseDeployment, endpoint: Endpoint) -> String {
    let (path, version) = (endpoint.path(), DEFAULT_API_VERSION);
    match deployment.acceptor.surface {
        Surface::OpenAi => format!("/v1/{path}"),
        Surface::AzureV1 => format!("/openai/v1/{path}"),
        Surface::AzureLegacy => match endpoint {
            Endpoint::Responses | Endpoint::ResponsesCompact => {
                format!("/openai/{path}?api-version={version}")
            }
            _ => {
                let name = &deployment.name;
                format!("/openai/deployments/{name}/{path}?api-version={version}")
            }
        },
    }
}
