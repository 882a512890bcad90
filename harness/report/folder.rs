//! The folder of a report: nothing in it is overwritten but an earlier report of ours.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

/// The file that holds the model.
pub const REPORT: &str = "report.json";

/// The files of a report.
const FILES: [&str; 1] = [REPORT];

/// What a report's file has near its beginning, and hardly another one.
const MARK: &str = "\"fallproof-report/";

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
        let old = names(path).map_err(wrong)?;
        if let Some(strange) = old.iter().find(|name| !FILES.contains(&name.as_str())) {
            return Err(not_ours(path, &format!("holds `{strange}`")));
        }
        if !old.is_empty() && !is_report(path) {
            return Err(not_ours(path, "holds files of something else"));
        }
        old.iter().try_for_each(|name| fs::remove_file(path.join(name))).map_err(wrong)?;
        Ok(Self { path: path.to_owned(), written: Vec::new() })
    }

    /// Writes a file of the report.
    ///
    /// # Errors
    /// The file and the system's words for why it cannot be written.
    pub fn write(&mut self, name: &str, content: impl AsRef<[u8]>) -> Result<(), String> {
        let file = self.path.join(name);
        fs::write(&file, content).map_err(|error| format!("{}: {error}", file.display()))?;
        self.written.push(file);
        Ok(())
    }

    /// What was written, in order.
    pub fn written(&self) -> &[PathBuf] {
        &self.written
    }
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

/// Whether the files here begin as those of a report do.
fn is_report(folder: &Path) -> bool {
    let begins = |name: &str| {
        let mut start = String::new();
        let read = File::open(folder.join(name))?.take(MARK_WITHIN).read_to_string(&mut start);
        read.map(|_| start.contains(MARK))
    };
    [REPORT].iter().any(|name| begins(name).unwrap_or(false))
}
