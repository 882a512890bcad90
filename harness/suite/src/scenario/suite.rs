//! The suite: a folder of scenario files, their ids, and how a run chooses among them.

use std::collections::BTreeSet;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{fmt, thread};

use sha2::{Digest as _, Sha256};

use super::files::{SuiteFile, Unread};
use super::load::{is_kebab_case, read};
use super::pattern::{Pattern, family};
use super::{Scenario, load};
use crate::yaml::{Diagnostic, LoadError, nearest};

/// The files of a suite, and what is wrong with some.
type Files = Vec<Result<SuiteFile, Unread>>;

/// Scenarios to choose from.
#[derive(Debug, Clone)]
pub struct Suite {
    /// Sorted by id.
    pub scenarios: Vec<Scenario>,
    /// `sha256:` over the files: the same wherever the folder lies and however its lines end.
    pub fingerprint: String,
}

impl Suite {
    /// Reads every `.yaml` file below `folder` but `requirements.yaml` and what begins with `_` or
    /// `.`. The error holds what is wrong with all of them.
    pub fn load(folder: &Path) -> Result<Self, LoadError> {
        Self::of(&SuiteFile::below(folder))
    }

    /// The suite that this program was released with, and beside it the scenarios below `own`,
    /// where that is a folder.
    pub fn embedded(own: &Path) -> Result<Self, LoadError> {
        Self::of(&Self::files_embedded(own))
    }

    /// As much of [`Suite::load`] as these patterns choose from; the other files are not looked
    /// into. `None` where one fits no file, and only the whole suite can tell what was meant.
    pub fn load_chosen(folder: &Path, patterns: &[String]) -> Result<Option<Self>, LoadError> {
        Self::of_chosen(SuiteFile::below(folder), patterns)
    }

    /// The same of [`Suite::embedded`].
    pub fn embedded_chosen(own: &Path, patterns: &[String]) -> Result<Option<Self>, LoadError> {
        Self::of_chosen(Self::files_embedded(own), patterns)
    }

    fn files_embedded(own: &Path) -> Files {
        let mut files = SuiteFile::embedded();
        if own.is_dir() {
            files.extend(SuiteFile::below(own));
        }
        files
    }

    fn of_chosen(files: Files, patterns: &[String]) -> Result<Option<Self>, LoadError> {
        let resolved = |pattern| (pattern, Path::new(pattern).canonicalize().ok());
        let wanted: Vec<_> = patterns.iter().map(|it| resolved(it.as_str())).collect();
        let fits = |file: &Result<SuiteFile, Unread>, (pattern, path): &(&str, Option<PathBuf>)| {
            // What is wrong with a file is told to whoever asked for it.
            let (below, file) = match file {
                Ok(SuiteFile { below, file, .. }) => (below, file),
                Err(Unread { below, problem }) => (below, &problem.file),
            };
            may_hold((below, file), pattern, path.as_deref())
        };
        if !wanted.iter().all(|wanted| files.iter().any(|file| fits(file, wanted))) {
            return Ok(None);
        }
        let is_chosen = |file: &_| wanted.iter().any(|wanted| fits(file, wanted));
        let files: Files = files.into_iter().filter(is_chosen).collect();
        Self::of(&files).map(Some)
    }

    /// The scenarios of a folder within this program, which errors call so.
    pub fn within(folder: &include_dir::Dir<'_>, called: &str) -> Result<Self, LoadError> {
        Self::of(&SuiteFile::within(folder, called))
    }

    fn of(files: &[Result<SuiteFile, Unread>]) -> Result<Self, LoadError> {
        let mut diagnostics = Vec::new();
        let mut scenarios = Vec::<Scenario>::new();
        let mut taken = BTreeSet::new();
        let mut digest = Sha256::new();
        for (file, cases) in files.iter().zip(read_all(files)) {
            let SuiteFile { below, file, bytes } = match file {
                Ok(file) => file,
                Err(unread) => {
                    diagnostics.push(unread.problem.clone());
                    continue;
                }
            };
            let text = String::from_utf8_lossy(bytes);
            for line in below.iter().filter_map(|part| part.to_str()).chain(text.lines()) {
                digest.update(line);
                digest.update("\n");
            }
            match cases {
                Ok(cases) => {
                    let twin = cases.iter().find(|case| taken.contains(&case.id)).cloned();
                    taken.extend(cases.iter().map(|case| case.id.clone()));
                    if let Some(twin) = twin {
                        let message = format!("`{}` is the id of another scenario", twin.id);
                        diagnostics.push(Diagnostic::about_file(file, message));
                    }
                    scenarios.extend(cases);
                }
                Err(error) => diagnostics.extend(error.diagnostics),
            }
        }
        scenarios.sort_by(|one, other| one.id.cmp(&other.id));
        let fingerprint = format!("sha256:{}", hex::encode(digest.finalize()));
        if diagnostics.is_empty() {
            Ok(Self { scenarios, fingerprint })
        } else {
            Err(LoadError { diagnostics })
        }
    }

