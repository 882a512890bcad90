//! A case in full: nothing if it passed, all the details if it failed.

use std::fmt::Write as _;

use owo_colors::{OwoColorize as _, Style};

use super::attempts::Table;
use crate::model::{Case, Change, Diff, Failure, Outcome, Step, Violation, Weight};
use crate::phrases;
use crate::wrap::wrap;

/// Explains the level `robustness`.
const ROBUSTNESS: &str =
    "no provider or client is known to send this, so this case does not affect the verdict";

/// The text printed for a case, with lines as long as needed. Empty if it passed.
pub fn case(case: &Case) -> String {
    case_within(case, usize::MAX)
}

/// The text printed for a case on a terminal with this many columns. Empty if it passed.
pub fn case_within(case: &Case, width: usize) -> String {
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
    let plain = Style::new();
    paragraph(&mut text, &case.title, "  ", width, plain);
    if let Some(why) = case.why.as_ref().filter(|_| case.is_judged()) {
        let why = phrases::line(why.trim_end());
        paragraph(&mut text, &phrases::no_command(&why), "  ", width, Style::new().dimmed());
    }
    if let Some(reason) = &case.reason {
        text.push('\n');
        paragraph(&mut text, reason, "  ", width, plain);
    }
    if !case.is_judged() {
        text.push('\n');
        return text;
    }
    violations(&mut text, case, width);
    for step in &case.steps {
        text.push('\n');
        if case.steps.len() > 1 {
            let heading = format!("call {} of {}", step.number, case.steps.len());
            let _ = writeln!(text, "    {}", heading.bold());
        }
        deployments(&mut text, step, width);
        step.diffs.iter().for_each(|difference| diff(&mut text, difference));
    }
    if case.outcome == Outcome::NotRobust {
        text.push('\n');
        paragraph(&mut text, &format!("robustness: {ROBUSTNESS}"), "  ", width, plain);
    }
    if case.failure == Some(Failure::Silent) {
        let calls = phrases::silent_calls(case);
        let _ = writeln!(text, "\n  silent failure{calls}: the client got no sign of an error");
    }
    let _ = writeln!(text, "\n  rerun: {}", case.replay.cyan());
    text
}

fn paragraph(text: &mut String, words: &str, indent: &str, width: usize, style: Style) {
    for line in wrap(words, indent, width) {
        let (indent, words) = line.split_at(indent.len());
        let _ = writeln!(text, "{indent}{}", words.style(style));
    }
}

fn violations(text: &mut String, case: &Case, width: usize) {
    let mut last_code = None;
    for violation in &case.violations {
        let code = violation.code();
        if last_code != Some(code) {
            text.push('\n');
            heading(text, code, width);
            last_code = Some(code);
        }
        paragraph(text, &message(case, violation), "    ", width, Style::new());
        if let Some(expected) = &violation.expected {
            let issue = expected.issue.as_ref().map(|issue| format!(" ({issue})"));
            let reason = format!("{}{}", expected.reason, issue.unwrap_or_default());
            paragraph(text, &reason, "      ", width, Style::new().dimmed());
        }
    }
}

/// The requirement with this code: the code in bold, and the sentence.
fn heading(text: &mut String, code: &str, width: usize) {
    let sentence = phrases::sentence(code);
    if sentence.is_empty() {
        let _ = writeln!(text, "  {}", "expected by this scenario".bold());
        return;
    }
    let lines = wrap(&format!("{code} {sentence}"), "  ", width).join("\n");
    let _ = writeln!(text, "{}", lines.replacen(code, &code.bold().to_string(), 1));
}

fn message(case: &Case, violation: &Violation) -> String {
    let mark = match (&violation.expected, violation.weight) {
        (Some(_), _) => "expected: ",
        (None, Weight::Warn) => "warning: ",
        (None, Weight::Note) => "informational: ",
        (None, Weight::Fail) => "",
    };
    let call = phrases::call(case, violation);
    let declared = violation.declared.as_ref();
    let declared = declared.map_or_else(String::new, |it| format!(" (declared: {it})"));
    format!("{mark}{call}{}{declared}", violation.message)
}

fn deployments(text: &mut String, step: &Step, width: usize) {
    let table = Table::new(step, "    ", width);
    let _ = writeln!(text, "    {}", table.heads.trim_start().dimmed());
    for line in table.body() {
        let _ = writeln!(text, "{line}");
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
