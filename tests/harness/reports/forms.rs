//! The forms that a report is written in.

use fallproof_report::badge::{Badge, Color};
use fallproof_report::model::{Change, Counts, Diff, Kept, Line, Outcome, Report, Step, Verdict};
use fallproof_report::{html, junit, markdown, phrases, text};
use rstest::rstest;

use super::support::{case, made, read, reported};

fn conformant() -> Report {
    let counts = Counts { pass: 9, ..Counts::default() };
    made(Verdict::Conformant, Kept::Pass, counts, Vec::new())
}

#[test]
fn a_badge_is_green_for_a_whole_run_that_conforms() {
    let badge = Badge::of(&conformant());
    assert_eq!(badge, Badge { message: "conformant".into(), color: Color::Green });
    let svg = badge.to_svg().expect("it can be drawn");
    assert!(svg.contains("aria-label=\"fallproof: conformant\""));
    assert!(badge.to_json().contains("\"schemaVersion\": 1"));
}

#[rstest]
#[case::a_selection(|report: &mut Report| report.run.selection.whole = false, "partial run")]
#[case::broken_off(|report: &mut Report| report.run.interrupted = true, "partial run")]
#[case::not_run(|report: &mut Report| report.not_run.push("a/b".into()), "partial run")]
#[case::not_judged(
    |report: &mut Report| report.profiles[0].requirements[0].verdict = Kept::NotJudged,
    "not judged"
)]
#[case::nothing_at_all(|report: &mut Report| report.profiles.clear(), "not judged")]
#[case::known_failures(|report: &mut Report| report.counts.expected = 1, "0 known to be broken")]
#[case::ours(|report: &mut Report| report.verdict = Verdict::HarnessError, "harness error")]
#[case::failed(|report: &mut Report| report.verdict = Verdict::NotConformant, "inconclusive")]
fn a_badge_is_never_green_where_something_is_missing(
    #[case] spoil: fn(&mut Report),
    #[case] message: &str,
) {
    let mut report = conformant();
    spoil(&mut report);
    let badge = Badge::of(&report);
    assert_eq!(badge.message, message);
    assert_ne!(badge.color, Color::Green);
}

#[test]
fn the_headline_says_what_the_verdict_rests_on() {
    let told = |verdict, kept, counts| phrases::headline(&made(verdict, kept, counts, Vec::new()));
    let none = Counts::default();
    assert_eq!(
        told(Verdict::NotConformant, Kept::Fail, Counts { fail: 2, ..none }),
        "Gate 1.2 does not conform: 1 of 1 judged requirements is broken."
    );
    assert_eq!(
        told(Verdict::NotConformant, Kept::Pass, Counts { inconclusive: 1, ..none }),
        "Nothing certain can be said of Gate 1.2: 1 case is inconclusive."
    );
    assert_eq!(
        told(Verdict::NotConformant, Kept::Pass, none),
        "The baseline is out of date: it names failures that are none any more."
    );
    assert_eq!(told(Verdict::Conformant, Kept::NotJudged, none), "Nothing was judged of Gate 1.2.");
}

#[test]
fn junit_has_a_test_for_each_case_and_tells_the_outcomes_apart() {
    let cases = vec![
        case("a/passes", Outcome::Pass),
        case("a/fails@one.two", Outcome::Fail),
        case("b/skips", Outcome::Skipped),
        case("b/unclear", Outcome::Inconclusive),
    ];
    let counts = Counts { pass: 1, fail: 1, skipped: 1, inconclusive: 1, ..Counts::default() };
    let mut report = made(Verdict::NotConformant, Kept::Fail, counts, cases);
    report.not_run.push("b/late".into());
    let xml = junit::write(&report).expect("it can be written");
    for words in [
        r#"tests="5" skipped="2" failures="1" errors="1""#,
        r#"<testcase name="a/fails@one.two" classname="a.fails" time="0.003">"#,
        r#"type="FP-ROUTE-01""#,
        r#"message="not run: the run was broken off""#,
    ] {
        assert!(xml.contains(words), "`{words}` is missing in:\n{xml}");
    }
    assert!(!xml.contains('\u{1b}'), "no colors in a file");
}

#[test]
fn no_form_holds_characters_that_xml_and_terminals_have_no_place_for() {
    let mut report = hostile();
    report.cases[0].violations[0].message = "a\u{0}b\u{1b}[31mc\u{fffe}d\u{7}".into();
    let pages = [junit::write(&report), html::write(&report), markdown::write(&report)];
    for page in pages {
        let page = page.expect("it can be written");
        let strange = |it: char| it.is_control() && it != '\n' || it == '\u{fffe}';
        assert!(!page.contains(strange), "{page}");
    }
}

