//! Hand-made evidence for the tests of the checks. It starts as the evidence of a correct gateway,
//! which each test then changes. All tests build their evidence here.

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

/// The API key that the client sends to the gateway.
pub(super) const GATEWAY_KEY: &str = "sk-gateway-client";

/// Two deployments, in the format of a scenario file.
pub(super) const TWO: &str = "
deployments:
  primary: { provider: openai, model: gpt-4o, script: [ok] }
  backup: { provider: azure, model: gpt-4o, deployment_name: backup-4o, script: [ok] }
";

/// A call to the only group, in the format of a scenario file.
pub(super) const CALL: &str =
    "  - send: { endpoint: chat/completions, body: { messages: [{ role: user, content: Hi }] } }\n";

/// Builder of a case. A test adds attempts and a response to one call, then continues with the next
/// call.
pub(super) struct Case {
    scenario: Scenario,
    groups: Vec<Group>,
    /// Groups of other scenarios.
    others: Vec<Group>,
    capabilities: Capabilities,
    /// Whether the extra probe call reached the mocks.
    simulated_clock: bool,
    wired: bool,
    calls: Vec<CallEvidence>,
    /// Index of the call that attempts are added to.
    at: usize,
    /// Time since the start of the mock server.
    now: Duration,
    /// Delay of the machine during the case.
    delay: Duration,
}

impl Case {
    /// Creates a case from the `deployments`, `group` or `groups`, and `steps` of a scenario.
    pub(super) fn of(text: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("case.yaml");
        let proves = if text.contains("proves:") { "" } else { "proves: [FP-PAYLOAD-01]\n" };
        let text = format!("title: By hand\n{proves}{text}");
        std::fs::write(&file, &text).expect("the file is written");
        let loaded = scenario::load(&file, "by/hand");
        let scenario = loaded.unwrap_or_else(|error| panic!("{error}\n{text}")).remove(0);
        let at = "127.0.0.1:4010".parse().expect("an address");
        let groups = Plan::new([&scenario], &Addresses::stable(at)).groups;
        let mut case = Self {
            scenario,
            groups,
            others: Vec::new(),
            capabilities: Capabilities::default(),
            simulated_clock: false,
            wired: false,
            calls: Vec::new(),
            at: 0,
            now: Duration::ZERO,
            delay: Duration::ZERO,
        };
        case.calls = case.sent_calls();
        case
    }

    /// Creates a case with one call to two deployments, whose group has this policy.
    pub(super) fn with_policy(policy: &str) -> Self {
        Self::of(&format!("{TWO}group: {{ chain: [primary, backup]{policy} }}\nsteps:\n{CALL}"))
    }

    /// Creates a case with one call to two deployments and these client headers, in the format of a
    /// scenario file.
    pub(super) fn with_headers(headers: &str) -> Self {
        let call = CALL.replace("body:", &format!("headers: {{ {headers} }}, body:"));
        Self::of(&format!("{TWO}group: {{ chain: [primary, backup] }}\nsteps:\n{call}"))
    }

    /// Creates a case with one call to two deployments and this body; `{{model}}` is replaced with
    /// the model.
    pub(super) fn with_body(body: &str) -> Self {
        let body = serde_json::to_string(body).expect("a string serializes");
        let call = format!("  - send: {{ endpoint: chat/completions, body_json: {body} }}\n");
        Self::of(&format!("{TWO}group: {{ chain: [primary, backup] }}\nsteps:\n{call}"))
    }

