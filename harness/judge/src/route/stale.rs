//! `FP-ROUTE-18`: an attempt on a stale connection is made again on a new one, or the call falls
//! back.

use fallproof_suite::evidence::Ending;
use fallproof_suite::requirement::Code;

use crate::collector::Collector;
use crate::violation::RouteViolation::GaveUpOnStale;

/// A client that has disconnected needs no further attempt.
pub(super) fn check(found: &mut Collector<'_>) {
    let view = found.view;
    let Some(last) = view.observed.stale.iter().max_by_key(|stale| stale.seq) else { return };
    let is_tried_on = view.observed.requests.iter().any(|recorded| recorded.seq > last.seq);
    if is_tried_on || view.observed.exchange.ending == Ending::Disconnected {
        return;
    }
    if let Some((_, deployment)) = view.group.deployment_at(&last.prefix) {
        let deployment = deployment.name.clone();
        found.breach(Code::Route18, GaveUpOnStale { deployment });
    }
}
