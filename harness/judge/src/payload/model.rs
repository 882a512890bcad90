//! `FP-PAYLOAD-04`: an attempt names the model of its own deployment.

use fallproof_protocol::json::Tree;
use fallproof_protocol::provider::Surface;
use fallproof_suite::requirement::Code;

use super::brief;
use crate::collector::Collector;
use crate::observe::Attempt;
use crate::violation::PayloadViolation;

pub(super) fn check(found: &mut Collector<'_>, attempt: &Attempt<'_>, received: &Tree) {
    let named = received.member("model").and_then(Tree::as_str);
    // Azure's legacy paths contain the deployment's name, and real requests to them omit `model`.
    // Every Azure host has these paths, whatever surface is configured.
    let in_path = attempt.recorded.target.contains("/openai/deployments/");
    let is_azure = attempt.deployment.surface() != Surface::OpenAi;
    if named.is_none()
        && is_azure
        && (in_path || attempt.deployment.surface() == Surface::AzureLegacy)
    {
        return;
    }
    // If the path contains the deployment's name, the body may name the deployment's model.
    let own_path = format!("/openai/deployments/{}/", attempt.deployment.deployment_name);
    if is_azure
        && attempt.recorded.target.contains(&own_path)
        && named.as_deref() == Some(attempt.deployment.model.as_str())
    {
        return;
    }
    if named.as_deref() != Some(attempt.deployment.deployment_name.as_str()) {
        let named = received.member("model").map_or_else(|| "nothing".to_owned(), Tree::compact);
        let wanted = attempt.deployment.deployment_name.clone();
        let kind = PayloadViolation::WrongModel { named: brief(&named), wanted };
        found.breach(Code::Payload04, kind).at(attempt).pointing("/model");
    }
}
