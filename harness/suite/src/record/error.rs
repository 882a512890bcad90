//! Why kept evidence is refused.

use std::io;
use std::path::PathBuf;

use super::{
    FORMAT, LONGEST_LINE, MOST_BYTES, MOST_BYTES_HELD, MOST_BYTES_OF_A_CASE, MOST_RECORDS,
};
use crate::scenario::LONGEST_ID;
use crate::text::is_printable;

/// Evidence that cannot be judged.
#[derive(Debug, thiserror::Error)]
#[error("{}{}: {}", file.display(), place(*line), printable(problem))]
pub struct RecordError {
    /// The file.
    pub file: PathBuf,
    /// The line of its uncompressed text, from 1; 0 where it is about the file.
    pub line: u64,
    /// What is wrong with it.
    #[source]
    pub problem: Problem,
}

/// What is wrong with a file of evidence.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// It cannot be read, or is no sound gzip.
    #[error("cannot be read: {0}")]
    Unreadable(#[source] io::Error),
    /// It is a folder, a pipe or a device.
    #[error("is no regular file")]
    NoFile,
    /// It is something else.
    #[error("is no evidence of a run: expected gzip over lines of JSON, the first with a `run`")]
    SomethingElse,
    /// It is of another version of the format. Holds that.
    #[error("evidence format {0}; this fallproof reads {FORMAT}")]
    Format(String),
    /// It ends before its end, as that of a run which was killed does.
    #[error("breaks off: expected the record `end` as the last one")]
    BreaksOff,
    /// More comes after its end.
    #[error("goes on behind its end: expected nothing there")]
    GoesOn,
    /// A line is too long.
    #[error("is longer than {LONGEST_LINE} bytes")]
    LongLine,
    /// Uncompressed it is too long.
    #[error(
        "has more text than a run can have: {MOST_BYTES} bytes in {MOST_RECORDS} lines, \
             {MOST_BYTES_HELD} bytes of scenarios and plans, {MOST_BYTES_OF_A_CASE} bytes of blobs for a case"
    )]
    TooMuch,
    /// A line is no record.
    #[error("is no record: {}", in_one_line(_0))]
    NoRecord(#[source] serde_json::Error),
    /// A record of a kind that cannot stand there.
    #[error("a record `{found}` cannot stand here: expected {expected}")]
    OutOfOrder {
        /// The kind of the record.
        found: &'static str,
        /// What may stand there.
        expected: &'static str,
    },
    /// What holds for the run as a whole has something that cannot be. Holds what.
    #[error("`header` has {0}")]
    Header(&'static str),
    /// There is nothing to judge.
    #[error("has no scenario: there is nothing to judge")]
    NoScenarios,
    /// A scenario with an id that none can have. Holds that.
    #[error(
        "a scenario cannot have this id: expected lower-case letters, digits, `-` and `/`, at most \
             {LONGEST_ID} bytes, found `{0}`"
    )]
    Id(String),
    /// A scenario whose id an earlier one has.
    #[error("scenario `{0}` is there twice")]
    ScenarioTwice(String),
    /// A scenario that cannot have been played. Holds its id, and why.
    #[error("scenario `{0}` cannot be played: {1}")]
    Unplayable(String, String),
    /// A plan that does not fit the scenarios.
    #[error("the plan does not fit scenario `{0}`: {1}")]
    Plan(String, String),
    /// A case, or a discarded one, of no scenario.
    #[error("there is no scenario `{0}`: expected one of those before the first start")]
    NoScenario(String),
    /// A case that does not fit its scenario and plan.
    #[error("case `{0}`: {1}")]
    Case(String, #[source] Inconsistency),
    /// The number of cases is another than the end says.
    #[error("has {found} cases: expected {expected}, as its end says")]
    Missing {
        /// How many there are.
        found: usize,
        /// How many there should be.
        expected: usize,
    },
}

/// What of a case does not fit the rest of the run.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Inconsistency {
    /// It is there already.
    #[error("was played twice since the target was started: expected a `start` before it is again")]
    Twice,
    /// It was discarded without being there.
    #[error("is discarded, and was not there")]
    NotThere,
    /// It was played, and no plan has it.
    #[error("was played, and the target was not started for it: expected it in the plan before")]
    NotPlanned,
    /// Its calls are others than those of its scenario. Holds the first one that is, from 0.
    #[error("call {0} is not the one that its scenario makes there, or is missing")]
    Call(usize),
    /// An attempt is not at a deployment of its group. Holds the call, from 0.
    #[error("call {0} has an attempt at a deployment that its group does not have")]
    Attempt(usize),
    /// Pieces of traffic do not follow each other, or end before the bytes do. Holds the call, from 0.
    #[error("call {0} has traffic whose pieces are not in order, or end before its bytes do")]
    Pieces(usize),
    /// An attempt was taken apart into something else than its bytes. Holds the call, from 0.
    #[error(
        "call {0} has an attempt whose `method`, `target` or `headers` are not those of its `head`"
    )]
    Head(usize),
    /// An attempt was answered with a status that there is not. Holds the call, from 0.
    #[error("call {0} has an attempt with a `status` that there is not: expected 100 to 599")]
    Status(usize),
    /// An answer was taken apart into something else than its bytes. Holds the call, from 0.
    #[error("call {0} has a `status` or `headers` that are not those of what was `received`")]
    Answer(usize),
    /// Bytes that are to be found where there are none: in no such place, blob or part of it.
    #[error("`large` names bytes, or a place for them, that there are not")]
    Large,
    /// There is too much of it.
    #[error("has more than {MOST_BYTES_OF_A_CASE} bytes")]
    TooMuch,
}

fn place(line: u64) -> String {
    if line == 0 { String::new() } else { format!(", line {line}") }
}

/// In one line that is not too long, whatever the file has it quote.
fn printable(problem: &Problem) -> String {
    const MOST: usize = 400;
    let text = problem.to_string();
    let shown = text.chars().map(|it| if is_printable(it) { it } else { ' ' }).take(MOST);
    let more = text.chars().nth(MOST).map(|_| '…');
    shown.chain(more).collect()
}

/// The error of a text that has no line but the first.
fn in_one_line(error: &serde_json::Error) -> String {
    error.to_string().replace(" at line 1 column", ", column")
}
