//! The oracle: computes the expected attempts and outcome of each call from chain, policy and
//! scripts. It is pure and independent of the router's code.
//!
//! `providers` computes the answer of a deployment, and `attempt` computes how a gateway interprets
//! it. This module implements the recommended policy that the router's README describes.

#[cfg(test)]
mod tests;

use std::time::Duration;

use fallproof_protocol::condition::Condition;
use fallproof_protocol::json::Tree;
use fallproof_protocol::marker;
use fallproof_protocol::provider::Endpoint;
use fallproof_suite::plan::DEFAULT_TIMEOUT_MS;
use fallproof_suite::scenario::{Cooldown, DeadEnd, Expect};

use super::attempt::{AttemptFailure, AttemptOutcome, Wanted};
use super::case::{FuzzCase, Request, Step, deployment_name};
use super::providers::{accepts, answer, is_complete_success};

/// Longest cooldown that a provider can request.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(60);

/// The expectations for each call of this case, in order.
pub fn expect(case: &FuzzCase) -> Vec<Expect> {
    let mut router = Router {
        case,
        now: Duration::ZERO,
        deployments: case.chain.iter().map(|_| State::default()).collect(),
    };
    let mut expected = Vec::new();
    for step in &case.steps {
        match step {
            Step::Advance(by) => router.now += *by,
            Step::Call(request) => expected.push(router.call(request)),
        }
    }
    expected
}

/// Model of a correct router.
struct Router<'a> {
    case: &'a FuzzCase,
    now: Duration,
    deployments: Vec<State>,
}

/// State of a deployment.
#[derive(Debug, Default)]
struct State {
    attempts: usize,
    failures_in_a_row: u32,
    cooldown: Option<Until>,
}

/// A cooldown in progress.
#[derive(Debug, Clone, Copy)]
struct Until {
    end: Duration,
    rate_limited: bool,
}

impl Router<'_> {
    fn call(&mut self, request: &Request) -> Expect {
        let mut attempts = Vec::new();
        let mut cooldowns = Vec::new();
        let mut last = None;
        for index in 0..self.case.chain.len() {
            if let Some(cooldown) = self.deployments[index].cooldown_at(self.now) {
                cooldowns.push(cooldown);
                continue;
            }
            match self.ask(index, request, &mut attempts) {
                outcome @ (AttemptOutcome::Answer | AttemptOutcome::Part(_)) => {
                    // A partial response may be too short to hold the marker.
                    let has_marker = outcome == AttemptOutcome::Answer
                        && has_marker(self.case.endpoint, request);
                    return Expect {
                        attempts: Some(attempts),
                        status: Some(200),
                        answered_by: has_marker.then(|| deployment_name(index).to_owned()),
                        ..Expect::default()
                    };
                }
                AttemptOutcome::Failure(failure) => {
                    let triggers_fallback = failure.triggers_fallback();
                    last = Some(failure);
                    if !triggers_fallback {
                        break;
                    }
                }
            }
        }
        let status = match last {
            Some(failure) => failure.status(),
            None if cooldowns.iter().all(|cooldown| cooldown.rate_limited) => 429,
            None => 503,
        };
        Expect { attempts: Some(attempts), status: Some(status), ..Expect::default() }
    }

    /// Calls one deployment, and retries as long as a retry may succeed. Only attempts that can be
    /// observed are recorded in `attempts`.
    fn ask(
        &mut self,
        index: usize,
        request: &Request,
        attempts: &mut Vec<String>,
    ) -> AttemptOutcome {
        let FuzzCase { retries, cooldown, max_retry_after, .. } = *self.case;
        let most = max_retry_after.unwrap_or(MAX_RETRY_AFTER);
        let mut left = retries;
        loop {
            let outcome = self.attempt(index, request);
            if self.case.chain[index].dead_end().is_none() {
                attempts.push(deployment_name(index).to_owned());
            }
            let state = &mut self.deployments[index];
            let failure = match &outcome {
                AttemptOutcome::Answer => {
                    state.failures_in_a_row = 0;
                    return outcome;
                }
                AttemptOutcome::Part(failure) => {
                    state.failed(failure, cooldown, most, self.now);
                    return outcome;
                }
                AttemptOutcome::Failure(failure) => failure,
            };
            state.failed(failure, cooldown, most, self.now);
            if left == 0 || !failure.is_transient() || state.cooldown_at(self.now).is_some() {
                return outcome;
            }
            left -= 1;
        }
    }

    fn attempt(&mut self, index: usize, request: &Request) -> AttemptOutcome {
        let FuzzCase { chain, endpoint, timeout, .. } = self.case;
        let deployment = &chain[index];
        match deployment.dead_end() {
            Some(DeadEnd::Refusing) => {
                return AttemptOutcome::Failure(Condition::Connection.into());
            }
            Some(DeadEnd::Silent) => return AttemptOutcome::Failure(Condition::Timeout.into()),
            None => {}
        }
        let scheduled = deployment.scheduled(self.deployments[index].attempts);
        self.deployments[index].attempts += 1;
        // Do not generate the response if it is a complete success: it may be long.
        if is_complete_success(scheduled)
            && !asks_for_nothing(request)
            && accepts(deployment, *endpoint, request)
        {
            return AttemptOutcome::Answer;
        }
        let answer = answer(deployment, *endpoint, request, scheduled);
        let timeout = timeout.unwrap_or(Duration::from_millis(DEFAULT_TIMEOUT_MS));
        AttemptOutcome::of(answer, Wanted::by(request, *endpoint), timeout)
    }
}

