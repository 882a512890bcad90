//! A run as a file: what was played and all that was seen, to be judged again without the target.
//!
//! It is gzip over lines of JSON, each an object of one member, which names the kind of record:
//! first `run`, then a `scenario` for each that was chosen, then as things happened each `start` of the
//! target with its plan, and each `case` that was played then, after a `blob` for all bytes that are too
//! long to stand within it. A case that is there again takes the place of the earlier one. Cases that do
//! not count are `discarded`, and `end` comes last. What is read is checked against itself: evidence is
//! refused, not believed.

mod check;
mod error;
mod header;
mod large;
mod lines;
mod mask;
mod read;
#[cfg(test)]
mod tests;
mod write;

use std::time::Duration;

use fallproof_protocol::encoding::Bytes;
use serde::{Deserialize, Serialize};

pub use self::error::{Inconsistency, Problem, RecordError};
pub use self::header::{Header, SuiteFacts, TargetName};
pub use self::mask::Mask;
pub use self::read::{Ended, Entry, Reader, is_evidence};
pub use self::write::Writer;
use crate::evidence::Evidence;
use crate::plan::Plan;
use crate::scenario::Scenario;

/// The name of the file in a folder of reports.
pub const FILE: &str = "evidence.ndjson.gz";

/// The version of the format. It changes when what was kept before can no longer be read.
pub const FORMAT: u32 = 2;

/// What the name of the format begins with; its version follows.
const FORMAT_NAME: &str = "fallproof-evidence/";

/// A limit is smaller in tests.
const MIB: usize = if cfg!(test) { 16 * 1024 } else { 1024 * 1024 };

/// No line is longer, in bytes.
const LONGEST_LINE: usize = 128 * MIB;

/// No case has more bytes in blobs, nor in the places that these belong to.
const MOST_BYTES_OF_A_CASE: usize = 512 * MIB;

/// The scenarios and plans of no run have more, as text.
const MOST_BYTES_HELD: usize = 256 * MIB;

/// No run has more, uncompressed.
const MOST_BYTES: u64 = 4096 * MIB as u64;

/// No run has more records.
const MOST_RECORDS: u64 = 4_000_000;

/// One line.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Record {
    Run(Box<Run>),
    Scenario(Box<Scenario>),
    Start(Plan),
    Blob(Bytes<'static>),
    Case(Box<Case>),
    Discarded(Vec<String>),
    End(End),
}

impl Record {
    fn kind(&self) -> &'static str {
        match self {
            Self::Run(_) => "run",
            Self::Scenario(_) => "scenario",
            Self::Start(_) => "start",
            Self::Blob(_) => "blob",
            Self::Case(_) => "case",
            Self::Discarded(_) => "discarded",
            Self::End(_) => "end",
        }
    }
}

/// The first line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Run {
    format: String,
    header: Header,
}

/// A case that has ended.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    evidence: Evidence,
    /// The bytes of the evidence that are in blobs.
    large: Vec<large::Large>,
}

/// The last line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct End {
    /// How many scenarios have a case that counts.
    cases: usize,
    /// How long the run took.
    #[serde(with = "fallproof_protocol::encoding")]
    took: Duration,
}
