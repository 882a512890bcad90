//! Comparison of reports.

use std::fs;

use fallproof_report::compare::Comparison;
use fallproof_report::model::{
    Case, Compliance, Counts, Level, Outcome, Report, Severity, Verdict, Weight,
};
use rstest::rstest;
use tempfile::TempDir;

use crate::shell::text;

use super::support::{case, fallproof, made, path, reported};

/// A report of this version of the gateway Gate. The cases in `fails` violate `FP-ROUTE-01`, the
/// cases in `passes` do not.
fn gate(version: &str, fails: &[&str], passes: &[&str]) -> Report {
    let failed = fails.iter().map(|id| case(id, Outcome::Fail));
    let cases: Vec<_> = failed.chain(passes.iter().map(|id| case(id, Outcome::Pass))).collect();
    let counts = Counts { fail: fails.len(), pass: passes.len(), ..Counts::default() };
    let (verdict, compliance) = match fails {
        [] => (Verdict::Conformant, Compliance::Pass),
        _ => (Verdict::NotConformant, Compliance::Fail),
    };
    let mut report = made(verdict, compliance, counts, cases);
    report.run.selection.cases = report.cases.len();
    report.target.version = Some(version.to_owned());
    report.profiles[0].requirements[0].violated_in = fails.iter().map(|&id| id.into()).collect();
    report
}

fn named(reports: Vec<Report>) -> Vec<(String, Report)> {
    let named = reports.into_iter().enumerate();
    named.map(|(number, report)| (format!("{number}.json"), report)).collect()
}

fn markdown(reports: Vec<Report>) -> String {
    Comparison::new(&named(reports)).to_markdown().expect("it can be written")
}

/// The part of the text below a heading or bold line, up to the next one.
fn below<'a>(text: &'a str, heading: &str) -> &'a str {
    let (_, rest) = text.split_once(&format!("{heading}\n")).unwrap_or_default();
    rest.split("\n**").next().and_then(|rest| rest.split("\n#").next()).unwrap_or_default()
}

#[test]
fn the_matrix_has_a_row_for_each_requirement_and_a_column_for_each_report() {
    let shown =
        markdown(vec![gate("1.2", &["a/x", "a/y"], &[]), gate("1.3", &[], &["a/x", "a/y"])]);
    for line in [
        "|  | Gate 1.2 | Gate 1.3 |",
        "| verdict | **does not conform** | **conforms** |",
        "| requirements met | 0 of 1 judged | 1 of 1 judged |",
        "| silent failures | 2 | 0 |",
        "| requirement | Gate 1.2 | Gate 1.3 |",
        "| **[FP-ROUTE-01](#fp-route-01)** The deployments are asked in order. \
         | ✕ violated in 2 cases | ✓ met |",
        "### FP-ROUTE-01",
        "- Gate 1.2: violated in 2 cases: `a/x`, `a/y`",
    ] {
        assert!(shown.lines().any(|it| it == line), "`{line}` is missing in:\n{shown}");
    }
}

#[rstest]
#[case::improved(
    &["a", "b"], &["b"], "**Improved**", "Violating cases: 2 → 1.", "improved in 1 case: `a`"
)]
#[case::regressed(
    &[], &["a"], "**Regressed**", "Violating cases: 0 → 1.", "regressed in 1 case: `a`"
)]
#[case::both(
    &["a"], &["b"], "**Improved in some cases, regressed in others**",
    "Violating cases: 1 → 1.", "regressed in 1 case: `b`"
)]
fn a_new_version_improves_and_regresses_by_case(
    #[case] before: &[&str],
    #[case] after: &[&str],
    #[case] heading: &str,
    #[case] sentence: &str,
    #[case] cases: &str,
) {
    let report = |version, fails: &[&str]| {
        let passes: Vec<_> = ["a", "b", "c"].into_iter().filter(|id| !fails.contains(id)).collect();
        gate(version, fails, &passes)
    };
    let shown = markdown(vec![report("1", before), report("2", after)]);
    assert!(
        shown.contains("## From Gate 1 to Gate 2\n\n3 cases judged in both reports."),
        "{shown}"
    );
    let below = below(&shown, heading);
    assert!(below.contains(sentence) && below.contains(cases), "{shown}");
    let headings =
        ["**Improved**", "**Regressed**", "**Improved in some cases, regressed in others**"];
    assert_eq!(headings.iter().filter(|it| shown.contains(*it)).count(), 1, "{shown}");
}

