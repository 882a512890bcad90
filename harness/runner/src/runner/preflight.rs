//! The preflight: one plain call that checks whether a group of the gateway reaches the mocks.

use std::slice;

use fallproof_protocol::behavior::Behavior;
use fallproof_protocol::json::error_message;
use fallproof_protocol::provider::Endpoint;
use fallproof_protocol::request_log::{RecordedRequest, RequestKind};
use fallproof_suite::evidence::{Ending, Exchange, Inconclusive};
use fallproof_suite::plan::{Deployment, Group};
use fallproof_suite::scenario::{Body, Call, ClientKey, Part, Scenario};
use indexmap::IndexMap;
use memchr::memmem;
use serde_json::{Map, Value, json};

use super::{Runner, mock_deployment};

impl Runner {
    /// Reason why the target cannot be judged by this scenario: one of its groups does not reach
    /// its mock deployments. Each group is checked once per run.
    pub async fn diagnose(&self, scenario: &Scenario) -> Option<Inconclusive> {
        for group in self.plan.groups_of(&scenario.id) {
            let known = self.preflights.lock().get(&group.model).cloned();
            let complaint = match known {
                Some(known) => known,
                None => self.examine(scenario, group).await,
            };
            self.preflights.lock().insert(group.model.clone(), complaint.clone());
            if complaint.is_some() {
                return complaint;
            }
        }
        None
    }

    /// Makes a plain call for each group of this scenario. Returns whether each call goes to the
    /// group's first deployment, which shows that no state of earlier calls affects the next one.
    /// The plain calls succeed, so they also end a series of failures.
    pub async fn goes_to_first(&self, scenario: &Scenario) -> bool {
        for group in self.plan.groups_of(&scenario.id) {
            for deployment in group.deployments() {
                let described = scenario.deployments.get(&deployment.name);
                if !described.is_some_and(|it| self.mocks.answer_all(deployment, it)) {
                    return true;
                }
            }
            self.mocks.forget(slice::from_ref(group)).await;
            self.call(scenario, group, &plain_call(group), ["cooldown", ""]).await;
            let Some(first) = group.chain.first() else { continue };
            let requests = self.mocks.wire.take(&first.prefix).await;
            self.mocks.forget(slice::from_ref(group)).await;
            if !requests.iter().any(|recorded| recorded.kind == RequestKind::Attempt) {
                return false;
            }
        }
        true
    }

    /// Whether a plain call for one of the scenario's groups leads to an attempt at a deployment
    /// that accepts connections.
    pub(super) async fn reaches_mocks(&self, scenario: &Scenario) -> bool {
        for group in self.plan.groups_of(&scenario.id) {
            for deployment in group.deployments() {
                if let Some(described) = scenario.deployments.get(&deployment.name) {
                    self.mocks.answer_all(deployment, described);
                }
            }
            self.mocks.forget(slice::from_ref(group)).await;
            self.call(scenario, group, &plain_call(group), ["wired", ""]).await;
            for deployment in group.deployments() {
                let requests = self.mocks.wire.take(&deployment.prefix).await;
                if requests.iter().any(|recorded| recorded.kind == RequestKind::Attempt) {
                    return true;
                }
            }
        }
        false
    }

    /// Ends the series of failures of each deployment, if cooldowns start after more than one
    /// failure: it makes plain calls for each group, so that each deployment succeeds. A failure
    /// that such a call needs is followed by a success.
    pub async fn end_failures(&self, scenario: &Scenario) {
        for group in self.plan.groups_of(&scenario.id) {
            let length = group.chain.len();
            for (number, succeeds) in (1..length).flat_map(|it| [0, it]).chain([0]).enumerate() {
                for (index, deployment) in group.chain.iter().enumerate() {
                    let reply = if index < succeeds { "server_error" } else { "ok" };
                    let script = vec![Behavior::named(reply)];
                    let _ = self.mocks.wire.mount(mock_deployment(deployment, script, true));
                }
                let number = number.to_string();
                self.call(scenario, group, &plain_call(group), ["failures", &number]).await;
            }
            self.mocks.forget(slice::from_ref(group)).await;
        }
    }

