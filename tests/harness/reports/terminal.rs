//! What a run prints when it ends.

use std::fmt::Write as _;

use fallproof_report::hints::Hints;
use fallproof_report::model::{
    Baseline, Case, Cause, Change, Compliance, Counts, Diff, Example, Expected, Level, Line,
    Outcome, Report, Verdict, Weight,
};
use fallproof_report::text::{Detail, in_full, rest};

use super::support::{case, made};

const DETAIL: Detail = Detail { width: 80, all_cases: false, causes: 10 };

/// A report of these cases, with these causes, each of which explains all failed cases.
fn report(mut all: Vec<Case>, causes: &[(&str, Weight)]) -> Report {
    let failed = all.iter_mut().filter(|case| !case.violations.is_empty());
    let failed: Vec<_> = failed
        .map(|case| {
            case.violations[0].cause = causes.first().map(|(id, _)| (*id).to_owned());
            case.id.clone()
        })
        .collect();
    let mut report = made(Verdict::NotConformant, Compliance::Fail, Counts::default(), all);
    report.causes = causes.iter().map(|(id, weight)| cause(id, *weight, &failed)).collect();
    report
}

/// A cause that explains these cases.
fn cause(id: &str, weight: Weight, failed: &[String]) -> Cause {
    Cause {
        id: id.to_owned(),
        fault: "asks `backup` first".to_owned(),
        scope: "streams only".to_owned(),
        requirement: Some("FP-ROUTE-01".to_owned()),
        weight,
        cases: failed.to_vec(),
        could_show: 44,
        silent: 2,
        example: Example {
            case: failed[0].clone(),
            step: 1,
            attempt: Some(2),
            message: "attempt 2 went to `backup`".to_owned(),
            own_error: None,
            sent: None,
            replay: format!("fallproof run {}", failed[0]),
        },
        follows: Vec::new(),
        symptoms: Vec::new(),
        sources: Vec::new(),
        expected: None,
    }
}

fn cases(number: usize, outcome: Outcome) -> Vec<Case> {
    (0..number).map(|number| case(&format!("a/b-{number}"), outcome)).collect()
}

fn printed(report: &Report, detail: Detail) -> String {
    anstream::adapter::strip_str(&rest(report, detail)).to_string()
}

#[test]
fn a_block_has_15_lines_and_shows_the_attempt_of_the_violation_and_its_diff() {
    let mut all = cases(5, Outcome::Fail);
    let step = &mut all[0].steps[0];
    for number in 2..9 {
        let mut attempt = step.attempts[0].clone();
        attempt.number = number;
        attempt.deployment = format!("deployment-{number}");
        attempt.request =
            "POST /openai/deployments/gpt-5/chat/completions?api-version=1".to_owned();
        attempt.behavior = "refused".to_owned();
        attempt.refusal = Some("Unknown parameter. ".repeat(20));
        step.attempts.push(attempt);
    }
    let lines = (0..9).map(|number| Line {
        change: Change::Added,
        text: format!("\"metadata\": \"{number}{}\"", "x".repeat(90)),
    });
    // The line that only got a comma is not shown.
    let comma = [(Change::Lost, "\"input\": 1"), (Change::Added, "\"input\": 1,")];
    let comma = comma.map(|(change, text)| Line { change, text: text.to_owned() });
    let lines = comma.into_iter().chain(lines);
    step.diffs.push(Diff { attempt: 2, deployment: "deployment-2".into(), lines: lines.collect() });
    all[0].violations[0].pointer = Some("/metadata".to_owned());
    let mut report = report(all, &[("route-01", Weight::Fail)]);
    report.causes[0].scope = "every endpoint and surface, ".repeat(20);

    let shown = printed(&report, DETAIL);
    let (block, _) = shown.split_once("\n\n").expect("a line with the result follows");
    assert_eq!(block.lines().count(), 15, "{shown}");
    assert!(block.lines().all(|line| line.chars().count() <= 80), "{shown}");
    for words in [
        "FAIL route-01  5 of 44 cases\n  Gate 1.2 asks `backup` first",
        "\n  silent: in 2 of the 5 cases, the client got no sign of an error\n",
        "\n  example: a/b-0\n    attempt 2 went to `backup`\n",
        "\n    2        deployment-2 (openai)  …/chat/completions  500     refused\n",
        "\n  rerun: fallproof run a/b-0\n  and 4 more cases (-v lists them)",
    ] {
        assert!(shown.contains(words), "`{words}` is missing in:\n{shown}");
    }
}

#[test]
fn a_block_shows_the_error_that_the_target_wrote_itself() {
    let mut report = report(cases(5, Outcome::Fail), &[("route-01", Weight::Fail)]);
    report.causes[0].scope = "every endpoint and surface, ".repeat(20);
    let example = &mut report.causes[0].example;
    example.sent = Some("\"prompt\": [null]".to_owned());
    example.own_error = Some(format!("'NoneType' object has no {}", "attribute ".repeat(15)));
    let shown = printed(&report, DETAIL);
    let (block, _) = shown.split_once("\n\n").expect("a line with the result follows");
    assert!(block.lines().count() <= 15, "{shown}");
    for words in [
        "\n    the client sent: \"prompt\": [null]\n",
        "\n    the target's own error: 'NoneType' object has no attribute",
        "\n    client                     POST /v1/responses  200\n",
        "\n  rerun: fallproof run a/b-0\n",
    ] {
        assert!(shown.contains(words), "`{words}` is missing in:\n{shown}");
    }
}

