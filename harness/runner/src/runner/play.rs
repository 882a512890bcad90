//! Plays the steps of a scenario, one after the other.

use std::time::{Duration, Instant};

use fallproof_protocol::request_log::{RecordedRequest, RequestKind};
use fallproof_suite::evidence::{
    CallEvidence, CaseResult, Inconclusive, MOST_REQUEST_BYTES, MOST_REQUESTS, StaleRequest,
};
use fallproof_suite::plan::Group;
use fallproof_suite::scenario::{Planned, Scenario, Step};
use futures_util::future::join_all;

use super::Runner;
use super::attribution::{attribute, call_token};
use super::call::END_TIMEOUT;

impl Runner {
    /// Resets the scripts, and plays the steps. Returns the calls with their attempts, unless there are
    /// too many.
    pub(super) async fn play(&self, scenario: &Scenario) -> CaseResult {
        let groups = self.plan.groups_of(&scenario.id);
        self.mocks.script(scenario, &self.plan).expect("its script was loaded at the start");
        self.mocks.forget(groups).await;
        let mut calls = Vec::new();
        let (started, mut moved) = (Instant::now(), Duration::ZERO);
        for (position, step) in scenario.steps.iter().enumerate() {
            match step {
                Step::Advance(by) => {
                    self.advance(scenario, *by).await;
                    moved += *by;
                }
                Step::Calls(planned) => {
                    let has_own_clock = self.running.has_own_clock();
                    let at = if has_own_clock { moved } else { started.elapsed() };
                    let mut made = self.make(scenario, position, at, planned, &calls).await;
                    attribute(self.attempts(groups, &calls).await, groups, &calls, &mut made);
                    made.iter_mut().for_each(set_stale_apart);
                    calls.append(&mut made);
                    if is_too_much(&calls) {
                        return CaseResult::Inconclusive(Inconclusive::TooManyRequests);
                    }
                }
            }
        }
        CaseResult::Played(calls)
    }

    async fn advance(&self, scenario: &Scenario, by: Duration) {
        if !self.running.advance(scenario, by) {
            tokio::time::sleep(by).await;
        }
    }

    /// Makes these calls at the same time. Returns them without attempts.
    async fn make(
        &self,
        scenario: &Scenario,
        position: usize,
        at: Duration,
        planned: &[Planned],
        earlier: &[CallEvidence],
    ) -> Vec<CallEvidence> {
        let groups = self.plan.groups_of(&scenario.id);
        let response_id = earlier.iter().rev().find_map(|call| call.exchange.answer_id());
        let response_id = response_id.as_deref().unwrap_or_default();
        let calls = planned.iter().enumerate().map(async |(call, Planned { send, .. })| {
            let group = groups.iter().find(|group| group.name == send.group);
            let group = group.expect("a call is for a group of its scenario");
            let token = call_token(position, call);
            CallEvidence {
                position,
                call,
                group: send.group.clone(),
                at,
                exchange: self.call(scenario, group, send, [&token, response_id]).await,
                requests: Vec::new(),
                misdirected: Vec::new(),
                stale: Vec::new(),
            }
        });
        join_all(calls).await
    }

    /// Returns the attempts and the requests on stale connections that the scenario's deployments
    /// have received since the `earlier` calls, in order of arrival.
    async fn attempts(&self, groups: &[Group], earlier: &[CallEvidence]) -> Vec<RecordedRequest> {
        let wire = &self.mocks.wire;
        let mut requests = Vec::new();
        for deployment in groups.iter().flat_map(Group::deployments) {
            // A mock needs a moment to notice that an attempt was aborted. If an attempt is still
            // open after this wait, the target has continued it after the client disconnected, or
            // the reply is stalled.
            let ended = wire.ended(&deployment.prefix);
            let _ = tokio::time::timeout(self.timeout.min(END_TIMEOUT), ended).await;
            requests.extend(wire.take(&deployment.prefix).await);
        }
        let is_known = |recorded: &RecordedRequest| {
            earlier.iter().flat_map(CallEvidence::all_requests).any(|it| it.seq == recorded.seq)
                || earlier.iter().flat_map(|it| &it.stale).any(|it| it.seq == recorded.seq)
        };
        let counts = |kind| matches!(kind, RequestKind::Attempt | RequestKind::Stale);
        requests.retain(|recorded| counts(recorded.kind) && !is_known(recorded));
        requests.sort_by_key(|recorded| recorded.seq);
        let earlier = wire.started().saturating_duration_since(self.clock);
        for recorded in &mut requests {
            recorded.count_from(earlier);
        }
        requests
    }
}

/// Whether the target sent more than is kept of a case.
fn is_too_much(calls: &[CallEvidence]) -> bool {
    let requests = || calls.iter().flat_map(CallEvidence::all_requests);
    requests().count() > MOST_REQUESTS
        || requests().map(RecordedRequest::weight).sum::<usize>() > MOST_REQUEST_BYTES
}

/// Moves the requests on stale connections from `requests` to `stale`.
fn set_stale_apart(call: &mut CallEvidence) {
    let is_stale = |recorded: &mut RecordedRequest| recorded.kind == RequestKind::Stale;
    let stale = call.requests.extract_if(.., is_stale);
    let stale = stale.filter_map(|it| Some(StaleRequest { seq: it.seq, prefix: it.prefix? }));
    call.stale = stale.collect();
    call.misdirected.retain(|recorded| recorded.kind == RequestKind::Attempt);
}
