//! The output formats of a report.

use fallproof_report::badge::{Badge, Color};
use fallproof_report::model::{
    Claim, Compliance, Counts, Expected, Outcome, Report, Step, Verdict, Weight,
};
use fallproof_report::text::Detail;
use fallproof_report::{html, junit, markdown, phrases, text};
use rstest::rstest;

use super::support::{case, cause, hostile, made, read, reported};

/// What is printed at the end of a run with this report.
fn printed(report: &Report) -> String {
    text::rest(report, Detail { width: 80, all_cases: false, causes: 10 })
}

fn conformant() -> Report {
    let counts = Counts { pass: 9, ..Counts::default() };
    made(Verdict::Conformant, Compliance::Pass, counts, Vec::new())
}

#[test]
fn a_badge_is_green_for_a_complete_run_that_conforms() {
    let badge = Badge::of(&conformant());
    assert_eq!(badge, Badge { message: "conformant".into(), color: Color::Green });
    let svg = badge.to_svg().expect("it can be drawn");
    assert!(svg.contains("aria-label=\"fallproof: conformant\""));
    assert!(badge.to_json().contains("\"schemaVersion\": 1"));
}

#[rstest]
#[case::a_selection(|report: &mut Report| report.run.selection.whole = false, "partial run")]
#[case::interrupted(|report: &mut Report| report.run.interrupted = true, "partial run")]
#[case::not_run(|report: &mut Report| report.not_run.push("a/b".into()), "partial run")]
#[case::not_judged(
    |report: &mut Report| report.profiles[0].requirements[0].verdict = Compliance::NotJudged,
    "not judged"
)]
#[case::nothing_at_all(|report: &mut Report| report.profiles.clear(), "not judged")]
#[case::known_failures(|report: &mut Report| report.counts.expected = 1, "0 known to fail")]
#[case::ours(|report: &mut Report| report.verdict = Verdict::HarnessError, "harness error")]
#[case::failed(|report: &mut Report| report.verdict = Verdict::NotConformant, "inconclusive")]
fn a_badge_is_never_green_if_something_is_missing(
    #[case] change: fn(&mut Report),
    #[case] message: &str,
) {
    let mut report = conformant();
    change(&mut report);
    let badge = Badge::of(&report);
    assert_eq!(badge.message, message);
    assert_ne!(badge.color, Color::Green);
}

#[test]
fn the_headline_explains_the_verdict() {
    let headline = |verdict, compliance, counts| {
        phrases::headline(&made(verdict, compliance, counts, Vec::new()))
    };
    let none = Counts::default();
    assert_eq!(
        headline(Verdict::NotConformant, Compliance::Fail, Counts { fail: 2, ..none }),
        "Gate 1.2 does not conform: 1 of 1 judged requirements is violated."
    );
    assert_eq!(
        headline(Verdict::NotConformant, Compliance::Pass, Counts { inconclusive: 1, ..none }),
        "The result for Gate 1.2 is uncertain: 1 case is inconclusive."
    );
    assert_eq!(
        headline(Verdict::NotConformant, Compliance::Pass, none),
        "The baseline is stale: it lists causes that are no longer found."
    );
    assert_eq!(
        headline(Verdict::Conformant, Compliance::NotJudged, none),
        "No requirement was judged for Gate 1.2."
    );
}

