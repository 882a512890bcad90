//! Evidence made by hand, for the tests of checks: what a sound gateway leaves behind, and what a test
//! changes of that. Nowhere else is evidence of a case put together.

use std::time::{Duration, SystemTime};

use fallproof_protocol::behaviour::WirePlan;
use fallproof_protocol::journal::{Hit, HitKind, HitTimes, Traffic};
use fallproof_protocol::provider::{Endpoint, Surface};
use fallproof_protocol::violation::{
    Strength, Violation as Complaint, ViolationKind as ComplaintKind,
};
use fallproof_suite::declaration::Declaration;
use fallproof_suite::evidence::{
    CallEvidence, CaseResult, Ending, Evidence, Exchange, TargetFacts,
};
use fallproof_suite::plan::{Addresses, Group, Hop, Plan};
use fallproof_suite::scenario::{self, Planned, Rendered, Scenario};
use memchr::memmem;
use serde_json::json;

use super::{Judgment, judge_case, millis};
use crate::violation::Verdict;

/// The key that the client gives to the gateway.
pub(super) const GATEWAY_KEY: &str = "sk-gateway-client";

/// Two deployments, as a scenario's file names them.
pub(super) const TWO: &str = "
upstreams:
  primary: { provider: openai, model: gpt-4o, script: [ok] }
  backup: { provider: azure, model: gpt-4o, deployment: backup-4o, script: [ok] }
";

/// A call of the only group, as a scenario's file names it.
pub(super) const CALL: &str =
    "  - send: { endpoint: chat/completions, body: { messages: [{ role: user, content: Hi }] } }\n";

/// A case at work: calls are answered one after the other, each by the attempts that are added to it.
pub(super) struct Case {
    scenario: Scenario,
    groups: Vec<Group>,
    declaration: Declaration,
    calls: Vec<CallEvidence>,
    /// The call that attempts are added to.
    at: usize,
    /// Time since the wire was started.
    now: Duration,
}

impl Case {
    /// Of a scenario with these `upstreams`, `group` or `groups`, and `steps`.
    pub(super) fn of(text: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder for temporary files");
        let file = folder.path().join("case.yaml");
        let proves = if text.contains("proves:") { "" } else { "proves: [FP-PAYLOAD-01]\n" };
        let text = format!("title: By hand\n{proves}{text}");
        std::fs::write(&file, &text).expect("the folder takes files");
        let loaded = scenario::load(&file, "by/hand");
        let scenario = loaded.unwrap_or_else(|error| panic!("{error}\n{text}")).remove(0);
        let at = "127.0.0.1:4010".parse().expect("an address");
        let groups = Plan::new([&scenario], Addresses::stable(at)).groups;
        let mut case = Self {
            scenario,
            groups,
            declaration: Declaration::default(),
            calls: Vec::new(),
            at: 0,
            now: Duration::ZERO,
        };
        case.calls = case.sent_calls();
        case
    }

    /// Of a call of two deployments, whose group has this policy.
    pub(super) fn with_policy(policy: &str) -> Self {
        Self::of(&format!("{TWO}group: {{ chain: [primary, backup]{policy} }}\nsteps:\n{CALL}"))
    }

    /// Of a call of two deployments with this body, in which `{{model}}` stands for the model.
    pub(super) fn with_body(body: &str) -> Self {
        let body = serde_json::to_string(body).expect("it is text");
        let call = format!("  - send: {{ endpoint: chat/completions, body_json: {body} }}\n");
        Self::of(&format!("{TWO}group: {{ chain: [primary, backup] }}\nsteps:\n{call}"))
    }

    /// Every call of the scenario, as it was sent, without attempts and without an answer.
    fn sent_calls(&self) -> Vec<CallEvidence> {
        let mut sent = Vec::new();
        let mut at = Duration::ZERO;
        for (position, step) in self.scenario.steps.iter().enumerate() {
            match step {
                scenario::Step::Advance(by) => at += *by,
                scenario::Step::Calls(calls) => {
                    for (call, planned) in calls.iter().enumerate() {
                        sent.push(CallEvidence {
                            position,
                            call,
                            group: planned.send.group.clone(),
                            at,
                            exchange: self.sent(planned),
                            hits: Vec::new(),
                            astray: Vec::new(),
                        });
                    }
                }
            }
        }
        sent
    }

    fn sent(&self, planned: &Planned) -> Exchange {
        let group = self.groups.iter().find(|group| group.name == planned.send.group);
        let group = group.expect("a call asks for a group of its scenario");
        let path = format!("/v1/{}", planned.send.endpoint.path());
        Exchange {
            sent_head: format!("POST {path} HTTP/1.1\r\n\r\n").into_bytes(),
            path,
            sent: planned.send.body.rendered(&group.group, "").bytes,
            status: None,
            headers: Vec::new(),
            body: Vec::new(),
            received: Traffic::default(),
            ending: Ending::Complete,
            started: Duration::ZERO,
            took: Duration::ZERO,
        }
    }

