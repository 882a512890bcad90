//! What a gateway prints: a file for each of its starts, so that what it said before it ended by
//! itself is not lost with the next one.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

/// How many lines of a log are shown.
const TAIL: usize = 30;

/// How much of what one start has printed is kept in a report, in bytes: the last of it.
const MOST: u64 = 1 << 20;

/// A gateway's log: its file and its last lines.
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

/// How many starts have left their log in this folder.
pub(super) fn starts_in(folder: &Path) -> usize {
    (1..usize::MAX).take_while(|&start| file(folder, start).exists()).count()
}

/// The file for everything that the gateway prints once it is started now.
pub(super) fn next(folder: &Path) -> PathBuf {
    file(folder, starts_in(folder) + 1)
}

/// What the gateway has printed at each start after the first `earlier`, in order; of much the last.
pub(super) fn printed(folder: &Path, earlier: usize) -> Vec<String> {
    let starts = earlier + 1..=starts_in(folder);
    starts.map(|start| end(&file(folder, start)).unwrap_or_default()).collect()
}

fn file(folder: &Path, start: usize) -> PathBuf {
    folder.join(format!("gateway.{start}.log"))
}

/// The whole lines among the last bytes of a log: a part of a key would not be seen to be one.
fn end(file: &Path) -> io::Result<String> {
    let mut log = BufReader::new(File::open(file)?);
    let before = log.get_ref().metadata()?.len().saturating_sub(MOST);
    let mut text = Vec::new();
    if before > 0 {
        log.seek(SeekFrom::Start(before))?;
        log.skip_until(b'\n')?;
        text.extend(format!("(only the end; all of it is in {})\n", file.display()).bytes());
    }
    log.read_to_end(&mut text)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}
