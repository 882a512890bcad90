//! The walk along a fallback chain.

use crate::attempt::{Answer, Call, Failure, Upstreams};
use crate::config::{Deployment, Group};
use crate::policy;

/// The first whole answer in the order of the chain, or the failure that ended the walk: the
/// first that does not fall back, else the last deployment's.
pub(crate) async fn walk(
    upstreams: &Upstreams,
    group: &Group,
    call: &Call,
) -> Result<Answer, Failure> {
    let falls_back =
        |failure: &Failure| group.fallback_on.iter().any(|condition| condition.covers(failure));

    let mut outcome = ask(upstreams, group, &group.primary, call).await;
    for fallback in &group.fallbacks {
        match &outcome {
            Err(failure) if falls_back(failure) => {
                outcome = ask(upstreams, group, fallback, call).await;
            }
            _ => break,
        }
    }
    outcome
}

/// Asks one deployment, and again while its failure may pass and retries are left.
async fn ask(
    upstreams: &Upstreams,
    group: &Group,
    deployment: &Deployment,
    call: &Call,
) -> Result<Answer, Failure> {
    let mut outcome = upstreams.attempt(deployment, call, group.timeout).await;
    for _ in 0..group.retries {
        match &outcome {
            Err(failure) if policy::may_pass(failure) => {
                outcome = upstreams.attempt(deployment, call, group.timeout).await;
            }
            _ => break,
        }
    }
    outcome
}
