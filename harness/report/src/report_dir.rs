//! The folder of a report: nothing in it is overwritten but an earlier report of ours.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use fallproof_suite::record;

use crate::badge::Badge;
use crate::event::RunEvent;
use crate::events::Events;
use crate::har::Hars;
use crate::model::Report;
use crate::reporter::{ReportError, Reporter};
use crate::{html, junit, markdown};

/// The file that holds the model.
const REPORT: &str = "report.json";

/// The file that tells of the run as it goes.
const EVENTS: &str = "events.ndjson";

/// What a gateway that was started for the run has printed.
pub const LOG: &str = "gateway.log";

/// From a finished report, and what a gateway has printed, to a text.
type Write = fn(&Report, &str) -> io::Result<String>;

/// The files that are made from the finished report alone.
const AT_END: [(&str, Write); 6] = [
    (REPORT, |report, _| Ok(report.to_json())),
    ("junit.xml", |report, _| junit::write(report)),
    ("summary.md", |report, _| markdown::write(report)),
    ("index.html", |report, _| html::write(report)),
    ("badge.json", |report, _| Ok(Badge::of(report).to_json())),
    ("badge.svg", |report, _| Badge::of(report).to_svg()),
];

/// The folder of the files that have every byte of a case.
const HARS: &str = "har";

/// What report and events have near their beginning, and hardly another file.
const MARK: &str = "\"fallproof-";

/// How far from its beginning.
const MARK_WITHIN: u64 = 256;

/// A folder that is ours to write to.
#[derive(Debug, Clone)]
pub struct ReportDir {
    path: PathBuf,
}

impl ReportDir {
    /// Takes a folder that is new or empty, or holds an earlier report, which is removed.
    ///
    /// # Errors
    /// Why it is not ours to write to, in words for the user.
    pub fn take(path: &Path) -> Result<Self, String> {
        let wrong = |error: io::Error| format!("{}: {error}", path.display());
        fs::create_dir_all(path).map_err(wrong)?;
        let mut old = entries(path).map_err(wrong)?;
        let hars = path.join(HARS);
        if hars.is_dir() && !hars.is_symlink() {
            old.retain(|name| name != HARS);
            let names = entries(&hars).map_err(wrong)?;
            old.extend(names.into_iter().map(|name| format!("{HARS}/{name}")));
        }
        if let Some(strange) = old.iter().find(|name| !is_part(name)) {
            return Err(not_ours(path, &format!("holds `{strange}`")));
        }
        // As a run leaves them that was killed before it wrote anything: nothing is lost with them.
        let is_empty = |name: &String| {
            fs::metadata(path.join(name)).is_ok_and(|it| it.is_file() && it.len() == 0)
        };
        if !old.iter().all(is_empty) && !is_report(path) {
            return Err(not_ours(path, "holds files of something else"));
        }
        old.iter().try_for_each(|name| fs::remove_file(path.join(name))).map_err(wrong)?;
        Ok(Self { path: path.to_owned() })
    }

    /// Who writes what stands in it.
    ///
    /// # Errors
    /// The first of its files cannot be made.
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

    /// Where the evidence is kept.
    pub fn evidence(&self) -> PathBuf {
        self.path.join(record::FILE)
    }

    /// What stands in it, in words.
    pub fn written(&self) -> Vec<String> {
        let files = names().map(|name| self.path.join(name)).filter(|file| file.exists());
        let mut written: Vec<_> = files.map(|file| file.display().to_string()).collect();
        let folder = self.path.join(HARS);
        let hars = entries(&folder).map_or(0, |hars| hars.len());
        if hars > 0 {
            written.push(format!("{}: {hars} files", folder.display()));
        }
        written
    }
}

/// Writes a file when the run has ended, if there is anything to write.
struct AtEnd {
    file: PathBuf,
    write: Write,
}

impl Reporter for AtEnd {
    fn event(&mut self, event: &RunEvent<'_>) -> Result<(), ReportError> {
        let RunEvent::Finished { report, log } = event else { return Ok(()) };
        let write =
            |text: String| if text.is_empty() { Ok(()) } else { fs::write(&self.file, text) };
        (self.write)(report, log).and_then(write).map_err(ReportError::at(&self.file))
    }
}

/// The files of a report, in the order in which they are told of.
fn names() -> impl Iterator<Item = &'static str> {
    [EVENTS].into_iter().chain(AT_END.map(|(name, _)| name)).chain([record::FILE, LOG])
}

/// Whether a report has a file of this name.
fn is_part(name: &str) -> bool {
    let (folder, ending) = (format!("{HARS}/"), ".har");
    names().any(|it| it == name) || name.starts_with(&folder) && name.ends_with(ending)
}

fn not_ours(path: &Path, why: &str) -> String {
    format!("{} is no report: it {why}; name a new or empty folder", path.display())
}

/// The names in a folder, sorted.
fn entries(folder: &Path) -> io::Result<Vec<String>> {
    let name = |entry: io::Result<fs::DirEntry>| {
        entry.map(|entry| entry.file_name().to_string_lossy().into_owned())
    };
    let mut names = fs::read_dir(folder)?.map(name).collect::<io::Result<Vec<_>>>()?;
    names.sort();
    Ok(names)
}

/// Whether the report here, or else the events of a run that left none, begin as ours do; or else
/// the evidence.
fn is_report(folder: &Path) -> bool {
    let start = |name: &str| {
        let mut start = Vec::new();
        let read = File::open(folder.join(name))?.take(MARK_WITHIN).read_to_end(&mut start);
        read.map(|_| String::from_utf8_lossy(&start).into_owned())
    };
    match start(REPORT).or_else(|_| start(EVENTS)).as_deref() {
        Ok("") | Err(_) => record::is_evidence(&folder.join(record::FILE)),
        Ok(start) => start.contains(MARK),
    }
}
