//! The files of a suite: below a folder, or within this program.

use std::fs;
use std::path::{Path, PathBuf};

use include_dir::{Dir, DirEntry};

use crate::yaml::Diagnostic;

/// The file in a suite's folder that is no scenario.
const REQUIREMENTS: &str = "requirements.yaml";

/// A file that should hold one, and why it does not.
#[derive(Debug, Clone)]
pub(super) struct Unread {
    /// Its path below the suite's folder.
    pub(super) below: PathBuf,
    /// What is wrong with it.
    pub(super) problem: Diagnostic,
}

/// A file that holds a scenario or a family of them.
pub(super) struct SuiteFile {
    /// Its path below the suite's folder.
    pub(super) below: PathBuf,
    /// Its path as errors name it.
    pub(super) file: PathBuf,
    /// What it holds.
    pub(super) bytes: Vec<u8>,
}

impl Unread {
    fn at(root: &Path, path: &Path, message: impl Into<String>) -> Self {
        let below = path.strip_prefix(root).unwrap_or(path).to_owned();
        Self { below, problem: Diagnostic::about_file(path, message) }
    }
}

impl SuiteFile {
    /// The files below this folder, in the order of their paths, and what is wrong with some.
    pub(super) fn below(folder: &Path) -> Vec<Result<Self, Unread>> {
        let mut files = Vec::new();
        collect(folder, folder, &mut files);
        files
    }

    /// The files within this program: those of the suite.
    pub(super) fn embedded() -> Vec<Result<Self, Unread>> {
        Self::within(&fallproof_scenarios::FOLDER, "scenarios")
    }

    /// The files of a folder within this program, which errors call so.
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
            // A link to a folder could lead in circles.
            if !path.is_symlink() {
                collect(root, &path, files);
            }
        } else if is_scenario(&path) {
            let file = fs::read(&path).map(|bytes| SuiteFile {
                below: path.strip_prefix(root).unwrap_or(&path).to_owned(),
                file: path.clone(),
                bytes,
            });
            let unread = |error| Unread::at(root, &path, format!("cannot be read: {error}"));
            files.push(file.map_err(unread));
        } else if path.extension().is_some_and(|extension| extension == "yml") {
            let message = "a scenario's file ends in `.yaml`; this one would not be run";
            files.push(Err(Unread::at(root, &path, message)));
        }
    }
}
