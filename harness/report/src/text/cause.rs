//! Prints a cause, either as a block with its example or as a single line.

use owo_colors::{OwoColorize as _, Style};

use super::attempts::Table;
use crate::model::{Attempt, Case, Cause, Change, Example, Line, Report, Step, Violation, Weight};
use crate::phrases::{self, counted};
use crate::wrap::{cut, wrap_some};

/// Maximum number of lines of a block.
const MAX_LINES: usize = 15;

/// Maximum number of lines of a provider's answer in a block.
const MAX_ANSWER_LINES: usize = 2;

/// Maximum number of lines of what the client sent, and of the error that it got.
const MAX_NOTE_LINES: usize = 3;

/// Behavior of a deployment that refused a request on its own account.
const REFUSED: &str = "refused";

/// Maximum number of lines of a diff in a block.
const MAX_DIFF_LINES: usize = 4;

/// The block of a cause. `example` is the case of its example. Each line ends with a line feed.
pub(super) fn block(
    report: &Report,
    cause: &Cause,
    example: Option<&Case>,
    width: usize,
) -> String {
    let mut lines = vec![heading(cause)];
    let sentence = format!("{} {}", report.target, cause.sentence());
    lines.extend(wrap_some(&sentence, "  ", width, 3));
    let notes = cause.example.notes();
    lines.extend(requirement(cause, width, if notes.is_empty() { 2 } else { 1 }));
    lines.extend(silent(cause));
    lines.push(format!("  example: {}", cause.example.case.bold()));
    lines.extend(wrap_some(&message(cause, example), "    ", width, 2));
    let mut end = vec![format!("  rerun: {}", cause.example.replay.cyan())];
    if let Some(others @ 1..) = cause.cases.len().checked_sub(1) {
        end.push(format!("  and {} (-v lists them)", counted(others, "more case")));
    }
    // A table needs at least its headings and the line of the client.
    let room = MAX_LINES.saturating_sub(lines.len() + end.len() + 2);
    let notes = notes.iter().flat_map(|it| wrap_some(it, "    ", width, MAX_NOTE_LINES));
    lines.extend(notes.take(room));
    if let Some((step, violation)) = example.and_then(|case| shown(case, &cause.example)) {
        let room = MAX_LINES.saturating_sub(lines.len() + end.len());
        lines.extend(exchange(step, violation, width, room));
    }
    lines.into_iter().chain(end).map(|line| line + "\n").collect()
}

/// The violation of the example, and the call that it is about.
fn shown<'a>(case: &'a Case, example: &Example) -> Option<(&'a Step, &'a Violation)> {
    let Example { step, attempt, message, .. } = example;
    let is_it = |it: &&Violation| (it.step, it.attempt, &it.message) == (*step, *attempt, message);
    let violation = case.violations.iter().find(is_it)?;
    Some((case.steps.iter().find(|it| it.number == *step)?, violation))
}

/// The cause in one line.
pub(super) fn line(cause: &Cause, width: usize) -> String {
    let number = phrases::cases(cause.cases.len());
    let start = format!("{} {}  {number}: ", cause.word(), cause.id);
    let room = width.saturating_sub(start.len()).max(1);
    let id = cause.id.bold();
    let word = cause.word();
    format!(
        "{} {id}  {number}: {}\n",
        word.style(style(cause.weight)),
        cut(&cause.sentence(), room)
    )
}

fn heading(cause: &Cause) -> String {
    let word = cause.word();
    let of = phrases::cases(cause.could_show);
    let number = cause.cases.len();
    format!("{} {}  {number} of {of}", word.style(style(cause.weight)), cause.id.bold())
}

fn requirement(cause: &Cause, width: usize, most: usize) -> Vec<String> {
    let Some(code) = &cause.requirement else { return Vec::new() };
    let lines = wrap_some(&format!("{code} {}", phrases::sentence(code)), "  ", width, most);
    lines.into_iter().map(|line| line.dimmed().to_string()).collect()
}

fn silent(cause: &Cause) -> Option<String> {
    Some(format!("  silent: {}", phrases::silent(cause)?))
}

fn message(cause: &Cause, example: Option<&Case>) -> String {
    let has_several = example.is_some_and(|case| case.steps.len() > 1);
    let call = if has_several { format!("call {}: ", cause.example.step) } else { String::new() };
    format!("{call}{}", cause.example.message)
}

/// The attempts of the call, and what changed in the attempt of the violation, in at most `room`
/// lines. If that is too little, `…` stands for other attempts.
fn exchange(step: &Step, violation: &Violation, width: usize, room: usize) -> Vec<String> {
    let Table { heads, attempts, client } = Table::new(step, "    ", width);
    let mut rows: Vec<_> = attempts.into_iter().zip(&step.attempts).map(row).collect();
    let shown = violation.attempt.and_then(|number| number.checked_sub(1));
    let mut room = room.saturating_sub(1 + client.len());
    let row_of_violation = shown.and_then(|index| rows.get_mut(index));
    let of_violation = row_of_violation.map_or(0, |row| {
        row.truncate(room.max(1));
        row.len()
    });
    room = room.saturating_sub(of_violation);
    let others = rows.iter().map(Vec::len).sum::<usize>() - of_violation;
    let mut diff = changes(step, violation, width);
    diff.truncate(room.saturating_sub(others.min(1)));
    room -= diff.len();

    if others > room {
        let mut gap = Some("    …".to_owned()).filter(|_| room > 0);
        room = room.saturating_sub(1);
        let others = rows.iter_mut().enumerate().filter(|(index, _)| Some(*index) != shown);
        for (_, row) in others {
            if let Some(left) = room.checked_sub(row.len()) {
                room = left;
            } else {
                (*row, room) = (gap.take().into_iter().collect(), 0);
            }
        }
    }
    let heads = format!("    {}", heads.trim_start().dimmed());
    [heads].into_iter().chain(rows.into_iter().flatten()).chain(client).chain(diff).collect()
}

/// The lines of an attempt. The provider's message is left out if the script says what it means.
fn row((mut lines, attempt): (Vec<String>, &Attempt)) -> Vec<String> {
    lines.truncate(if attempt.behavior == REFUSED { MAX_ANSWER_LINES + 1 } else { 1 });
    lines
}

/// The first lines that changed at the member that the violation is about.
fn changes(step: &Step, violation: &Violation, width: usize) -> Vec<String> {
    let pointer = violation.pointer.as_deref().unwrap_or_default();
    let is_name = |part: &&str| !part.is_empty() && part.parse::<usize>().is_err();
    let Some(name) = pointer.rsplit('/').find(is_name) else { return Vec::new() };
    let diff = step.diffs.iter().find(|diff| Some(diff.attempt) == violation.attempt);
    let lines = diff.iter().flat_map(|it| &it.lines);
    let has_changed = |line: &&Line| matches!(line.change, Change::Lost | Change::Added);
    let changed: Vec<_> = lines.filter(has_changed).collect();
    let name = format!("\"{name}\"");
    let first = changed.iter().position(|line| line.text.contains(&name)).unwrap_or(0);
    let shown = changed.into_iter().skip(first).take(MAX_DIFF_LINES);
    let styled = |line: &Line| {
        let color =
            if line.change == Change::Lost { Style::new().red() } else { Style::new().green() };
        format!("      {}", cut(&line.to_string(), width.saturating_sub(6)).style(color))
    };
    shown.map(styled).collect()
}

fn style(weight: Weight) -> Style {
    match weight {
        Weight::Fail => Style::new().red().bold(),
        Weight::Warn | Weight::Note => Style::new().yellow().bold(),
    }
}
