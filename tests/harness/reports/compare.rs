//! Reports beside each other.

use std::fs;

use fallproof_report::compare::Comparison;
use fallproof_report::model::{
    Case, Counts, Kept, Level, Outcome, Report, Severity, Verdict, Weight,
};
use rstest::rstest;
use tempfile::TempDir;

use crate::shell::text;

use super::support::{case, fallproof, made, path, reported};

/// A report of Gate in this version, where these cases broke `FP-ROUTE-01` and those did not.
fn gate(version: &str, fails: &[&str], passes: &[&str]) -> Report {
    let failed = fails.iter().map(|id| case(id, Outcome::Fail));
    let cases: Vec<_> = failed.chain(passes.iter().map(|id| case(id, Outcome::Pass))).collect();
    let counts = Counts { fail: fails.len(), pass: passes.len(), ..Counts::default() };
    let (verdict, kept) = match fails {
        [] => (Verdict::Conformant, Kept::Pass),
        _ => (Verdict::NotConformant, Kept::Fail),
    };
    let mut report = made(verdict, kept, counts, cases);
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
    let told = markdown(vec![gate("1.2", &["a/x", "a/y"], &[]), gate("1.3", &[], &["a/x", "a/y"])]);
    for line in [
        "|  | Gate 1.2 | Gate 1.3 |",
        "| verdict | **does not conform** | **conforms** |",
        "| requirements kept | 0 of 1 judged | 1 of 1 judged |",
        "| failed so that the client could not tell | 2 | 0 |",
        "| requirement | Gate 1.2 | Gate 1.3 |",
        "| **[FP-ROUTE-01](#fp-route-01)** The deployments are asked in order. \
         | ✕ broken in 2 cases | ✓ kept |",
        "### FP-ROUTE-01",
        "- Gate 1.2: broken in 2 cases: `a/x`, `a/y`",
    ] {
        assert!(told.lines().any(|it| it == line), "`{line}` is missing in:\n{told}");
    }
}

#[rstest]
#[case::mended(&["a", "b"], &["b"], "**Better**", "Not kept: 2 → 1.", "kept better in 1 case: `a`")]
#[case::broken(&[], &["a"], "**Worse**", "Not kept: 0 → 1.", "kept worse in 1 case: `a`")]
#[case::both(
    &["a"], &["b"], "**Better in some cases and worse in others**",
    "Not kept: 1 → 1.", "kept worse in 1 case: `b`"
)]
fn a_new_version_is_better_and_worse_case_by_case(
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
    let told = markdown(vec![report("1", before), report("2", after)]);
    assert!(
        told.contains("## From Gate 1 to Gate 2\n\n3 cases led to a verdict in both."),
        "{told}"
    );
    let below = below(&told, heading);
    assert!(below.contains(sentence) && below.contains(cases), "{told}");
    let headings = ["**Better**", "**Worse**", "**Better in some cases and worse in others**"];
    assert_eq!(headings.iter().filter(|it| told.contains(*it)).count(), 1, "{told}");
}

#[test]
fn what_only_one_report_judged_is_neither_better_nor_worse() {
    let mut after = gate("2", &[], &["b"]);
    after.cases.push(case("a", Outcome::Skipped));
    after.cases.push(case("c", Outcome::Inconclusive));
    let told = markdown(vec![gate("1", &["a"], &["b", "c"]), after]);
    assert!(told.contains("1 case led to a verdict in both."), "{told}");
    assert!(told.contains("In them every requirement is kept as before."), "{told}");
    assert!(told.contains("Led to a verdict in Gate 1 only: 2 cases: `a`, `c`."), "{told}");
}

#[test]
fn a_choice_of_the_makers_is_marked_and_is_neither_better_nor_worse() {
    let choice = |version, kept, weight: Option<Weight>| {
        let mut report = gate(version, &[], &["a"]);
        let requirement = &mut report.profiles[0].requirements[0];
        (requirement.level, requirement.verdict) = (Level::Policy, kept);
        report.cases[0].violations = case("a", Outcome::Fail).violations;
        report.cases[0].violations.retain_mut(|violation| {
            weight.is_some_and(|weight| {
                violation.weight = weight;
                true
            })
        });
        report
    };
    let told = markdown(vec![
        choice("1", Kept::Pass, None),
        choice("2", Kept::Declared, Some(Weight::Note)),
    ]);
    assert!(told.contains("in order. *(choice)* | ✓ kept | ○ kept as declared |"), "{told}");
    let below = below(&told, "**Another choice, neither better nor worse**");
    assert!(below.contains("**FP-ROUTE-01**") && below.contains("kept, then kept as declared."));
    assert!(!told.contains("**Worse**") && !told.contains("## What is not kept"), "{told}");
}

#[test]
fn what_was_not_judged_says_whether_it_was_skipped() {
    let mut report = gate("2", &[], &[]);
    report.profiles[0].requirements[0].verdict = Kept::NotJudged;
    report.cases.push(case("a", Outcome::Skipped));
    report.profiles[0].requirements[0].severity = Severity::Should;
    let told = markdown(vec![gate("1", &[], &["a"]), report]);
    assert!(told.contains("| ✓ kept | – not judged, skipped in 1 case |"), "{told}");
}

