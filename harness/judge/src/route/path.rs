//! `FP-ROUTE-16`: the path exists at the provider. `FP-ROUTE-17`: the API version is the one that
//! the deployment is configured with.

use fallproof_protocol::provider::Surface;
use fallproof_suite::requirement::Code;

use crate::collector::Collector;
use crate::observe::Attempt;
use crate::violation::RouteViolation::{NoSuchPath, WrongApiVersion};

pub(super) fn check(found: &mut Collector<'_>, attempts: &[Attempt<'_>]) {
    for attempt in attempts {
        path(found, attempt);
        version(found, attempt);
    }
}

fn path(found: &mut Collector<'_>, attempt: &Attempt<'_>) {
    // A provider that lacks the endpoint has no valid path for it.
    let has_path = found.view.planned.send.endpoint.is_on(attempt.deployment.surface());
    if has_path && attempt.recorded.route.is_none() {
        let (provider, target) =
            (attempt.deployment.surface_label(), attempt.recorded.target.clone());
        found.breach(Code::Route16, NoSuchPath { provider, target }).at(attempt);
    }
}

fn version(found: &mut Collector<'_>, attempt: &Attempt<'_>) {
    // Only the paths of Azure's dated API name a version. Its v1 paths exist on every Azure host.
    let Some((Surface::AzureLegacy, _)) = attempt.recorded.route else { return };
    let query = attempt.recorded.target.split_once('?').map_or("", |(_, query)| query);
    let asked = query.split('&').find_map(|pair| pair.strip_prefix("api-version="));
    let wanted = attempt.deployment.api_version.as_deref();
    if asked != wanted || wanted.is_none() {
        let [asked, wanted] = [asked, wanted].map(|version| version.map(str::to_owned));
        found.breach(Code::Route17, WrongApiVersion { asked, wanted }).at(attempt);
    }
}
