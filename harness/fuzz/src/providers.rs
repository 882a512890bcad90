//! The providers behind a case's deployments, played by the mocks themselves: what each answers to
//! its next attempt.

use fallproof_mocks::brain::{self, Answer, Brain, Upstream};
use fallproof_protocol::marker::Marker;
use fallproof_protocol::provider::{Deployment, Endpoint, Names, Surface};
use fallproof_suite::scenario::DEFAULT_API_VERSION;

use super::case::{CaseDeployment, FuzzCase, Request, deployment_name};

const KEY: &str = "the-key";

/// The providers of one case. Each attempt uses up an entry of its deployment's script.
pub(super) struct Providers<'a> {
    case: &'a FuzzCase,
    brain: Brain,
}

impl<'a> Providers<'a> {
    /// Those of this case, at the start of their scripts.
    pub(super) fn new(case: &'a FuzzCase) -> Self {
        let brain = Brain::default();
        for (index, deployment) in case.chain.iter().enumerate() {
            let upstream = Upstream {
                prefix: prefix(index),
                deployment: Deployment {
                    surface: deployment.acceptor.surface,
                    model: deployment.acceptor.model.clone(),
                    name: deployment.name.clone(),
                    key: KEY.to_owned(),
                },
                names: Names::Own,
                script: deployment.script.clone(),
                repeat_last: true,
                marker: Marker::new("/any/any"),
            };
            brain.plug(upstream).expect("a case's scripts can be played");
        }
        Self { case, brain }
    }

    /// What the deployment at this index of the chain answers to this call.
    pub(super) fn answer(&self, chain_index: usize, request: &Request) -> Answer {
        let deployment = &self.case.chain[chain_index];
        let target = target(deployment, self.case.endpoint);
        let bearer = format!("Bearer {KEY}");
        let headers = [
            ("content-type", b"application/json".as_slice()),
            ("authorization", bearer.as_bytes()),
            ("api-key", KEY.as_bytes()),
        ];
        let body = request.formatting.text(&request.body, &deployment.name);
        let request = brain::Request {
            method: "POST",
            target: &target,
            headers: &headers,
            body: body.as_bytes(),
        };
        self.brain.answer(&prefix(chain_index), &request).expect("it was added above")
    }
}

fn prefix(chain_index: usize) -> String {
    format!("/case/{}", deployment_name(chain_index))
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
