//! Output for GitHub Actions jobs.

use std::fs;

use fallproof_report::github::annotations;
use fallproof_report::markdown;
use fallproof_report::model::{
    Baseline, Cause, Compliance, Counts, Expected, Outcome, Report, Stale, Verdict, Weight, Wider,
};
use tempfile::TempDir;

use crate::common::part;
use crate::shell::text;

use super::support::{case, cause, command, made};

/// The report of this number of failed cases with one cause.
fn failed(number: usize) -> Report {
    let cases = (0..number).map(|it| case(&format!("a/fails-{it}"), Outcome::Fail)).collect();
    let counts = Counts { fail: number, ..Counts::default() };
    let mut report = made(Verdict::NotConformant, Compliance::Fail, counts, cases);
    report.causes = vec![cause("route-01", &mut report.cases)];
    report
}

#[test]
fn a_cause_is_one_annotation_for_all_of_its_cases() {
    let mut report = failed(3);
    report.causes[0].example.message = "100 % wrong:\nall of it".into();
    assert_eq!(
        annotations(&report, |file| file == "scenarios/a/fails-0.yaml"),
        "::error file=scenarios/a/fails-0.yaml,title=route-01 in 3 cases::\
         Gate 1.2 asks `backup` too early (streams only)%0A\
         a/fails-0: 100 %25 wrong:%0Aall of it%0A\
         rerun: fallproof run a/fails-0\n"
    );
    assert!(
        !annotations(&report, |_| false).contains("file="),
        "a file of another repository is not named"
    );
}

#[test]
fn inconclusive_cases_and_warnings_are_annotated_but_not_expected_or_passed_ones() {
    let mut report = failed(1);
    report.causes[0].expected = Some(Expected { reason: "known".into(), issue: None });
    report.cases.push(case("a/passes", Outcome::Pass));
    report.cases.push(case("a/skips", Outcome::Skipped));
    assert_eq!(annotations(&report, |_| true), "");

    report.cases.push(case("b/unclear", Outcome::Inconclusive));
    let mut warns = case("b/warns", Outcome::Warn);
    report.causes.push(Cause { weight: Weight::Warn, ..cause("client-02", [&mut warns]) });
    report.cases.push(warns);
    let entry = |line| Stale { cause: "auth-01".into(), line, similar: None };
    let more = vec!["c/d".into()];
    report.baseline = Some(Baseline {
        file: "known,1.yaml".into(),
        stale: vec![entry(3)],
        expired: vec![entry(7)],
        wider: vec![Wider { cause: "route-01".into(), line: 9, cases: more }],
    });
    let shown = annotations(&report, |_| true);
    let lines: Vec<_> = shown.lines().collect();
    assert_eq!(lines.len(), 5, "{shown}");
    assert_eq!(lines[0], "::error title=inconclusive result in 1 case::b/unclear: for a reason");
    assert!(lines[1].starts_with("::error file=known%2C1.yaml,line=3,title=stale"), "{shown}");
    assert!(lines[2].starts_with("::warning file=scenarios/b/warns.yaml,title="), "{shown}");
    assert!(lines[3].starts_with("::warning file=known%2C1.yaml,line=7,title=expired"), "{shown}");
    assert!(lines[4].starts_with("::warning file=known%2C1.yaml,line=9,title="), "{shown}");
    assert!(lines[4].ends_with("also shows in 1 case not listed: c/d."), "{shown}");
}

#[test]
fn at_most_as_many_are_written_as_github_shows_and_the_last_one_counts_the_others() {
    let mut report = failed(13);
    let causes = report.cases.iter_mut().enumerate();
    report.causes = causes.map(|(it, case)| cause(&format!("route-{it:02}"), [case])).collect();
    let shown = annotations(&report, |_| false);
    assert_eq!(shown.lines().count(), 10);
    assert!(shown.lines().last().is_some_and(|last| last.contains("title=4 more::")), "{shown}");
}

#[test]
fn a_summary_is_never_longer_than_github_accepts() {
    let mut report = failed(5);
    report.cases[1].violations[0].message = "x".repeat(2_000_000);
    let causes = report.cases.iter_mut().enumerate();
    report.causes = causes.map(|(it, case)| cause(&format!("route-{it:02}"), [case])).collect();
    let shown = markdown::write(&report).expect("it can be written");
    assert!(shown.len() < 600_000, "{}", shown.len());
    assert_eq!(shown.matches("<details>").count(), 4, "one is too long");
    assert!(shown.contains("```sh\nfallproof run a/fails-1\n```"), "it can still be run");
}

#[test]
fn a_job_on_github_gets_annotations_and_a_summary() {
    let folder = TempDir::new().expect("a temporary folder");
    let summary = folder.path().join("step.md");
    fs::write(&summary, "# An earlier step\n").expect("a file");
    let scenarios = folder.path().join("scenarios/responses-compact");
    fs::create_dir_all(&scenarios).expect("a folder");
    let founding = "responses-compact/openai-to-azure.yaml";
    fs::copy(part().join(founding), folder.path().join("scenarios").join(founding))
        .expect("a copy");
    let output = command(&["run", "--scenarios", "scenarios", "--saboteur", "invented-metadata"])
        .current_dir(folder.path())
        .env("GITHUB_ACTIONS", "true")
        .env("GITHUB_STEP_SUMMARY", &summary)
        .output()
        .expect("the binary was built with this test");
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let shown = text(&output.stdout);
    let annotation = "::error file=scenarios/responses-compact/";
    assert!(shown.lines().any(|line| line.starts_with(annotation)), "{shown}");
    let summary = fs::read_to_string(summary).expect("it is there");
    assert!(summary.starts_with("# An earlier step\n# Fallproof: reference router"), "{summary}");
    assert!(summary.contains("\n### 1. payload-01/"), "{summary}");
    assert!(summary.contains("| **violated** | **FP-PAYLOAD-01**"), "{summary}");
}

#[test]
fn a_summary_that_cannot_be_written_only_warns() {
    let output = command(&["run", "responses-compact/openai-to-azure", "--scenarios"])
        .arg(part())
        .env("GITHUB_STEP_SUMMARY", "/no/such/folder/step.md")
        .output()
        .expect("the binary was built with this test");
    let shown = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{shown}");
    assert!(
        shown.contains("warning: cannot write the summary to /no/such/folder/step.md"),
        "{shown}"
    );
}

#[test]
fn nothing_is_annotated_outside_github() {
    let output = command(&["run", "responses-compact", "--saboteur", "invented-metadata"])
        .output()
        .expect("the binary was built with this test");
    assert!(!text(&output.stdout).contains("::error"), "{}", text(&output.stdout));
}
