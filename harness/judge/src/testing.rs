//! Evidence made by hand, for the tests of checks: what a sound gateway leaves behind, and what a test
//! changes of that. Nowhere else is evidence of a case put together.

mod attempt;
mod client;

use std::time::{Duration, SystemTime};

use fallproof_protocol::request_log::Traffic;
use fallproof_suite::capabilities::Capabilities;
use fallproof_suite::evidence::{
    CallEvidence, CaseResult, Ending, Evidence, Exchange, TargetFacts,
};
use fallproof_suite::plan::{Addresses, Deployment, Group, Plan};
use fallproof_suite::requirement::Code;
use fallproof_suite::scenario::{self, Planned, Scenario};
use strum::VariantArray as _;

use super::{Judgment, judge_case};
use crate::violation::{Verdict, Violation};

/// The key that the client gives to the gateway.
pub(super) const GATEWAY_KEY: &str = "sk-gateway-client";

/// Two deployments, as a scenario's file names them.
pub(super) const TWO: &str = "
deployments:
  primary: { provider: openai, model: gpt-4o, script: [ok] }
  backup: { provider: azure, model: gpt-4o, deployment_name: backup-4o, script: [ok] }
";

/// A call of the only group, as a scenario's file names it.
pub(super) const CALL: &str =
    "  - send: { endpoint: chat/completions, body: { messages: [{ role: user, content: Hi }] } }\n";

/// A case at work: calls are answered one after the other, each by the attempts that are added to it.
pub(super) struct Case {
    scenario: Scenario,
    groups: Vec<Group>,
    capabilities: Capabilities,
    calls: Vec<CallEvidence>,
    /// The call that attempts are added to.
    at: usize,
    /// Time since the wire was started.
    now: Duration,
}

impl Case {
    /// Of a scenario with these `deployments`, `group` or `groups`, and `steps`.
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
            capabilities: Capabilities::default(),
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

    /// Of a call of two deployments with these headers of the client, as a scenario's file has them.
    pub(super) fn with_headers(headers: &str) -> Self {
        let call = CALL.replace("body:", &format!("headers: {{ {headers} }}, body:"));
        Self::of(&format!("{TWO}group: {{ chain: [primary, backup] }}\nsteps:\n{call}"))
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
                            requests: Vec::new(),
                            misdirected: Vec::new(),
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
            sent: planned.send.body.rendered(&group.model, "").bytes,
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
    pub(super) fn declaring(mut self, declare: impl FnOnce(&mut Capabilities)) -> Self {
        declare(&mut self.capabilities);
        self
    }

    /// This deployment, of whichever group.
    pub(super) fn deployment(&self, deployment: &str) -> &Deployment {
        let deployment = self.groups.iter().find_map(|group| group.deployment(deployment));
        deployment.expect("a deployment of the case")
    }

    /// The next call is answered from here on.
    pub(super) fn next_call(mut self) -> Self {
        self.settle();
        self.at += 1;
        self
    }

    /// Unless the test says what the client gets, it gets what the last attempt was answered, as far
    /// as that came; or, where nothing came, the gateway's own error.
    fn settle(&mut self) {
        let CallEvidence { exchange, requests, .. } = &mut self.calls[self.at];
        let (None, Ending::Complete, Some(last)) =
            (exchange.status, &exchange.ending, requests.last())
        else {
            return;
        };
        if last.status.is_none() {
            exchange.status = Some(502);
            exchange.body = br#"{"error":{"message":"No deployment answered."}}"#.to_vec();
            return;
        }
        exchange.status = last.status;
        exchange.body = last.reply[..last.sent].to_vec();
        let headers = last.reply_headers();
        let headers = headers.map(|(name, value)| (name.to_owned(), value.into()));
        exchange.headers.splice(0..0, headers);
        if last.wire.cut.is_some() {
            exchange.ending = Ending::Closed;
        }
    }

    /// What a check of all requirements finds.
    pub(super) fn judge(mut self) -> Judgment {
        self.settle();
        let mut calls = std::mem::take(&mut self.calls);
        calls.truncate(self.at + 1);
        self.judge_as(CaseResult::Played(calls))
    }

    /// What the case comes to when this came of it.
    pub(super) fn judge_as(self, result: CaseResult) -> Judgment {
        let Self { scenario, groups, capabilities, .. } = self;
        let evidence = Evidence {
            scenario: scenario.id.clone(),
            started: Duration::ZERO,
            took: Duration::ZERO,
            result,
        };
        let (groups, capabilities, gateway_key) = (&groups, &capabilities, GATEWAY_KEY);
        let started = SystemTime::UNIX_EPOCH;
        let facts = TargetFacts { groups, capabilities, gateway_key, started };
        judge_case(&scenario, facts, &evidence)
    }

    /// What is found of this family, one line each: the code, whether it is more or less than a
    /// failure, and the sentence.
    pub(super) fn found(self, family: &str) -> Vec<String> {
        let mut violations = self.judge().violations;
        violations.retain(|it| it.requirement.is_some_and(|code| code.family() == family));
        violations.iter().map(told).collect()
    }

    /// What was expected of the case and was not so, in the same words.
    pub(super) fn missed(self) -> Vec<String> {
        let mut violations = self.judge().violations;
        violations.retain(|it| it.requirement.is_none());
        violations.iter().map(told).collect()
    }

    /// Of this family this is found: code and sentence, each without `FP-` and the family.
    #[track_caller]
    pub(super) fn assert_found(self, family: &str, told: &[&str]) {
        let told: Vec<_> = told.iter().map(|it| format!("FP-{family}-{it}")).collect();
        assert_eq!(self.found(family), told);
    }
}

/// The code, whether it is more or less than a failure, and the sentence.
fn told(violation: &Violation) -> String {
    let code = violation.requirement.map_or("", Code::as_str);
    let weight = match (violation.verdict, &violation.declared) {
        (Verdict::Fail, _) => String::new(),
        (Verdict::Warn, _) => " (warns)".to_owned(),
        (Verdict::Note, None) => " (noted)".to_owned(),
        (Verdict::Note, Some(excuse)) => format!(" (noted: {excuse})"),
    };
    format!("{code}{weight} {violation}").trim_start().to_owned()
}

/// Each requirement has a test of its family that breaks it: one that tells its code and sentence.
#[test]
fn each_requirement_is_broken_by_a_test() {
    let families = [
        ("PAYLOAD", include_str!("payload/tests.rs")),
        ("ROUTE", include_str!("route/tests.rs")),
        ("STREAM", include_str!("stream/tests.rs")),
        ("AUTH", include_str!("auth/tests.rs")),
        ("HEADER", include_str!("header/tests.rs")),
        ("CLIENT", include_str!("client/tests.rs")),
        ("CONTROL", include_str!("control/tests.rs")),
        ("LEAK", include_str!("leak/tests.rs")),
    ];
    let is_told = |code: Code| {
        let family = format!("FP-{}-", code.family());
        let number = code.as_str().trim_start_matches(&family);
        let of_family = families.iter().find(|(family, _)| *family == code.family());
        // Most tests leave out what all codes of their family begin with.
        let tests = of_family.map(|(_, tests)| tests.replace(&family, "")).unwrap_or_default();
        [format!("\"{number} "), format!("\"{number}{{")].iter().any(|told| tests.contains(told))
    };
    let untold: Vec<_> = Code::VARIANTS.iter().filter(|code| !is_told(**code)).collect();
    assert_eq!(untold, [&Code::Payload01; 0], "none of the tests breaks these");
}