#[test]
fn junit_has_a_test_for_each_case_with_its_outcome() {
    let cases = vec![
        case("a/passes", Outcome::Pass),
        case("a/fails@one.two", Outcome::Fail),
        case("b/skips", Outcome::Skipped),
        case("b/unclear", Outcome::Inconclusive),
    ];
    let counts = Counts { pass: 1, fail: 1, skipped: 1, inconclusive: 1, ..Counts::default() };
    let mut report = made(Verdict::NotConformant, Compliance::Fail, counts, cases);
    report.not_run.push("b/late".into());
    report.causes = vec![cause("route-01", &mut report.cases)];
    let xml = junit::write(&report).expect("it can be written");
    for fragment in [
        r#"tests="5" skipped="2" failures="1" errors="1""#,
        r#"<testcase name="a/fails@one.two" classname="a.fails" time="0.003">"#,
        r#"type="FP-ROUTE-01""#,
        r#"message="not run: the run was interrupted""#,
        "\">route-01: Gate 1.2 asks `backup` too early (streams only)\n\nFAIL a/fails@one.two",
    ] {
        assert!(xml.contains(fragment), "`{fragment}` is missing in:\n{xml}");
    }
    assert!(!xml.contains('\u{1b}'), "no colors in a file");
}

#[test]
fn no_format_contains_unprintable_characters() {
    let mut report = hostile();
    report.cases[0].violations[0].message = "a\u{0}b\u{1b}[31mc\u{fffe}d\u{7}".into();
    let pages = [junit::write(&report), html::write(&report), markdown::write(&report)];
    for page in pages {
        let page = page.expect("it can be written");
        let unprintable = |it: char| it.is_control() && it != '\n' || it == '\u{fffe}';
        assert!(!page.contains(unprintable), "{page}");
    }
}

#[test]
fn text_of_a_target_cannot_break_the_markdown_summary() {
    let mut failed = case("a/fails", Outcome::Fail);
    failed.violations[0].message = "got `<script>` | **x**\n# not a heading".into();
    failed.steps[0].attempts[0].request = "POST /a|b".into();
    let counts = Counts { fail: 1, ..Counts::default() };
    let mut report = made(Verdict::NotConformant, Compliance::Fail, counts, vec![failed]);
    report.causes = vec![cause("route-01", &mut report.cases)];
    report.causes[0].fault = "sends <b> | `x`\n# not a heading".into();
    let shown = markdown::write(&report).expect("it can be written");
    assert!(
        shown.contains(r"- **FP-ROUTE-01** got \`&lt;script>\` \| \*\*x\*\* # not a heading"),
        "{shown}"
    );
    assert!(shown.contains(r"sends &lt;b> \| \`x\` # not a heading"), "{shown}");
    assert!(shown.contains(r"| POST /a\|b |"), "{shown}");
    assert!(shown.contains("```sh\nfallproof run a/fails\n```"), "{shown}");
}

#[test]
fn a_failure_says_why_the_case_matters() {
    let mut failed = case("a/fails", Outcome::Fail);
    failed.why = Some("The answer is lost.\nTwice.\n".into());
    let shown = text::case(&failed);
    let shown = anstream::adapter::strip_str(&shown).to_string();
    assert!(shown.contains("\n  A call fails over\n  The answer is lost. Twice.\n"), "{shown}");
    failed.outcome = Outcome::Skipped;
    assert!(!text::case(&failed).contains("lost"));
}

#[test]
fn robustness_is_shown_apart() {
    let mut fragile = case("a/fragile", Outcome::NotRobust);
    fragile.violations = case("a/fails", Outcome::Fail).violations;
    fragile.violations[0].weight = Weight::Note;
    let counts = Counts { pass: 1, not_robust: 1, ..Counts::default() };
    let report = made(Verdict::Conformant, Compliance::Pass, counts, vec![fragile]);
    let shown = text::case(&report.cases[0]);
    let shown = anstream::adapter::strip_str(&shown).to_string();
    assert!(shown.starts_with("NOT ROBUST a/fragile\n"), "{shown}");
    assert!(shown.contains("informational: attempt 2 went to"), "{shown}");
    assert!(text::summary(&counts).contains("1 passed, 1 not robust"));
    assert!(phrases::scope(&report).contains("1 was not robust, which is no part of the verdict."));
    let junit = junit::write(&report).expect("it can be written");
    assert!(junit.contains("failures=\"0\"") && junit.contains("NOT ROBUST"), "{junit}");
    assert_eq!(Badge::of(&report).color, Color::Green);
    assert!(!markdown::write(&report).expect("it can be written").contains("a/fragile"));
    assert!(html::write(&report).expect("it can be drawn").contains("not robust"));
}