impl State {
    fn cooldown_at(&self, now: Duration) -> Option<Until> {
        self.cooldown.filter(|cooldown| cooldown.end > now)
    }

    fn failed(
        &mut self,
        failure: &AttemptFailure,
        policy: Option<Cooldown>,
        most: Duration,
        now: Duration,
    ) {
        if !failure.triggers_fallback() {
            return;
        }
        self.failures_in_a_row += 1;
        let kept_failing = policy.filter(|policy| self.failures_in_a_row >= policy.after_failures);
        let kept_failing = kept_failing.map_or(Duration::ZERO, |policy| policy.duration);
        let asked_for = match failure.kind {
            Condition::Status(429 | 503) => failure.retry_after.min(most),
            _ => Duration::ZERO,
        };
        let end = now + kept_failing.max(asked_for);
        // A cooldown in progress is never shortened.
        if self.cooldown.is_none_or(|cooldown| cooldown.end.max(now) < end) {
            let rate_limited = failure.kind == Condition::Status(429);
            self.cooldown = Some(Until { end, rate_limited });
        }
    }
}

impl AttemptFailure {
    /// Whether the failure is the deployment's fault, so that the router falls back.
    fn triggers_fallback(&self) -> bool {
        Condition::RECOMMENDED.iter().any(|condition| condition.covers(self.kind))
    }

    /// Whether an immediate retry at the same deployment may succeed.
    fn is_transient(&self) -> bool {
        match self.kind {
            Condition::Status(408 | 409 | 500..=599) => self.retry_after.is_zero(),
            Condition::Status(_) => false,
            _ => true,
        }
    }

    /// The status that the client gets if this is the last failure of its call.
    fn status(&self) -> u16 {
        match self.kind {
            // The operator made a mistake, not the client.
            Condition::Status(401 | 403 | 404) => 502,
            Condition::Status(status) => status,
            Condition::Timeout => 504,
            _ => 502,
        }
    }
}

/// Whether the response certainly contains its deployment's marker. The marker may be missing if
/// the response is a short vector, if the request has no prompts, or if the client defines the
/// format of the response. The marker is also missing from a legacy function call, which has no id
/// that could hold it.
fn has_marker(endpoint: Endpoint, request: &Request) -> bool {
    let dimensions = request.member("dimensions").map(Tree::compact);
    let dimensions = dimensions.and_then(|dimensions| dimensions.parse::<usize>().ok());
    let is_short = dimensions.is_some_and(|it| it < marker::NUMBERS);
    let chat = matches!(endpoint, Endpoint::ChatCompletions | Endpoint::Responses);
    let forms = ["response_format", "text", "function_call"];
    let has_a_form = chat && forms.iter().any(|name| request.member(name).is_some());
    !(asks_for_nothing(request) || has_a_form || endpoint == Endpoint::Embeddings && is_short)
}

/// Whether the request has an empty list of prompts, so that there is nothing to answer.
fn asks_for_nothing(request: &Request) -> bool {
    matches!(request.member("prompt"), Some(Tree::Array(prompts)) if prompts.is_empty())
}
