//! The report for a terminal: silent where all is well, and for a failure everything that it takes
//! to see what went wrong.

use std::fmt::Write as _;

use owo_colors::{OwoColorize as _, Style};
use similar::{ChangeTag, TextDiff};

use crate::check::{Finding, Verdict};
use crate::drive::{Case, Outcome};
use crate::json::Tree;
use crate::observe::Step;
use crate::plan::Group;
use crate::requirement;
use crate::scenario::Scenario;

/// How many lines of equal text are shown around a difference.
const CONTEXT: usize = 2;

/// One case as it is printed; empty for one that passed. `replay` is the command that runs it
/// again.
pub fn case(case: &Case, scenario: &Scenario, group: &Group, replay: &str) -> String {
    let (word, style) = match &case.outcome {
        Outcome::Pass => return String::new(),
        Outcome::Warn => ("WARN", Style::new().yellow().bold()),
        Outcome::Fail => ("FAIL", Style::new().red().bold()),
        Outcome::Inconclusive(_) => ("INCONCLUSIVE", Style::new().yellow().bold()),
        Outcome::Skipped(_) => ("SKIPPED", Style::new().dimmed()),
    };
    let mut text = format!("{} {}\n", word.style(style), case.scenario.bold());
    let _ = writeln!(text, "  {}", scenario.title);
    if let Outcome::Inconclusive(reason) | Outcome::Skipped(reason) = &case.outcome {
        let _ = writeln!(text, "\n  {reason}\n");
        return text;
    }
    findings(&mut text, &case.findings, case.steps.len() > 1);
    for step in &case.steps {
        hops(&mut text, step, group);
        diffs(&mut text, step, group, &case.findings);
    }
    let _ = writeln!(text, "\n  again: {}", replay.cyan());
    text
}

/// The last line: how many cases there were of each outcome.
pub fn summary(cases: &[Case]) -> String {
    let count =
        |wanted: fn(&Outcome) -> bool| cases.iter().filter(|case| wanted(&case.outcome)).count();
    let counts = [
        ("passed", count(|outcome| *outcome == Outcome::Pass)),
        ("failed", count(|outcome| *outcome == Outcome::Fail)),
        ("warned", count(|outcome| *outcome == Outcome::Warn)),
        ("inconclusive", count(|outcome| matches!(outcome, Outcome::Inconclusive(_)))),
        ("skipped", count(|outcome| matches!(outcome, Outcome::Skipped(_)))),
    ];
    let told: Vec<_> = counts
        .iter()
        .enumerate()
        .filter(|(position, (_, number))| *position == 0 || *number > 0)
        .map(|(_, (word, number))| format!("{number} {word}"))
        .collect();
    let noun = if cases.len() == 1 { "scenario" } else { "scenarios" };
    format!("{} {noun}: {}", cases.len(), told.join(", "))
}

fn findings(text: &mut String, findings: &[Finding], name_steps: bool) {
    let mut told: Option<&str> = None;
    for finding in findings {
        let code = finding.requirement.unwrap_or("expected by this scenario");
        if told != Some(code) {
            let sentence = requirement::find(code)
                .map_or_else(String::new, |found| format!(" {}", found.sentence));
            let _ = writeln!(text, "\n  {}{sentence}", code.bold());
            told = Some(code);
        }
        let mark = if finding.verdict == Verdict::Warn { "warning: " } else { "" };
        let step = if name_steps { format!("step {}: ", finding.step + 1) } else { String::new() };
        let _ = writeln!(text, "    {mark}{step}{}", finding.message);
    }
}

fn hops(text: &mut String, step: &Step, group: &Group) {
    let mut rows =
        vec![["attempt", "upstream", "request", "answer", "behaviour"].map(str::to_owned)];
    for (index, hit) in step.hits.iter().enumerate() {
        let hop = hit.upstream.as_deref().and_then(|prefix| group.hop_at(prefix));
        let upstream =
            hop.map_or_else(String::new, |(_, hop)| format!("{} ({})", hop.upstream, hop.vendor()));
        let answer = match (&hit.violation, hit.status) {
            (Some(violation), Some(status)) if hit.refused => {
                format!("{status} {}", violation.message)
            }
            (_, Some(status)) => status.to_string(),
            (_, None) => "none".to_owned(),
        };
        let request = format!("{} {}", hit.method, hit.target);
        let behaviour = if hit.refused { "refused" } else { hit.behaviour.as_str() };
        rows.push([(index + 1).to_string(), upstream, request, answer, behaviour.to_owned()]);
    }
    let exchange = &step.exchange;
    let answer = exchange.status.map_or_else(|| exchange.ending.in_words(), |it| it.to_string());
    rows.push([
        "client".into(),
        String::new(),
        format!("POST {}", exchange.path),
        answer,
        String::new(),
    ]);

    let widths: Vec<usize> = (0..5)
        .map(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0))
        .collect();
    text.push('\n');
    for (number, row) in rows.iter().enumerate() {
        let cells: Vec<_> =
            row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:width$}")).collect();
        let line = cells.join("  ");
        let style = if number == 0 { Style::new().dimmed() } else { Style::new() };
        let _ = writeln!(text, "    {}", line.trim_end().style(style));
    }
}

/// What the client sent against what each attempt got, for the attempts that findings point into.
fn diffs(text: &mut String, step: &Step, group: &Group, findings: &[Finding]) {
    let Ok(sent) = Tree::parse(&step.exchange.sent) else { return };
    for (index, hit) in step.hits.iter().enumerate() {
        let pointed_at = findings.iter().any(|finding| {
            finding.step == step.position
                && finding.attempt == Some(index + 1)
                && finding.pointer.is_some()
        });
        let Ok(received) = Tree::parse(&hit.body) else { continue };
        if !pointed_at {
            continue;
        }
        let Some((_, hop)) = hit.upstream.as_deref().and_then(|prefix| group.hop_at(prefix)) else {
            continue;
        };
        let _ = writeln!(text, "\n    client sent → attempt {} ({}) got", index + 1, hop.upstream);
        // Each hop has a `model` of its own: no difference worth showing.
        let sent = sent.with("model", &hop.deployment).canonical();
        let received = received.canonical();
        let diff = TextDiff::from_lines(sent.as_str(), received.as_str());
        for hunk in diff.grouped_ops(CONTEXT) {
            for change in hunk.iter().flat_map(|operation| diff.iter_changes(operation)) {
                let (sign, style) = match change.tag() {
                    ChangeTag::Delete => ("-", Style::new().red()),
                    ChangeTag::Insert => ("+", Style::new().green()),
                    ChangeTag::Equal => (" ", Style::new()),
                };
                let line = format!("{sign} {}", change.value().trim_end());
                let _ = writeln!(text, "      {}", line.style(style));
            }
        }
    }
}
