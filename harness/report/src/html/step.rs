//! One call on the page: its attempts with their times, and the differences of their bodies.

use minijinja::context;
use minijinja::value::Value;

use crate::model::{Change, Diff, Step};

/// Maximum length of a line of a diff, in characters. A parameter may be a whole file.
const MAX_LINE: usize = 400;

/// A step whose rows are positioned on a time line. If it is shown for one attempt, its row is
/// marked, and only the differences of its body are shown.
pub(super) fn view(step: &Step, pointed_at: Option<usize>, with_diffs: bool) -> Value {
    let client = &step.client;
    let start = client.at_ms;
    let end = step.attempts.iter().filter_map(|attempt| attempt.end_ms);
    let end = end.fold(start + client.took_ms, f64::max);
    let length = (end - start).max(0.01);
    let percent = |at: f64| ((at - start) / length * 100.0).clamp(0.0, 100.0);
    let attempts = step.attempts.iter();
    let times = attempts.map(|it| (Some(it.number), it.at_ms, it.end_ms.unwrap_or(end)));
    let rest = step.rest().map(|_| (Some(0), start, start));
    let times = times.chain(rest).chain([(None, start, start + client.took_ms)]);
    let rows = step.rows().zip(times).map(|(cells, (attempt, from, to))| {
        context! {
            cells => cells.to_vec(),
            is_client => attempt.is_none(),
            is_pointed_at => attempt.is_some() && attempt == pointed_at,
            start => format!("{:.1}", from - start),
            took => format!("{:.1}", to - from),
            from => format!("{:.2}", percent(from)),
            length => format!("{:.2}", percent(to) - percent(from)),
        }
    });
    let is_shown =
        |diff: &&Diff| with_diffs && pointed_at.is_none_or(|attempt| diff.attempt == attempt);
    context! {
        heads => Step::HEADS.to_vec(),
        rows => rows.collect::<Vec<_>>(),
        number => step.number,
        length => format!("{length:.0}"),
        diffs => step.diffs.iter().filter(is_shown).map(diff).collect::<Vec<_>>(),
    }
}

fn diff(diff: &Diff) -> Value {
    let lines = diff.lines.iter().map(|line| {
        let (class, sign) = match line.change {
            Change::Added => ("added", '+'),
            Change::Lost => ("lost", '-'),
            Change::Same | Change::Gap => ("same", ' '),
        };
        context! { class, text => format!("{sign} {}", clipped(&line.text)) }
    });
    context! {
        attempt => diff.attempt,
        deployment => &diff.deployment,
        lines => lines.collect::<Vec<_>>(),
    }
}

/// The start of a line that is too long to read, and how much was left out.
fn clipped(text: &str) -> String {
    match text.char_indices().nth(MAX_LINE) {
        Some((end, _)) => {
            format!("{}… ({} more characters)", &text[..end], text[end..].chars().count())
        }
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_a_diff_that_is_too_long_says_how_much_was_left_out() {
        assert_eq!(clipped(&"é".repeat(MAX_LINE)), "é".repeat(MAX_LINE));
        let clipped = clipped(&"é".repeat(MAX_LINE + 7));
        assert_eq!(clipped, format!("{}… (7 more characters)", "é".repeat(MAX_LINE)));
    }
}
