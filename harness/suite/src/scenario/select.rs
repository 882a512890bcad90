//! Selection of a suite's scenarios for a run.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::pattern::Pattern;
use super::suite::{Suite, is_below};
use super::{Scenario, load_alone};
use crate::yaml::{LoadError, nearest};

/// The reason why no scenario could be selected.
#[derive(Debug, Clone, Error)]
pub enum SelectError {
    /// The pattern matches neither an id nor a file.
    #[error("no scenario matches `{pattern}`{}", did_you_mean(.nearest.as_deref()))]
    NoSuchScenario {
        /// The pattern.
        pattern: String,
        /// The most similar id.
        nearest: Option<String>,
    },
    /// No scenario has the tag.
    #[error("no scenario has the tag `{tag}`{}", did_you_mean(.nearest.as_deref()))]
    NoSuchTag {
        /// The tag.
        tag: String,
        /// The most similar tag.
        nearest: Option<String>,
    },
    /// Two files have the same id; one of them is outside the suite.
    #[error("`{id}` is the id of both {} and {}", .files[0].display(), .files[1].display())]
    SameId {
        /// The id of both.
        id: String,
        /// The two files.
        files: [PathBuf; 2],
    },
    /// No scenario remains: none matches both a pattern and a tag, all were left out, or the suite
    /// is empty.
    #[error("no scenario is selected")]
    Nothing,
    /// The pattern is not a valid glob.
    #[error(transparent)]
    Glob(#[from] globset::Error),
    /// A file outside the suite is not a valid scenario.
    #[error(transparent)]
    Load(#[from] LoadError),
}

fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map(|nearest| format!("; did you mean `{nearest}`?")).unwrap_or_default()
}

impl Suite {
    /// The scenarios that match one of `patterns` and have one of `tags`, sorted by id. An empty
    /// list does not restrict the selection.
    ///
    /// A pattern is an id, a family or folder of ids, a glob over ids or families (`responses*/**`,
    /// `faults/*@*.azure-v1`), or the path of a file or folder. A file outside the suite is read,
    /// too; its id is its name without the extension.
    pub fn select(
        &self,
        patterns: &[String],
        tags: &[String],
    ) -> Result<Vec<Scenario>, SelectError> {
        self.check_tags(tags)?;
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

    /// Leaves the scenarios out that have one of `tags`.
    pub fn skip_tags(
        &self,
        mut scenarios: Vec<Scenario>,
        tags: &[String],
    ) -> Result<Vec<Scenario>, SelectError> {
        self.check_tags(tags)?;
        scenarios.retain(|scenario| !scenario.tags.iter().any(|tag| tags.contains(tag)));
        if scenarios.is_empty() { Err(SelectError::Nothing) } else { Ok(scenarios) }
    }

    /// Checks that each of these tags is one of the suite.
    fn check_tags(&self, tags: &[String]) -> Result<(), SelectError> {
        let all = self.tags();
        let Some(tag) = tags.iter().find(|tag| !all.contains(tag.as_str())) else { return Ok(()) };
        let nearest = nearest(tag, all).map(str::to_owned);
        Err(SelectError::NoSuchTag { tag: tag.clone(), nearest })
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

    /// All ids, families and folders that a pattern can name.
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
