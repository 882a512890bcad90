//! The report directory. Only an earlier report of Fallproof is ever overwritten.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fallproof_suite::record;

use crate::badge::Badge;
use crate::event::RunEvent;
use crate::events::Events;
use crate::har::Hars;
use crate::model::Report;
use crate::reporter::{ReportError, Reporter};
use crate::{html, junit, markdown, whole_file};

/// File with the report model.
const REPORT: &str = "report.json";

/// File with the events of the run.
const EVENTS: &str = "events.ndjson";

/// The report as a page.
const PAGE: &str = "index.html";

/// File with the output of a gateway that was started for the run.
pub const LOG: &str = "gateway.log";

/// Returns the content of a file, made from the finished report and the output of the gateway.
type Write = fn(&Report, &str) -> io::Result<String>;

/// Files made from the finished report alone.
const AT_END: [(&str, Write); 6] = [
    (REPORT, |report, _| Ok(report.to_json())),
    ("junit.xml", |report, _| junit::write(report)),
    ("summary.md", |report, _| markdown::write(report)),
    (PAGE, |report, _| html::write(report)),
    ("badge.json", |report, _| Ok(Badge::of(report).to_json())),
    ("badge.svg", |report, _| Badge::of(report).to_svg()),
];

/// Directory of the HAR files.
const HARS: &str = "har";

/// A string near the beginning of reports and events that identifies them.
const MARK: &str = "\"fallproof-";

/// Number of bytes at the beginning of a file that are searched for [`MARK`].
const MARK_WITHIN: u64 = 256;

/// A directory that Fallproof may write to.
#[derive(Debug, Clone)]
pub struct ReportDir {
    path: PathBuf,
    /// The directory itself, locked until the last clone is dropped. `None` where a directory cannot
    /// be locked.
    _lock: Option<Arc<File>>,
}

impl ReportDir {
    /// Prepares a directory that is new, is empty, or contains an earlier report. The earlier
    /// report is removed.
    ///
    /// # Errors
    /// A message for the user if the directory contains anything else.
    pub fn take(path: &Path) -> Result<Self, String> {
        let wrong = |error: io::Error| format!("{}: {error}", path.display());
        fs::create_dir_all(path).map_err(wrong)?;
        let lock = lock(path)?;
        let mut old = entries(path).map_err(wrong)?;
        let hars = path.join(HARS);
        if hars.is_dir() && !hars.is_symlink() {
            old.retain(|name| name != HARS);
            let names = entries(&hars).map_err(wrong)?;
            old.extend(names.into_iter().map(|name| format!("{HARS}/{name}")));
        }
        if let Some(foreign) = old.iter().find(|name| !is_part(name)) {
            return Err(not_ours(path, &format!("contains `{foreign}`")));
        }
        // A run that was killed early leaves empty files. Removing them loses nothing.
        let is_empty = |name: &String| {
            fs::metadata(path.join(name)).is_ok_and(|it| it.is_file() && it.len() == 0)
        };
        if !old.iter().all(is_empty) && !is_report(path) {
            return Err(not_ours(path, "contains other files"));
        }
        old.iter().try_for_each(|name| fs::remove_file(path.join(name))).map_err(wrong)?;
        Ok(Self { path: path.to_owned(), _lock: lock })
    }

    /// Creates the reporters that write the files.
    ///
    /// # Errors
    /// The events file cannot be created.
    pub fn reporters(&self) -> Result<Vec<Box<dyn Reporter>>, ReportError> {
        let file = |name: &str| self.path.join(name);
        let mut reporters: Vec<Box<dyn Reporter>> = vec![Box::new(Events::create(file(EVENTS))?)];
        for (name, write) in AT_END {
            reporters.push(Box::new(AtEnd { file: file(name), write }));
        }
        reporters.push(Box::new(Hars::new(self.path.clone())));
        let write: Write = |_, log| Ok(log.to_owned());
        reporters.push(Box::new(AtEnd { file: file(LOG), write }));
        Ok(reporters)
    }

    /// Path of the evidence file.
    pub fn evidence(&self) -> PathBuf {
        self.path.join(record::FILE)
    }

    /// Says where the reports are, and what to open.
    pub(crate) fn named(&self) -> String {
        let (path, page) = (self.path.display(), self.path.join(PAGE));
        // If the disk is full, there is no page.
        if page.is_file() {
            format!("reports in {path} (open {})", page.display())
        } else {
            format!("reports in {path}, without {PAGE}")
        }
    }
}

/// Locks a directory, so that no two runs write to it at the same time.
fn lock(path: &Path) -> Result<Option<Arc<File>>, String> {
    // Not every system and not every file system can lock a directory.
    let Ok(directory) = File::open(path) else { return Ok(None) };
    match directory.try_lock() {
        Ok(()) => Ok(Some(Arc::new(directory))),
        Err(TryLockError::WouldBlock) => {
            Err(format!("another run is writing its report to {}", path.display()))
        }
        Err(TryLockError::Error(_)) => Ok(None),
    }
}

/// Writes a file at the end of the run, unless its content is empty.
struct AtEnd {
    file: PathBuf,
    write: Write,
}

impl Reporter for AtEnd {
    fn event(&mut self, event: &RunEvent<'_>) -> Result<(), ReportError> {
        let RunEvent::Finished { report, log } = event else { return Ok(()) };
        let write = |text: String| {
            if text.is_empty() { Ok(()) } else { whole_file::write(&self.file, &text) }
        };
        (self.write)(report, log).and_then(write).map_err(ReportError::at(&self.file))
    }
}

/// The files of a report, in the order in which they are listed.
fn names() -> impl Iterator<Item = &'static str> {
    [EVENTS].into_iter().chain(AT_END.map(|(name, _)| name)).chain([record::FILE, LOG])
}

/// Whether this is the name of a report file.
fn is_part(name: &str) -> bool {
    // A run that was killed may leave a file that it was writing.
    let name = whole_file::finished(name);
    let (folder, ending) = (format!("{HARS}/"), ".har");
    names().any(|it| it == name) || name.starts_with(&folder) && name.ends_with(ending)
}

fn not_ours(path: &Path, why: &str) -> String {
    format!("{} is not a report: it {why}; use a new or empty directory", path.display())
}

/// The names of the entries of a directory, sorted.
fn entries(folder: &Path) -> io::Result<Vec<String>> {
    let name = |entry: io::Result<fs::DirEntry>| {
        entry.map(|entry| entry.file_name().to_string_lossy().into_owned())
    };
    let mut names = fs::read_dir(folder)?.map(name).collect::<io::Result<Vec<_>>>()?;
    names.sort();
    Ok(names)
}

/// Whether the directory contains a report of Fallproof, or the events or the evidence of a run
/// that did not write a report.
fn is_report(folder: &Path) -> bool {
    let start = |name: &str| {
        let mut start = Vec::new();
        let file = folder.join(name);
        if !file.is_file() {
            // To open a pipe could block forever.
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let read = File::open(file)?.take(MARK_WITHIN).read_to_end(&mut start);
        read.map(|_| String::from_utf8_lossy(&start).into_owned())
    };
    match start(REPORT).or_else(|_| start(EVENTS)).as_deref() {
        Ok("") | Err(_) => record::is_evidence(&folder.join(record::FILE)),
        Ok(start) => start.contains(MARK),
    }
}
