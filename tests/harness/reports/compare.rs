//! Comparison of reports.

use std::fs;

use fallproof_report::compare::Comparison;
use fallproof_report::model::{
    Case, Compliance, Counts, Level, Outcome, Report, Severity, Verdict, Violation, Weight,
};
use rstest::rstest;
use tempfile::TempDir;

use crate::shell::text;

use super::support::{case, cause, fallproof, made, path, reported};

/// A report of this version of the gateway Gate. The cases in `fails` violate `FP-ROUTE-01` for one
/// cause, the cases in `passes` do not.
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
    if !fails.is_empty() {
        report.causes = vec![cause("route-01", &mut report.cases[..fails.len()])];
    }
    report
}

/// Adds a cause with this id, which fails these cases of a report too.
fn with(mut report: Report, id: &str, fails: &[&str]) -> Report {
    let mut failed: Vec<_> = fails.iter().map(|id| case(id, Outcome::Fail)).collect();
    report.causes.push(cause(id, &mut failed));
    for failed in failed {
        let case = report.cases.iter_mut().find(|case| case.id == failed.id).expect("it is there");
        case.outcome = Outcome::Fail;
        case.violations.extend(failed.violations);
    }
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
#[case::new(&[], &["a"], "New", "0 → 1 case", "1 new, 0 wider, 0 fixed, 0 narrower, 0 unchanged")]
#[case::fixed(
    &["a", "b"], &[], "Fixed", "2 → 0 cases", "0 new, 0 wider, 1 fixed, 0 narrower, 0 unchanged"
)]
#[case::wider(
    &["a"], &["a", "b"], "Wider", "1 → 2 cases", "0 new, 1 wider, 0 fixed, 0 narrower, 0 unchanged"
)]
#[case::narrower(
    &["a", "b"], &["b"], "Narrower", "2 → 1 case", "0 new, 0 wider, 0 fixed, 1 narrower, 0 unchanged"
)]
#[case::elsewhere(
    &["a"], &["b"], "Wider", "1 case", "0 new, 1 wider, 0 fixed, 0 narrower, 0 unchanged"
)]
#[case::unchanged(
    &["a"], &["a"], "Unchanged", "1 case", "0 new, 0 wider, 0 fixed, 0 narrower, 1 unchanged"
)]
fn a_cause_is_new_wider_fixed_narrower_or_unchanged(
    #[case] before: &[&str],
    #[case] after: &[&str],
    #[case] heading: &str,
    #[case] extent: &str,
    #[case] sum: &str,
) {
    let report = |version, fails: &[&str]| {
        let passes: Vec<_> = ["a", "b", "c"].into_iter().filter(|id| !fails.contains(id)).collect();
        gate(version, fails, &passes)
    };
    let shown = markdown(vec![report("1", before), report("2", after)]);
    assert!(
        shown.contains(&format!("## From Gate 1 to Gate 2\n\n3 cases judged in both reports. Only these count here. **{sum}.**")),
        "{shown}"
    );
    let below = below(&shown, &format!("**{heading}**"));
    let version = if after.is_empty() { "1" } else { "2" };
    let row = format!(
        "- **route-01** Gate {version} asks \\`backup\\` too early (streams only): {extent}\n"
    );
    assert!(below.contains(&row), "{shown}");
    let only = |these: &[&str], others: &[&str]| these.iter().any(|id| !others.contains(id));
    assert_eq!(below.contains("  - only in Gate 1: "), only(before, after), "{shown}");
    assert_eq!(below.contains("  - only in Gate 2: "), only(after, before), "{shown}");
}

#[test]
fn only_cases_that_both_reports_judged_count() {
    let mut after = gate("2", &["d"], &["b"]);
    after.cases.push(case("a", Outcome::Skipped));
    after.cases.push(case("c", Outcome::Inconclusive));
    let shown = markdown(vec![gate("1", &["a"], &["b", "c"]), after]);
    assert!(shown.contains("1 case judged in both reports."), "{shown}");
    let below = below(&shown, "**Not comparable**");
    assert!(below.contains("  - none of its cases was judged in both reports\n"), "{shown}");
    for heading in ["**New**", "**Fixed**", "**Unchanged**"] {
        assert!(!shown.contains(heading), "{shown}");
    }
    assert!(shown.contains("Judged only in Gate 1: 2 cases: `a`, `c`."), "{shown}");
}

