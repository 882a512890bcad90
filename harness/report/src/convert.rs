//! Converts judged cases into the report model.

use std::time::Duration;

use fallproof_judge::{self as judge, CaseFacts};
use fallproof_protocol::behavior::{
    Behavior, Chunking, CutEnd, CutPoint, HeadFault, KeepAliveFault, WireFault, scheduled,
};
use fallproof_protocol::json::Tree;
use fallproof_protocol::request_log::RecordedRequest;
use fallproof_suite::evidence::{CallEvidence, Ending};
use fallproof_suite::plan::{Deployment, Group};
use fallproof_suite::scenario::Scenario;
use similar::{ChangeTag, TextDiff};

use crate::bounds::{MOST_ATTEMPTS, MOST_COMPARED_LINES, MOST_DIFF_LINES, MOST_DIFFS};
use crate::model::{Attempt, Case, Change, Client, Diff, Line, Outcome, Step, Violation};
use crate::phrases;

/// Number of equal lines shown around a difference.
const CONTEXT: usize = 2;

/// Data that a report needs in addition to the judged case.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The scenario of the case.
    pub scenario: &'a Scenario,
    /// The model groups that the target was configured to serve for the scenario.
    pub groups: &'a [Group],
    /// The command that reruns the case.
    pub replay: &'a str,
}

impl<'a> Context<'a> {
    /// Returns the deployment that an attempt was addressed to.
    pub(super) fn deployment(&self, recorded: &RecordedRequest) -> Option<&'a Deployment> {
        let prefix = recorded.prefix.as_deref()?;
        self.groups
            .iter()
            .find_map(|group| group.deployment_at(prefix))
            .map(|(_, deployment)| deployment)
    }

    /// Returns the entry of the script for an attempt; `None` after the end of the script.
    fn scheduled(&self, recorded: &RecordedRequest) -> Option<&'a Behavior> {
        let described = self.scenario.deployments.get(&self.deployment(recorded)?.name)?;
        scheduled(&described.script, described.repeat_last, recorded.attempt)
    }
}

/// Converts a case. API keys are not yet redacted. Text that may come from a target is made
/// printable and put on one line.
pub fn case(case: &judge::Case, context: Context<'_>) -> Case {
    let Context { scenario, replay, .. } = context;
    let (evidence, judgment) = (&case.evidence, &case.judgment);
    let (outcome, reason) = match &judgment.outcome {
        judge::Outcome::Pass => (Outcome::Pass, None),
        judge::Outcome::Warn => (Outcome::Warn, None),
        judge::Outcome::Fail => (Outcome::Fail, None),
        judge::Outcome::NotRobust => (Outcome::NotRobust, None),
        judge::Outcome::Inconclusive(unclear) => (Outcome::Inconclusive, Some(unclear.to_string())),
        judge::Outcome::Skipped(reason) => (Outcome::Skipped, Some(reason.to_string())),
        judge::Outcome::HarnessError(reason) => (Outcome::HarnessError, Some(reason.clone())),
    };
    // If there is no verdict, the violations are meaningless.
    let is_judged =
        matches!(outcome, Outcome::Pass | Outcome::Warn | Outcome::Fail | Outcome::NotRobust);
    let violations = judgment.violations.iter().filter(|_| is_judged).map(violation).collect();
    Case {
        id: evidence.scenario.clone(),
        title: scenario.title.clone(),
        why: scenario.why.as_deref().map(|why| why.trim_end().to_owned()),
        links: scenario.links.clone(),
        file: scenario.file.to_string_lossy().replace('\\', "/"),
        profile: scenario.profile.name().to_owned(),
        proves: scenario.proves.iter().map(ToString::to_string).collect(),
        outcome,
        failure: judgment.failure,
        silent_steps: judgment.silent.iter().map(|call| call + 1).collect(),
        answered: match &judgment.outcome {
            judge::Outcome::Inconclusive(unclear) => unclear.answered(),
            _ => None,
        },
        reason: reason.as_deref().map(phrases::line),
        started_ms: millis(evidence.started),
        took_ms: millis(evidence.took),
        violations,
        steps: (evidence.calls().iter().enumerate())
            .map(|(index, it)| step(index, it, case, context))
            .collect(),
        replay: replay.to_owned(),
        har: None,
        claims: if is_judged { judgment.claims.clone() } else { Vec::new() },
        facts: if is_judged { judgment.facts.clone() } else { CaseFacts::default() },
    }
}

