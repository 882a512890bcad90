//! `FP-ROUTE-18`: an attempt on a stale connection is made again on a new one, or the call falls
//! back.

use fallproof_protocol::condition::Condition;
use fallproof_suite::evidence::Ending;
use fallproof_suite::requirement::Code;

use crate::collector::Collector;
use crate::observe::View;
use crate::violation::RouteViolation::{GaveUpOnStale, NotOnNewConnection};

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
        // The deployment is healthy, so the attempt can be made again even without a fallback.
        let kind = if falls_back(view) {
            GaveUpOnStale { deployment }
        } else {
            NotOnNewConnection { deployment }
        };
        found.breach(Code::Route18, kind);
    }
}

/// Whether the call can fall back after a connection failure: neither the group's policy nor the
/// target's declaration excludes it.
fn falls_back(view: View<'_>) -> bool {
    let policy = view.group.policy.fallback_on.as_deref();
    let conditions = policy.unwrap_or(view.capabilities.fallback_on());
    conditions.iter().any(|it| it.covers(Condition::Connection))
}
