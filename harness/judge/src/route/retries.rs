//! `FP-ROUTE-05`: no deployment gets more attempts than its retries allow. `FP-ROUTE-15`: a failure
//! that a retry cannot fix is not retried.

use std::time::Duration;

use fallproof_suite::requirement::Code;

use crate::collector::Collector;
use crate::observe::{Attempt, AttemptOutcome};
use crate::violation::RouteViolation::{RetriedAtOnce, RetriedRefusal, TooOften};
use crate::{cooldown_state, millis};

/// A retry is immediate if the wait before it is shorter than this.
const AT_ONCE: Duration = Duration::from_millis(250);

pub(super) fn check(found: &mut Collector<'_>, attempts: &[Attempt<'_>]) {
    too_often(found, attempts);
    hopeless(found, attempts);
}

fn too_often(found: &mut Collector<'_>, attempts: &[Attempt<'_>]) {
    let view = found.view;
    let retries = view.group.policy.retries;
    let most = retries as usize + 1;
    for (chain_index, deployment) in view.group.deployments().enumerate() {
        let times = attempts.iter().filter(|attempt| attempt.chain_index == chain_index).count();
        if times > most {
            let deployment = deployment.name.clone();
            found.breach(Code::Route05, TooOften { deployment, times, retries, most });
        }
    }
}

fn hopeless(found: &mut Collector<'_>, attempts: &[Attempt<'_>]) {
    for again in attempts {
        let mut before = attempts.iter().rev().skip_while(|it| it.number >= again.number);
        let Some(last) = before.find(|it| it.chain_index == again.chain_index) else { continue };
        let kind = match last.outcome() {
            AttemptOutcome::Error(status @ (401 | 403 | 404)) => RetriedRefusal { status },
            AttemptOutcome::Error(429) => {
                let ended = last.recorded.times.end.unwrap_or_default();
                let waited = again.recorded.times.head.saturating_sub(ended);
                let asked = cooldown_state::requested_wait(found.view, last);
                if waited >= asked.map_or(AT_ONCE, |asked| asked.min(AT_ONCE)) {
                    continue;
                }
                RetriedAtOnce { after_ms: millis(waited) }
            }
            _ => continue,
        };
        found.breach(Code::Route15, kind).at(again);
    }
}