    /// The scenarios that fit one of `patterns` and carry one of `tags`, sorted by id; an empty
    /// list of either asks for nothing.
    ///
    /// A pattern is an id, a family or folder of ids, a glob over ids or families
    /// (`responses*/**`, `faults/*@*.azure-v1`), or the path of a file or folder; a file outside
    /// the suite is read, with its stem as its id.
    pub fn select(
        &self,
        patterns: &[String],
        tags: &[String],
    ) -> Result<Vec<Scenario>, SelectError> {
        if let Some(tag) = tags.iter().find(|tag| !self.tags().contains(tag.as_str())) {
            let nearest = nearest(tag, self.tags()).map(str::to_owned);
            return Err(SelectError::NoSuchTag { tag: tag.clone(), nearest });
        }
        let mut selected = if patterns.is_empty() { self.scenarios.clone() } else { Vec::new() };
        for pattern in patterns {
            selected.extend(self.matching(pattern)?);
        }
        selected.sort_by(|one, other| (&one.id, &one.file).cmp(&(&other.id, &other.file)));
        selected.dedup();
        if let Some([one, other]) = selected.windows(2).find(|pair| pair[0].id == pair[1].id) {
            let files = [one.file.clone(), other.file.clone()];
            return Err(SelectError::SameId { id: one.id.clone(), files });
        }
        selected.retain(|scenario| {
            tags.is_empty() || scenario.tags.iter().any(|tag| tags.contains(tag))
        });
        if selected.is_empty() { Err(SelectError::Nothing) } else { Ok(selected) }
    }

    fn tags(&self) -> BTreeSet<&str> {
        self.scenarios.iter().flat_map(|scenario| &scenario.tags).map(String::as_str).collect()
    }

    fn matching(&self, pattern: &str) -> Result<Vec<Scenario>, SelectError> {
        let by_id = self.with_id_like(pattern)?;
        if !by_id.is_empty() {
            return Ok(by_id);
        }
        let by_path = self.below_path(Path::new(pattern));
        if !by_path.is_empty() {
            return Ok(by_path);
        }
        if Path::new(pattern).is_file() {
            return load_outsider(Path::new(pattern));
        }
        let nearest = nearest(pattern, self.ids_and_folders()).map(str::to_owned);
        Err(SelectError::NoSuchScenario { pattern: pattern.to_owned(), nearest })
    }

    /// Everything that a pattern may spell out: ids, and the families and folders of ids.
    pub fn ids_and_folders(&self) -> BTreeSet<&str> {
        let ids = self.scenarios.iter().map(|scenario| &*scenario.id);
        ids.flat_map(|id| id.match_indices(['/', '@']).map(|(end, _)| &id[..end]).chain([id]))
            .collect()
    }

    fn with_id_like(&self, pattern: &str) -> Result<Vec<Scenario>, SelectError> {
        let pattern = Pattern::new(pattern).map_err(SelectError::Glob)?;
        let fits = |scenario: &&Scenario| pattern.fits(&scenario.id);
        Ok(self.scenarios.iter().filter(fits).cloned().collect())
    }

    fn below_path(&self, path: &Path) -> Vec<Scenario> {
        let Ok(path) = path.canonicalize() else { return Vec::new() };
        let fits = |scenario: &&Scenario| is_below(&scenario.file, &path);
        self.scenarios.iter().filter(fits).cloned().collect()
    }
}

