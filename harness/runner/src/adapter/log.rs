//! Output of a gateway. Each start has its own log file, so that a restart does not overwrite the
//! output of the earlier start.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

/// Number of lines to show of a log.
const TAIL: usize = 30;

/// Maximum size of one start's log in a report, in bytes. Only the end of a longer log is kept.
const MAX_BYTES: u64 = 1 << 20;

/// A gateway's log, displayed as its path and last lines.
#[derive(Debug)]
pub struct Log(PathBuf, String);

impl Log {
    pub(super) fn of(file: &Path) -> Self {
        let text = fs::read(file).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<_> = text.lines().collect();
        let tail = lines[lines.len().saturating_sub(TAIL)..].join("\n    ");
        Self(file.to_owned(), tail)
    }
}

impl fmt::Display for Log {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(file, tail) = self;
        if tail.is_empty() {
            write!(formatter, "its log {} is empty", file.display())
        } else {
            write!(formatter, "the end of its log {}:\n\n    {tail}", file.display())
        }
    }
}

/// Number of starts that have a log in this directory.
pub(super) fn starts_in(folder: &Path) -> usize {
    (1..usize::MAX).take_while(|&start| file(folder, start).exists()).count()
}

/// Path of the log file for the next start.
pub(super) fn next(folder: &Path) -> PathBuf {
    file(folder, starts_in(folder) + 1)
}

/// Output of each start except the first `earlier` ones, in order. Only the last megabyte of each
/// output is kept.
pub(super) fn printed(folder: &Path, earlier: usize) -> Vec<String> {
    let starts = earlier + 1..=starts_in(folder);
    starts.map(|start| end(&file(folder, start)).unwrap_or_default()).collect()
}

fn file(folder: &Path, start: usize) -> PathBuf {
    folder.join(format!("gateway.{start}.log"))
}

/// The end of a log, without a partial first line. Such a line could contain part of an API key,
/// which would not be redacted.
fn end(file: &Path) -> io::Result<String> {
    let mut log = BufReader::new(File::open(file)?);
    let before = log.get_ref().metadata()?.len().saturating_sub(MAX_BYTES);
    let mut text = Vec::new();
    if before > 0 {
        log.seek(SeekFrom::Start(before))?;
        log.skip_until(b'\n')?;
        text.extend(format!("(only the end; the full log is {})\n", file.display()).bytes());
    }
    log.read_to_end(&mut text)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}
