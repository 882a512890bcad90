//! `index.html`. `tests/browser` tests in a browser what the text cannot show.

use std::collections::BTreeMap;

use fallproof_report::model::{
    Case, Cause, Compliance, Counts, Example, Expected, Follow, Outcome, Report, Verdict, Weight,
};
use fallproof_report::{html, markdown};

use super::support::{case, hostile, made};

/// The page, without the escapes of slashes.
fn page(report: &Report) -> String {
    html::write(report).expect("it can be drawn").replace("&#x2f;", "/")
}

/// A cause that explains cases with these ids.
fn cause(id: &str, weight: Weight, cases: &[&str]) -> Cause {
    Cause {
        id: id.into(),
        fault: format!("breaks `{id}`"),
        scope: "responses; streams only".into(),
        requirement: Some("FP-ROUTE-01".into()),
        weight,
        cases: cases.iter().map(|&id| id.into()).collect(),
        could_show: 40,
        silent: 1,
        example: Example {
            case: cases[0].into(),
            step: 1,
            attempt: Some(1),
            message: format!("attempt 1 broke {id}"),
            own_error: None,
            sent: None,
            replay: format!("fallproof run {}", cases[0]),
        },
        follows: vec![Follow { requirement: None, cases: 2 }],
        symptoms: Vec::new(),
        sources: vec!["https://example.com/issue?a&b".into(), "javascript:alert(1)".into()],
        expected: None,
    }
}

/// A case that the cause explains.
fn explained(id: &str, outcome: Outcome, by: &str) -> Case {
    let mut case = case(id, outcome);
    case.violations[0].cause = Some(by.into());
    case
}

/// Five failed cases of one cause, and a warned case of another.
fn broken() -> Report {
    let ids = ["a/1", "a/2", "a/3", "a/4", "a/5"];
    let mut cases: Vec<_> =
        ids.iter().map(|id| explained(id, Outcome::Fail, "route-01/x")).collect();
    cases.push(explained("b/warns", Outcome::Warn, "client-02"));
    cases.push(case("b/passes", Outcome::Pass));
    let counts = Counts { fail: 5, warn: 1, pass: 1, ..Counts::default() };
    let mut report = made(Verdict::NotConformant, Compliance::Fail, counts, cases);
    report.profiles[0].requirements[0].violated_in = ids.map(String::from).to_vec();
    report.causes = vec![
        cause("route-01/x", Weight::Fail, &ids),
        cause("client-02", Weight::Warn, &["b/warns"]),
    ];
    report
}

#[test]
fn the_page_and_the_summary_show_the_error_that_the_target_wrote_itself() {
    let mut report = broken();
    report.causes[0].example.sent = Some("\"prompt\": [null]".into());
    report.causes[0].example.own_error = Some("no attribute <b>".into());
    let page = html::write(&report).expect("it can be drawn");
    for note in ["the client sent: &quot;prompt&quot;: [null]", "own error: no attribute &lt;b"] {
        assert!(page.contains(note), "`{note}` is missing in:\n{page}");
    }
    let summary = markdown::write(&report).expect("it can be drawn");
    let notes = "\n\n- the client sent: \"prompt\": \\[null\\]\n- the target's own error: no attribute &lt;b>\n\n";
    assert!(summary.contains(notes), "{summary}");
}

/// The part of the page from the first text to the next occurrence of the second.
fn between<'a>(page: &'a str, from: &str, to: &str) -> &'a str {
    let (_, rest) = page.split_once(from).unwrap_or_else(|| panic!("no `{from}` in:\n{page}"));
    rest.split_once(to).map_or(rest, |(part, _)| part)
}

#[test]
fn the_page_is_self_contained_and_has_no_script_but_its_own() {
    let page = html::write(&hostile()).expect("it can be drawn");
    for foreign in ["<script>alert", "<img", "<link", "onerror=alert(1)>", "@import", "url("] {
        assert!(!page.contains(foreign), "`{foreign}` is in:\n{page}");
    }
    assert_eq!(page.matches("<script").count(), 1, "{page}");
    assert!(page.contains("default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-"));
}

#[test]
fn the_page_shows_the_verdict_the_failure_its_rerun_command_and_what_was_not_run() {
    let mut report = hostile();
    report.run.selection.whole = false;
    report.run.selection.cases = 2;
    let page = page(&report);
    for fragment in [
        "does not conform: 1 of 1 judged requirements is violated.",
        r##"<a class="tag fail" href="#FP-ROUTE-01""##,
        r#"<div class="body" id="FP-ROUTE-01">"#,
        r#"<details class="case item" open>"#,
        r#"<div class="body" id="case-a/fails">"#,
        r#"<code class="command">fallproof run a/fails</code>"#,
        "7 cases of the suite were not selected.",
        "for a reason",
        r#"<b class="silent">Silent:</b>"#,
    ] {
        assert!(page.contains(fragment), "`{fragment}` is missing in:\n{page}");
    }
}

