//! The end of a run: the causes, worst first, then everything else that is not as it should be.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use owo_colors::{OwoColorize as _, Style};

use super::{cause, group, summary};
use crate::baseline_notes::{self, Kind, Note};
use crate::model::{Baseline, Case, Cause, Outcome, Report, Weight};
use crate::phrases::{self, cases};
use crate::wrap::wrap;

/// Up to this many cases are printed in full: then somebody is looking at one failure.
const FEW: usize = 3;

/// Maximum number of causes of warnings that are printed.
const MAX_WARNINGS: usize = 5;

/// How much is printed.
#[derive(Debug, Clone, Copy)]
pub struct Detail {
    /// Columns of the terminal.
    pub width: usize,
    /// Whether every case that did not pass is printed in full.
    pub all_cases: bool,
    /// Number of causes that are printed as blocks; the others get one line.
    pub causes: usize,
}

/// The cases that are printed in full: all of them if asked for, or if there are few.
pub fn in_full(report: &Report, detail: Detail) -> Vec<&Case> {
    if group::is_key_refused(report) && !detail.all_cases {
        return Vec::new();
    }
    let all: Vec<_> = report.cases.iter().filter(|case| case.outcome != Outcome::Pass).collect();
    let is_failed = |case: &&Case| match case.outcome {
        Outcome::Fail => !case.is_expected(),
        outcome => outcome == Outcome::HarnessError,
    };
    let failed: Vec<_> = all.iter().copied().filter(is_failed).collect();
    match (all.len(), failed.len()) {
        _ if detail.all_cases => all,
        (..=FEW, _) => all,
        (_, ..=FEW) => failed,
        _ => Vec::new(),
    }
}

/// Everything that follows the cases in full. Ends with the number of cases by outcome.
pub fn rest(report: &Report, detail: Detail) -> String {
    let width = detail.width;
    let mut text = String::new();
    if group::is_key_refused(report) {
        let line =
            "the gateway refuses the key: set --key or FALLPROOF_KEY".red().bold().to_string();
        let _ = writeln!(text, "{line}\n");
    } else {
        let told: BTreeSet<_> = in_full(report, detail).iter().map(|it| it.id.as_str()).collect();
        let untold = || report.cases.iter().filter(|case| !told.contains(case.id.as_str()));
        let parts = [
            failures(report, detail, !told.is_empty() && !detail.all_cases),
            warnings(report, width),
            group::by_reason(untold(), Outcome::HarnessError, width),
            group::by_reason(untold(), Outcome::Inconclusive, width),
            numbers(report, untold),
            claims(report, width),
            baseline(report.baseline.as_ref(), width),
        ];
        for part in parts.iter().filter(|part| !part.is_empty()) {
            let _ = writeln!(text, "{part}");
        }
    }
    let counts = format!("{} in {}", summary(&report.counts), phrases::took(report));
    let _ = writeln!(text, "{}", wrap(&counts, "", width).join("\n"));
    text
}

/// The causes of failures: the worst ones as blocks, unless their cases were printed in full.
fn failures(report: &Report, detail: Detail, is_told: bool) -> String {
    let by_id: BTreeMap<_, _> = report.cases.iter().map(|case| (case.id.as_str(), case)).collect();
    let unexpected = |cause: &&Cause| cause.weight == Weight::Fail && cause.expected.is_none();
    let causes: Vec<_> = report.causes.iter().filter(unexpected).collect();
    let (blocks, lines) =
        causes.split_at(if is_told { 0 } else { detail.causes.min(causes.len()) });
    let mut text = String::new();
    for (index, cause) in blocks.iter().enumerate() {
        let example = by_id.get(cause.example.case.as_str()).copied();
        let empty_line = if index == 0 { "" } else { "\n" };
        text += empty_line;
        text += &cause::block(report, cause, example, detail.width);
        if detail.all_cases {
            for id in cause.cases.iter().skip(1) {
                let _ = writeln!(text, "    {id}");
            }
        }
    }
    if !blocks.is_empty() && !lines.is_empty() {
        let more = phrases::counted(lines.len(), "more cause");
        let _ = writeln!(text, "\n{more} (--causes all shows an example of each):");
    }
    for cause in lines {
        text += &cause::line(cause, detail.width);
    }
    text
}

/// The causes of warnings.
fn warnings(report: &Report, width: usize) -> String {
    let causes = || report.causes.iter().filter(|cause| cause.weight != Weight::Fail);
    let mut text = String::new();
    causes().take(MAX_WARNINGS).for_each(|cause| text += &cause::line(cause, width));
    if let Some(others @ 1..) = causes().count().checked_sub(MAX_WARNINGS) {
        let more = phrases::counted(others, "more cause");
        let _ = writeln!(text, "and {more} of warnings (--report shows them)");
    }
    text
}

/// One line for each outcome that needs no action.
fn numbers<'a, Cases: Iterator<Item = &'a Case>>(
    report: &Report,
    untold: impl Fn() -> Cases,
) -> String {
    let count = |fits: &dyn Fn(&Case) -> bool| untold().filter(|case| fits(case)).count();
    let file = report.baseline.as_ref().map_or("the baseline", |baseline| &baseline.file);
    let is_declared = |case: &Case| case.violations.iter().any(|it| it.declared.is_some());
    let lines = [
        (
            count(&|case| case.outcome == Outcome::NotRobust),
            "not robust",
            ", which is no part of the verdict (-v lists them)".to_owned(),
        ),
        (count(&Case::is_expected), "failed as expected", format!(" by {file} (-v lists them)")),
        (
            count(&|case| case.outcome != Outcome::Skipped && is_declared(case)),
            "with an exemption that is declared or allowed by the scenario",
            " (--report shows them)".to_owned(),
        ),
        (count(&|case| case.outcome == Outcome::Skipped), "skipped", " (-v lists them)".to_owned()),
    ];
    let mut text = String::new();
    for (number, what, how) in lines.iter().filter(|(number, ..)| *number > 0) {
        let _ = writeln!(text, "{} {what}{how}", cases(*number));
    }
    text
}

/// The claims that the evidence contradicts; empty if no claim is contradicted.
fn claims(report: &Report, width: usize) -> String {
    let word = "CLAIM".yellow().bold().to_string();
    let mut text = String::new();
    for claim in &report.claims {
        let lines = wrap(&claim.message, "  ", width).join("\n");
        let _ = writeln!(text, "{word} {}\n{lines}", report.target);
    }
    text
}

/// The notes about entries of the baseline. Empty if there are none.
fn baseline(baseline: Option<&Baseline>, width: usize) -> String {
    let mut text = String::new();
    let Some(baseline) = baseline else { return text };
    for Note { kind, line, message } in baseline_notes::notes(baseline) {
        let word = <&str>::from(kind).to_uppercase();
        let style = match kind {
            Kind::Stale => Style::new().red().bold(),
            Kind::Expired | Kind::Wider => Style::new().yellow().bold(),
        };
        let lines = wrap(&message, "  ", width).join("\n");
        let _ = writeln!(text, "{} {}:{line}\n{lines}", word.style(style), baseline.file);
    }
    text
}
