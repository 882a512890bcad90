//! How a run chooses among the scenarios of a suite.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::pattern::Pattern;
use super::suite::{Suite, is_below};
use super::{Scenario, load_alone};
use crate::yaml::{LoadError, nearest};

/// Why nothing could be chosen.
#[derive(Debug, Clone, Error)]
pub enum SelectError {
    /// A pattern that fits neither an id nor a file.
    #[error("no scenario fits `{pattern}`{}", did_you_mean(.nearest.as_deref()))]
    NoSuchScenario {
        /// As it was given.
        pattern: String,
        /// The id most like it.
        nearest: Option<String>,
    },
    /// A tag that no scenario carries.
    #[error("no scenario has the tag `{tag}`{}", did_you_mean(.nearest.as_deref()))]
    NoSuchTag {
        /// As it was given.
        tag: String,
        /// The tag most like it.
        nearest: Option<String>,
    },
    /// Two files that would be one scenario; one of them is not of the suite.
    #[error("`{id}` is the id of both {} and {}", .files[0].display(), .files[1].display())]
    SameId {
        /// The id of both.
        id: String,
        /// The two files.
        files: [PathBuf; 2],
    },
    /// No scenario fits a pattern and carries a tag, or the suite is empty.
    #[error("no scenario is left to run")]
    Nothing,
    /// A pattern that is no glob.
    #[error(transparent)]
    Glob(#[from] globset::Error),
    /// A file outside the suite that is no scenario.
    #[error(transparent)]
    Load(#[from] LoadError),
}

fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map(|nearest| format!("; did you mean `{nearest}`?")).unwrap_or_default()
}

impl Suite {
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
            return Ok(load_alone(Path::new(pattern))?);
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
        let pattern = Pattern::new(pattern)?;
        let fits = |scenario: &&Scenario| pattern.fits(&scenario.id);
        Ok(self.scenarios.iter().filter(fits).cloned().collect())
    }

    fn below_path(&self, path: &Path) -> Vec<Scenario> {
        let Ok(path) = path.canonicalize() else { return Vec::new() };
        let fits = |scenario: &&Scenario| is_below(&scenario.file, &path);
        self.scenarios.iter().filter(fits).cloned().collect()
    }
}
