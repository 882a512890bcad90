//! ROUTE, too: the path and the API version that an attempt asks for.

use fallproof_mocks::provider::Surface;

use super::{Finding, Findings};
use crate::observe::{Attempt, View};
use crate::requirement::Code;

pub(super) fn check(view: View<'_>) -> Vec<Finding> {
    let mut findings = Findings::new(view);
    for attempt in view.attempts() {
        path(&mut findings, &attempt);
        version(&mut findings, &attempt);
    }
    findings.found
}

fn path(findings: &mut Findings<'_>, attempt: &Attempt<'_>) {
    // An endpoint that the provider lacks has no right path there.
    let has_one = findings.view.planned.send.endpoint.is_on(attempt.hop.surface());
    if has_one && attempt.hit.place.is_none() {
        let message = format!(
            "attempt {} asked {} ({}) for {}, which it does not have",
            attempt.number,
            attempt.hop.upstream,
            attempt.hop.vendor(),
            attempt.hit.target
        );
        findings.breach(Code::Route16, Some(attempt.number), None, message);
    }
}

fn version(findings: &mut Findings<'_>, attempt: &Attempt<'_>) {
    // Its newer paths, which each Azure host has too, have no versions.
    let (Some(wanted), Some((Surface::AzureLegacy, _))) =
        (&attempt.hop.api_version, attempt.hit.place)
    else {
        return;
    };
    let query = attempt.hit.target.split_once('?').map_or("", |(_, query)| query);
    let asked = query.split('&').find_map(|pair| pair.strip_prefix("api-version="));
    if asked != Some(wanted) {
        let message = format!(
            "attempt {} at {} asks for the API version {}; its deployment has {wanted}",
            attempt.number,
            attempt.hop.upstream,
            asked.unwrap_or("none")
        );
        findings.breach(Code::Route17, Some(attempt.number), None, message);
    }
}
