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

/// Maximum number of bytes at the end of a log that are read to show its last lines.
const MAX_TAIL: u64 = 16 * 1024;

/// A gateway's log, displayed as its last lines, and its path if the file is kept.
#[derive(Debug)]
pub struct Log {
    kept: Option<PathBuf>,
    tail: String,
}

impl Log {
    pub(super) fn of(file: &Path, is_kept: bool) -> Self {
        let text = end(file, MAX_TAIL).unwrap_or_default();
        let lines: Vec<_> = text.lines().collect();
        let tail = lines[lines.len().saturating_sub(TAIL)..].join("\n    ");
        Self { kept: is_kept.then(|| file.to_owned()), tail }
    }
}

impl fmt::Display for Log {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kept, tail } = self;
        let path = kept.as_ref().map_or(String::new(), |file| format!(" {}", file.display()));
        if tail.is_empty() {
            write!(formatter, "its log{path} is empty")
        } else {
            write!(formatter, "the end of its log{path}:\n\n    {tail}")
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

/// The beginning of a log, in which a gateway prints its address.
pub(super) fn beginning(file: &Path) -> io::Result<String> {
    let mut text = Vec::new();
    File::open(file)?.take(MAX_BYTES).read_to_end(&mut text)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// Output of each start except the first `earlier` ones, in order. Only the last megabyte of each
/// output is kept.
pub(super) fn printed(folder: &Path, earlier: usize) -> Vec<String> {
    let starts = earlier + 1..=starts_in(folder);
    let read = |file: PathBuf| {
        let cut = format!("(only the end; the full log is {})\n", file.display());
        let is_cut = fs::metadata(&file).is_ok_and(|it| it.len() > MAX_BYTES);
        let text = end(&file, MAX_BYTES).unwrap_or_default();
        if is_cut { cut + &text } else { text }
    };
    starts.map(|start| read(file(folder, start))).collect()
}

fn file(folder: &Path, start: usize) -> PathBuf {
    folder.join(format!("gateway.{start}.log"))
}

/// The last `most` bytes of a log, without a partial first line. Such a line could contain part of an
/// API key, which would not be redacted.
fn end(file: &Path, most: u64) -> io::Result<String> {
    let mut log = BufReader::new(File::open(file)?);
    let before = log.get_ref().metadata()?.len().saturating_sub(most);
    log.seek(SeekFrom::Start(before))?;
    // The gateway may still be printing, faster than this reads.
    let mut log = log.take(most);
    if before > 0 {
        log.skip_until(b'\n')?;
    }
    let mut text = Vec::new();
    log.read_to_end(&mut text)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}
