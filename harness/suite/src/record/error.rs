//! Errors in evidence files.

use std::io;
use std::path::PathBuf;

use super::{
    FORMAT, LONGEST_LINE, MOST_BYTES, MOST_BYTES_HELD, MOST_BYTES_OF_A_CASE, MOST_RECORDS,
};
use crate::scenario::LONGEST_ID;
use crate::text::is_printable;

/// The error for an evidence file that cannot be judged.
#[derive(Debug, thiserror::Error)]
#[error("{}{}: {}", file.display(), place(*line), printable(problem))]
pub struct RecordError {
    /// The file.
    pub file: PathBuf,
    /// The line of its uncompressed text, from 1; 0 for the entire file.
    pub line: u64,
    /// The problem.
    #[source]
    pub problem: Problem,
}

/// A problem with an evidence file.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// It cannot be read, or is not valid gzip.
    #[error("cannot be read: {0}")]
    Unreadable(#[source] io::Error),
    /// It is a folder, a pipe, or a device.
    #[error("not a regular file")]
    NoFile,
    /// It is not an evidence file.
    #[error(
        "not an evidence file: expected gzip-compressed lines of JSON that start with a `run` record"
    )]
    SomethingElse,
    /// It has another version of the format. Holds the version.
    #[error("evidence format {0} is not supported: expected {FORMAT}")]
    Format(String),
    /// It has no `end` record, for example because the run was killed.
    #[error("incomplete: the last record must be `end`")]
    BreaksOff,
    /// There is data after its `end` record.
    #[error("unexpected data after the record `end`")]
    GoesOn,
    /// A line is too long.
    #[error("longer than {LONGEST_LINE} bytes")]
    LongLine,
    /// Its uncompressed content is too long.
    #[error(
        "exceeds the limits of a run: {MOST_BYTES} bytes in {MOST_RECORDS} lines, \
             {MOST_BYTES_HELD} bytes of scenarios and plans, {MOST_BYTES_OF_A_CASE} bytes of blobs for a case"
    )]
    TooMuch,
    /// A line is not a record.
    #[error("not a record: {}", in_one_line(_0))]
    NoRecord(#[source] serde_json::Error),
    /// A record of an unexpected kind.
    #[error("unexpected record `{found}`: expected {expected}")]
    OutOfOrder {
        /// The kind of the record.
        found: &'static str,
        /// The expected kinds.
        expected: &'static str,
    },
    /// `header` has an invalid member. Holds a description of it.
    #[error("`header` has {0}")]
    Header(&'static str),
    /// There is nothing to judge.
    #[error("no scenario: nothing to judge")]
    NoScenarios,
    /// A scenario has an invalid id. Holds the id.
    #[error(
        "invalid scenario id: expected lower-case letters, digits, `-` and `/`, at most \
             {LONGEST_ID} bytes, found `{0}`"
    )]
    Id(String),
    /// Two scenarios have the same id.
    #[error("duplicate scenario `{0}`")]
    ScenarioTwice(String),
    /// A scenario cannot have been played. Holds its id and the reason.
    #[error("scenario `{0}` cannot be played: {1}")]
    Unplayable(String, String),
    /// A plan does not match the scenarios.
    #[error("the plan does not match scenario `{0}`: {1}")]
    Plan(String, String),
    /// A record names an unknown scenario. Holds the id.
    #[error("unknown scenario `{0}`: no `scenario` record has this id")]
    NoScenario(String),
    /// A case does not match its scenario and plan.
    #[error("case `{0}`: {1}")]
    Case(String, #[source] Inconsistency),
    /// The number of cases differs from the number in the `end` record.
    #[error("found {found} cases: expected {expected} according to `end`")]
    Missing {
        /// The number of cases in the file.
        found: usize,
        /// The number in the `end` record.
        expected: usize,
    },
}

/// An inconsistency between a case and the rest of the run.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Inconsistency {
    /// The case is a duplicate.
    #[error("played twice since the last start of the target: expected a `start` in between")]
    Twice,
    /// The discarded case is not in the file.
    #[error("discarded, but has no `case` record")]
    NotThere,
    /// The steps of the case were played, but the plan does not contain the case.
    #[error("played, but not in the plan of the preceding `start`")]
    NotPlanned,
    /// The calls of the case differ from those of its scenario. Holds the index of the first
    /// different call, from 0.
    #[error("call {0} differs from the one in its scenario, or is missing")]
    Call(usize),
    /// An attempt did not go to a deployment of its group. Holds the index of the call, from 0.
    #[error("call {0} has an attempt at a deployment that its group does not have")]
    Attempt(usize),
    /// Pieces of traffic are not in order, or end before the bytes do. Holds the index of the call,
    /// from 0.
    #[error("call {0} has traffic whose pieces are not in order, or end before its bytes do")]
    Pieces(usize),
    /// Parsed fields of an attempt contradict its bytes. Holds the index of the call, from 0.
    #[error("call {0} has an attempt whose `method`, `target` or `headers` contradict its `head`")]
    Head(usize),
    /// An attempt has an impossible status. Holds the index of the call, from 0.
    #[error("call {0} has an attempt with an invalid `status`: expected 100 to 599")]
    Status(usize),
    /// Parsed fields of an answer contradict its bytes. Holds the index of the call, from 0.
    #[error("call {0} has a `status` or `headers` that contradict what was `received`")]
    Answer(usize),
    /// `large` refers to a field, a blob, or a part of a blob that does not exist.
    #[error("`large` refers to a field or to bytes that do not exist")]
    Large,
    /// The case is too long.
    #[error("has more than {MOST_BYTES_OF_A_CASE} bytes")]
    TooMuch,
}

fn place(line: u64) -> String {
    if line == 0 { String::new() } else { format!(", line {line}") }
}

/// The message on one line, truncated because it may quote the file.
fn printable(problem: &Problem) -> String {
    const MOST: usize = 400;
    let text = problem.to_string();
    let shown = text.chars().map(|it| if is_printable(it) { it } else { ' ' }).take(MOST);
    let more = text.chars().nth(MOST).map(|_| '…');
    shown.chain(more).collect()
}

/// The error without its line number, because the parsed text is a single line.
fn in_one_line(error: &serde_json::Error) -> String {
    error.to_string().replace(" at line 1 column", ", column")
}