#[test]
fn a_violation_names_its_call_if_there_are_several() {
    let mut failed = case("a/b", Outcome::Fail);
    let second = Step { number: 2, ..failed.steps[0].clone() };
    failed.steps.push(second);
    failed.violations[0].step = 2;
    let counts = Counts { fail: 1, ..Counts::default() };
    let mut report = made(Verdict::NotConformant, Compliance::Fail, counts, vec![failed]);
    report.causes = vec![cause("route-01", &mut report.cases)];
    let html = html::write(&report).expect("it can be written");
    let junit = junit::write(&report).expect("it can be written");
    let markdown = markdown::write(&report).expect("it can be written");
    for shown in [text::case(&report.cases[0]), markdown, html, junit] {
        assert!(shown.contains("call 2: attempt 2 went to"), "{shown}");
    }
    let printed = text::case(&report.cases[0]);
    assert!(anstream::adapter::strip_str(&printed).to_string().contains("\n    call 2 of 2\n"));
}

#[test]
fn a_summary_has_ten_causes_in_full_and_one_line_for_each_of_the_others() {
    let cases: Vec<_> =
        (0..14).map(|number| case(&format!("a/fails-{number}"), Outcome::Fail)).collect();
    let counts = Counts { fail: 14, ..Counts::default() };
    let mut report = made(Verdict::NotConformant, Compliance::Fail, counts, cases);
    let causes = report.cases.iter_mut().enumerate();
    report.causes = causes.map(|(it, case)| cause(&format!("route-01/{it}"), [case])).collect();
    report.causes[12].weight = Weight::Warn;
    report.causes[13].expected = Some(Expected { reason: "Known.".into(), issue: None });
    let shown = markdown::write(&report).expect("it can be written");
    assert!(shown.contains("12 causes of failures, 1 cause of warnings, the worst first.\n"));
    assert_eq!(shown.matches("<details>").count(), 10);
    assert!(
        shown.contains("\n### 10. route-01/9\n\nGate 1.2 asks \\`backup\\` too early"),
        "{shown}"
    );
    let (_, more) = shown.split_once("### 3 more causes\n\n").expect("the others are counted");
    let lines: Vec<_> = more.lines().take_while(|line| !line.is_empty()).collect();
    assert_eq!(lines.len(), 3, "{more}");
    assert!(lines[0].starts_with("- **route-01/10** Gate 1.2 asks"), "{more}");
    assert!(lines[0].ends_with(": 1 case, e.g. `a/fails-10`"), "{more}");
    assert!(lines[2].starts_with("- **route-01/12** Warning: Gate 1.2"), "{more}");
    let (_, expected) = more.split_once("## Expected by the baseline\n\n").expect("it is listed");
    assert!(expected.starts_with("- **route-01/13** Gate 1.2 asks"), "{more}");
    let causes = shown.find("## Causes").expect("it is there");
    assert!(causes < shown.find("## Requirements").expect("it is there"), "causes come first");
}

#[test]
fn a_cause_says_in_how_many_cases_it_shows_and_how_many_are_silent() {
    let mut cases = ["a/b", "a/c"].map(|id| case(id, Outcome::Fail));
    let mut cause = cause("route-01", &mut cases);
    assert_eq!(phrases::extent(&cause), "2 of 3 cases that could show it.");
    (cause.could_show, cause.silent) = (2, 2);
    assert_eq!(
        phrases::extent(&cause),
        "2 cases, all that could show it. Silent: the client got no sign of an error."
    );
    cause.silent = 1;
    assert!(
        phrases::extent(&cause)
            .ends_with("in 1 of the 2 cases, the client got no sign of an error.")
    );
}