#[test]
fn the_summary_is_markdown_that_the_words_of_a_target_cannot_break() {
    let mut failed = case("a/fails", Outcome::Fail);
    failed.violations[0].message = "got `<script>` | **x**\n# not a heading".into();
    failed.steps[0].attempts[0].request = "POST /a|b".into();
    let counts = Counts { fail: 1, ..Counts::default() };
    let report = made(Verdict::NotConformant, Kept::Fail, counts, vec![failed]);
    let told = markdown::write(&report).expect("it can be written");
    assert!(
        told.contains(r"- **FP-ROUTE-01** got \`&lt;script>\` \| \*\*x\*\* # not a heading"),
        "{told}"
    );
    assert!(told.contains(r"| POST /a\|b |"), "{told}");
    assert!(told.contains("```sh\nfallproof run a/fails\n```"), "{told}");
}

#[test]
fn a_finding_names_its_call_where_there_are_several() {
    let mut failed = case("a/b", Outcome::Fail);
    let second = Step { number: 2, ..failed.steps[0].clone() };
    failed.steps.push(second);
    failed.violations[0].step = 2;
    let counts = Counts { fail: 1, ..Counts::default() };
    let report = made(Verdict::NotConformant, Kept::Fail, counts, vec![failed]);
    let html = html::write(&report).expect("it can be written");
    let junit = junit::write(&report).expect("it can be written");
    let markdown = markdown::write(&report).expect("it can be written");
    for told in [text::case(&report.cases[0]), markdown, html, junit] {
        assert!(told.contains("call 2: attempt 2 went to"), "{told}");
    }
    let printed = text::case(&report.cases[0]);
    assert!(anstream::adapter::strip_str(&printed).to_string().contains("\n    call 2 of 2\n"));
}

#[test]
fn a_long_summary_tells_where_the_rest_is() {
    let cases: Vec<_> =
        (0..25).map(|number| case(&format!("a/fails-{number}"), Outcome::Fail)).collect();
    let counts = Counts { fail: 25, ..Counts::default() };
    let report = made(Verdict::NotConformant, Kept::Fail, counts, cases);
    let told = markdown::write(&report).expect("it can be written");
    assert_eq!(told.matches("<details>").count(), 20);
    assert!(told.contains("5 more are in `index.html`"), "{told}");
}

#[test]
fn events_tell_of_every_case_one_json_object_a_line() {
    let (folder, _) = reported(&["auth"]);
    let events: Vec<serde_json::Value> = read(&folder, "events.ndjson")
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line is JSON"))
        .collect();
    let count = |kind: &str| events.iter().filter(|event| event["event"] == kind).count();
    assert_eq!(events[0]["event"], "run-started");
    assert_eq!(events[0]["cases"], count("case-ended"));
    assert_eq!(count("case-started"), count("case-ended"));
    assert_eq!(events.last().expect("there are some")["verdict"], "conformant");
}

/// A run with a failure, and words in it that try to be HTML.
fn hostile() -> Report {
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
    let mut report = made(Verdict::NotConformant, Kept::Fail, counts, cases);
    report.target.name = evil.into();
    report
}

#[test]
fn the_page_needs_nothing_beside_itself_and_runs_nothing() {
    let page = html::write(&hostile()).expect("it can be drawn");
    for foreign in ["<script", "<img", "<link", "src=x onerror=alert(1)>", "@import", "url("] {
        assert!(!page.contains(foreign), "`{foreign}` is in:\n{page}");
    }
    assert!(page.contains("default-src 'none'"), "nor may it, whatever is in it");
}

#[test]
fn the_page_tells_the_verdict_the_failure_how_to_see_it_again_and_what_was_not_run() {
    let mut report = hostile();
    report.run.selection.whole = false;
    report.run.selection.cases = 2;
    let page = html::write(&report).expect("it can be drawn").replace("&#x2f;", "/");
    for words in [
        "does not conform: 1 of 1 judged requirements is broken.",
        r##"<a class="tag fail" href="#FP-ROUTE-01""##,
        r#"<details class="requirement" id="FP-ROUTE-01">"#,
        r#"<details id="case-a/fails" open>"#,
        "<code>fallproof run a/fails</code>",
        "7 cases of the suite were not chosen.",
        "for a reason",
        r#"<span class="tag fail">silent</span>"#,
    ] {
        assert!(page.contains(words), "`{words}` is missing in:\n{page}");
    }
}
