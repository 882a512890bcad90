//! One scenario at work: its calls, and what came of them.

use std::time::{Duration, Instant};

use fallproof_protocol::journal::{Hit, HitKind};
use futures_util::FutureExt;
use futures_util::future::{OptionFuture, join_all};
use memchr::memmem;

use super::{Rig, needs_silence, plug};
use crate::client::{self, Conduct};
use fallproof_suite::evidence::{CallEvidence, Exchange};
use fallproof_suite::plan::Group;
use fallproof_suite::scenario::{Call, ClientKey, Leave, Planned, Rendered, Scenario, Step};
use fallproof_suite::secret::another;
use fallproof_suite::skip::SkipReason;

/// No scenario waits longer than this for the clock of an external target.
const MOST_WAITING: Duration = Duration::from_secs(30);

/// How long the end of what was given up, left, or will not be read is waited for.
const LEAVING: Duration = Duration::from_secs(3);

impl Rig {
    /// Why this scenario cannot be run here, if it cannot.
    pub(super) fn skip(&self, scenario: &Scenario) -> Option<SkipReason> {
        if let (Some(error), true) = (&self.never_silent, needs_silence(scenario)) {
            return Some(SkipReason::NoSilentAddress(error.clone()));
        }
        if let Some(reason) = self.declaration.lacked_by(scenario) {
            return Some(reason);
        }
        if !self.running.has_own_clock() && scenario.waits() > MOST_WAITING {
            return Some(SkipReason::TooSlow { seconds: scenario.waits().as_secs() });
        }
        None
    }

    pub(super) async fn play(&self, scenario: &Scenario) -> Vec<CallEvidence> {
        let groups = self.plan.groups_of(&scenario.id);
        plug(&self.wire, scenario, &self.plan).expect("its script was played before");
        for hop in groups.iter().flat_map(Group::hops) {
            self.wire.take(&hop.prefix).await;
        }
        let mut steps = Vec::new();
        let started = Instant::now();
        let mut moved = Duration::ZERO;
        for (position, step) in scenario.steps.iter().enumerate() {
            let planned = match step {
                Step::Advance(by) => {
                    self.advance(scenario, *by).await;
                    moved += *by;
                    continue;
                }
                Step::Calls(planned) => planned,
            };
            let at = if self.running.has_own_clock() { moved } else { started.elapsed() };
            steps.extend(self.calls(scenario, position, at, planned, &steps).await);
        }
        steps
    }

    async fn advance(&self, scenario: &Scenario, by: Duration) {
        if !self.running.advance(scenario, by) {
            tokio::time::sleep(by).await;
        }
    }

    /// Makes these calls at the same time, and tells whose attempts are whose.
    async fn calls(
        &self,
        scenario: &Scenario,
        position: usize,
        at: Duration,
        planned: &[Planned],
        earlier: &[CallEvidence],
    ) -> Vec<CallEvidence> {
        let groups = self.plan.groups_of(&scenario.id);
        let response_id = earlier.iter().rev().find_map(|step| step.exchange.answer_id());
        let response_id = response_id.unwrap_or_default();
        let words: Vec<_> = (0..planned.len()).map(|call| word(position, call)).collect();
        let exchanges = planned.iter().zip(&words).map(|(planned, word)| {
            let group = groups.iter().find(|group| group.name == planned.send.group);
            let group = group.expect("a call asks for a group of its scenario");
            self.call(scenario, group, &planned.send, [word, &response_id])
        });
        let exchanges = join_all(exchanges).await;
        let mut steps: Vec<_> = planned
            .iter()
            .zip(exchanges)
            .enumerate()
            .map(|(call, (planned, exchange))| CallEvidence {
                position,
                call,
                group: planned.send.group.clone(),
                at,
                exchange,
                hits: Vec::new(),
                astray: Vec::new(),
            })
            .collect();
        for hit in self.hits(groups, earlier).await {
            let prefix = hit.upstream.as_deref().unwrap_or_default();
            let owner = groups.iter().find(|group| group.hop_at(prefix).is_some());
            let owner = owner.map(|group| group.name.as_str());
            let asked = |step: &&mut CallEvidence| Some(step.group.as_str()) == owner;
            let said = |step: &CallEvidence| {
                memmem::find(&hit.body, word(step.position, step.call).as_bytes()).is_some()
            };
            if earlier.iter().any(said) {
                // The target is still at a call that was given up, which has been judged.
                continue;
            }
            let step = match steps.iter().position(|step| Some(&*step.group) == owner && said(step))
            {
                Some(index) => Some(&mut steps[index]),
                None => steps.iter_mut().find(asked),
            };
            match step {
                Some(step) => step.hits.push(hit),
                None => steps[0].astray.push(hit),
            }
        }
        steps
    }

