//! The traffic of a case, as a trace on the terminal and as HAR.

use std::fs;

use fallproof_judge as judge;
use fallproof_report::convert::Context;
use fallproof_report::event::{Raw, RunEvent};
use fallproof_report::har::Hars;
use fallproof_report::model::{Case, Compliance, Counts, Outcome, Verdict};
use fallproof_report::redact::Redactor;
use fallproof_report::reporter::Reporter as _;
use fallproof_suite::evidence::CaseResult;
use fallproof_suite::scenario::Suite;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::common::part;
use crate::shell::text;

use super::support::{case, fallproof, made, read, report, reported, run_again};

const CUT: &str = "streaming/breaks-after-content@between-events.chat";

#[test]
fn a_trace_shows_all_bytes_in_both_directions_in_order_of_time() {
    let output = fallproof(&["run", CUT, "--trace"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let shown = text(&output.stdout);
    let mut rest = shown.as_str();
    for fragment in [
        "TRACE streaming/breaks-after-content@between-events.chat",
        "client → target: ",
        r"POST /v1/chat/completions HTTP/1.1\r\n",
        r"authorization: Bearer [gateway key]\r\n",
        "target → primary (openai), attempt 1: ",
        r#""stream":true}"#,
        "primary (openai), attempt 1 → target: ",
        r"transfer-encoding: chunked\r\n",
        r#"data: {"id":"#,
        "target → client: ",
        "ms  target ",
    ] {
        let Some(found) = rest.find(fragment) else {
            panic!("`{fragment}` is missing in:\n{shown}")
        };
        rest = &rest[found + fragment.len()..];
    }
}

#[test]
fn each_case_that_failed_has_a_har_of_the_call_and_its_attempts() {
    let (folder, _) = reported(&[CUT, "streaming/azure-to-azure", "--saboteur", "splices-streams"]);
    let report = report(&folder);
    for case in &report.cases {
        let has_failed = case.id == CUT;
        assert_eq!(case.har.is_some(), has_failed, "{}", case.id);
    }
    let case = report.cases.iter().find(|case| case.id == CUT).expect("it was run");
    let file = case.har.as_deref().expect("it failed");
    let har: Value = serde_json::from_str(&read(&folder, file)).expect("HAR is JSON");
    let log = &har["log"];
    assert_eq!(log["version"], "1.2");
    let entries = log["entries"].as_array().expect("a log has entries");
    assert_eq!(entries.len(), 1 + case.steps[0].attempts.len());
    let (client, first) = (&entries[0], &entries[1]);
    assert_eq!(client["comment"], "client");
    assert_eq!(first["comment"], "attempt 1 at primary: ok, closed after 6 events");
    assert_eq!(first["response"]["status"], 200);
    let sent = first["request"]["postData"]["text"].as_str().expect("a body");
    assert!(sent.starts_with(r#"{"model":"#), "{sent}");
    let answered = first["response"]["content"]["text"].as_str().expect("a body");
    assert_eq!(answered.matches("data: ").count(), 6, "the part cut off was not sent");
    assert!(read(&folder, "index.html").replace("&#x2f;", "/").contains(file));
}

#[test]
fn a_har_shows_no_headers_of_a_head_that_was_not_sent() {
    let reset = "faults/wire-faults@connection-reset.azure-legacy.chat";
    let folder = TempDir::new().expect("a temporary folder");
    let path = folder.path().to_str().expect("a temporary path is text");
    let saboteur = ["--saboteur", "first-key-everywhere"];
    fallproof(&[&["run", reset, "--report", path], &saboteur[..]].concat());
    let har: Value = serde_json::from_str(&read(
        &folder,
        "har/faults.wire-faults@connection-reset.azure-legacy.chat.har",
    ))
    .expect("HAR is JSON");
    let first = &har["log"]["entries"][1];
    let comment = "attempt 1 at primary: connection_reset, reset before the head";
    assert_eq!(first["comment"], comment);
    assert_eq!(
        (&first["response"]["status"], &first["response"]["headers"]),
        (&0.into(), &json!([]))
    );
}

#[test]
fn har_files_of_an_earlier_report_are_removed_with_it() {
    let (folder, _) = reported(&[CUT, "--saboteur", "splices-streams"]);
    let hars = || fs::read_dir(folder.path().join("har")).map_or(0, Iterator::count);
    assert_eq!(hars(), 1);
    let path = folder.path().to_str().expect("a temporary path is text");
    let again = run_again(&[CUT], path);
    assert_eq!(again.status.code(), Some(0), "{}", text(&again.stderr));
    assert_eq!(hars(), 0);

    fs::write(folder.path().join("har/notes.txt"), "mine").expect("a file");
    let refused = run_again(&[CUT], path);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("har/notes.txt"), "{}", text(&refused.stderr));
}

#[test]
fn a_case_that_passes_when_rerun_leaves_no_har() {
    let suite = Suite::load(part()).unwrap_or_else(|error| panic!("{error}"));
    let scenario = &suite.scenarios[0];
    let judged = &judge::Case::of(scenario, CaseResult::HarnessError("for a reason".into()));
    let context = Context { scenario, groups: &[], replay: "" };
    let raw = Raw { judged, context, redactor: &Redactor::of([]) };

    let folder = TempDir::new().expect("a temporary folder");
    let mut hars = Hars::new(folder.path().to_owned());
    let mut emit = |event| hars.event(&event).expect("a file in a temporary folder");
    let passed = case("a/b", Outcome::Pass);
    let failed = Case { har: Some("har/a.b.har".into()), ..case("a/b", Outcome::Fail) };
    emit(RunEvent::CaseFinished { case: &failed, raw });
    assert!(folder.path().join("har/a.b.har").is_file());
    emit(RunEvent::CaseFinished { case: &passed, raw });
    let report =
        &made(Verdict::Conformant, Compliance::Pass, Counts::default(), vec![passed.clone()]);
    emit(RunEvent::Finished { report, log: "" });
    assert!(!folder.path().join("har/a.b.har").exists());
}