#[test]
fn of_two_products_neither_is_the_worse_one() {
    let mut other = gate("7", &["a"], &[]);
    other.target.name = "Other".into();
    let told = markdown(vec![gate("1", &[], &["a"]), other.clone()]);
    assert!(told.contains("**Kept in fewer cases by Other 7**"), "{told}");
    assert!(told.contains("## Other 7 beside Gate 1"), "{told}");
    assert!(!told.contains("**Worse**") && !told.contains("## From"), "{told}");

    let told = markdown(vec![gate("1", &[], &["a"]), other, gate("2", &[], &["a"])]);
    assert!(
        !told.contains(" beside ") && !told.contains("## From"),
        "three columns change only within a product:\n{told}"
    );
}

#[test]
fn reports_that_cannot_be_compared_plainly_say_so() {
    let mut after = gate("2", &[], &["a"]);
    after.suite.fingerprint = "sha256:1".into();
    after.run.selection.whole = false;
    after.run.selection.cases = 3;
    after.run.interrupted = true;
    after.not_run = vec!["b".into(), "c".into()];
    let mut before = gate("1", &[], &["a"]);
    before.run.selection.cases = 2;
    let told = markdown(vec![before, after]);
    for words in [
        "> The reports were made with different suites",
        "| cases chosen | 2 of 9 | 3 of 9 |",
        "> The report of Gate 1 was made shorter",
        "> The run of Gate 2 was broken off with 2 cases not run.",
        "| **conforms** | **conforms, as far as it was run** |",
    ] {
        assert!(told.contains(words), "`{words}` is missing in:\n{told}");
    }
}

#[test]
fn the_same_target_twice_is_told_apart_by_the_file() {
    let told = markdown(vec![gate("1", &[], &["a"]), gate("1", &["a"], &[])]);
    assert!(told.contains("| Gate 1 (0.json) | Gate 1 (1.json) |"), "{told}");
}

#[test]
fn a_requirement_that_one_suite_lacks_is_not_called_broken() {
    let mut old = gate("1", &[], &["a"]);
    old.profiles[0].requirements.clear();
    let told = markdown(vec![old, gate("2", &[], &["a"])]);
    assert!(told.contains("|   not in its suite | ✓ kept |"), "{told}");
}

#[test]
fn the_page_of_a_comparison_needs_nothing_beside_itself_whatever_targets_are_called() {
    let evil = r#"</h1><script>alert("x")</script><img src=x>"#;
    let mut hostile = gate("2", &["a"], &[]);
    hostile.target.name = evil.into();
    let mut after = hostile.clone();
    after.cases = vec![Case { id: evil.into(), ..case("a", Outcome::Fail) }];
    let reports = named(vec![hostile, after]);
    let page = Comparison::new(&reports).to_html().expect("it can be drawn");
    for foreign in ["<script", "<img", "<link", "@import", "url("] {
        assert!(!page.contains(foreign), "`{foreign}` is in:\n{page}");
    }
    assert!(page.contains("default-src 'none'"));
}

#[test]
fn folders_and_files_of_real_runs_are_compared_in_markdown_and_on_a_page() {
    let (sound, _) = reported(&["responses-compact"]);
    let (broken, _) = reported(&["responses-compact", "--saboteur", "invented-metadata"]);
    let file = broken.path().join("report.json");
    let page = sound.path().join("comparison.html");
    let arguments = ["report", path(&sound), file.to_str().expect("text"), "--html"];
    let compare = |page: &str| fallproof(&[&arguments[..], &[page]].concat());

    let output = compare(page.to_str().expect("text"));
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let told = text(&output.stdout);
    let heading = "**Kept in fewer cases by reference router with the saboteur invented-metadata**";
    assert!(below(&told, heading).contains("**FP-PAYLOAD-01**"), "{told}");
    assert!(told.contains("`responses-compact/azure-to-azure`"), "{told}");
    let drawn = fs::read_to_string(&page).expect("it was written");
    assert!(drawn.contains(r#"<details class="requirement" id="FP-PAYLOAD-01">"#), "{drawn}");
    assert_eq!(compare(page.to_str().expect("text")).status.code(), Some(0), "it may be renewed");

    let refused = compare(file.to_str().expect("text"));
    assert_eq!(refused.status.code(), Some(2));
    assert!(
        text(&refused.stderr).contains("is not a page that Fallproof wrote"),
        "{}",
        text(&refused.stderr)
    );
    let nowhere = compare("/no/such/folder/page.html");
    assert_eq!((nowhere.status.code(), text(&nowhere.stdout).as_str()), (Some(2), ""));
}

#[test]
fn what_is_no_report_is_refused_with_the_file_and_the_reason() {
    let folder = TempDir::new().expect("a temporary folder");
    let file = folder.path().join("other.json");
    fs::write(&file, r#"{"format": "fallproof-report/9"}"#).expect("a file");
    let output = fallproof(&["report", file.to_str().expect("text")]);
    assert_eq!(output.status.code(), Some(2));
    let told = text(&output.stderr);
    assert!(told.contains("other.json: `fallproof-report/9` cannot be read"), "{told}");
}