/// Two versions: the first one has the cause `auth-01` in the case, the second one `client-02`.
fn fails_for_another_reason(change: fn(&mut Case)) -> String {
    let mut before = with(gate("1", &[], &["a", "b"]), "auth-01", &["a"]);
    let mut after = with(gate("2", &[], &["a", "b"]), "client-02", &["a"]);
    for case in before.cases.iter_mut().chain(&mut after.cases) {
        case.violations.iter_mut().for_each(|it| it.attempt = None);
    }
    for case in &mut after.cases {
        change(case);
        case.violations.iter_mut().for_each(|it| it.requirement = Some("FP-CLIENT-02".into()));
    }
    markdown(vec![before, after])
}

#[test]
fn a_failure_that_an_earlier_one_may_have_hidden_is_not_new() {
    let shown = fails_for_another_reason(|case| case.steps[0].client.status = Some(503));
    let below_it = below(&shown, "**Not comparable**");
    let row = "- **client-02** Gate 2 asks \\`backup\\` too early (streams only)\n";
    assert!(below_it.contains(row), "no number, because none counts:\n{shown}");
    let hidden = "  - not counted: 1 case, another failure can hide it in one of the reports\n";
    assert_eq!(below_it.matches(hidden).count(), 2, "{shown}");
    assert!(shown.contains("**0 new, 0 wider, 0 fixed, 0 narrower, 0 unchanged.**"), "{shown}");

    let alike = fails_for_another_reason(|_| {});
    assert!(below(&alike, "**New**").contains("- **client-02** Gate 2"), "{alike}");
    assert!(below(&alike, "**Fixed**").contains("- **auth-01** Gate 1"), "{alike}");
}

#[test]
fn a_lost_body_member_can_show_whatever_the_client_got() {
    let of_body: fn(&mut Case) = |case| {
        case.steps[0].client.status = Some(503);
        let violations = case.violations.iter_mut();
        violations.for_each(|Violation { attempt, pointer, .. }| {
            (*attempt, *pointer) = (Some(1), Some("/user".into()));
        });
    };
    let shown = fails_for_another_reason(of_body);
    assert!(below(&shown, "**New**").contains("- **client-02** Gate 2"), "{shown}");
    assert!(below(&shown, "**Not comparable**").contains("- **auth-01** Gate 1"), "{shown}");
}

#[test]
fn a_failure_that_the_target_declares_now_is_not_fixed() {
    let mut after = gate("2", &[], &["a"]);
    after.cases[0].violations = case("a", Outcome::Fail).violations;
    after.cases[0].violations[0].weight = Weight::Note;
    after.cases[0].violations[0].declared = Some("by choice".into());
    let shown = markdown(vec![gate("1", &["a"], &[]), after]);
    let below = below(&shown, "**Not comparable**");
    assert!(below.contains("not counted: 1 case, the target declares it in one"), "{shown}");
    assert!(!shown.contains("**Fixed**"), "{shown}");
}

#[test]
fn a_cause_with_another_id_is_the_same_if_symptom_and_cases_agree() {
    let narrowed = |fails: &[&str]| {
        let mut report = gate("2", fails, &["c"]);
        report.causes[0].id = "route-01/responses".into();
        report.causes[0].symptoms = vec!["route-01/responses".into()];
        let violations = report.cases.iter_mut().flat_map(|case| &mut case.violations);
        violations.for_each(|it| it.cause = Some("route-01/responses".into()));
        report
    };
    let shown = markdown(vec![gate("1", &["a", "b"], &["c"]), narrowed(&["a", "b"])]);
    let same = below(&shown, "**Unchanged**");
    assert!(same.contains("**route-01/responses** Gate 2"), "{shown}");
    assert!(same.contains("  - includes route-01\n"), "{shown}");

    let mut other = narrowed(&["a", "b"]);
    other.causes[0].symptoms = vec!["auth-01".into()];
    other.causes[0].id = "auth-01".into();
    let shown = markdown(vec![gate("1", &["a", "b"], &["c"]), other]);
    assert!(!shown.contains("**Unchanged**"), "{shown}");
}