#[test]
fn a_summary_counts_cases_without_a_verdict_by_reason() {
    let mut cases: Vec<_> =
        (0..15).map(|number| case(&format!("a/unclear-{number}"), Outcome::Inconclusive)).collect();
    for (number, case) in cases.iter_mut().enumerate().skip(3) {
        case.reason = Some(format!("for reason {number}"));
    }
    let counts = Counts { inconclusive: 15, ..Counts::default() };
    let report = made(Verdict::NotConformant, Compliance::Pass, counts, cases);
    let shown = markdown::write(&report).expect("it can be written");
    assert!(shown.contains("- 3 cases, inconclusive: for a reason (e.g. `a/unclear-0`)\n"));
    assert!(shown.contains("- 1 case, inconclusive: for reason 11 "), "{shown}");
    assert!(shown.contains("\n- 3 more reasons\n") && !shown.contains("reason 12"), "{shown}");
}

#[test]
fn events_contain_every_case_as_one_json_object_per_line() {
    let (folder, _) = reported(&["auth"]);
    let events: Vec<serde_json::Value> = read(&folder, "events.ndjson")
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line is JSON"))
        .collect();
    let count = |kind: &str| events.iter().filter(|event| event["event"] == kind).count();
    assert_eq!(events[0]["event"], "run-started");
    assert_eq!(events[0]["cases"], count("case-ended"));
    assert_eq!(count("case-started"), count("case-ended"));
    let last = events.last().expect("there are some");
    assert_eq!(last["verdict"], "conformant");
    assert_eq!(last["causes"], serde_json::json!([]));
}

#[test]
fn the_last_event_has_the_causes_of_the_report() {
    let (folder, _) = reported(&["responses-compact", "--saboteur", "invented-metadata"]);
    let events = read(&folder, "events.ndjson");
    let last: serde_json::Value =
        serde_json::from_str(events.lines().last().unwrap_or_default()).expect("a line is JSON");
    let report: serde_json::Value =
        serde_json::from_str(&read(&folder, "report.json")).expect("a report is JSON");
    assert_eq!(last["causes"], report["causes"]);
    assert_eq!(last["causes"][0]["requirement"], "FP-PAYLOAD-01");
}

#[test]
fn the_calls_that_failed_silently_are_named_if_a_case_has_several() {
    let mut report = hostile();
    let fails = report.cases.iter_mut().find(|it| it.outcome == Outcome::Fail).expect("one fails");
    let mut shown = |steps: usize, silent: &[usize]| {
        fails.steps = vec![fails.steps[0].clone(); steps];
        fails.silent_steps = silent.to_vec();
        text::case(fails)
    };
    assert!(shown(1, &[1]).contains("silent failure: the client"));
    assert!(shown(3, &[2]).contains("silent failure in call 2: the client"));
    assert!(shown(3, &[1, 3]).contains("silent failure in calls 1, 3: the client"));
    let page = html::write(&report).expect("it can be drawn");
    assert!(page.contains("Silent in calls 1, 3:"), "{page}");
}

#[test]
fn a_claim_that_the_evidence_contradicts_is_named_and_changes_no_verdict() {
    let mut report = conformant();
    let message = "declares no fallback on `503`; `backup` was tried after it, in a/b".to_owned();
    report.claims = vec![Claim { message: message.clone(), cases: vec!["a/b".into()] }];
    assert!(printed(&report).contains(&format!("Gate 1.2\n  {message}\n")));
    let page = html::write(&report).expect("it can be drawn");
    assert!(
        page.contains("<h2 id=\"claims\">Claims that the evidence does not support</h2>"),
        "{page}"
    );
    let summary = markdown::write(&report).expect("it can be drawn");
    assert!(summary.contains("- Gate 1.2 declares no fallback on"), "{summary}");
    assert_eq!(Badge::of(&report).color, Color::Green);
    assert!(!printed(&conformant()).contains("CLAIM"));
}
