//! Expected causes in a baseline are reported, but do not fail the run. Stale entries do fail it.

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use chrono::NaiveDate;
use fallproof_report::baseline::Baseline;
use fallproof_report::model::{self, Case, Cause, Outcome, Verdict, Weight};
use fallproof_suite::scenario::Suite;
use rstest::rstest;
use tempfile::TempDir;

use crate::common::part;
use crate::shell::text;

use super::support::{PART, case, cause, fallproof, report, reported};

const CHOSEN: &str = "responses-compact";
const FOUNDING: &str = "responses-compact/openai-to-azure";
const OTHER: &str = "responses-compact/azure-to-azure";
const THREE: &str = "responses-compact/openai-to-azure, responses-compact/azure-to-azure, \
                     responses-compact/azure-to-openai";

static SUITE: LazyLock<Suite> =
    LazyLock::new(|| Suite::load(part()).unwrap_or_else(|error| panic!("{error}")));

/// Writes a baseline file with this text. Dropping the folder removes it.
fn file(text: &str) -> (TempDir, PathBuf) {
    let folder = TempDir::new().expect("a temporary folder");
    let file = folder.path().join("baseline.yaml");
    fs::write(&file, text).expect("a file in a temporary folder");
    (folder, file)
}

/// A baseline with one entry for each of these causes and lists of cases.
fn baseline(entries: &[(&str, &str)]) -> Baseline {
    let entries: Vec<_> = entries
        .iter()
        .map(|(cause, cases)| {
            format!("  - {{ cause: {cause}, reason: Known., cases: [{cases}] }}\n")
        })
        .collect();
    let (_folder, file) = file(&format!("expected:\n{}", entries.concat()));
    Baseline::load(&file, &SUITE).unwrap_or_else(|error| panic!("{error}"))
}

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a day")
}

/// Applies a baseline on the first day.
fn apply(baseline: &Baseline, cases: &mut [Case], causes: &mut [Cause]) -> model::Baseline {
    baseline.apply(cases, causes, day("2026-11-25"))
}

