//! The files of a suite: in a folder, or embedded in this program.

use std::fs;
use std::path::{Path, PathBuf};

use include_dir::{Dir, DirEntry};

use crate::read;
use crate::yaml::{Diagnostic, MAX_BYTES};

/// The YAML file in a suite's folder that is not a scenario.
const REQUIREMENTS: &str = "requirements.yaml";

/// A file that could not be read as a scenario.
#[derive(Debug, Clone)]
pub(super) struct Unread {
    /// Its path relative to the suite's folder.
    pub(super) below: PathBuf,
    /// The error.
    pub(super) problem: Diagnostic,
}

/// A file with a scenario or a family of scenarios.
pub(super) struct SuiteFile {
    /// Its path relative to the suite's folder.
    pub(super) below: PathBuf,
    /// Its path in error messages.
    pub(super) file: PathBuf,
    /// Its content.
    pub(super) bytes: Vec<u8>,
}

impl Unread {
    fn at(root: &Path, path: &Path, message: impl Into<String>) -> Self {
        let below = path.strip_prefix(root).unwrap_or(path).to_owned();
        Self { below, problem: Diagnostic::about_file(path, message) }
    }
}

impl SuiteFile {
    /// The files in this folder, sorted by path; errors for those that cannot be read.
    pub(super) fn below(folder: &Path) -> Vec<Result<Self, Unread>> {
        let mut files = Vec::new();
        collect(folder, folder, &mut files);
        files
    }

    /// The files of the suite that is embedded in this program.
    pub(super) fn embedded() -> Vec<Result<Self, Unread>> {
        Self::within(&fallproof_scenarios::FOLDER, "scenarios")
    }

    /// The files of an embedded folder; `called` is its name in error messages.
    pub(super) fn within(folder: &Dir<'_>, called: &str) -> Vec<Result<Self, Unread>> {
        fn collect(folder: &Dir<'_>, called: &str, files: &mut Vec<SuiteFile>) {
            for entry in folder.entries() {
                match entry {
                    DirEntry::Dir(folder) => collect(folder, called, files),
                    DirEntry::File(file) if is_scenario(file.path()) => files.push(SuiteFile {
                        below: file.path().to_owned(),
                        file: Path::new(called).join(file.path()),
                        bytes: file.contents().to_vec(),
                    }),
                    DirEntry::File(_) => {}
                }
            }
        }
        let mut files = Vec::new();
        collect(folder, called, &mut files);
        files.sort_by(|one, other| one.below.cmp(&other.below));
        files.into_iter().map(Ok).collect()
    }
}

fn is_scenario(file: &Path) -> bool {
    let extension = file.extension().unwrap_or_default();
    extension == "yaml" && file.file_name().is_some_and(|name| name != REQUIREMENTS)
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<Result<SuiteFile, Unread>>) {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => {
            let message = format!("this folder cannot be read: {error}");
            return files.push(Err(Unread::at(root, folder, message)));
        }
    };
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with(['_', '.']) {
        } else if path.is_dir() {
            // Links to folders are not followed, to avoid cycles.
            if !path.is_symlink() {
                collect(root, &path, files);
            }
        } else if is_scenario(&path) {
            let file = read::regular(&path, MAX_BYTES).map(|bytes| SuiteFile {
                below: path.strip_prefix(root).unwrap_or(&path).to_owned(),
                file: path.clone(),
                bytes,
            });
            let unread = |error| Unread::at(root, &path, format!("cannot be read: {error}"));
            files.push(file.map_err(unread));
        } else if path.extension().is_some_and(|extension| extension == "yml") {
            let message = "a scenario file must end in `.yaml`; this one would be ignored";
            files.push(Err(Unread::at(root, &path, message)));
        }
    }
}