#[test]
fn the_worst_causes_are_blocks_and_the_others_lines() {
    let ids: Vec<_> = (0..12).map(|number| format!("route-01/{number}")).collect();
    let causes: Vec<_> = ids.iter().map(|id| (id.as_str(), Weight::Fail)).collect();
    let report = report(cases(4, Outcome::Fail), &causes);
    let blocks =
        |causes| printed(&report, Detail { causes, ..DETAIL }).matches("  example: ").count();
    assert_eq!([blocks(0), blocks(10), blocks(usize::MAX)], [0, 10, 12]);
    let shown = printed(&report, DETAIL);
    let rest = "\n2 more causes (--causes all shows an example of each):\n\
        FAIL route-01/10  4 cases: asks `backup` first (streams only)\n\
        FAIL route-01/11  4 cases: asks `backup` first (streams only)\n";
    assert!(shown.contains(rest), "{shown}");
}

#[test]
fn few_failures_are_printed_in_full_with_their_causes_in_one_line() {
    let of = |number| {
        let mut all = cases(number, Outcome::Fail);
        all.extend((0..9).map(|number| case(&format!("c/{number}"), Outcome::Skipped)));
        report(all, &[("route-01", Weight::Fail)])
    };
    let few = of(3);
    let ids: Vec<_> = in_full(&few, DETAIL).iter().map(|case| case.id.as_str()).collect();
    assert_eq!(ids, ["a/b-0", "a/b-1", "a/b-2"]);
    let shown = printed(&few, DETAIL);
    assert!(shown.starts_with("FAIL route-01  3 cases: asks `backup` first"), "{shown}");
    assert!(shown.contains("\n9 cases skipped (-v lists them)\n"), "{shown}");
    assert!(in_full(&of(4), DETAIL).is_empty());
    assert_eq!(in_full(&of(4), Detail { all_cases: true, ..DETAIL }).len(), 13);
}

#[test]
fn warnings_and_what_needs_no_action_are_a_few_lines() {
    let mut all = cases(4, Outcome::Warn);
    all.extend((0..4).map(|number| case(&format!("c/{number}"), Outcome::NotRobust)));
    let ids: Vec<_> = (0..7).map(|number| format!("route-01/{number}")).collect();
    let causes: Vec<_> = ids.iter().map(|id| (id.as_str(), Weight::Warn)).collect();
    let shown = printed(&report(all, &causes), DETAIL);
    assert_eq!(shown.matches("WARN route-01/").count(), 5, "{shown}");
    assert!(shown.contains("and 2 more causes of warnings (--report shows them)\n"), "{shown}");
    let fragile = "4 cases not robust, which is no part of the verdict (-v lists them)\n";
    assert!(shown.contains(fragile), "{shown}");
}

#[test]
fn a_cause_that_the_baseline_expects_is_a_number() {
    let mut known = report(cases(4, Outcome::Fail), &[("route-01", Weight::Fail)]);
    let (file, stale, wider) = ("known.yaml".to_owned(), Vec::new(), Vec::new());
    known.baseline = Some(Baseline { file, stale, expired: Vec::new(), wider });
    let expected = || Some(Expected { reason: "known".to_owned(), issue: None });
    known.causes[0].expected = expected();
    known.cases.iter_mut().for_each(|case| case.violations[0].expected = expected());
    let shown = printed(&known, DETAIL);
    assert!(!shown.contains("FAIL"), "{shown}");
    let number = "4 cases failed as expected by known.yaml (-v lists them)\n";
    assert!(shown.contains(number), "{shown}");
    known.causes[0].expected = None;
    known.cases[3].violations[0].expected = None;
    assert!(printed(&known, DETAIL).starts_with("FAIL route-01  "), "one of its cases is new");
}

#[test]
fn reasons_of_the_same_kind_are_one_group() {
    let mut all = cases(6, Outcome::Inconclusive);
    for (number, case) in all.iter_mut().enumerate() {
        let status = if number == 5 { 404 } else { 400 };
        let mut reason = format!("a plain call for `group-{number}` reached no deployment: ");
        let _ = write!(reason, "the target answered {status}: no group-{number}\n::error::x");
        case.reason = Some(reason.replace('\n', " "));
        case.answered = Some(status);
    }
    let unclear = report(all, &[]);
    let shown = printed(&unclear, DETAIL);
    assert_eq!(shown.matches("INCONCLUSIVE ").count(), 2, "{shown}");
    assert!(shown.starts_with("INCONCLUSIVE 5 cases: a plain call for `group-0`"), "{shown}");
    assert!(shown.contains("\n  example: a/b-5\n"), "{shown}");
    let is_command = |line: &str| line.trim_start().starts_with("::");
    for width in 20..120 {
        let shown = printed(&unclear, Detail { width, ..DETAIL });
        assert!(!shown.lines().any(is_command), "{shown}");
    }
}

#[test]
fn hints_name_options_that_would_help() {
    let mut slow = report(cases(2, Outcome::Fail), &[]);
    let all = |report: &Report, one_at_a_time, is_declared| {
        Hints { one_at_a_time, is_declared }.all(report).join("\n")
    };
    assert_eq!(all(&slow, true, false), "", "the run was short, and an invariant is violated");
    slow.run.ended = "2026-11-25T09:02:01.000Z".to_owned();
    assert!(all(&slow, true, false).contains("--jobs"));
    assert_eq!(all(&slow, false, false), "");
    slow.profiles[0].requirements[0].level = Level::Policy;
    assert!(all(&slow, false, false).contains("fallproof probe"));
    assert_eq!(all(&slow, false, true), "");
}