/// Converts a duration to milliseconds, rounded to two decimals.
pub(super) fn millis(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 100_000.0).round() / 100.0
}

fn violation(violation: &judge::Violation) -> Violation {
    Violation {
        requirement: violation.requirement.map(|code| code.to_string()),
        weight: violation.verdict,
        step: violation.call + 1,
        attempt: violation.attempt,
        pointer: violation.pointer.as_deref().map(phrases::line),
        message: phrases::line(&violation.to_string()),
        cause: None,
        declared: violation.declared.as_ref().map(ToString::to_string),
        expected: None,
    }
}

fn step(index: usize, step: &CallEvidence, case: &judge::Case, context: Context<'_>) -> Step {
    let exchange = &step.exchange;
    let since_case = |time: Duration| millis(time.saturating_sub(case.evidence.started));
    let listed = step.requests.iter().take(MOST_ATTEMPTS);
    let attempts = listed.enumerate().map(|(index, recorded)| {
        let deployment = context.deployment(recorded);
        Attempt {
            number: index + 1,
            deployment: deployment.map_or_else(String::new, |deployment| deployment.name.clone()),
            surface: deployment.map_or_else(String::new, Deployment::surface_label),
            request: phrases::line(&format!("{} {}", recorded.method, recorded.target)),
            status: recorded.status,
            behavior: behavior(recorded, context),
            fault: fault(&recorded.wire),
            refusal: refusal(recorded),
            at_ms: since_case(recorded.times.head),
            first_byte_ms: recorded.times.first_byte.map(since_case),
            end_ms: recorded.times.end.map(since_case),
        }
    });
    Step {
        number: index + 1,
        client: Client {
            request: format!("POST {}", exchange.path),
            status: exchange.status,
            broken: (exchange.ending != Ending::Complete)
                .then(|| phrases::line(&exchange.ending.in_words())),
            at_ms: since_case(exchange.started),
            took_ms: millis(exchange.took),
        },
        attempts: attempts.collect(),
        more_attempts: step.requests.len().saturating_sub(MOST_ATTEMPTS),
        diffs: diffs(index, step, context, &case.judgment.violations),
    }
}

/// The scripted behavior: its name in the catalogue, and what the script sends in place of its reply.
pub(super) fn behavior(recorded: &RecordedRequest, context: Context<'_>) -> String {
    if recorded.refused {
        return "refused".to_owned();
    }
    match context.scheduled(recorded).filter(|it| it.reply == recorded.behavior) {
        Some(played) => in_short(played),
        None => recorded.behavior.clone(),
    }
}

fn in_short(Behavior { reply: name, status, body, .. }: &Behavior) -> String {
    let is_replaced = status.is_some() || body.is_some();
    // A script that gives only a status or a body does not name `ok`.
    let name = (name != "ok" || !is_replaced).then(|| name.clone());
    let status = status.map(|status| format!("status {status}"));
    let body = body.as_ref().map(|_| "scripted body".to_owned());
    name.into_iter().chain(status).chain(body).collect::<Vec<_>>().join(", ")
}

/// The provider's error message: the violation that it found, or the message of its scripted error.
fn refusal(recorded: &RecordedRequest) -> Option<String> {
    if let Some(violation) = recorded.violation.as_ref().filter(|_| recorded.refused) {
        return Some(phrases::line(&violation.message));
    }
    let reply: serde_json::Value = serde_json::from_slice(&recorded.reply).ok()?;
    let message = reply.pointer("/error/message")?.as_str()?;
    let is_error = recorded.status.is_some_and(|status| status >= 400);
    is_error.then(|| phrases::line(&brief(message)))
}

/// Shortens a message that may be long.
fn brief(message: &str) -> String {
    const MAX_CHARS: usize = 120;
    let start: String = message.chars().take(MAX_CHARS).collect();
    if start.len() < message.len() { format!("{start}…") } else { start }
}