/// Whether a pattern may mean scenarios of this file, by its id, or by its path where it is one. A
/// file whose name is no id counts, too.
fn may_hold((below, file): (&Path, &Path), pattern: &str, path: Option<&Path>) -> bool {
    let id = name(below);
    let fits = if let Some((head, _)) = pattern.split_once(['*', '?', '[', '{', '\\']) {
        id.starts_with(head) || head.starts_with(&id)
    } else {
        let rest = id.strip_prefix(family(pattern).trim_end_matches('/'));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    fits || path.is_some_and(|path| is_below(file, path))
}

/// Whether this path without links is the file's, or that of a folder above it.
fn is_below(file: &Path, path: &Path) -> bool {
    file.canonicalize().is_ok_and(|file| file.starts_with(path))
}

fn load_outsider(file: &Path) -> Result<Vec<Scenario>, SelectError> {
    let name = Path::new(file.file_name().unwrap_or_default());
    id(name, file).and_then(|id| load(file, &id)).map_err(SelectError::Load)
}

/// The scenarios of each file, in the files' order; of what is no file, none. Reading is work for
/// all processors: without optimisation a large suite takes a second of it.
fn read_all(files: &[Result<SuiteFile, Unread>]) -> Vec<Result<Vec<Scenario>, LoadError>> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let cases = match files.get(index) {
                Some(Ok(SuiteFile { below, file, bytes })) => {
                    id(below, file).and_then(|id| read(file, bytes, &id))
                }
                Some(Err(_)) => Ok(Vec::new()),
                None => return done,
            };
            done.push((index, cases));
        }
    };
    let mut read = thread::scope(|scope| {
        let workers = thread::available_parallelism().map_or(1, usize::from);
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        let done = workers.into_iter();
        done.flat_map(|worker| worker.join().unwrap_or_else(|panic| resume_unwind(panic)))
            .collect::<Vec<_>>()
    });
    read.sort_by_key(|(index, _)| *index);
    read.into_iter().map(|(_, cases)| cases).collect()
}

/// Whether a scenario or a family can have this id.
pub fn is_id(text: &str) -> bool {
    text.split('/').all(is_kebab_case)
}

/// The path below the suite's folder as an id is spelled.
fn name(below: &Path) -> String {
    let parts: Vec<_> = below.iter().map(|part| part.to_string_lossy()).collect();
    let path = parts.join("/");
    path.strip_suffix(".yaml").unwrap_or(&path).to_owned()
}

/// The id of the scenario or family at this path below the suite's folder.
fn id(below: &Path, file: &Path) -> Result<String, LoadError> {
    let id = name(below);
    if is_id(&id) && below.extension().is_some_and(|it| it == "yaml") {
        Ok(id)
    } else {
        let message = "the path of a scenario is made of lower-case letters, digits and `-`";
        Err(Diagnostic::about_file(file, message).help("it is the scenario's id, for ever").into())
    }
}

/// Why nothing could be chosen.
#[derive(Debug, Clone)]
pub enum SelectError {
    /// A pattern that fits neither an id nor a file.
    NoSuchScenario {
        /// As it was given.
        pattern: String,
        /// The id most like it.
        nearest: Option<String>,
    },
    /// A tag that no scenario carries.
    NoSuchTag {
        /// As it was given.
        tag: String,
        /// The tag most like it.
        nearest: Option<String>,
    },
    /// Two files that would be one scenario; one of them is not of the suite.
    SameId {
        /// The id of both.
        id: String,
        /// The two files.
        files: [PathBuf; 2],
    },
    /// No scenario fits a pattern and carries a tag, or the suite is empty.
    Nothing,
    /// A pattern that is no glob.
    Glob(globset::Error),
    /// A file outside the suite that is no scenario.
    Load(LoadError),
}

impl fmt::Display for SelectError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nearest = match self {
            Self::NoSuchScenario { pattern, nearest } => {
                write!(formatter, "no scenario fits `{pattern}`")?;
                nearest
            }
            Self::NoSuchTag { tag, nearest } => {
                write!(formatter, "no scenario has the tag `{tag}`")?;
                nearest
            }
            Self::SameId { id, files: [one, other] } => {
                let (one, other) = (one.display(), other.display());
                return write!(formatter, "`{id}` is the id of both {one} and {other}");
            }
            Self::Nothing => return formatter.write_str("no scenario is left to run"),
            Self::Glob(error) => return write!(formatter, "{error}"),
            Self::Load(error) => return write!(formatter, "{error}"),
        };
        match nearest {
            Some(nearest) => write!(formatter, "; did you mean `{nearest}`?"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for SelectError {}