    /// What the target says of itself.
    pub(super) fn declaring(mut self, declare: impl FnOnce(&mut Declaration)) -> Self {
        declare(&mut self.declaration);
        self
    }

    /// The next call is answered from here on.
    pub(super) fn next_call(mut self) -> Self {
        self.settle();
        self.at += 1;
        self
    }

    /// An attempt at this deployment: all that it carries is right, and it is answered.
    pub(super) fn attempt(mut self, upstream: &str) -> Self {
        let own = &self.calls[self.at].group;
        let is_own =
            self.groups.iter().any(|group| group.name == *own && group.hop(upstream).is_some());
        let hop = self.groups.iter().find_map(|group| group.hop(upstream));
        let hit = self.sound(hop.expect("a deployment of the case"));
        self.now = hit.times.end.unwrap_or(self.now);
        let call = &mut self.calls[self.at];
        let list = if is_own { &mut call.hits } else { &mut call.astray };
        list.push(hit);
        self
    }

    fn sound(&self, hop: &Hop) -> Hit {
        let planned = self.scenario.calls().nth(self.at).expect("a call of the case");
        let endpoint = planned.send.endpoint;
        let path = endpoint.path();
        let bearer = ("authorization", format!("Bearer {}", hop.key));
        let (target, credential) = match hop.surface() {
            Surface::OpenAi => (format!("/v1/{path}"), bearer),
            Surface::AzureV1 => (format!("/openai/v1/{path}"), ("api-key", hop.key.clone())),
            Surface::AzureLegacy => {
                let version = hop.api_version.as_deref().unwrap_or_default();
                let name = &hop.deployment;
                let target = format!("/openai/deployments/{name}/{path}?api-version={version}");
                (target, ("api-key", hop.key.clone()))
            }
        };
        let Rendered { content_type, bytes: body } =
            planned.send.body.rendered(&hop.deployment, "");
        let head = format!("POST {target} HTTP/1.1\r\n{}: {}\r\n\r\n", credential.0, credential.1);
        let headers = [("content-type", content_type), credential];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.into_bytes()));
        let reply = answer(hop);
        let (start, end) =
            (self.now + Duration::from_millis(10), self.now + Duration::from_millis(20));
        Hit {
            seq: 0,
            kind: HitKind::Matched,
            upstream: Some(hop.prefix.clone()),
            attempt: 1,
            head: head.into_bytes(),
            method: "POST".to_owned(),
            target,
            headers: headers.into(),
            body,
            body_cut: None,
            place: Some((hop.surface(), endpoint)),
            violation: None,
            refused: false,
            behaviour: "ok".to_owned(),
            wire: WirePlan::default(),
            status: Some(200),
            reply_head: b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n".to_vec(),
            sent: reply.len(),
            reply,
            reply_cut: None,
            out: Traffic::default(),
            times: HitTimes {
                accepted: start,
                head: start,
                body: start,
                first_byte: Some(end),
                end: Some(end),
            },
            client_gone: false,
        }
    }

    /// The last attempt is another one.
    fn with(mut self, change: impl FnOnce(&mut Hit)) -> Self {
        let hits = &mut self.calls[self.at].hits;
        let mut hit = hits.pop().expect("there is an attempt");
        change(&mut hit);
        self.now = hit.times.end.unwrap_or(self.now);
        hits.push(hit);
        self
    }

    /// The last attempt carries this body.
    pub(super) fn carrying(self, body: impl AsRef<[u8]>) -> Self {
        self.with(|hit| hit.body = body.as_ref().to_vec())
    }

    /// The request log keeps only the beginning of the last attempt's body.
    pub(super) fn kept_in_part(self) -> Self {
        self.with(|hit| hit.body_cut = Some(100_000_000))
    }

    /// In the body of the last attempt this stands for that.
    pub(super) fn with_instead(self, from: &str, to: &str) -> Self {
        self.with(|hit| {
            let at = memmem::find(&hit.body, from.as_bytes());
            let at = at.unwrap_or_else(|| panic!("there is no {from} in the body"));
            hit.body.splice(at..at + from.len(), to.bytes());
        })
    }

    /// The last attempt asks for this path, which leads to that endpoint, or nowhere.
    pub(super) fn asking_for(self, target: &str, place: Option<(Surface, Endpoint)>) -> Self {
        self.with(|hit| (hit.target, hit.place) = (target.to_owned(), place))
    }

    /// The provider finds fault with the last attempt, at this pointer, in this sentence.
    pub(super) fn complained_of(self, strength: Strength, pointer: &str, message: &str) -> Self {
        self.with(|hit| {
            hit.violation = Some(Complaint {
                kind: ComplaintKind::Unknown,
                message: message.to_owned(),
                error_type: "invalid_request_error".to_owned(),
                param: None,
                code: None,
                pointer: pointer.to_owned(),
                strength,
            });
        })
    }

    /// The last attempt is answered with an error of this status, and of this code where it has one.
    pub(super) fn failing(self, status: u16, code: Option<&str>) -> Self {
        let error = json!({ "message": "It failed.", "type": "a_type", "code": code });
        self.answered(status, json!({ "error": error }).to_string())
    }

    /// The last attempt is answered so.
    pub(super) fn answered(self, status: u16, body: impl AsRef<[u8]>) -> Self {
        self.with(|hit| {
            hit.status = Some(status);
            hit.reply_head =
                format!("HTTP/1.1 {status} X\r\ncontent-type: application/json\r\n").into();
            hit.reply = body.as_ref().to_vec();
            hit.sent = hit.reply.len();
        })
    }

    /// The answer to the last attempt has this header.
    pub(super) fn answered_with(self, name: &str, value: &str) -> Self {
        self.with(|hit| hit.reply_head.extend(format!("{name}: {value}\r\n").bytes()))
    }

    /// The connection of the last attempt ends without an answer.
    pub(super) fn broken(self) -> Self {
        self.with(|hit| {
            (hit.status, hit.reply, hit.sent) = (None, Vec::new(), 0);
            hit.times.first_byte = None;
        })
    }

    /// The last attempt is given up by the gateway after this time, and had no answer until then.
    pub(super) fn given_up_after(self, waited: Duration) -> Self {
        self.broken().lasting(waited).abandoned()
    }

    /// The gateway has left when the last attempt is answered.
    pub(super) fn abandoned(self) -> Self {
        self.with(|hit| hit.client_gone = true)
    }

    /// The last attempt takes this time.
    pub(super) fn lasting(self, time: Duration) -> Self {
        self.with(|hit| hit.times.end = Some(hit.times.head + time))
    }

    /// The provider says nothing to the last attempt, and nobody ends it.
    pub(super) fn hanging(self) -> Self {
        self.broken().with(|hit| hit.times.end = None)
    }

    /// The provider's script holds back its answer to the last attempt.
    pub(super) fn held_back_for(self, time: Duration) -> Self {
        self.with(|hit| hit.wire.delay_ms = Some(millis(time)))
    }

    /// So much time passes before the next attempt begins.
    pub(super) fn after(mut self, time: Duration) -> Self {
        self.now += time;
        self
    }

    /// The client gets this answer.
    pub(super) fn got(mut self, status: u16, body: impl AsRef<[u8]>) -> Self {
        let exchange = &mut self.calls[self.at].exchange;
        exchange.status = Some(status);
        exchange.body = body.as_ref().to_vec();
        self
    }

    /// The client's call ends so.
    pub(super) fn ended(mut self, ending: Ending) -> Self {
        self.calls[self.at].exchange.ending = ending;
        self
    }

    /// Unless the test says what the client gets, it gets what the last attempt was answered.
    fn settle(&mut self) {
        let call = &mut self.calls[self.at];
        if call.exchange.status.is_none()
            && call.exchange.ending == Ending::Complete
            && let Some(last) = call.hits.last()
        {
            call.exchange.status = last.status.or(Some(502));
            call.exchange.body = last.reply.clone();
        }
    }

    /// What a check of all requirements finds.
    pub(super) fn judge(mut self) -> Judgment {
        self.settle();
        let Self { scenario, groups, declaration, mut calls, at, .. } = self;
        calls.truncate(at + 1);
        let evidence = Evidence {
            scenario: scenario.id.clone(),
            started: Duration::ZERO,
            took: Duration::ZERO,
            result: CaseResult::Played(calls),
        };
        let (groups, declaration, gateway_key) = (&groups, &declaration, GATEWAY_KEY);
        let started = SystemTime::UNIX_EPOCH;
        let facts = TargetFacts { groups, declaration, gateway_key, started };
        judge_case(&scenario, facts, &evidence)
    }

    /// What is found of this family, one line each: the code, whether it is more or less than a
    /// failure, and the sentence.
    pub(super) fn found(self, family: &str) -> Vec<String> {
        let violations = self.judge().violations.into_iter();
        violations
            .filter(|it| it.requirement.is_some_and(|code| code.family() == family))
            .map(|violation| {
                let code = violation.requirement.expect("it is of a family");
                let weight = match (violation.verdict, &violation.declared) {
                    (Verdict::Fail, _) => String::new(),
                    (Verdict::Warn, _) => " (warns)".to_owned(),
                    (Verdict::Note, None) => " (noted)".to_owned(),
                    (Verdict::Note, Some(excuse)) => format!(" (noted: {excuse})"),
                };
                format!("{code}{weight} {violation}")
            })
            .collect()
    }
}

/// What a deployment answers: its marker in a few words.
fn answer(hop: &Hop) -> Vec<u8> {
    let content = format!("It is {}.", hop.marker().token());
    let message = json!({ "role": "assistant", "content": content });
    let choice = json!({ "index": 0, "message": message, "finish_reason": "stop" });
    json!({ "id": "chatcmpl-1", "model": hop.model, "choices": [choice] }).to_string().into_bytes()
}