/// Describes the fault injected into a reply. `None` if there was none.
pub(super) fn fault(wire: &WireFault) -> Option<String> {
    let mut parts = Vec::new();
    parts.extend(wire.delay_ms.map(|delay| format!("{delay} ms late")));
    parts.extend(wire.head.map(|head| match head {
        HeadFault::Garbage => "garbage instead of the head".to_owned(),
        HeadFault::ContentLengthOffBy(bytes) => format!("content length off by {bytes}"),
    }));
    if let Some(Chunking::Bytes(bytes)) = wire.write {
        parts.push(format!("in chunks of {bytes} B"));
    }
    parts.extend(wire.chunk_delay_ms.map(|delay| {
        let most = if wire.paced { "up to " } else { "" };
        format!("{most}{delay} ms between chunks")
    }));
    parts.extend(wire.encoding.map(|coding| format!("{} if accepted", coding.name())));
    parts.extend(wire.keep_alive.map(|fault| match fault {
        KeepAliveFault::Closes => "closed after the reply".to_owned(),
        KeepAliveFault::ClosesOnReuse => "closed when used again".to_owned(),
        KeepAliveFault::DropsOnReuse => "lost when used again".to_owned(),
    }));
    parts.extend(wire.cut.as_ref().map(|cut| {
        let end = match cut.end {
            CutEnd::Close => "closed",
            CutEnd::Reset => "reset",
            CutEnd::Stall => "stalled",
        };
        match cut.at {
            CutPoint::BeforeHead => format!("{end} before the head"),
            CutPoint::AfterHead => format!("{end} after the head"),
            CutPoint::BodyBytes(bytes) => format!("{end} after {bytes} B"),
            CutPoint::Events(1) => format!("{end} after 1 event"),
            CutPoint::Events(events) => format!("{end} after {events} events"),
        }
    }));
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// Returns the differences between the client's body and the body of each attempt that has a
/// violation with a JSON pointer.
fn diffs(
    at: usize,
    step: &CallEvidence,
    context: Context<'_>,
    violations: &[judge::Violation],
) -> Vec<Diff> {
    // Bodies may be megabytes long, so parse them only if there is something to show.
    if !violations.iter().any(|it| it.call == at && it.pointer.is_some()) {
        return Vec::new();
    }
    let Ok(sent) = Tree::parse(&step.exchange.sent) else { return Vec::new() };
    let mut diffs = Vec::new();
    for (index, recorded) in step.requests.iter().enumerate() {
        let pointed_at = violations
            .iter()
            .any(|it| it.call == at && it.attempt == Some(index + 1) && it.pointer.is_some());
        let deployment = context.deployment(recorded);
        if let (true, Ok(received), Some(deployment)) =
            (pointed_at, Tree::parse(&recorded.body), deployment)
        {
            // Each deployment has its own model name, so a changed `model` is not shown as a
            // difference.
            let sent = sent.with("model", &deployment.deployment_name).canonical();
            let lines = lines(&sent, &received.canonical());
            diffs.push(Diff { attempt: index + 1, deployment: deployment.name.clone(), lines });
        }
        if diffs.len() >= MOST_DIFFS {
            break;
        }
    }
    diffs
}

/// The lines that differ, with some equal lines around them. A comma that a line has only in one of
/// the bodies is no difference: it only says that another member follows.
fn lines(sent: &str, received: &str) -> Vec<Line> {
    let [sent, received] =
        [sent, received].map(|body| body.lines().take(MOST_COMPARED_LINES).collect::<Vec<_>>());
    let diff = TextDiff::from_slices(&without_commas(&sent), &without_commas(&received));
    let mut lines = Vec::new();
    for hunk in diff.grouped_ops(CONTEXT) {
        if !lines.is_empty() {
            lines.push(Line { change: Change::Gap, text: "…".to_owned() });
        }
        for change in hunk.iter().flat_map(|operation| diff.iter_changes(operation)) {
            let of_sent = change.old_index().map(|index| sent[index]);
            let line = of_sent.or_else(|| change.new_index().map(|index| received[index]));
            let text = phrases::line(line.unwrap_or_default());
            let change = match change.tag() {
                ChangeTag::Delete => Change::Lost,
                ChangeTag::Insert => Change::Added,
                ChangeTag::Equal => Change::Same,
            };
            lines.push(Line { change, text });
        }
    }
    if lines.len() > MOST_DIFF_LINES {
        let text = format!("… {} more lines", lines.len() - MOST_DIFF_LINES);
        lines.truncate(MOST_DIFF_LINES);
        lines.push(Line { change: Change::Gap, text });
    }
    lines
}

fn without_commas<'a>(lines: &[&'a str]) -> Vec<&'a str> {
    lines.iter().map(|line| line.strip_suffix(',').unwrap_or(line)).collect()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn a_comma_alone_is_no_difference() {
        let text = |body: &str| Tree::parse(body.as_bytes()).expect("it is JSON").canonical();
        let of = |sent, received| {
            let shown = lines(&text(sent), &text(received));
            shown.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        let both = r#"{"a":1,"b":2}"#;
        assert_eq!(of(both, r#"{"a":1}"#), ["  {", "    \"a\": 1,", "-   \"b\": 2", "  }"]);
        assert_eq!(of(r#"{"a":1}"#, both), ["  {", "    \"a\": 1", "+   \"b\": 2", "  }"]);
        assert_eq!(of(r#"{"a":"1,"}"#, r#"{"a":"1"}"#).len(), 4, "a comma in a value counts");
    }

    #[rstest]
    #[case::nothing("{}", None)]
    #[case::cut(r#"{"cut":{"at":{"events":1},"end":"reset"}}"#, Some("reset after 1 event"))]
    #[case::stalled(
        r#"{"cut":{"at":"before_head","end":"stall"}}"#,
        Some("stalled before the head")
    )]
    #[case::paced(r#"{"chunk_delay_ms":3,"paced":true}"#, Some("up to 3 ms between chunks"))]
    #[case::packed_then_lost(
        r#"{"encoding":"gzip","keep_alive":"drops_on_reuse"}"#,
        Some("gzip if accepted, lost when used again")
    )]
    #[case::all_at_once(
        r#"{"delay_ms":20,"head":{"content_length_off_by":-5},"write":{"bytes":7},"chunk_delay_ms":3}"#,
        Some("20 ms late, content length off by -5, in chunks of 7 B, 3 ms between chunks")
    )]
    fn a_fault_is_described(#[case] wire: &str, #[case] described: Option<&str>) {
        let wire: WireFault = serde_json::from_str(wire).expect("a valid wire fault");
        assert_eq!(fault(&wire).as_deref(), described);
    }

    #[rstest]
    #[case(r#""ok""#, "ok")]
    #[case(r#"{ "headers": { "a": "b" } }"#, "ok")]
    #[case(r#"{ "status": 503 }"#, "status 503")]
    #[case(r#"{ "body": "{}" }"#, "scripted body")]
    #[case(r#"{ "status": 503, "body": "{}" }"#, "status 503, scripted body")]
    #[case(r#"{ "reply": "overloaded", "status": 529 }"#, "overloaded, status 529")]
    fn a_behavior_says_what_the_script_replaces(#[case] entry: &str, #[case] shown: &str) {
        let behavior: Behavior = serde_json::from_str(entry).expect("a valid behavior");
        assert_eq!(in_short(&behavior), shown);
    }

    #[rstest]
    #[case::scripted(400, r#"{"error":{"message":"Too long."}}"#, Some("Too long."))]
    #[case::of_a_success(200, r#"{"error":{"message":"Too long."}}"#, None)]
    #[case::a_page(502, "<html>", None)]
    fn the_providers_words_are_those_of_its_error(
        #[case] status: u16,
        #[case] reply: &str,
        #[case] words: Option<&str>,
    ) {
        let (status, reply) = (Some(status), reply.into());
        let recorded = RecordedRequest { status, reply, ..RecordedRequest::default() };
        assert_eq!(refusal(&recorded).as_deref(), words);
    }
}
