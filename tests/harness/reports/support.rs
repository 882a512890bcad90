//! Runs of the command, and hand-made reports.

use std::fs;
use std::process::{Command, Output};
use std::sync::LazyLock;

use fallproof_judge::CaseFacts;
use fallproof_report::model::{
    Attempt, Case, Cause, Change, Client, Compliance, Counts, Diff, Example, Failure, Level, Line,
    Outcome, Profile, Report, Requirement, Run, Selection, Severity, Step, Suite, Target, Tool,
    Verdict, Violation, Weight,
};
use fallproof_report::report_file;
use tempfile::TempDir;

use crate::common::part;

/// Returns the command, to be run in the repository and outside any CI.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fallproof"));
    command.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR"));
    for variable in ["GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "FALLPROOF_KEY"] {
        command.env_remove(variable);
    }
    command
}

pub(crate) fn fallproof(arguments: &[&str]) -> Output {
    command(arguments).output().expect("the binary was built with this test")
}

pub(crate) fn path(folder: &TempDir) -> &str {
    folder.path().to_str().expect("a temporary path is text")
}

/// Path of a small part of the suite.
pub(crate) static PART: LazyLock<String> = LazyLock::new(|| part().display().to_string());

/// Runs scenarios of a small part of the suite and writes a report to the folder.
pub(crate) fn run_again(arguments: &[&str], folder: &str) -> Output {
    let options = ["run", "--scenarios", PART.as_str(), "--report", folder];
    fallproof(&[&options[..], arguments].concat())
}

/// Like [`run_again`], with a new folder, which is returned.
pub(crate) fn reported(arguments: &[&str]) -> (TempDir, Output) {
    let folder = TempDir::new().expect("a temporary folder");
    let output = run_again(arguments, path(&folder));
    (folder, output)
}