    /// Every call of the scenario, without attempts and without a response.
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
                            stale: Vec::new(),
                        });
                    }
                }
            }
        }
        sent
    }

    fn sent(&self, planned: &Planned) -> Exchange {
        let group = self.groups.iter().find(|group| group.name == planned.send.group);
        let group = group.expect("the call names a group of its scenario");
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

    /// Changes the timeouts of every group.
    pub(super) fn with_timeouts(mut self, timeout_ms: u64, total_timeout_ms: Option<u64>) -> Self {
        for group in &mut self.groups {
            (group.policy.timeout_ms, group.policy.total_timeout_ms) =
                (timeout_ms, total_timeout_ms);
        }
        self
    }

    /// The target also serves a group like the first one for the scenario with this id.
    pub(super) fn beside_a_scenario(mut self, id: &str) -> Self {
        let (scenario, model) = (id.to_owned(), id.replace('/', "."));
        self.others.push(Group { scenario, model, ..self.groups[0].clone() });
        self
    }

    /// Sets the scenario's level to `robustness`.
    pub(super) fn of_robustness(mut self) -> Self {
        self.scenario.level = scenario::Level::Robustness;
        self
    }

    /// Makes the scenario leave this behavior to the target.
    pub(super) fn leaving(mut self, freedom: scenario::Freedom) -> Self {
        self.scenario.up_to_target.push(freedom);
        self
    }

    /// Changes the target's capabilities.
    pub(super) fn declaring(mut self, declare: impl FnOnce(&mut Capabilities)) -> Self {
        declare(&mut self.capabilities);
        self
    }

    /// Sets the delay of the machine during the case.
    pub(super) fn on_a_machine_late_by(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Records that the target's clock is simulated.
    pub(super) fn with_a_simulated_clock(self) -> Self {
        Self { simulated_clock: true, ..self }
    }

    /// Records that a probe call, in addition to the calls of the case, reached the mocks.
    pub(super) fn wired(self) -> Self {
        Self { wired: true, ..self }
    }

    /// The deployment with this name, in any group.
    pub(super) fn deployment(&self, deployment: &str) -> &Deployment {
        let deployment = self.groups.iter().find_map(|group| group.deployment(deployment));
        deployment.expect("a deployment of the case")
    }

    /// Continues with the next call.
    pub(super) fn next_call(mut self) -> Self {
        self.complete();
        self.at += 1;
        self.calls[self.at].exchange.started = self.now;
        self
    }

    /// Sets the response, unless the test has set it. The response is the part of the last
    /// attempt's answer that was sent. If the attempt got no answer, the response is an error from
    /// the gateway.
    fn complete(&mut self) {
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

    /// Judges the case against all requirements.
    pub(super) fn judge(mut self) -> Judgment {
        self.complete();
        let mut calls = std::mem::take(&mut self.calls);
        calls.truncate(self.at + 1);
        self.judge_as(CaseResult::Played(calls))
    }

    /// Judges the case with this result.
    pub(super) fn judge_as(self, result: CaseResult) -> Judgment {
        let Self { scenario, groups, others, capabilities, delay, simulated_clock, wired, .. } =
            self;
        let evidence = Evidence {
            scenario: scenario.id.clone(),
            started: Duration::ZERO,
            took: Duration::ZERO,
            delay,
            simulated_clock,
            wired,
            result,
        };
        let all_groups = &[groups.clone(), others].concat();
        let (groups, capabilities, gateway_key) = (&groups, &capabilities, GATEWAY_KEY);
        let started = SystemTime::UNIX_EPOCH;
        let facts = TargetFacts { groups, all_groups, capabilities, gateway_key, started };
        judge_case(&scenario, facts, &evidence)
    }

    /// The violations of this family, one line each: code, severity if it is not a failure,
    /// sentence.
    pub(super) fn found(self, family: &str) -> Vec<String> {
        let mut violations = self.judge().violations;
        violations.retain(|it| it.requirement.is_some_and(|code| code.family() == family));
        violations.iter().map(line).collect()
    }

    /// The missed expectations of the scenario, in the same format.
    pub(super) fn missed(self) -> Vec<String> {
        let mut violations = self.judge().violations;
        violations.retain(|it| it.requirement.is_none());
        violations.iter().map(line).collect()
    }

    /// Asserts the violations of this family. The lines in `wanted` omit `FP-` and the family.
    #[track_caller]
    pub(super) fn assert_found(self, family: &str, wanted: &[&str]) {
        let wanted: Vec<_> = wanted.iter().map(|it| format!("FP-{family}-{it}")).collect();
        assert_eq!(self.found(family), wanted);
    }
}

/// The code, the severity if it is not a failure, and the sentence.
fn line(violation: &Violation) -> String {
    let code = violation.requirement.map_or("", Code::as_str);
    let weight = match (violation.verdict, &violation.declared) {
        (Verdict::Fail, _) => String::new(),
        (Verdict::Warn, _) => " (warns)".to_owned(),
        (Verdict::Note, None) => " (informational)".to_owned(),
        (Verdict::Note, Some(excuse)) => format!(" (exempt: {excuse})"),
    };
    format!("{code}{weight} {violation}").trim_start().to_owned()
}

/// Each requirement is violated by a test in its family's file, which asserts the code and the
/// sentence.
#[test]
fn each_requirement_is_violated_by_a_test() {
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
    let is_tested = |code: Code| {
        let family = format!("FP-{}-", code.family());
        let number = code.as_str().trim_start_matches(&family);
        let of_family = families.iter().find(|(family, _)| *family == code.family());
        // Most tests omit the common prefix of their family's codes.
        let tests = of_family.map(|(_, tests)| tests.replace(&family, "")).unwrap_or_default();
        [format!("\"{number} "), format!("\"{number}{{")].iter().any(|start| tests.contains(start))
    };
    let untested: Vec<_> = Code::VARIANTS.iter().filter(|code| !is_tested(**code)).collect();
    assert_eq!(untested, [&Code::Payload01; 0], "no test violates these");
}