#[test]
fn a_written_baseline_applies_to_the_next_run_and_is_stale_once_fixed() {
    let folder = TempDir::new().expect("a temporary folder");
    let baseline = folder.path().join("known.yaml");
    let file = baseline.to_str().expect("a temporary path is text");
    let broken = [CHOSEN, "--saboteur", "invented-metadata"];
    let of_part = ["run", "--scenarios", PART.as_str()];

    let first = fallproof(&[&of_part[..], &broken, &["--write-baseline", file]].concat());
    assert_eq!(first.status.code(), Some(1), "the run itself still fails");
    assert!(text(&first.stderr).contains("expected cause"), "{}", text(&first.stderr));
    let written = fs::read_to_string(&baseline).expect("it was written");
    assert!(written.contains("\n  # reference router with saboteur"), "{written}");
    assert!(written.contains("\n  - cause: payload-01/metadata\n"), "{written}");

    let (reports, again) = reported(&[&broken[..], &["--baseline", file, "-v"]].concat());
    let shown = text(&again.stdout);
    assert_eq!(again.status.code(), Some(0), "{shown}");
    let found = report(&reports);
    assert!(found.counts.fail == 0 && found.counts.expected > 0);
    let failing = || found.causes.iter().filter(|cause| cause.weight == Weight::Fail);
    assert!(failing().count() > 0 && failing().all(|cause| cause.expected.is_some()));
    let summary = fs::read_to_string(reports.path().join("summary.md")).expect("it was written");
    let (causes, expected) = summary.split_once("## Expected by the baseline").expect(&summary);
    assert!(!causes.contains("payload-01"), "{summary}");
    assert!(expected.contains("not investigated yet"), "{summary}");

    // Only a part of the entry's cases: whether the others still fail is not known.
    let partial = fallproof(&[&of_part[..], &[FOUNDING, "--baseline", file]].concat());
    assert_eq!(partial.status.code(), Some(0), "{}", text(&partial.stdout));

    let fixed = fallproof(&[&of_part[..], &[CHOSEN, "--baseline", file]].concat());
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

#[test]
fn an_expected_cause_has_the_reason_and_so_have_its_failures() {
    let (_folder, file) = file(&format!(
        "expected:\n  - {{ cause: route-01, reason: Known., issue: https://example.com/7, cases: [{FOUNDING}] }}\n"
    ));
    let baseline = Baseline::load(&file, &SUITE).unwrap_or_else(|error| panic!("{error}"));
    let mut cases = [case(FOUNDING, Outcome::Fail)];
    let mut causes = [cause("route-01", &mut cases)];
    let applied = apply(&baseline, &mut cases, &mut causes);
    assert!(applied.stale.is_empty() && applied.expired.is_empty() && applied.wider.is_empty());
    assert!(cases[0].is_expected());
    for expected in [&causes[0].expected, &cases[0].violations[0].expected] {
        let expected = expected.as_ref().expect("it is expected");
        assert_eq!(expected.reason, "Known.");
        assert_eq!(expected.issue.as_deref(), Some("https://example.com/7"));
    }
}

#[test]
fn a_case_is_expected_only_if_all_causes_of_its_failures_are() {
    let baseline = baseline(&[("route-01", CHOSEN)]);
    let mut both = case(FOUNDING, Outcome::Fail);
    both.violations.push(both.violations[0].clone());
    both.violations[1].cause = Some("auth-01".into());
    let mut cases = [case(OTHER, Outcome::Fail), both];
    let mut causes = [cause("route-01", &mut cases), cause("auth-01", [])];
    causes[1].cases = vec![FOUNDING.into()];
    apply(&baseline, &mut cases, &mut causes);
    assert_eq!([cases[0].is_expected(), cases[1].is_expected()], [true, false]);
    assert_eq!(causes[1].expected, None);
}

#[test]
fn a_cause_that_shows_in_more_cases_is_expected_and_named() {
    let mut cases = [case(FOUNDING, Outcome::Fail), case(OTHER, Outcome::Fail)];
    let mut causes = [cause("route-01", &mut cases)];
    let applied = apply(&baseline(&[("route-01", FOUNDING)]), &mut cases, &mut causes);
    assert!(cases.iter().all(Case::is_expected));
    let [wider] = &applied.wider[..] else { panic!("{applied:?}") };
    assert_eq!((wider.cause.as_str(), wider.line), ("route-01", 2));
    assert_eq!(wider.cases, [OTHER]);
}

#[rstest]
#[case::merged("stream-01", "route-01", &["route-01", "stream-01"], CHOSEN, true)]
#[case::split("stream-01", "stream-01/responses", &["stream-01/responses"], CHOSEN, true)]
#[case::joined("stream-01/responses", "stream-01", &["stream-01"], CHOSEN, true)]
#[case::of_another_member("payload-02/user", "payload-02/seed", &["payload-02/seed"], THREE, false)]
#[case::mostly_elsewhere("stream-01", "route-01", &["route-01", "stream-01"], FOUNDING, false)]
fn a_cause_with_another_id_is_known_by_a_symptom_and_its_cases(
    #[case] entry: &str,
    #[case] id: &str,
    #[case] symptoms: &[&str],
    #[case] listed: &str,
    #[case] is_known: bool,
) {
    let mut cases: Vec<_> = THREE.split(", ").map(|id| case(id, Outcome::Fail)).collect();
    let mut causes = [cause(id, &mut cases)];
    causes[0].symptoms = symptoms.iter().map(|&it| it.into()).collect();
    let applied = apply(&baseline(&[(entry, listed)]), &mut cases, &mut causes);
    assert_eq!(cases[0].is_expected(), is_known);
    let is_about_it = entry != "payload-02/user";
    assert_eq!(applied.stale.is_empty(), is_about_it, "{applied:?}");
}

#[test]
fn an_entry_is_valid_through_its_last_day() {
    let (_folder, file) = file(&format!(
        "expected:\n  - cause: route-01\n    reason: Known.\n    expires: 2026-11-25\n    cases: [{FOUNDING}]\n"
    ));
    let baseline = Baseline::load(&file, &SUITE).unwrap_or_else(|error| panic!("{error}"));
    let on = |today| {
        let mut cases = [case(FOUNDING, Outcome::Fail)];
        let mut causes = [cause("route-01", &mut cases)];
        let applied = baseline.apply(&mut cases, &mut causes, day(today));
        (cases[0].is_expected(), applied.expired.len(), applied.stale.len())
    };
    assert_eq!(on("2026-11-25"), (true, 0, 0));
    assert_eq!(on("2026-11-26"), (false, 1, 0));
}

#[rstest]
#[case::passes(Some(Outcome::Pass), 1)]
#[case::only_warns(Some(Outcome::Warn), 1)]
#[case::unclear(Some(Outcome::Inconclusive), 1)]
#[case::not_run(None, 0)]
fn an_entry_is_stale_only_if_all_of_its_cases_were_run(
    #[case] other: Option<Outcome>,
    #[case] stale: usize,
) {
    let baseline = baseline(&[("route-01", &format!("{FOUNDING}, {OTHER}"))]);
    let mut cases = vec![case(FOUNDING, Outcome::Pass)];
    cases.extend(other.map(|outcome| case(OTHER, outcome)));
    let applied = apply(&baseline, &mut cases, &mut []);
    assert_eq!(applied.stale.len(), stale);
    assert!(applied.stale.iter().all(|entry| entry.line == 2 && entry.cause == "route-01"));
}

#[rstest]
#[case::unclear(Outcome::Inconclusive)]
#[case::skipped(Outcome::Skipped)]
fn an_entry_is_not_stale_if_none_of_its_cases_was_judged(#[case] outcome: Outcome) {
    let mut cases = [case(FOUNDING, outcome)];
    let applied = apply(&baseline(&[("route-01", FOUNDING)]), &mut cases, &mut []);
    assert!(applied.stale.is_empty());
}

#[test]
fn a_stale_entry_with_a_typo_names_the_cause_that_is_meant() {
    let mut cases = [case(FOUNDING, Outcome::Fail)];
    let mut causes = [cause("payload-02/metadata", &mut cases)];
    let entries = [("payload-02/metdata", FOUNDING)];
    let applied = apply(&baseline(&entries), &mut cases, &mut causes);
    let similar = applied.stale.first().and_then(|entry| entry.similar.as_deref());
    assert_eq!(similar, Some("payload-02/metadata"));
    assert!(!cases[0].is_expected());
}

#[rstest]
#[case::no_reason("cause: route-01, cases: [auth]", "the key `reason` is missing")]
#[case::empty_reason(
    "cause: route-01, reason: '', cases: [auth]",
    "an expected cause needs a reason"
)]
#[case::no_such_requirement(
    "cause: paylod-02/metadata, reason: Known., cases: [auth]",
    "did you mean `payload-02/metadata`?"
)]
#[case::a_code("cause: FP-ROUTE-01, reason: Known., cases: [auth]", "did you mean `route-01`?")]
#[case::no_such_scenario(
    "cause: route-01, reason: Known., cases: [responses-compact/openai-to-azur]",
    "did you mean `responses-compact/openai-to-azure`?"
)]
#[case::no_scenario("cause: route-01, reason: Known., cases: []", "the list of cases is empty")]
#[case::no_day(
    "cause: route-01, reason: Known., expires: 31.1.2027, cases: [auth]",
    "expected a date like `2027-01-31`"
)]
#[case::unknown_key("cause: route-01, why: Known., cases: [auth]", "unknown key `why`")]
fn an_error_in_a_baseline_names_its_line(#[case] entry: &str, #[case] fragment: &str) {
    let (_folder, file) = file(&format!("expected:\n  - {{ {entry} }}\n"));
    let error = Baseline::load(&file, &SUITE).expect_err("it is invalid").to_string();
    assert!(error.contains(fragment) && error.contains("baseline.yaml:2"), "{error}");
}

#[test]
fn an_invalid_baseline_ends_a_run_with_2_before_it_starts() {
    let (_folder, file) = file("expected: [{ cause: route-01 }]\n");
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
        "expected:\n  - reason: Known.\n    cause: route-01\n    cases: [{FOUNDING}]\n"
    ));
    let (reports, _) = reported(&[FOUNDING, "--baseline", file.to_str().expect("text")]);
    let report = report(&reports);
    assert_eq!(report.verdict, Verdict::NotConformant);
    let stale = &report.baseline.as_ref().expect("one was given").stale;
    assert_eq!((stale[0].line, stale[0].cause.as_str()), (3, "route-01"));
    for name in ["summary.md", "index.html"] {
        let page = fs::read_to_string(reports.path().join(name)).expect("it was written");
        assert!(page.contains("was not found in the cases of its entry"), "{page}");
    }
}
