//! What a CI job on GitHub is told.

use std::fs;

use fallproof_report::github::annotations;
use fallproof_report::markdown;
use fallproof_report::model::{Baseline, Counts, Expected, Kept, Outcome, Report, Stale, Verdict};
use tempfile::TempDir;

use crate::common::part;
use crate::shell::text;

use super::support::{case, command, made};

fn failed(number: usize) -> Report {
    let cases = (0..number).map(|it| case(&format!("a/fails-{it}"), Outcome::Fail)).collect();
    let counts = Counts { fail: number, ..Counts::default() };
    made(Verdict::NotConformant, Kept::Fail, counts, cases)
}

#[test]
fn a_broken_requirement_is_one_annotation_however_many_cases_show_it() {
    let mut report = failed(3);
    report.cases[0].violations[0].message = "100 % wrong:\nall of it".into();
    assert_eq!(
        annotations(&report, |file| file == "scenarios/a/fails-0.yaml"),
        "::error file=scenarios/a/fails-0.yaml,title=FP-ROUTE-01 in 3 cases::\
         The deployments are asked in order.%0A\
         a/fails-0: 100 %25 wrong:%0Aall of it%0A\
         again: fallproof run a/fails-0\n"
    );
    assert!(!annotations(&report, |_| false).contains("file="), "no file of another's repository");
}

#[test]
fn an_expectation_is_annotated_only_where_no_requirement_explains_it() {
    let mut report = failed(2);
    let mut expectation = report.cases[0].violations[0].clone();
    expectation.requirement = None;
    report.cases[0].violations.push(expectation);
    assert!(!annotations(&report, |_| false).contains("expectation"));

    report.cases[1].violations[0].requirement = None;
    let told = annotations(&report, |_| false);
    assert!(told.contains("title=an expectation is broken in 1 case::a/fails-1: "), "{told}");
}

#[test]
fn what_is_expected_or_passed_is_not_annotated_and_what_is_unclear_or_advised_is() {
    let mut report = failed(1);
    let expected = Expected { reason: "known".into(), issue: None };
    report.cases[0].violations[0].expected = Some(expected);
    report.cases.push(case("a/passes", Outcome::Pass));
    report.cases.push(case("a/skips", Outcome::Skipped));
    assert_eq!(annotations(&report, |_| true), "");

    report.cases.push(case("b/unclear", Outcome::Inconclusive));
    report.cases.push(case("b/warns", Outcome::Warn));
    let entry = |line| Stale { scenario: "c/*".into(), requirement: "FP-AUTH-01".into(), line };
    report.baseline = Some(Baseline {
        file: "known,1.yaml".into(),
        stale: vec![entry(3)],
        expired: vec![entry(7)],
    });
    let told = annotations(&report, |_| true);
    let lines: Vec<_> = told.lines().collect();
    assert_eq!(lines.len(), 4, "{told}");
    assert_eq!(lines[0], "::error title=nothing can be said of 1 case::b/unclear: for a reason");
    assert!(lines[1].starts_with("::error file=known%2C1.yaml,line=3,title="), "{told}");
    assert!(lines[2].starts_with("::warning file=scenarios/b/warns.yaml,title="), "{told}");
    assert!(lines[3].starts_with("::warning file=known%2C1.yaml,line=7,title="), "{told}");
}

#[test]
fn no_more_are_written_than_github_shows_and_the_last_one_says_so() {
    let mut report = failed(13);
    for (number, case) in report.cases.iter_mut().enumerate() {
        case.violations[0].requirement = Some(format!("FP-ROUTE-{number:02}"));
    }
    let told = annotations(&report, |_| false);
    assert_eq!(told.lines().count(), 10);
    assert!(told.lines().last().is_some_and(|last| last.contains("title=4 more::")), "{told}");
}

#[test]
fn a_summary_is_never_longer_than_github_takes() {
    let mut report = failed(5);
    report.cases[1].violations[0].message = "x".repeat(2_000_000);
    let told = markdown::write(&report).expect("it can be written");
    assert!(told.len() < 600_000, "{}", told.len());
    assert_eq!(told.matches("<details>").count(), 4, "one is too long");
    assert!(told.contains("1 more are in `index.html`"));
}

#[test]
fn a_job_on_github_gets_annotations_and_its_summary_is_added_to() {
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
    let told = text(&output.stdout);
    let annotation = "::error file=scenarios/responses-compact/";
    assert!(told.lines().any(|line| line.starts_with(annotation)), "{told}");
    let summary = fs::read_to_string(summary).expect("it is there");
    assert!(summary.starts_with("# An earlier step\n# Fallproof: reference router"), "{summary}");
    assert!(summary.contains("| **broken** | **FP-PAYLOAD-01**"), "{summary}");
}

#[test]
fn a_summary_that_cannot_be_written_is_told_and_changes_nothing() {
    let output = command(&["run", "responses-compact/openai-to-azure", "--scenarios"])
        .arg(part())
        .env("GITHUB_STEP_SUMMARY", "/no/such/folder/step.md")
        .output()
        .expect("the binary was built with this test");
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert!(told.contains("warning: no summary in /no/such/folder/step.md"), "{told}");
}

#[test]
fn nothing_is_annotated_outside_of_github() {
    let output = command(&["run", "responses-compact", "--saboteur", "invented-metadata"])
        .output()
        .expect("the binary was built with this test");
    assert!(!text(&output.stdout).contains("::error"), "{}", text(&output.stdout));
}
