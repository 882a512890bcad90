//! Walks the fallback chain.

use axum::response::Response;

use crate::attempt::HttpClient;
use crate::call::Call;
use crate::outcome::{Failure, Success, Unavailable};
use crate::policy;
use crate::provider_error::RefusalReason;
use crate::route::{Candidate, Route};

/// Returns the first success in chain order, or the failure that ended the call: the first failure
/// that does not cause a fallback or, if every failure does, the last failure.
///
/// A stream counts as a success once its first content arrives. The response body then forwards the
/// remaining events as they arrive.
pub(crate) async fn answer(
    http_client: &HttpClient,
    route: &Route,
    call: &Call,
) -> Result<Response, Failure> {
    let walk = walk(http_client, route, call);
    match route.group.total_timeout {
        Some(limit) => tokio::time::timeout(limit, walk).await.unwrap_or(Err(Failure::Timeout)),
        None => walk.await,
    }
}

async fn walk(http_client: &HttpClient, route: &Route, call: &Call) -> Result<Response, Failure> {
    let mut indexes = route.chain(call.previous_response_id()).into_iter();
    let mut used_special_chains: Vec<RefusalReason> = Vec::new();
    let mut skipped = Vec::new();
    let mut last = None;
    while let Some(index) = indexes.next() {
        let candidate = route.candidate(index);
        if let Some(unavailable) = candidate.health.unavailable() {
            skipped.push(unavailable);
            continue;
        }
        let failure = match ask(http_client, route, candidate, call).await {
            Ok(Success { response, response_id }) => {
                if let Some(id) = response_id {
                    route.affinity.remember(id, index);
                }
                return Ok(response);
            }
            Err(failure) => failure,
        };
        match failure.refusal_reason() {
            // The next deployment of a special chain may still accept the request.
            Some(reason) if used_special_chains.contains(&reason) => {}
            Some(reason) if !route.special_chain(reason).is_empty() => {
                used_special_chains.push(reason);
                indexes = route.special_chain(reason).to_vec().into_iter();
            }
            _ if policy::falls_back(&route.group.fallback_on, &failure) => {}
            _ => return Err(failure),
        }
        last = Some(failure);
    }
    Err(last.unwrap_or_else(|| Failure::Unavailable(first_to_come_back(&skipped))))
}

/// Sends an attempt to a deployment. Retries as long as the failure may be temporary, retries are
/// left, and the deployment is not cooling down.
async fn ask(
    http_client: &HttpClient,
    route: &Route,
    candidate: &Candidate,
    call: &Call,
) -> Result<Success, Failure> {
    let mut outcome = http_client.attempt(&route.group, candidate, call).await;
    for _ in 0..route.group.retries {
        match &outcome {
            Err(failure)
                if policy::may_pass(failure) && candidate.health.unavailable().is_none() =>
            {
                outcome = http_client.attempt(&route.group, candidate, call).await;
            }
            _ => break,
        }
    }
    outcome
}

/// When the first of these deployments is available again, and whether all of them are rate
/// limited.
fn first_to_come_back(skipped: &[Unavailable]) -> Unavailable {
    Unavailable {
        remaining: skipped.iter().map(|it| it.remaining).min().unwrap_or_default(),
        rate_limited: skipped.iter().all(|it| it.rate_limited),
    }
}
