//! `summary.md`: a run on one page, fit for the summary of a CI job.

use std::fmt::Write as _;

use super::model::{Case, Kept, Outcome, Report, Step};
use super::words;

/// So many failures are told whole; the others are in the other reports.
const MOST_FAILURES: usize = 20;

/// A summary is not much longer: GitHub takes a megabyte from a step, and refuses a longer one whole.
const MOST_BYTES: usize = 500_000;

/// So many lines of a difference are shown.
const MOST_LINES: usize = 40;

/// The text of `summary.md`.
pub fn write(report: &Report) -> String {
    let mut text = format!("# Fallproof: {}\n\n", escape(&report.target.to_string()));
    let _ = writeln!(text, "**{}** {}\n", escape(&words::headline(report)), words::scope(report));
    overview(&mut text, report);
    broken(&mut text, report);
    baseline(&mut text, report);
    failures(&mut text, report);
    let _ = writeln!(
        text,
        "<sub>fallproof {}, suite `{}`, {}</sub>",
        report.tool.version,
        words::short(&report.suite.fingerprint),
        report.run.started
    );
    words::printable(&text)
}

fn overview(text: &mut String, report: &Report) {
    text.push_str("| profile | requirements kept | passed | warned | failed | expected | inconclusive | skipped |\n");
    text.push_str("|---|--:|--:|--:|--:|--:|--:|--:|\n");
    for profile in &report.profiles {
        let judged = profile.requirements.iter().filter(|it| it.verdict != Kept::NotJudged).count();
        let broken = profile.requirements.iter().filter(|it| it.verdict == Kept::Fail).count();
        let kept = judged - broken;
        let kept = if judged == 0 { "–".to_owned() } else { format!("{kept} of {judged}") };
        let counts = &profile.counts;
        let _ = writeln!(
            text,
            "| {} | {kept} | {} | {} | {} | {} | {} | {} |",
            profile.name,
            counts.pass,
            counts.warn,
            counts.fail,
            counts.expected,
            counts.inconclusive,
            counts.skipped,
        );
    }
    text.push('\n');
}

fn broken(text: &mut String, report: &Report) {
    let broken: Vec<_> = report
        .requirements()
        .filter(|requirement| matches!(requirement.verdict, Kept::Fail | Kept::Warn))
        .collect();
    if broken.is_empty() {
        return;
    }
    text.push_str("## Requirements that are not kept\n\n| | requirement | in |\n|---|---|--:|\n");
    for requirement in broken {
        let word = match (requirement.verdict, requirement.expected) {
            (Kept::Fail, true) => "expected",
            (Kept::Fail, false) => "**broken**",
            _ => "warning",
        };
        let _ = writeln!(
            text,
            "| {word} | **{}** {} | {} |",
            requirement.code,
            requirement.sentence,
            words::cases(requirement.broken_in.len())
        );
    }
    text.push('\n');
}

fn baseline(text: &mut String, report: &Report) {
    let Some(baseline) = &report.baseline else { return };
    for (entries, what) in
        [(&baseline.stale, "is none any more: delete it"), (&baseline.expired, "has expired")]
    {
        for entry in entries {
            let _ = writeln!(
                text,
                "- `{}:{}`: the expected failure of `{}` in `{}` {what}.",
                baseline.file, entry.line, entry.requirement, entry.scenario
            );
        }
    }
    if !baseline.stale.is_empty() || !baseline.expired.is_empty() {
        text.push('\n');
    }
}

fn failures(text: &mut String, report: &Report) {
    let is_told = |case: &&Case| {
        matches!(case.outcome, Outcome::Fail | Outcome::Inconclusive | Outcome::HarnessError)
            && !case.is_expected()
    };
    let told: Vec<_> = report.cases.iter().filter(is_told).collect();
    if told.is_empty() {
        return;
    }
    text.push_str("## Cases\n\n");
    let mut more = told.len();
    for case in told.iter().take(MOST_FAILURES) {
        let mut whole = String::new();
        one(&mut whole, case);
        if text.len() + whole.len() <= MOST_BYTES {
            text.push_str(&whole);
            more -= 1;
        }
    }
    if more > 0 {
        let _ = writeln!(text, "{more} more are in `index.html` and `report.json`.\n");
    }
}

fn one(text: &mut String, case: &Case) {
    let _ = writeln!(
        text,
        "<details><summary>{}: <b>{}</b> {}</summary>\n",
        case.outcome.word(),
        html(&case.id),
        html(&case.title)
    );
    if let Some(reason) = &case.reason {
        let _ = writeln!(text, "{}\n", escape(reason));
    }
    for finding in &case.findings {
        let call = words::call(case, finding);
        let _ = writeln!(text, "- **{}** {call}{}", finding.code(), escape(&finding.message));
    }
    for step in &case.steps {
        hops(text, step);
        for diff in &step.diffs {
            let _ = writeln!(
                text,
                "client sent → attempt {} ({}) got\n",
                diff.attempt,
                escape(&diff.upstream)
            );
            let mut lines: Vec<_> = diff
                .lines
                .iter()
                .take(MOST_LINES)
                .map(|line| format!("{} {}", line.change.sign(), line.text))
                .collect();
            if diff.lines.len() > MOST_LINES {
                lines.push("…".to_owned());
            }
            fenced(text, "diff", &lines.join("\n"));
        }
    }
    fenced(text, "sh", &case.replay);
    text.push_str("</details>\n\n");
}

fn hops(text: &mut String, step: &Step) {
    text.push_str(
        "\n| attempt | upstream | request | answer | behaviour |\n|---|---|---|---|---|\n",
    );
    for attempt in &step.attempts {
        let cells = [
            attempt.number.to_string(),
            attempt.deployment(),
            attempt.request.clone(),
            attempt.answer(),
            attempt.played(),
        ];
        let _ = writeln!(text, "| {} |", cells.map(|cell| escape(&cell)).join(" | "));
    }
    let client = &step.client;
    let _ = writeln!(
        text,
        "| client | | {} | {} | |\n",
        escape(&client.request),
        escape(&client.answer())
    );
}

/// A block of code that its content cannot end.
fn fenced(text: &mut String, language: &str, content: &str) {
    let mut longest = 0;
    let mut run = 0;
    for character in content.chars() {
        run = if character == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    let fence = "`".repeat(longest.max(2) + 1);
    let _ = writeln!(text, "{fence}{language}\n{content}\n{fence}\n");
}

/// The text as itself, on one line, whatever it holds.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' | '\r' => escaped.push(' '),
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' => escaped.extend(['\\', character]),
            _ => escaped.push(character),
        }
    }
    escaped
}

fn html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace(['\n', '\r'], " ")
}
