//! Expected failures in a baseline are reported, but do not fail the run. Stale entries do fail it.

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use chrono::NaiveDate;
use fallproof_report::baseline::Baseline;
use fallproof_report::model::{Case, Outcome, Verdict};
use fallproof_suite::scenario::Suite;
use rstest::rstest;
use tempfile::TempDir;

use crate::common::part;
use crate::shell::text;

use super::support::{PART, case, fallproof, report, reported};

const CHOSEN: &str = "responses-compact";
const FOUNDING: &str = "responses-compact/openai-to-azure";

static SUITE: LazyLock<Suite> =
    LazyLock::new(|| Suite::load(part()).unwrap_or_else(|error| panic!("{error}")));

/// Writes a baseline file with this text. Dropping the folder removes it.
fn file(text: &str) -> (TempDir, PathBuf) {
    let folder = TempDir::new().expect("a temporary folder");
    let file = folder.path().join("baseline.yaml");
    fs::write(&file, text).expect("a file in a temporary folder");
    (folder, file)
}

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a day")
}

/// The founding case, failed.
fn failed() -> Case {
    case(FOUNDING, Outcome::Fail)
}

#[test]
fn a_written_baseline_applies_to_the_next_run_and_is_stale_once_fixed() {
    let folder = TempDir::new().expect("a temporary folder");
    let baseline = folder.path().join("known.yaml");
    let baseline = baseline.to_str().expect("a temporary path is text");
    let broken = [CHOSEN, "--saboteur", "invented-metadata"];
    let of_part = ["run", "--scenarios", PART.as_str()];

    let first = fallproof(&[&of_part[..], &broken, &["--write-baseline", baseline]].concat());
    assert_eq!(first.status.code(), Some(1), "the run itself still fails");
    assert!(text(&first.stderr).contains("wrote "), "{}", text(&first.stderr));

    let (reports, again) = reported(&[&broken[..], &["--baseline", baseline, "-v"]].concat());
    let shown = text(&again.stdout);
    assert_eq!(again.status.code(), Some(0), "{shown}");
    assert!(shown.contains("FAIL, AS EXPECTED responses-compact/openai-to-azure"), "{shown}");
    assert!(shown.contains("not investigated yet"), "{shown}");
    let report = report(&reports);
    assert!(report.counts.fail == 0 && report.counts.expected > 0);

    let fixed = fallproof(&[&of_part[..], &[CHOSEN, "--baseline", baseline]].concat());
    let shown = text(&fixed.stdout);
    assert_eq!(fixed.status.code(), Some(1), "{shown}");
    assert!(shown.contains("STALE") && shown.contains("known.yaml:"), "{shown}");
}

#[test]
fn a_new_baseline_never_overwrites_a_file() {
    let (_folder, file) = file("mine");
    let arguments = ["run", "auth", "--write-baseline", file.to_str().expect("text")];
    let refused = fallproof(&arguments);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("already exists"), "{}", text(&refused.stderr));
    assert_eq!(fs::read_to_string(file).expect("it is still there"), "mine");
    let refused = fallproof(&["run", "auth", "--write-baseline", "no-such-folder/known.yaml"]);
    assert_eq!(refused.status.code(), Some(2), "before any case is run");
    assert!(
        text(&refused.stderr).contains("its folder does not exist"),
        "{}",
        text(&refused.stderr)
    );
}

#[rstest]
#[case::by_id("responses-compact/openai-to-azure")]
#[case::by_glob("responses-compact/*-to-azure")]
#[case::by_folder("responses-compact")]
fn a_failure_is_expected_by_id_glob_or_folder(#[case] pattern: &str) {
    let (_folder, file) = file(&format!(
        "expected:\n  - {{ requirement: FP-ROUTE-01, reason: Known., issue: https://example.com/7, scenarios: ['{pattern}'] }}\n"
    ));
    let baseline = Baseline::load(&file, &SUITE).unwrap_or_else(|error| panic!("{error}"));
    let mut cases = [failed()];
    let applied = baseline.apply(&mut cases, day("2026-11-25"));
    assert!(applied.stale.is_empty() && applied.expired.is_empty());
    assert!(cases[0].is_expected());
    let expected = cases[0].violations[0].expected.as_ref().expect("it is expected");
    assert_eq!(expected.reason, "Known.");
    assert_eq!(expected.issue.as_deref(), Some("https://example.com/7"));
}

#[test]
fn a_failure_that_is_not_listed_still_fails_its_case() {
    let (_folder, file) = file(
        "expected:\n  - { requirement: FP-AUTH-01, reason: Known., scenarios: [responses-compact] }\n",
    );
    let baseline = Baseline::load(&file, &SUITE).unwrap_or_else(|error| panic!("{error}"));
    let mut other = failed();
    other.violations[0].requirement = Some("FP-AUTH-01".into());
    let mut both = failed();
    both.violations.extend(other.violations.clone());
    let mut cases = [other, both];
    baseline.apply(&mut cases, day("2026-11-25"));
    assert_eq!([cases[0].is_expected(), cases[1].is_expected()], [true, false]);
}