    async fn examine(&self, scenario: &Scenario, group: &Group) -> Option<Inconclusive> {
        for deployment in group.deployments() {
            let described = scenario.deployments.get(&deployment.name)?;
            if !self.mocks.answer_all(deployment, described) {
                // Connecting to this deployment always fails, so a plain call cannot check it.
                return None;
            }
        }
        let wire = &self.mocks.wire;
        self.mocks.forget(slice::from_ref(group)).await;
        let exchange = self.call(scenario, group, &plain_call(group), ["plain", ""]).await;
        if matches!(exchange.ending, Ending::Unreachable(_)) {
            return Some(Inconclusive::Unreachable(exchange.ending));
        }
        let mut requests = Vec::new();
        for deployment in group.deployments() {
            requests.extend(wire.take(&deployment.prefix).await);
        }
        // Other groups are checked at the same time.
        let mut unmatched = wire.unmatched().await;
        unmatched.retain(|recorded| memmem::find(&recorded.body, group.model.as_bytes()).is_some());
        requests.retain(|recorded| recorded.kind == RequestKind::Attempt);
        let (complaint, status) = complaint(group, &exchange, &requests, &unmatched)?;
        let is_gone = matches!(exchange.ending, Ending::Closed | Ending::Reset);
        let message = status.and_then(|_| error_message(&exchange.body));
        Some(Inconclusive::NotWired { complaint, status, message, is_gone })
    }
}

/// Why the group is not wired, with the status of the target's answer if it quotes one.
fn complaint(
    group: &Group,
    exchange: &Exchange,
    requests: &[RecordedRequest],
    unmatched: &[RecordedRequest],
) -> Option<(String, Option<u16>)> {
    let answered = exchange.status.filter(|_| exchange.ending == Ending::Complete);
    let answer = || match (&exchange.ending, answered) {
        (_, Some(status)) => {
            let body: String =
                String::from_utf8_lossy(&exchange.body).trim().chars().take(160).collect();
            format!("the target answered {status}: {body}")
        }
        (ending, _) => format!("the target {}", ending.in_words()),
    };
    let Some(recorded) = requests.first() else {
        let elsewhere = unmatched.first().map_or_else(String::new, |recorded| {
            let is_known = |it: &Deployment| recorded.target.starts_with(&it.prefix);
            let what = if group.deployments().any(is_known) {
                "but the request was never complete"
            } else {
                "which no deployment serves"
            };
            format!("; it requested {} {}, {what}", recorded.method, recorded.target)
        });
        let name = &group.model;
        let complaint =
            format!("a plain call for `{name}` reached no deployment: {}{elsewhere}", answer());
        return Some((complaint, answered));
    };
    let (_, deployment) = group.deployment_at(recorded.prefix.as_deref()?)?;
    let carries_key = recorded
        .headers
        .iter()
        .any(|(_, value)| String::from_utf8_lossy(value).contains(&deployment.key));
    if recorded.refused && recorded.violation.is_none() && !carries_key {
        let complaint = format!("{} was called without its key: {}", deployment.name, answer());
        return Some((complaint, answered));
    }
    if recorded.route.is_none() {
        let complaint = format!(
            "{} was called at `{}`, a path that its provider does not have; check the base URL of the deployment",
            deployment.name, recorded.target
        );
        return Some((complaint, None));
    }
    None
}

/// The simplest valid call for the group's endpoint.
fn plain_call(group: &Group) -> Call {
    let endpoint = group.endpoints.first().copied().unwrap_or(Endpoint::ChatCompletions);
    // The text differs by group, so that a cache cannot answer.
    let text = format!("A plain call for {}.", group.model);
    let members = |body: Value| match body {
        Value::Object(members) => Body::Members(members),
        _ => Body::Members(Map::new()),
    };
    let body = match endpoint {
        Endpoint::ChatCompletions => {
            members(json!({ "messages": [{ "role": "user", "content": text }] }))
        }
        Endpoint::Completions | Endpoint::ImagesGenerations => members(json!({ "prompt": text })),
        Endpoint::AudioSpeech => members(json!({ "input": text, "voice": "alloy" })),
        Endpoint::AudioTranscriptions | Endpoint::AudioTranslations => {
            Body::Form(vec![Part::silence("file", "plain.wav", 100)])
        }
        Endpoint::Embeddings
        | Endpoint::Responses
        | Endpoint::ResponsesCompact
        | Endpoint::Moderations => members(json!({ "input": text })),
    };
    Call {
        group: group.name.clone(),
        endpoint,
        key: ClientKey::Right,
        headers: IndexMap::new(),
        body,
        encoding: None,
        disconnect: None,
        delay_read_until_sent_by: None,
    }
}
