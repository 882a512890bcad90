//! Evidence files. They record a run, so that it can be judged again without the target.
//!
//! The format is gzip-compressed lines of JSON. Each line is a record: an object with a single
//! member, whose name is the kind of record. The first record is `run`. A `scenario` record for
//! each selected scenario follows. Then come, in chronological order, a `start` record with the
//! plan for each start of the target, and a `case` record for each case that was run. Byte strings
//! that are too long for a `case` record are in `blob` records before it. If a case is run again,
//! the later record replaces the earlier one. `discarded` lists cases that do not count. The last
//! record is `end`. The reader refuses evidence whose records contradict each other.

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

/// The name of an evidence file in a folder of reports.
pub const FILE: &str = "evidence.ndjson.gz";

/// The version of the format. It changes when older files can no longer be read.
pub const FORMAT: u32 = 2;

/// The prefix of the format's name, before its version.
const FORMAT_NAME: &str = "fallproof-evidence/";

/// The unit of the limits. It is smaller in tests, so that tests can exceed the limits.
const MIB: usize = if cfg!(test) { 16 * 1024 } else { 1024 * 1024 };

/// Maximum length of a line, in bytes.
const LONGEST_LINE: usize = 128 * MIB;

/// Maximum number of bytes in the blobs of a case. The fields that refer to blobs have the same
/// limit.
const MOST_BYTES_OF_A_CASE: usize = 512 * MIB;

/// Maximum number of bytes that the records of a case add to the file, compressed. Longer ones can
/// still be read.
const MOST_WRITTEN_OF_A_CASE: usize = 8 * MIB;

/// Maximum number of bytes in the records of a case that are written, uncompressed.
const MOST_UNCOMPRESSED_OF_A_CASE: usize = 64 * MIB;

/// Maximum number of bytes in the records of a run's scenarios and plans.
const MOST_BYTES_HELD: usize = 256 * MIB;

/// Maximum number of bytes in a run, uncompressed.
const MOST_BYTES: u64 = 4096 * MIB as u64;

/// Maximum number of records in a run.
const MOST_RECORDS: u64 = 4_000_000;

/// One line of an evidence file.
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

/// A case that was run.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    evidence: Evidence,
    /// The fields of the evidence whose bytes are in blobs.
    large: Vec<large::Large>,
}

/// The last line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct End {
    /// Number of scenarios with a case that counts.
    cases: usize,
    /// How long the run took.
    #[serde(with = "fallproof_protocol::encoding")]
    took: Duration,
}