#[test]
fn an_entry_is_valid_through_its_last_day() {
    let (_folder, file) = file(&format!(
        "expected:\n  - requirement: FP-ROUTE-01\n    reason: Known.\n    expires: 2026-11-25\n    scenarios: [{FOUNDING}]\n"
    ));
    let baseline = Baseline::load(&file, &SUITE).unwrap_or_else(|error| panic!("{error}"));
    let on = |today| {
        let mut cases = [failed()];
        let applied = baseline.apply(&mut cases, day(today));
        (cases[0].is_expected(), applied.expired.len(), applied.stale.len())
    };
    assert_eq!(on("2026-11-25"), (true, 0, 0));
    assert_eq!(on("2026-11-26"), (false, 1, 0));
}

#[rstest]
#[case::passes(Outcome::Pass, 1)]
#[case::warns(Outcome::Warn, 1)]
#[case::unclear(Outcome::Inconclusive, 0)]
#[case::skipped(Outcome::Skipped, 0)]
fn an_entry_is_stale_only_if_its_case_was_judged(#[case] outcome: Outcome, #[case] stale: usize) {
    let (_folder, file) = file(&format!(
        "expected:\n  - requirement: FP-ROUTE-01\n    reason: Known.\n    scenarios:\n      - {FOUNDING}\n"
    ));
    let baseline = Baseline::load(&file, &SUITE).unwrap_or_else(|error| panic!("{error}"));
    let applied = baseline.apply(&mut [case(FOUNDING, outcome)], day("2026-11-25"));
    assert_eq!(applied.stale.len(), stale);
    assert!(applied.stale.iter().all(|entry| entry.line == 5 && entry.scenario == FOUNDING));
}

#[rstest]
#[case::no_reason("requirement: FP-ROUTE-01, scenarios: [auth]", "the key `reason` is missing")]
#[case::empty_reason(
    "requirement: FP-ROUTE-01, reason: '', scenarios: [auth]",
    "an expected failure needs a reason"
)]
#[case::no_such_requirement(
    "requirement: FP-ROUTE-1, reason: Known., scenarios: [auth]",
    "did you mean `FP-ROUTE-"
)]
#[case::no_such_scenario(
    "requirement: FP-ROUTE-01, reason: Known., scenarios: [responses-compact/openai-to-azur]",
    "did you mean `responses-compact/openai-to-azure`?"
)]
#[case::no_scenario(
    "requirement: FP-ROUTE-01, reason: Known., scenarios: []",
    "the list of scenarios is empty"
)]
#[case::no_day(
    "requirement: FP-ROUTE-01, reason: Known., expires: 31.1.2027, scenarios: [auth]",
    "expected a date like `2027-01-31`"
)]
#[case::unknown_key(
    "requirement: FP-ROUTE-01, why: Known., scenarios: [auth]",
    "unknown key `why`"
)]
fn an_error_in_a_baseline_names_its_line(#[case] entry: &str, #[case] fragment: &str) {
    let (_folder, file) = file(&format!("expected:\n  - {{ {entry} }}\n"));
    let error = Baseline::load(&file, &SUITE).expect_err("it is invalid").to_string();
    assert!(error.contains(fragment) && error.contains("baseline.yaml:2"), "{error}");
}

#[test]
fn an_invalid_baseline_ends_a_run_with_2_before_it_starts() {
    let (_folder, file) = file("expected: [{ requirement: FP-ROUTE-01 }]\n");
    let output = fallproof(&[
        "run",
        "auth",
        "--scenarios",
        &PART,
        "--baseline",
        file.to_str().expect("text"),
    ]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("baseline.yaml:1"), "{}", text(&output.stderr));
}

#[test]
fn a_report_lists_the_stale_entries() {
    let (_folder, file) = file(&format!(
        "expected:\n  - requirement: FP-ROUTE-01\n    reason: Known.\n    scenarios: [{FOUNDING}]\n"
    ));
    let (reports, _) = reported(&[FOUNDING, "--baseline", file.to_str().expect("text")]);
    let report = report(&reports);
    assert_eq!(report.verdict, Verdict::NotConformant);
    let stale = &report.baseline.as_ref().expect("one was given").stale;
    assert_eq!((stale[0].line, stale[0].requirement.as_str()), (4, "FP-ROUTE-01"));
    let summary = fs::read_to_string(reports.path().join("summary.md")).expect("it was written");
    assert!(summary.contains("no longer fails; remove the entry"), "{summary}");
}
