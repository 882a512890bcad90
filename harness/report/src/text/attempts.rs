//! The table of attempts, in the columns of a terminal.

use std::fmt::Write as _;

use textwrap::core::display_width;

use crate::model::{Attempt, Client, Step};
use crate::wrap::{cut, wrap};

/// Space between two columns.
const GAP: &str = "  ";

/// Fewest columns of a shortened request.
const SHORT_REQUEST: usize = 16;

/// Fewest columns of a shortened behavior.
const SHORT_BEHAVIOR: usize = 10;

/// The table. Each line starts with `indent`.
///
/// If the table does not fit `width`, requests are shortened, and what was answered besides a
/// status gets lines of its own.
pub(super) struct Table {
    /// The headings.
    pub(super) heads: String,
    /// The lines of each attempt.
    pub(super) attempts: Vec<Vec<String>>,
    /// The lines of the client.
    pub(super) client: Vec<String>,
}

impl Table {
    pub(super) fn new(step: &Step, indent: &str, width: usize) -> Self {
        let heads = Step::HEADS.map(str::to_owned);
        let whole: Vec<_> = [heads.clone()].into_iter().chain(step.rows()).collect();
        if fits(&whole, indent, width) {
            return Self::of(lines(&whole, indent).into_iter().map(|line| vec![line]).collect());
        }
        let mut rows = vec![heads];
        rows.extend(step.attempts.iter().map(attempt_row).chain(step.rest()));
        let Client { request, status, broken, .. } = &step.client;
        let status = status.map_or_else(|| "none".to_owned(), |status| status.to_string());
        rows.push(["client".to_owned(), String::new(), request.clone(), status, String::new()]);
        shorten(&mut rows, 2, SHORT_REQUEST, indent, width, short_request);
        shorten(&mut rows, 4, SHORT_BEHAVIOR, indent, width, cut);

        let answers = step.attempts.iter().map(|attempt| attempt.refusal.as_deref());
        let rest = step.rest().map(|_| None);
        let answers = [None].into_iter().chain(answers).chain(rest).chain([broken.as_deref()]);
        let below = format!("{indent}{:1$}", "", display_width(Step::HEADS[0]) + GAP.len());
        let rows = lines(&rows, indent).into_iter().zip(answers).map(|(row, answer)| {
            let answer = answer.into_iter().flat_map(|answer| wrap(answer, &below, width));
            [cut(&row, width)].into_iter().chain(answer).collect()
        });
        Self::of(rows.collect())
    }

    /// The table with these rows: the headings, the attempts, and the client.
    fn of(mut rows: Vec<Vec<String>>) -> Self {
        let client = rows.pop().unwrap_or_default();
        let heads = rows.remove(0).remove(0);
        Self { heads, attempts: rows, client }
    }

    /// All lines except the headings.
    pub(super) fn body(self) -> impl Iterator<Item = String> {
        self.attempts.into_iter().chain([self.client]).flatten()
    }
}

fn attempt_row(attempt: &Attempt) -> [String; 5] {
    let status = attempt.status.map_or_else(|| "none".to_owned(), |status| status.to_string());
    let number = attempt.number.to_string();
    [number, attempt.deployment(), attempt.request.clone(), status, attempt.played()]
}

/// Shortens the cells of a column until the table fits, but not below `least` columns.
fn shorten(
    rows: &mut [[String; 5]],
    column: usize,
    least: usize,
    indent: &str,
    width: usize,
    short: fn(&str, usize) -> String,
) {
    let all: usize = widths(rows).iter().sum();
    let excess = (indent.len() + all + 4 * GAP.len()).saturating_sub(width);
    let room = widths(rows)[column].saturating_sub(excess).max(least);
    for row in rows {
        row[column] = short(&row[column], room);
    }
}

/// The end of a request's path without its query, from a `/` on. The method is left out: the
/// endpoint implies it.
fn short_request(request: &str, width: usize) -> String {
    if display_width(request) <= width {
        return request.to_owned();
    }
    let target = request.split_once(' ').map_or(request, |(_, target)| target);
    let path = target.split_once('?').map_or(target, |(path, _)| path);
    if display_width(path) <= width {
        return path.to_owned();
    }
    let ends = path.match_indices('/').map(|(start, _)| format!("…{}", &path[start..]));
    let mut ends = ends.filter(|end| display_width(end) <= width);
    ends.next().unwrap_or_else(|| cut(path, width))
}

fn fits(rows: &[[String; 5]], indent: &str, width: usize) -> bool {
    lines(rows, indent).iter().all(|line| display_width(line) <= width)
}

fn lines(rows: &[[String; 5]], indent: &str) -> Vec<String> {
    let widths = widths(rows);
    let line = |row: &[String; 5]| {
        let mut line = indent.to_owned();
        for (cell, width) in row.iter().zip(widths) {
            let space = width - display_width(cell);
            let _ = write!(line, "{cell}{:space$}{GAP}", "");
        }
        line.trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

fn widths(rows: &[[String; 5]]) -> [usize; 5] {
    std::array::from_fn(|column| {
        rows.iter().map(|row| display_width(&row[column])).max().unwrap_or(0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step() -> Step {
        let attempt = |number, deployment: &str, request: &str, refusal: Option<&str>| Attempt {
            number,
            deployment: deployment.to_owned(),
            surface: "azure dated".to_owned(),
            request: format!("POST {request}"),
            status: Some(400),
            behavior: "server_error".to_owned(),
            fault: None,
            refusal: refusal.map(str::to_owned),
            at_ms: 0.0,
            first_byte_ms: None,
            end_ms: None,
        };
        let path = "/openai/deployments/gpt-5/chat/completions?api-version=2025-04-01-preview";
        Step {
            number: 1,
            client: Client {
                request: "POST /v1/chat/completions".to_owned(),
                status: Some(200),
                broken: Some("closed the connection before the response was complete".to_owned()),
                at_ms: 0.0,
                took_ms: 0.0,
            },
            attempts: vec![attempt(1, "primary", path, Some("Unknown parameter: 'metadata'."))],
            more_attempts: 0,
            diffs: Vec::new(),
        }
    }

    #[test]
    fn a_table_that_is_too_wide_shortens_requests_and_puts_answers_below() {
        let expected = [
            "  attempt  deployment             request               answer  behavior",
            "  1        primary (azure dated)  …/chat/completions    400     server_error",
            "           Unknown parameter: 'metadata'.",
            "  client                          /v1/chat/completions  200",
            "           closed the connection before the response was complete",
        ];
        let table = Table::new(&step(), "  ", 76);
        let lines: Vec<_> = [table.heads.clone()].into_iter().chain(table.body()).collect();
        assert_eq!(lines, expected);
    }

    #[test]
    fn a_table_fits_every_width_and_is_whole_where_there_is_room() {
        for width in 30..200 {
            let table = Table::new(&step(), "  ", width);
            assert!(display_width(&table.heads) <= width, "{}", table.heads);
            let body: Vec<_> = table.body().collect();
            assert!(body.iter().all(|line| display_width(line) <= width), "{body:#?}");
        }
        let whole: Vec<_> = Table::new(&step(), "", usize::MAX).body().collect();
        assert_eq!(whole.len(), 2);
        assert!(whole[0].contains("?api-version=2025-04-01-preview  400 Unknown"), "{whole:#?}");
        let many = Step { more_attempts: 7, ..step() };
        for width in [76, usize::MAX] {
            let lines: Vec<_> = Table::new(&many, "", width).body().collect();
            assert!(lines.contains(&"…        7 more attempts".to_owned()), "{lines:#?}");
        }
    }
}
