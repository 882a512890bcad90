//! The suite: all scenarios in the files of a folder.

use std::collections::BTreeSet;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use sha2::{Digest as _, Sha256};

use super::Scenario;
use super::files::{SuiteFile, Unread};
use super::load::read;
use super::naming::{id, spelled_as_id};
use super::pattern::family;
use crate::yaml::{Diagnostic, LoadError};

/// The files of a suite; errors for those that cannot be read.
type Files = Vec<Result<SuiteFile, Unread>>;

/// The scenarios to select from.
#[derive(Debug, Clone)]
pub struct Suite {
    /// Sorted by id.
    pub scenarios: Vec<Scenario>,
    /// `sha256:` and the hash of the files. The folder's location and line endings do not affect
    /// it.
    pub fingerprint: String,
}

impl Suite {
    /// Reads every `.yaml` file in `folder`. Skips `requirements.yaml`, and files and folders whose
    /// names start with `_` or `.`. The error holds the diagnostics of all files.
    pub fn load(folder: &Path) -> Result<Self, LoadError> {
        Self::of(&SuiteFile::below(folder))
    }

    /// The suite that is embedded in this program, plus the scenarios in `own`, if that is a
    /// folder.
    pub fn embedded(own: &Path) -> Result<Self, LoadError> {
        Self::of(&Self::files_embedded(own))
    }

    /// Like [`Suite::load`], but reads only the files that these patterns can select from. Returns
    /// `None` if a pattern matches no file. The caller then needs the complete suite to suggest a
    /// similar id.
    pub fn load_chosen(folder: &Path, patterns: &[String]) -> Result<Option<Self>, LoadError> {
        Self::of_chosen(SuiteFile::below(folder), patterns)
    }

    /// Like [`Suite::load_chosen`], for [`Suite::embedded`].
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
            // The error for an unreadable file is reported if a pattern matches the file.
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

    /// The scenarios of an embedded folder; `called` is its name in error messages.
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
}

/// Whether a pattern may match scenarios of this file, by id or by path. Also matches files whose
/// names are not valid ids.
fn may_hold((below, file): (&Path, &Path), pattern: &str, path: Option<&Path>) -> bool {
    let id = spelled_as_id(below);
    let fits = if let Some((head, _)) = pattern.split_once(['*', '?', '[', '{', '\\']) {
        id.starts_with(head) || head.starts_with(&id)
    } else {
        let rest = id.strip_prefix(family(pattern).trim_end_matches('/'));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    fits || path.is_some_and(|path| is_below(file, path))
}

/// Whether the canonical `path` is the file or a folder that contains it.
pub(super) fn is_below(file: &Path, path: &Path) -> bool {
    file.canonicalize().is_ok_and(|file| file.starts_with(path))
}

/// Returns the scenarios of each file, in order. The list of an unreadable file is empty. Parses in
/// parallel, because a debug build needs about one second of CPU time for the complete suite.
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

#[cfg(test)]
mod tests {
    use super::*;
    use fallproof_protocol::provider::Endpoint;

    use crate::feature::Feature;
    use crate::scenario::{Freedom, Planned};

    /// The behaviors that a scenario can leave to the target.
    fn free(scenario: &Scenario) -> Vec<Freedom> {
        let calls = || scenario.calls().map(|Planned { expect, .. }| expect);
        let retries = scenario.groups.values().any(|group| group.retries.is_some_and(|it| it > 0));
        let scripts = || scenario.deployments.values().flat_map(|deployment| &deployment.script);
        let breaks = scripts().any(|it| {
            let has_events = it.body.as_ref().is_some_and(|body| body.contains("data: {"));
            let is_cut = it.wire.cut.is_some() || it.wire.head.is_some();
            has_events || is_cut || ["stream_error", "truncated_body"].contains(&&*it.reply)
        });
        let flows = scenario.needs().into_iter().any(|need| {
            matches!(need, Feature::Stream(_) | Feature::Endpoint(Endpoint::AudioSpeech))
        });
        let of = |freedom| match freedom {
            Freedom::Attempts => retries && calls().any(|it| it.attempts.is_some()),
            Freedom::Status => calls().any(|it| it.status.is_some_and(|status| status >= 400)),
            Freedom::ErrorWording => calls().any(|it| it.error.is_some()),
            Freedom::UnseenBreak => breaks && flows,
        };
        Freedom::ALL.into_iter().filter(|&freedom| of(freedom)).collect()
    }

    #[test]
    fn a_file_of_the_suite_leaves_to_the_target_what_no_requirement_demands() {
        let suite = Suite::within(&fallproof_scenarios::FOLDER, "scenarios");
        let scenarios = suite.unwrap_or_else(|error| panic!("{error}")).scenarios;
        let of_file = |one: &Scenario, other: &Scenario| one.family() == other.family();
        let mut wrong = Vec::new();
        for cases in scenarios.chunk_by(of_file) {
            let free: Vec<_> = cases.iter().flat_map(free).collect();
            let has = |freedom: &Freedom| free.contains(freedom);
            let all: Vec<_> = Freedom::ALL.into_iter().filter(has).collect();
            if cases[0].up_to_target != all {
                let all = serde_json::to_string(&all).expect("names");
                wrong.push(format!("{}: up_to_target: {all}", cases[0].family()));
            }
        }
        assert!(wrong.is_empty(), "expected\n{}", wrong.join("\n"));
    }
}