#[test]
fn a_case_that_only_one_report_judged_is_neither_improved_nor_regressed() {
    let mut after = gate("2", &[], &["b"]);
    after.cases.push(case("a", Outcome::Skipped));
    after.cases.push(case("c", Outcome::Inconclusive));
    let shown = markdown(vec![gate("1", &["a"], &["b", "c"]), after]);
    assert!(shown.contains("1 case judged in both reports."), "{shown}");
    assert!(shown.contains("No requirement changed in these cases."), "{shown}");
    assert!(shown.contains("Judged only in Gate 1: 2 cases: `a`, `c`."), "{shown}");
}

#[test]
fn versions_of_a_product_are_neighbors_the_oldest_first() {
    let mut other = gate("7", &[], &["a"]);
    other.target.name = "Other".into();
    let shown = markdown(vec![gate("1.109.1", &[], &["a"]), other, gate("1.82.6", &["a"], &[])]);
    assert!(shown.contains("| Gate 1.82.6 | Gate 1.109.1 | Other 7 |"), "{shown}");
    assert!(shown.contains("## From Gate 1.82.6 to Gate 1.109.1\n"), "{shown}");
}

#[test]
fn a_policy_is_marked_and_its_declaration_is_neither_improved_nor_regressed() {
    let policy = |version, compliance, weight: Option<Weight>| {
        let mut report = gate(version, &[], &["a"]);
        let requirement = &mut report.profiles[0].requirements[0];
        (requirement.level, requirement.verdict) = (Level::Policy, compliance);
        report.cases[0].violations = case("a", Outcome::Fail).violations;
        report.cases[0].violations.retain_mut(|violation| {
            weight.is_some_and(|weight| {
                violation.weight = weight;
                true
            })
        });
        report
    };
    let shown = markdown(vec![
        policy("1", Compliance::Pass, None),
        policy("2", Compliance::Declared, Some(Weight::Note)),
    ]);
    assert!(shown.contains("in order. *(policy)* | ✓ met | ○ exempt (declared) |"), "{shown}");
    let below = below(&shown, "**Changed without a violation**");
    assert!(below.contains("**FP-ROUTE-01**") && below.contains("met, then exempt (declared)."));
    assert!(!shown.contains("**Regressed**") && !shown.contains("## Violations"), "{shown}");
}

#[test]
fn an_unjudged_requirement_says_whether_its_cases_were_skipped() {
    let mut report = gate("2", &[], &[]);
    report.profiles[0].requirements[0].verdict = Compliance::NotJudged;
    report.cases.push(case("a", Outcome::Skipped));
    report.profiles[0].requirements[0].severity = Severity::Should;
    let shown = markdown(vec![gate("1", &[], &["a"]), report]);
    assert!(shown.contains("| ✓ met | – not judged, skipped in 1 case |"), "{shown}");
}

#[test]
fn of_two_products_neither_is_called_worse() {
    let mut other = gate("7", &["a"], &[]);
    other.target.name = "Other".into();
    let shown = markdown(vec![gate("1", &[], &["a"]), other.clone()]);
    assert!(shown.contains("**Met in fewer cases by Other 7**"), "{shown}");
    assert!(shown.contains("## Other 7 compared with Gate 1"), "{shown}");
    assert!(!shown.contains("**Regressed**") && !shown.contains("## From"), "{shown}");

    let shown = markdown(vec![gate("1", &[], &["a"]), other, gate("2", &[], &["a"])]);
    assert!(
        !shown.contains(" compared with ") && shown.matches("## From").count() == 1,
        "three reports are compared only within a product:\n{shown}"
    );
}

