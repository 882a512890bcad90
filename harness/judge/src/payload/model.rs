//! `FP-PAYLOAD-04`: the model of an attempt is named as its own deployment is.

use fallproof_protocol::json::Tree;
use fallproof_protocol::provider::Surface;
use fallproof_suite::requirement::Code;

use super::brief;
use crate::collector::Collector;
use crate::observe::Attempt;
use crate::violation::PayloadViolation;

pub(super) fn check(found: &mut Collector<'_>, attempt: &Attempt<'_>, received: &Tree) {
    let named = received.member("model").and_then(Tree::as_str);
    // On Azure's older paths the name stands there, and live requests do without `model`. Each Azure
    // host has them, whichever surface was configured.
    let in_path = attempt.recorded.target.contains("/openai/deployments/");
    let is_azure = attempt.deployment.surface() != Surface::OpenAi;
    if named.is_none()
        && is_azure
        && (in_path || attempt.deployment.surface() == Surface::AzureLegacy)
    {
        return;
    }
    // Where the path names the deployment, the body may have the model behind it.
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
