//! The folder of a report: nothing in it is overwritten but an earlier report of ours.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::badge::Badge;
use super::model::Report;
use super::raw::Raw;
use super::{html, junit, markdown};

/// The file that holds the model.
const REPORT: &str = "report.json";

/// The file that tells of the run as it goes.
const EVENTS: &str = "events.ndjson";

/// What a gateway that was started for the run has printed.
const LOG: &str = "gateway.log";

/// The files of a report.
const FILES: [&str; 8] =
    [REPORT, EVENTS, "junit.xml", "summary.md", "index.html", "badge.json", "badge.svg", LOG];

/// The folder of the files that have every byte of a case.
const HARS: &str = "har";

/// What report and events have near their beginning, and hardly another file.
const MARK: &str = "\"fallproof-";

/// How far from its beginning.
const MARK_WITHIN: u64 = 256;

/// A folder that is ours to write to.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    written: Vec<PathBuf>,
}

impl Folder {
    /// Takes a folder that is new or empty, or holds an earlier report, which is removed.
    ///
    /// # Errors
    /// Why it is not ours to write to, in words for the user.
    pub fn take(path: &Path) -> Result<Self, String> {
        let wrong = |error: io::Error| format!("{}: {error}", path.display());
        fs::create_dir_all(path).map_err(wrong)?;
        let mut old = names(path).map_err(wrong)?;
        let hars = path.join(HARS);
        if hars.is_dir() && !hars.is_symlink() {
            old.retain(|name| name != HARS);
            let names = names(&hars).map_err(wrong)?;
            old.extend(names.into_iter().map(|name| format!("{HARS}/{name}")));
        }
        if let Some(strange) = old.iter().find(|name| !is_part(name)) {
            return Err(not_ours(path, &format!("holds `{strange}`")));
        }
        if !old.is_empty() && !is_report(path) {
            return Err(not_ours(path, "holds files of something else"));
        }
        old.iter().try_for_each(|name| fs::remove_file(path.join(name))).map_err(wrong)?;
        Ok(Self { path: path.to_owned(), written: Vec::new() })
    }

    /// Where the events go.
    pub fn events(&mut self) -> PathBuf {
        let file = self.path.join(EVENTS);
        self.written.push(file.clone());
        file
    }

    /// Writes the report of a run in all its forms.
    ///
    /// # Errors
    /// The file and the system's words for why it cannot be written.
    pub fn write_all(&mut self, report: &Report, raw: &Raw) -> Result<(), String> {
        let badge = Badge::of(report);
        self.write(REPORT, report.to_json())?;
        self.write("junit.xml", junit::write(report)?)?;
        self.write("summary.md", markdown::write(report))?;
        self.write("index.html", html::write(report)?)?;
        self.write("badge.json", badge.to_json())?;
        self.write("badge.svg", badge.to_svg())?;
        let hars = raw.hars();
        if !hars.is_empty() {
            let folder = self.path.join(HARS);
            fs::create_dir_all(&folder)
                .map_err(|error| format!("{}: {error}", folder.display()))?;
        }
        hars.iter().try_for_each(|(name, har)| self.write(name, har))
    }

    /// Writes what a gateway has printed, if it has.
    ///
    /// # Errors
    /// The file and the system's words for why it cannot be written.
    pub fn write_log(&mut self, log: &str) -> Result<(), String> {
        if log.is_empty() { Ok(()) } else { self.write(LOG, log) }
    }

    fn write(&mut self, name: &str, content: impl AsRef<[u8]>) -> Result<(), String> {
        let file = self.path.join(name);
        fs::write(&file, content).map_err(|error| format!("{}: {error}", file.display()))?;
        self.written.push(file);
        Ok(())
    }

    /// What was written, in words, in order.
    pub fn written(&self) -> Vec<String> {
        let (hars, files): (Vec<_>, Vec<_>) =
            self.written.iter().partition(|file| file.parent() != Some(&self.path));
        let mut written: Vec<_> = files.iter().map(|file| file.display().to_string()).collect();
        if !hars.is_empty() {
            let folder = self.path.join(HARS);
            written.push(format!("{}: {} files", folder.display(), hars.len()));
        }
        written
    }
}

/// Whether a report has a file of this name.
fn is_part(name: &str) -> bool {
    let (folder, ending) = (format!("{HARS}/"), ".har");
    FILES.contains(&name) || name.starts_with(&folder) && name.ends_with(ending)
}

fn not_ours(path: &Path, why: &str) -> String {
    format!("{} is no report: it {why}; name a new or empty folder", path.display())
}

/// The names in a folder, sorted.
fn names(folder: &Path) -> io::Result<Vec<String>> {
    let name = |entry: io::Result<fs::DirEntry>| {
        entry.map(|entry| entry.file_name().to_string_lossy().into_owned())
    };
    let mut names = fs::read_dir(folder)?.map(name).collect::<io::Result<Vec<_>>>()?;
    names.sort();
    Ok(names)
}

/// Whether the report here, or else the events of a run that left none, begin as ours do.
fn is_report(folder: &Path) -> bool {
    let start = |name: &str| {
        let mut start = Vec::new();
        let read = File::open(folder.join(name))?.take(MARK_WITHIN).read_to_end(&mut start);
        read.map(|_| String::from_utf8_lossy(&start).into_owned())
    };
    start(REPORT).or_else(|_| start(EVENTS)).is_ok_and(|start| start.contains(MARK))
}