#[test]
fn reports_that_cannot_be_compared_directly_have_cautions() {
    let mut after = gate("2", &[], &["a"]);
    after.suite.fingerprint = "sha256:1".into();
    after.run.selection.whole = false;
    after.run.selection.cases = 3;
    after.run.interrupted = true;
    after.not_run = vec!["b".into(), "c".into()];
    let mut before = gate("1", &[], &["a"]);
    before.run.selection.cases = 2;
    let shown = markdown(vec![before, after]);
    for fragment in [
        "> The reports were made with different suites",
        "| cases selected | 2 of 9 | 3 of 9 |",
        "> The report of Gate 1 lacks some of the selected cases",
        "> The run of Gate 2 was interrupted before 2 cases had run.",
        "| **conforms** | **conforms (partial run)** |",
    ] {
        assert!(shown.contains(fragment), "`{fragment}` is missing in:\n{shown}");
    }
}

#[test]
fn reports_of_the_same_target_are_distinguished_by_their_files() {
    let shown = markdown(vec![gate("1", &[], &["a"]), gate("1", &["a"], &[])]);
    assert!(shown.contains("| Gate 1 (0.json) | Gate 1 (1.json) |"), "{shown}");
}

#[test]
fn a_requirement_missing_in_one_suite_is_not_called_violated() {
    let mut old = gate("1", &[], &["a"]);
    old.profiles[0].requirements.clear();
    let shown = markdown(vec![old, gate("2", &[], &["a"])]);
    assert!(shown.contains("|   not in its suite | ✓ met |"), "{shown}");
}

#[test]
fn the_page_of_a_comparison_is_self_contained_whatever_the_names_of_targets() {
    let evil = r#"</h1><script>alert("x")</script><img src=x>"#;
    let mut hostile = gate("2", &["a"], &[]);
    hostile.target.name = evil.into();
    let mut after = hostile.clone();
    after.cases = vec![Case { id: evil.into(), ..case("a", Outcome::Fail) }];
    let reports = named(vec![hostile, after]);
    let page = Comparison::new(&reports).to_html().expect("it can be drawn");
    for foreign in ["<script>alert", "<img", "<link", "@import", "url("] {
        assert!(!page.contains(foreign), "`{foreign}` is in:\n{page}");
    }
    assert_eq!(page.matches("<script").count(), 1, "only our own");
    assert!(page.contains("default-src 'none'"));
}

#[test]
fn folders_and_files_of_real_runs_are_compared_in_markdown_and_html() {
    let (conformant, _) = reported(&["responses-compact"]);
    let (broken, _) = reported(&["responses-compact", "--saboteur", "invented-metadata"]);
    let file = broken.path().join("report.json");
    let page = conformant.path().join("comparison.html");
    let arguments = ["report", path(&conformant), file.to_str().expect("text"), "--html"];
    let compare = |page: &str| fallproof(&[&arguments[..], &[page]].concat());

    let output = compare(page.to_str().expect("text"));
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let shown = text(&output.stdout);
    let heading = "**Met in fewer cases by reference router with saboteur invented-metadata**";
    assert!(below(&shown, heading).contains("**FP-PAYLOAD-01**"), "{shown}");
    assert!(shown.contains("`responses-compact/azure-to-azure`"), "{shown}");
    let drawn = fs::read_to_string(&page).expect("it was written");
    assert!(drawn.contains(r#"<div class="body" id="FP-PAYLOAD-01">"#), "{drawn}");
    assert_eq!(
        compare(page.to_str().expect("text")).status.code(),
        Some(0),
        "it may be overwritten"
    );

    let refused = compare(file.to_str().expect("text"));
    assert_eq!(refused.status.code(), Some(2));
    assert!(
        text(&refused.stderr).contains("Fallproof did not write it"),
        "{}",
        text(&refused.stderr)
    );
    let nowhere = compare("/no/such/folder/page.html");
    assert_eq!((nowhere.status.code(), text(&nowhere.stdout).as_str()), (Some(2), ""));
}

#[test]
fn a_file_that_is_not_a_report_is_rejected_with_the_reason() {
    let folder = TempDir::new().expect("a temporary folder");
    let file = folder.path().join("other.json");
    fs::write(&file, r#"{"format": "fallproof-report/9"}"#).expect("a file");
    let output = fallproof(&["report", file.to_str().expect("text")]);
    assert_eq!(output.status.code(), Some(2));
    let shown = text(&output.stderr);
    assert!(shown.contains("other.json: the format is `fallproof-report/9`"), "{shown}");
}