#[test]
fn what_is_broken_comes_first_with_its_extent_and_its_example() {
    let page = page(&broken());
    let first = between(&page, r#"<h2 id="broken">"#, r#"<h2 id="requirements">"#);
    for fragment in [
        "1 cause explains all 5 failed cases.",
        r#"<details class="cause item fail" open>"#,
        r#"<span class="quiet">Gate</span> breaks <code>route-01/x</code> <span class="scope">responses; streams only</span>"#,
        r#"5 of the 40 cases in which it could show · <span class="silent">in 1 of the 5 cases, the client got no sign of an error</span>"#,
        "attempt 1 broke route-01/x",
        r#"<tr class="pointed"><td>1</td><td>primary (openai)</td>"#,
        r#"<code class="command">fallproof run a/1</code>"#,
        r##"<a class="mono" href="#FP-ROUTE-01">FP-ROUTE-01</a>"##,
        "the scenario's own expectation in 2 cases",
        "4 other cases",
        r##"<li><a href="#case-a/5">a/5</a></li>"##,
    ] {
        assert!(first.contains(fragment), "`{fragment}` is missing in:\n{first}");
    }
    let warnings = between(first, "Warnings: only recommendations are violated", "</section>");
    assert!(warnings.contains("breaks <code>client-02</code>"), "{first}");
    assert!(warnings.contains("<span class=\"silent\">the client got no sign of an error</span>"));
}

#[test]
fn a_cause_that_the_baseline_expects_is_shown_apart_with_its_reason() {
    let mut report = broken();
    let issue = Some("https://example.com/42".to_owned());
    report.causes[0].expected = Some(Expected { reason: "until `2.0`".into(), issue });
    let page = page(&report);
    let expected = between(&page, "Expected by the baseline", r#"id="warnings""#);
    assert!(expected.contains("until <code>2.0</code>"), "{expected}");
    assert!(expected.contains(r#"href="https://example.com/42""#), "{expected}");
    assert!(!page.contains(r#"<details class="cause item fail""#), "{page}");
}

#[test]
fn causes_beyond_the_first_twelve_are_folded() {
    let mut report = broken();
    report.causes = (0..15).map(|it| cause(&format!("c-{it}"), Weight::Fail, &["a/1"])).collect();
    let page = page(&report);
    let (first, more) = page.split_once("More causes").expect("a fold");
    let number = |part: &str| part.matches(r#"<details class="cause item fail""#).count();
    assert_eq!((number(first), number(more)), (12, 3));
    assert_eq!(page.matches(r#"<details class="cause item fail" open>"#).count(), 3);
}

#[test]
fn only_the_first_cases_of_a_cause_are_shown_with_their_calls() {
    let page = page(&broken());
    let cases = between(&page, r#"<h2 id="cases">"#, "</section>");
    assert!(
        cases.contains("The calls of 2 other failed cases are not on this page, nor"),
        "{cases}"
    );
    let tables = |id: &str| {
        let case = between(cases, &format!(r#"<div class="body" id="case-{id}">"#), "</details>");
        assert!(case.contains(&format!("fallproof run {id}</code>")), "{case}");
        case.matches("<table").count()
    };
    assert_eq!(["a/1", "a/2", "a/3", "a/4", "a/5"].map(tables), [1, 1, 1, 0, 0]);
    assert!(cases.contains(r#"<li class="item" id="case-b/warns">"#), "one line: {cases}");
    assert!(cases.contains(r#"<li class="item" id="case-b/passes">"#), "one line: {cases}");
}

#[test]
fn each_requirement_names_the_causes_that_violate_it() {
    let page = page(&broken());
    let requirement = between(&page, r#"id="FP-ROUTE-01">"#, "</details>");
    assert!(requirement.contains(r##"<a href="#cause-route-01/x">"##), "{requirement}");
    assert!(requirement.contains(r#"<span class="quiet">in 5 cases</span>"#), "{requirement}");
    assert!(!requirement.contains("a/1"), "the cause lists its cases: {requirement}");

    let mut report = broken();
    report.causes.clear();
    report.cases.iter_mut().flat_map(|it| &mut it.violations).for_each(|it| it.cause = None);
    let page = self::page(&report);
    let requirement = between(&page, r#"id="FP-ROUTE-01">"#, "</details>");
    assert!(requirement.contains(r##"<a href="#case-a/1">a/1</a>"##), "{requirement}");
}

#[test]
fn each_link_within_the_page_has_one_target() {
    let mut report = broken();
    report.cases.push(case("c/skips", Outcome::Skipped));
    report.cases.push(case("c/unclear", Outcome::Inconclusive));
    report.cases.push(case("c/ours", Outcome::HarnessError));
    report.not_run.push("c/late".into());
    report.counts =
        Counts { skipped: 1, inconclusive: 1, harness_error: 1, not_run: 1, ..report.counts };
    let page = page(&report);
    let mut targets: BTreeMap<&str, usize> = BTreeMap::new();
    for id in page.split(r#" id=""#).skip(1).filter_map(|rest| rest.split('"').next()) {
        *targets.entry(id).or_default() += 1;
    }
    assert!(targets.values().all(|&number| number == 1), "{targets:?}");
    let links: Vec<_> =
        page.split(r##"href="#"##).skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(links.len() > 20, "{links:?}");
    for link in links {
        assert!(targets.contains_key(link), "`{link}` leads nowhere; there are {targets:?}");
    }
}

#[test]
fn only_web_addresses_are_links_out_of_the_page() {
    let page = page(&broken());
    assert!(page.contains(r#"<a href="https://example.com/issue?a&amp;b" rel="noreferrer">"#));
    assert!(page.contains("javascript:alert(1)") && !page.contains(r#"href="javascript:"#));
}