    /// What reached the scenario's upstreams since the steps before, in order of arrival.
    async fn hits(&self, groups: &[Group], earlier: &[CallEvidence]) -> Vec<Hit> {
        let mut hits = Vec::new();
        for hop in groups.iter().flat_map(Group::hops) {
            // A moment passes until an upstream sees that it was given up. Whoever goes on asking for
            // a client that has left, or waits for what has stalled, is found out by this.
            let ended = self.wire.ended(&hop.prefix);
            let _ = tokio::time::timeout(self.patience.min(LEAVING), ended).await;
            hits.extend(self.wire.hits(&hop.prefix).await);
        }
        let seen = |hit: &Hit| {
            earlier.iter().any(|step| {
                let astray = step.astray.iter().any(|it| it.seq == hit.seq);
                astray || step.hits.iter().any(|it| it.seq == hit.seq)
            })
        };
        hits.retain(|hit| hit.kind == HitKind::Matched && !seen(hit));
        hits.sort_by_key(|hit| hit.seq);
        let earlier = self.wire.started().saturating_duration_since(self.clock);
        hits.iter_mut().for_each(|hit| hit.count_from(earlier));
        hits
    }

    pub(super) async fn call(
        &self,
        scenario: &Scenario,
        group: &Group,
        send: &Call,
        [word, response_id]: [&str; 2],
    ) -> Exchange {
        let front = self.running.front(scenario);
        let approach = front.approach(group);
        let body = send.body.rendered(&approach.model, word).going_on_from(response_id);
        let Rendered { content_type, bytes } = body;
        let mut headers = vec![("content-type".to_owned(), content_type)];
        headers.extend(shown(send.key, self.gateway_key(), approach.headers));
        headers.extend(send.headers.iter().map(|(name, value)| (name.clone(), value.clone())));
        let prefix = |upstream: &String| group.hop(upstream).map(|hop| hop.prefix.clone());
        let (leave_after_events, once_asked) = match &send.leave {
            Some(Leave::AfterEvents(events)) => (Some(*events), None),
            Some(Leave::OnceAsked(upstream)) => (None, prefix(upstream)),
            None => (None, None),
        };
        let once_sent = send.read_once_sent.as_ref().and_then(prefix);
        let leave_when = OptionFuture::from(once_asked.map(|prefix| self.asked(prefix))).await;
        let read_when = OptionFuture::from(once_sent.map(|prefix| self.sent(prefix))).await;
        let conduct = Conduct {
            leave_after_events,
            leave_when: leave_when.map(FutureExt::boxed),
            read_when: read_when.map(FutureExt::boxed),
        };
        let path = front.path(send.endpoint);
        client::post(&front.url, &path, &headers, &bytes, self.patience, conduct, self.clock).await
    }

    /// Counts the upstream's requests now, before the call is sent: what is given is done when there
    /// is one more.
    async fn asked(&self, prefix: String) -> impl Future<Output = ()> + Send {
        let before = self.wire.hits(&prefix).await.len();
        async move { self.wire.arrived(&prefix, before + 1).await }
    }

    /// Counts likewise: what is given is done when there is one more, and the upstream has sent what
    /// it can; or when that takes too long.
    async fn sent(&self, prefix: String) -> impl Future<Output = ()> + Send {
        let asked = self.asked(prefix.clone()).await;
        let sent = async move {
            asked.await;
            self.wire.hits(&prefix).await;
        };
        let limit = self.patience.min(LEAVING);
        async move {
            let _ = tokio::time::timeout(limit, sent).await;
        }
    }
}

/// The word that stands for `{{call}}` in this call's body; none is a part of another.
fn word(position: usize, call: usize) -> String {
    format!("call-{}-{:02}", position + 1, call + 1)
}

/// The headers of a client that shows this key instead of the right one, wherever that stands.
fn shown(key: ClientKey, right: &str, headers: Vec<(String, String)>) -> Vec<(String, String)> {
    match key {
        _ if right.is_empty() => headers,
        ClientKey::Right => headers,
        ClientKey::Wrong => {
            let wrong = another(right);
            let replaced = |value: String| value.replace(right, &wrong);
            headers.into_iter().map(|(name, value)| (name, replaced(value))).collect()
        }
        ClientKey::None => {
            headers.into_iter().filter(|(_, value)| !value.contains(right)).collect()
        }
    }
}
