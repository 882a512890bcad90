//! Cases without a verdict, grouped by their reasons.

use std::fmt::Write as _;

use indexmap::IndexMap;
use owo_colors::{OwoColorize as _, Style};

use crate::model::{Case, Outcome, Report, Step};
use crate::phrases;
use crate::wrap::wrap_some;

/// Maximum number of reasons that are printed for an outcome.
const MAX_REASONS: usize = 10;

/// What a target answers that does not accept the client's key.
const UNAUTHORIZED: u16 = 401;

/// The reasons of the cases with this outcome, each with the number of cases and an example.
pub(super) fn by_reason<'a>(
    cases: impl Iterator<Item = &'a Case>,
    outcome: Outcome,
    width: usize,
) -> String {
    let mut groups = IndexMap::<_, Vec<&Case>>::new();
    for case in cases.filter(|case| case.outcome == outcome) {
        groups.entry(kind(case)).or_default().push(case);
    }
    groups.sort_by(|_, one, _, other| other.len().cmp(&one.len()));
    let word = outcome.word().to_uppercase();
    let style = Style::new().yellow().bold();
    let mut text = String::new();
    for group in groups.values().take(MAX_REASONS) {
        let line = format!("{word} {}: {}", phrases::cases(group.len()), reason(group[0]));
        let lines = wrap_some(&line, "", width.saturating_sub(2), 2).join("\n  ");
        let _ = writeln!(text, "{}", lines.replacen(&word, &word.style(style).to_string(), 1));
        let _ = writeln!(text, "  example: {}", group[0].id);
    }
    let others = groups.values().skip(MAX_REASONS);
    let (reasons, cases) = others.fold((0, 0), |(reasons, all), it| (reasons + 1, all + it.len()));
    if reasons > 0 {
        let more = phrases::counted(cases, "more case");
        let reasons = phrases::counted(reasons, "other reason");
        let _ = writeln!(text, "{} {more}, for {reasons} (-v lists them)", word.style(style));
    }
    text
}

/// Whether the target refused the client's key whenever it was called, and never called a
/// deployment.
pub(super) fn is_key_refused(report: &Report) -> bool {
    let called = report.cases.iter().filter(|case| case.outcome != Outcome::Skipped);
    let steps = report.cases.iter().flat_map(|case| &case.steps);
    let mut called = called.peekable();
    called.peek().is_some()
        && steps.clone().all(|step| step.attempts.is_empty())
        && called.all(|case| {
            let refused = |step: &Step| step.client.status == Some(UNAUTHORIZED);
            if case.outcome == Outcome::Inconclusive {
                case.answered == Some(UNAUTHORIZED)
            } else {
                // A harness error has no steps, and says nothing about the target.
                !case.steps.is_empty() && case.steps.iter().all(refused)
            }
        })
}

fn reason(case: &Case) -> &str {
    case.reason.as_deref().unwrap_or_default()
}

/// What reasons of the same kind have in common: the words without quoted names. If they quote an
/// answer, its status and the words before it.
fn kind(case: &Case) -> (Option<u16>, String) {
    let words: Vec<_> = reason(case).split('`').step_by(2).collect();
    let words = words.join("…");
    let shown = if case.answered.is_some() { words.split(':').next() } else { None };
    (case.answered, shown.unwrap_or(&words).to_owned())
}
