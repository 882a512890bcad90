//! Patterns for the ids of scenarios.

use globset::{GlobBuilder, GlobMatcher};

/// A pattern: an id, a family or folder of ids, or a glob over ids or families (`responses*/**`,
/// `faults/*@*.azure-v1`).
#[derive(Debug, Clone)]
pub struct Pattern {
    glob: GlobMatcher,
    folder: String,
}

impl Pattern {
    /// Parses a pattern.
    ///
    /// # Errors
    /// If `text` is not a valid glob.
    pub fn new(text: &str) -> Result<Self, globset::Error> {
        let glob = GlobBuilder::new(text).literal_separator(true).build()?.compile_matcher();
        Ok(Self { glob, folder: format!("{}/", text.trim_end_matches('/')) })
    }

    /// Whether the pattern matches the scenario with this id.
    pub fn fits(&self, id: &str) -> bool {
        self.glob.is_match(id) || self.glob.is_match(family(id)) || id.starts_with(&self.folder)
    }
}

/// The part of the id before `@`. It is the same for all scenarios in a file.
pub(super) fn family(id: &str) -> &str {
    id.split_once('@').map_or(id, |(family, _)| family)
}