#[test]
fn a_failure_that_only_warns_now_says_so() {
    let mut after = gate("2", &["a"], &[]);
    after.causes[0].weight = Weight::Warn;
    after.cases[0].violations[0].weight = Weight::Warn;
    let shown = markdown(vec![gate("1", &["a"], &[]), after]);
    let below = below(&shown, "**Unchanged**");
    assert!(below.contains("- **route-01** Warning: Gate 2"), "{shown}");
    assert!(below.contains("  - only a warning for Gate 2\n"), "{shown}");
}

#[test]
fn a_reduced_report_has_all_causes_but_none_is_called_fixed_or_new() {
    let mut before = with(gate("1", &["a", "b"], &["c"]), "auth-01", &["c"]);
    before.run.selection.cases = 9;
    let shown = markdown(vec![before, gate("2", &["a", "b", "c"], &[])]);
    assert!(shown.contains("> The report of Gate 1 was reduced"), "{shown}");
    assert!(below(&shown, "**In more cases of Gate 2**").contains(": 2 → 3 cases"), "{shown}");
    let only = below(&shown, "**Only in Gate 1**");
    assert!(only.contains("- **auth-01** Gate 1") && only.contains(": 1 → 0 cases"), "{shown}");
    for word in ["**Fixed**", "**New**", "judged in both reports.", "Judged only in"] {
        assert!(!shown.contains(word), "{shown}");
    }
}

#[test]
fn a_report_without_causes_is_compared_by_requirement_with_the_numbers_of_the_matrix() {
    let mut before = gate("1", &["a", "b"], &["c"]);
    before.causes.clear();
    let shown = markdown(vec![before.clone(), gate("2", &["a"], &["b", "c"])]);
    assert!(shown.contains("No causes are known for Gate 1: earlier versions"), "{shown}");
    let row = "| **FP-ROUTE-01** The deployments are asked in order. \
               | ✕ violated in 2 cases | ✕ violated in 1 case |";
    assert!(shown.lines().any(|line| line == row), "{shown}");
    assert!(shown.contains("| causes of failures | unknown | 1 |"), "{shown}");

    let shown =
        markdown(vec![before.clone(), Report { target: gate("2", &[], &[]).target, ..before }]);
    assert_eq!(shown.matches("**FP-ROUTE-01** The").count(), 0, "it did not change:\n{shown}");
}

#[test]
fn versions_of_a_product_are_put_in_their_order_and_products_are_not() {
    let mut other = gate("9", &[], &["a"]);
    other.target.name = "Another".into();
    let passes = |version| gate(version, &[], &["a"]);
    let shown = markdown(vec![passes("1.109.1"), other, passes("1.82.6"), passes("1.98.0")]);
    let columns = "|  | Gate 1.82.6 | Gate 1.98.0 | Gate 1.109.1 | Another 9 |";
    assert!(shown.contains(columns), "{shown}");
    assert!(shown.contains("## From Gate 1.82.6 to Gate 1.98.0"), "{shown}");
    assert!(shown.contains("## From Gate 1.98.0 to Gate 1.109.1"), "{shown}");
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
    assert!(!shown.contains("**New**") && !shown.contains("## Violations"), "{shown}");
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
    assert!(shown.contains("**Only in Other 7**"), "{shown}");
    assert!(shown.contains("## Other 7 compared with Gate 1"), "{shown}");
    assert!(!shown.contains("**New**") && !shown.contains("1 new"), "{shown}");
    assert!(!shown.contains("## From"), "{shown}");

    let shown = markdown(vec![gate("1", &[], &["a"]), other, gate("2", &[], &["a"])]);
    assert!(
        !shown.contains(" compared with ") && shown.contains("## From Gate 1 to Gate 2"),
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
        "> The report of Gate 1 was reduced: it lacks some of the selected cases.",
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
    let heading = "**Only in reference router with saboteur invented-metadata**";
    assert!(below(&shown, heading).contains("- **payload-01/metadata** "), "{shown}");
    assert!(shown.contains("`responses-compact/azure-to-azure`"), "{shown}");
    let drawn = fs::read_to_string(&page).expect("it was written");
    assert!(drawn.contains(r#"<div class="body" id="FP-PAYLOAD-01">"#), "{drawn}");
    assert!(drawn.contains(r#"<span class="name">payload-01&#x2f;metadata</span>"#), "{drawn}");
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
