//! One scenario at work: its steps, one after the other.

use std::time::{Duration, Instant};

use fallproof_protocol::request_log::{RecordedRequest, RequestKind};
use fallproof_suite::evidence::CallEvidence;
use fallproof_suite::plan::Group;
use fallproof_suite::scenario::{Planned, Scenario, Step};
use futures_util::future::join_all;

use super::Runner;
use super::attribution::{attribute, word};
use super::call::LEAVING;

impl Runner {
    /// Plays its steps from the start of its scripts.
    pub(super) async fn play(&self, scenario: &Scenario) -> Vec<CallEvidence> {
        let groups = self.plan.groups_of(&scenario.id);
        self.mocks.script(scenario, &self.plan).expect("its script was played before");
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
                    calls.append(&mut made);
                }
            }
        }
        calls
    }

    async fn advance(&self, scenario: &Scenario, by: Duration) {
        if !self.running.advance(scenario, by) {
            tokio::time::sleep(by).await;
        }
    }

    /// Makes these calls at the same time; the attempts are not known yet.
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
            let group = group.expect("a call asks for a group of its scenario");
            let word = word(position, call);
            CallEvidence {
                position,
                call,
                group: send.group.clone(),
                at,
                exchange: self.call(scenario, group, send, [&word, response_id]).await,
                requests: Vec::new(),
                misdirected: Vec::new(),
            }
        });
        join_all(calls).await
    }

    /// What reached the scenario's deployments since the calls before, in order of arrival.
    async fn attempts(&self, groups: &[Group], earlier: &[CallEvidence]) -> Vec<RecordedRequest> {
        let wire = &self.mocks.wire;
        let mut requests = Vec::new();
        for deployment in groups.iter().flat_map(Group::deployments) {
            // A moment passes until a mock sees that it was given up. Whoever goes on asking for a
            // client that has left, or waits for what has stalled, is found out by this.
            let ended = wire.ended(&deployment.prefix);
            let _ = tokio::time::timeout(self.timeout.min(LEAVING), ended).await;
            requests.extend(wire.requests(&deployment.prefix).await);
        }
        let is_known = |recorded: &RecordedRequest| {
            earlier.iter().flat_map(CallEvidence::all_requests).any(|it| it.seq == recorded.seq)
        };
        requests.retain(|recorded| recorded.kind == RequestKind::Attempt && !is_known(recorded));
        requests.sort_by_key(|recorded| recorded.seq);
        let earlier = wire.started().saturating_duration_since(self.clock);
        for recorded in &mut requests {
            recorded.count_from(earlier);
        }
        requests
    }
}
