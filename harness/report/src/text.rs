//! The report for a terminal: nothing for a case that passed, all the details for one that failed.

use std::fmt::Write as _;

use owo_colors::{OwoColorize as _, Style};

use crate::baseline_notes::{self, Kind, Note};
use crate::model::{Baseline, Case, Change, Counts, Diff, Failure, Outcome, Report, Step, Weight};
use crate::phrases;

/// Explains the level `robustness`.
pub(crate) const ROBUSTNESS: &str =
    "no provider or client is known to send this, so it is no part of the verdict";

/// The text printed for a case. Empty if it passed.
pub fn case(case: &Case) -> String {
    let (word, style) = match case.outcome {
        Outcome::Pass => return String::new(),
        Outcome::Warn => ("WARN", Style::new().yellow().bold()),
        Outcome::Fail if case.is_expected() => ("FAIL, AS EXPECTED", Style::new().yellow().bold()),
        Outcome::Fail => ("FAIL", Style::new().red().bold()),
        Outcome::NotRobust => ("NOT ROBUST", Style::new().yellow().bold()),
        Outcome::Inconclusive => ("INCONCLUSIVE", Style::new().yellow().bold()),
        Outcome::Skipped => ("SKIPPED", Style::new().dimmed()),
        Outcome::HarnessError => ("HARNESS ERROR", Style::new().red().bold()),
    };
    let mut text = format!("{} {}\n", word.style(style), case.id.bold());
    let _ = writeln!(text, "  {}", case.title);
    if let Some(why) = case.why.as_ref().filter(|_| case.is_judged()) {
        let why = phrases::line(why.trim_end());
        let _ = writeln!(text, "  {}", phrases::no_command(&why).dimmed());
    }
    if let Some(reason) = &case.reason {
        let _ = writeln!(text, "\n  {reason}");
    }
    if !case.is_judged() {
        text.push('\n');
        return text;
    }
    violations(&mut text, case);
    for step in &case.steps {
        text.push('\n');
        if case.steps.len() > 1 {
            let heading = format!("call {} of {}", step.number, case.steps.len());
            let _ = writeln!(text, "    {}", heading.bold());
        }
        deployments(&mut text, step);
        step.diffs.iter().for_each(|difference| diff(&mut text, difference));
    }
    if case.outcome == Outcome::NotRobust {
        let _ = writeln!(text, "\n  robustness: {ROBUSTNESS}");
    }
    if case.failure == Some(Failure::Silent) {
        let _ = writeln!(text, "\n  silent failure: the client got no sign of an error");
    }
    let _ = writeln!(text, "\n  rerun: {}", case.replay.cyan());
    text
}

/// The last line: number of cases by outcome.
pub fn summary(counts: &Counts) -> String {
    let all = [
        ("passed", counts.pass),
        ("failed", counts.fail),
        ("failed as expected", counts.expected),
        ("warned", counts.warn),
        ("not robust", counts.not_robust),
        ("inconclusive", counts.inconclusive),
        ("skipped", counts.skipped),
        ("harness errors", counts.harness_error),
        ("not run", counts.not_run),
    ];
    let parts: Vec<_> = all
        .iter()
        .enumerate()
        .filter(|(position, (_, number))| *position == 0 || *number > 0)
        .map(|(_, (word, number))| format!("{number} {word}"))
        .collect();
    let sum: usize = all.iter().map(|(_, number)| number).sum();
    format!("{}: {}", phrases::counted(sum, "scenario"), parts.join(", "))
}

/// The claims that the evidence contradicts; empty if no claim is contradicted.
pub fn claims(report: &Report) -> String {
    let word = "CLAIM".yellow().bold().to_string();
    let mut text = String::new();
    for claim in &report.claims {
        let _ = writeln!(text, "{word} {}\n  {}\n", report.target, claim.message);
    }
    text
}

/// The notes about entries of the baseline. Empty if there are none.
pub fn baseline(baseline: Option<&Baseline>) -> String {
    let mut text = String::new();
    let Some(baseline) = baseline else { return text };
    for Note { kind, line, message } in baseline_notes::notes(baseline) {
        let word = <&str>::from(kind).to_uppercase();
        let style = match kind {
            Kind::Stale => Style::new().red().bold(),
            Kind::Expired | Kind::Wider => Style::new().yellow().bold(),
        };
        let _ = writeln!(text, "{} {}:{line}\n  {message}\n", word.style(style), baseline.file);
    }
    text
}

fn violations(text: &mut String, case: &Case) {
    let mut last_code = None;
    for violation in &case.violations {
        let code = violation.code();
        if last_code != Some(code) {
            let heading = match phrases::sentence(code) {
                "" => "expected by this scenario".bold().to_string(),
                sentence => format!("{} {sentence}", code.bold()),
            };
            let _ = writeln!(text, "\n  {heading}");
            last_code = Some(code);
        }
        let mark = match (&violation.expected, violation.weight) {
            (Some(_), _) => "expected: ",
            (None, Weight::Warn) => "warning: ",
            (None, Weight::Note) => "informational: ",
            (None, Weight::Fail) => "",
        };
        let call = phrases::call(case, violation);
        let declared = violation.declared.as_ref();
        let declared = declared.map_or_else(String::new, |it| format!(" (declared: {it})"));
        let _ = writeln!(text, "    {mark}{call}{}{declared}", violation.message);
        if let Some(expected) = &violation.expected {
            let issue =
                expected.issue.as_ref().map_or_else(String::new, |issue| format!(" ({issue})"));
            let _ = writeln!(text, "      {}{issue}", expected.reason.dimmed());
        }
    }
}

fn deployments(text: &mut String, step: &Step) {
    let rows: Vec<_> = [Step::HEADS.map(str::to_owned)].into_iter().chain(step.rows()).collect();
    let widths: Vec<usize> = (0..5)
        .map(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0))
        .collect();
    for (number, row) in rows.iter().enumerate() {
        let cells: Vec<_> =
            row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:width$}")).collect();
        let line = cells.join("  ");
        let style = if number == 0 { Style::new().dimmed() } else { Style::new() };
        let _ = writeln!(text, "    {}", line.trim_end().style(style));
    }
}

fn diff(text: &mut String, diff: &Diff) {
    let _ =
        writeln!(text, "\n    client sent → attempt {} ({}) got", diff.attempt, diff.deployment);
    for line in &diff.lines {
        let style = match line.change {
            Change::Lost => Style::new().red(),
            Change::Added => Style::new().green(),
            Change::Same | Change::Gap => Style::new(),
        };
        let _ = writeln!(text, "      {}", line.to_string().style(style));
    }
}
