//! Scenario files for tests, and assertions on how they load.

use std::fs;

use fallproof_suite::scenario::{self, Planned, Scenario, Step};
use tempfile::TempDir;

pub(super) const VALID: &str = r#"# yaml-language-server: $schema=../schema.json
title: A compact call goes to Azure when OpenAI fails
proves: [FP-ROUTE-01]
deployments:
  primary: { provider: openai, model: gpt-5, script: [server_error] }
  backup: { provider: azure, model: gpt-5, script: [ok] }
group: { chain: [primary, backup] }
steps:
  - send:
      endpoint: responses/compact
      body: { input: "Hello" }
    expect:
      attempts: [primary, backup]
      answered_by: backup
"#;

pub(super) const EVERY_KEY: &str = r#"
title: A call
why: Because.
links: [https://example.com/a]
profile: responses
proves: [FP-PAYLOAD-01, FP-ROUTE-02]
tags: [founding, slow-2]
deployments:
  one:
    provider: azure
    surface: legacy
    model: gpt-5
    deployment_name: prod
    api_version: 2024-10-21
    headers: { X-Team: a b }
    query: { region: eu-1 }
    script: [{ status: 503, wire: { cut: { at: { body_bytes: 5 }, end: reset } } }, ok]
    repeat_last: true
  two: { provider: azure, surface: legacy, model: gpt-5, script: [ok] }
group: { chain: [two, one], retries: 0, timeout_ms: 1500 }
steps:
  - send:
      endpoint: chat/completions
      headers: { x-trace: "1", X-Other: b c }
      body_json: |
        {"temperature": 1e0, "model": "{{model}}"}
    expect:
      status: 503
      error: { type: server_error, code: a, param: b, message_contains: try again }
      no_attempt_carries: { headers: [x-trace], text: [secret] }
  - send: { endpoint: embeddings, body: { input: [1, 2.5, null, true, { z: "1", a: no }] } }
"#;

/// The only call of this step.
pub(super) fn call(scenario: &Scenario, step: usize) -> &Planned {
    match &scenario.steps[step] {
        Step::Calls(calls) if calls.len() == 1 => &calls[0],
        other => panic!("not one call: {other:?}"),
    }
}

pub(super) fn load(text: impl AsRef<[u8]>) -> Result<Scenario, String> {
    load_all(text).map(|mut scenarios| scenarios.pop().expect("a file has a scenario"))
}

pub(super) fn load_all(text: impl AsRef<[u8]>) -> Result<Vec<Scenario>, String> {
    let folder = TempDir::new().expect("a temporary folder");
    let file = folder.path().join("case.yaml");
    fs::write(&file, text).expect("a file in a temporary folder");
    scenario::load(&file, "case").map_err(|error| error.to_string())
}

/// `VALID` with one change.
pub(super) fn valid_but(from: &str, to: &str) -> String {
    assert!(VALID.contains(from), "{from} is not in the text");
    VALID.replacen(from, to, 1)
}

/// Asserts that `VALID`, with one change, is refused at the position marked with `«`, with a
/// message that contains all of `words`.
#[track_caller]
pub(super) fn assert_refused(from: &str, to_marked: &str, words: &[&str]) {
    assert_text_refused(valid_but(from, to_marked), words);
}

/// Asserts that the text is refused at the position marked with `«`, with a message that contains
/// all of `words`.
#[track_caller]
pub(super) fn assert_text_refused(marked: impl AsRef<str>, words: &[&str]) {
    let (before, after) = marked.as_ref().split_once('«').expect("a marked position");
    let line_before = before.trim_start_matches('\u{feff}').rsplit('\n').next().unwrap_or_default();
    let (line, column) = (before.matches('\n').count() + 1, line_before.chars().count() + 1);
    let error = load([before, after].concat()).expect_err("it must be refused");
    assert!(error.contains(&format!("case.yaml:{line}:{column}\n")), "{line}:{column}?\n{error}");
    for word in words {
        assert!(error.contains(word), "{word} is missing:\n{error}");
    }
}
