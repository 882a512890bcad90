//! The walk along a fallback chain.

use axum::response::Response;

use crate::attempt::HttpClient;
use crate::call::Call;
use crate::outcome::{Failure, Success, Unavailable};
use crate::policy;
use crate::provider_error::RefusalReason;
use crate::route::{Candidate, Route};

/// The first whole answer in the order of the chain, or the failure that ended the walk: the
/// first that does not fall back, else the last deployment's.
///
/// A stream is an answer once its first content is there; it goes on in the response's body.
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
    let mut detours: Vec<RefusalReason> = Vec::new();
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
            // The next one on a detour may still be large or lenient enough.
            Some(reason) if detours.contains(&reason) => {}
            Some(reason) if !route.detour(reason).is_empty() => {
                detours.push(reason);
                indexes = route.detour(reason).to_vec().into_iter();
            }
            _ if policy::falls_back(&route.group.fallback_on, &failure) => {}
            _ => return Err(failure),
        }
        last = Some(failure);
    }
    Err(last.unwrap_or_else(|| Failure::Unavailable(first_to_end(&skipped))))
}

/// Asks one deployment, and again while its failure may pass, retries are left, and it is not put
/// aside meanwhile.
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

/// When the first of these deployments gets calls again, and whether all have had too many.
fn first_to_end(skipped: &[Unavailable]) -> Unavailable {
    Unavailable {
        remaining: skipped.iter().map(|it| it.remaining).min().unwrap_or_default(),
        rate_limited: skipped.iter().all(|it| it.rate_limited),
    }
}