pub(crate) fn read(folder: &TempDir, name: &str) -> String {
    let file = folder.path().join(name);
    fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

pub(crate) fn report(folder: &TempDir) -> Report {
    report_file::read(&folder.path().join("report.json")).unwrap_or_else(|error| panic!("{error}"))
}

/// A case with this outcome, for the requirement `FP-ROUTE-01`.
pub(crate) fn case(id: &str, outcome: Outcome) -> Case {
    let violation = |weight| Violation {
        requirement: Some("FP-ROUTE-01".into()),
        weight,
        step: 1,
        attempt: Some(2),
        pointer: None,
        message: "attempt 2 went to `backup`".into(),
        cause: None,
        declared: None,
        expected: None,
    };
    let attempt = Attempt {
        number: 1,
        deployment: "primary".into(),
        surface: "openai".into(),
        request: "POST /v1/responses".into(),
        status: Some(500),
        behavior: "server_error".into(),
        fault: None,
        refusal: None,
        at_ms: 1.0,
        first_byte_ms: Some(2.0),
        end_ms: Some(2.0),
    };
    let client = Client {
        request: "POST /v1/responses".into(),
        status: Some(200),
        broken: None,
        at_ms: 0.0,
        took_ms: 3.0,
    };
    Case {
        id: id.into(),
        title: "A call fails over".into(),
        why: None,
        links: Vec::new(),
        file: format!("scenarios/{id}.yaml"),
        profile: "core".into(),
        proves: vec!["FP-ROUTE-01".into()],
        outcome,
        failure: (outcome == Outcome::Fail).then_some(Failure::Silent),
        silent_steps: if outcome == Outcome::Fail { vec![1] } else { Vec::new() },
        reason: match outcome {
            Outcome::Skipped | Outcome::Inconclusive | Outcome::HarnessError => {
                Some("for a reason".into())
            }
            _ => None,
        },
        started_ms: 0.0,
        took_ms: 3.0,
        violations: match outcome {
            Outcome::Fail => vec![violation(Weight::Fail)],
            Outcome::Warn => vec![violation(Weight::Warn)],
            _ => Vec::new(),
        },
        steps: vec![Step {
            number: 1,
            client,
            attempts: vec![attempt],
            more_attempts: 0,
            diffs: Vec::new(),
        }],
        replay: format!("fallproof run {id}"),
        har: None,
        answered: None,
        claims: Vec::new(),
        facts: CaseFacts::default(),
    }
}

/// The report of a complete run with one requirement.
pub(crate) fn made(
    verdict: Verdict,
    compliance: Compliance,
    counts: Counts,
    cases: Vec<Case>,
) -> Report {
    let requirement = Requirement {
        code: "FP-ROUTE-01".into(),
        level: Level::Invariant,
        severity: Severity::Must,
        sentence: "The deployments are asked in order.".into(),
        why: "That is what a chain is.".into(),
        sources: vec!["https://example.com/1".into()],
        verdict: compliance,
        tested_by: Vec::new(),
        violated_in: Vec::new(),
        exempt_in: Vec::new(),
        expected: false,
    };
    Report {
        format: "fallproof-report/2".into(),
        tool: Tool { name: "fallproof".into(), version: "0.1.0".into() },
        target: Target {
            name: "Gate".into(),
            version: Some("1.2".into()),
            adapter: None,
            variant: None,
            address: Some("127.0.0.1:4000".into()),
        },
        suite: Suite { fingerprint: format!("sha256:{}", "0".repeat(64)), cases: 9 },
        run: Run {
            started: "2026-11-25T09:00:00.000Z".into(),
            ended: "2026-11-25T09:00:01.000Z".into(),
            selection: Selection { patterns: Vec::new(), tags: Vec::new(), cases: 9, whole: true },
            interrupted: false,
        },
        verdict,
        counts,
        baseline: None,
        claims: Vec::new(),
        causes: Vec::new(),
        profiles: vec![Profile { name: "core".into(), counts, requirements: vec![requirement] }],
        cases,
        not_run: Vec::new(),
    }
}

/// A report with a failure and with text that tries to inject HTML.
pub(crate) fn hostile() -> Report {
    let evil = r#"</code></pre><script>alert("x")</script><img src=x onerror=alert(1)>"#;
    let mut failed = case("a/fails", Outcome::Fail);
    failed.violations[0].message = format!("got `{evil}");
    failed.steps[0].attempts[0].refusal = Some(evil.into());
    failed.steps[0].diffs = vec![Diff {
        attempt: 1,
        deployment: "primary".into(),
        lines: vec![Line { change: Change::Added, text: evil.into() }],
    }];
    let counts = Counts { fail: 1, skipped: 1, ..Counts::default() };
    let cases = vec![failed, case("a/skips", Outcome::Skipped)];
    let mut report = made(Verdict::NotConformant, Compliance::Fail, counts, cases);
    report.target.name = evil.into();
    report
}

/// A cause of `FP-ROUTE-01` with all failures of these cases. A failure without a cause gets this one.
pub(crate) fn cause<'a>(id: &str, cases: impl IntoIterator<Item = &'a mut Case>) -> Cause {
    let mut ids = Vec::new();
    for case in cases {
        ids.push(case.id.clone());
        for violation in &mut case.violations {
            violation.cause.get_or_insert_with(|| id.into());
        }
    }
    let case = ids.first().cloned().unwrap_or_default();
    Cause {
        id: id.into(),
        fault: "asks `backup` too early".into(),
        scope: "streams only".into(),
        requirement: Some("FP-ROUTE-01".into()),
        weight: Weight::Fail,
        could_show: ids.len() + 1,
        silent: 0,
        example: Example {
            step: 1,
            attempt: Some(2),
            message: "attempt 2 went to `backup`".into(),
            own_error: None,
            sent: None,
            replay: format!("fallproof run {case}"),
            case,
        },
        cases: ids,
        follows: Vec::new(),
        symptoms: vec![id.into()],
        sources: Vec::new(),
        expected: None,
    }
}
