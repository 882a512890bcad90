//! Reads YAML files into Rust types. Errors show the position in the file and suggest a correction.
//!
//! A file is parsed once, into a tree of nodes with their positions; types are read from the tree.
//! The types therefore do not depend on the parser, and a part of a tree can be read like a file.
//! Only this module depends on the YAML parser and the snippet renderer.

mod at;
mod diagnostic;
mod misfit;
mod node;
mod parser;
mod quote;
mod read;
#[cfg(test)]
mod tests;

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::de::DeserializeOwned;

pub use self::at::{At, Optional};
pub use self::diagnostic::{Diagnostic, LoadError, nearest};
pub(crate) use self::node::{Members, Node};
pub use self::quote::quoted;
use self::read::Reader;

/// Maximum length of a file.
pub(crate) const MAX_BYTES: u64 = 1024 * 1024;

/// Parses the text of a file into a `T`.
pub fn parse<T: DeserializeOwned>(file: &Path, text: &str) -> Result<T, LoadError> {
    Source::new(file, text.as_bytes())?.parse()
}

/// The text of a file, for parsing and for error messages.
#[derive(Debug, Clone)]
pub struct Source {
    file: PathBuf,
    text: Arc<str>,
}

impl Source {
    /// Reads a file of at most 1 MiB of UTF-8.
    pub fn read(file: &Path) -> Result<Self, LoadError> {
        let bytes = crate::read::limited(file, MAX_BYTES)
            .map_err(|error| Diagnostic::about_file(file, format!("cannot be read: {error}")))?;
        Self::new(file, &bytes)
    }

    /// Like [`read`](Self::read), for a file whose bytes were already read.
    pub fn of(file: &Path, bytes: &[u8]) -> Result<Self, LoadError> {
        if bytes.len() as u64 > MAX_BYTES {
            return Err(Diagnostic::about_file(file, "is larger than 1 MiB").into());
        }
        Self::new(file, bytes)
    }

    /// Creates a source from text; `file` is its name in error messages.
    pub fn new(file: &Path, bytes: &[u8]) -> Result<Self, LoadError> {
        // Invalid bytes become replacement characters.
        let text = String::from_utf8_lossy(bytes);
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text).into();
        let source = Self { file: file.to_owned(), text };
        if std::str::from_utf8(bytes).is_ok() {
            return Ok(source);
        }
        let first = source.text.find(char::REPLACEMENT_CHARACTER).unwrap_or_default();
        let span = first..first + char::REPLACEMENT_CHARACTER.len_utf8();
        Err(source.error(&span, "the file is not UTF-8").into())
    }

    /// The whole text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The top-level keys; none if the text is not a mapping.
    pub fn keys(&self) -> Result<Vec<String>, LoadError> {
        match self.tree()?.value {
            Node::Members(members) => Ok(members.into_keys().map(|key| key.value).collect()),
            _ => Ok(Vec::new()),
        }
    }

    /// The text at `span`.
    pub fn text(&self, span: &Range<usize>) -> &str {
        self.text.get(span.clone()).unwrap_or_default()
    }

    /// The first occurrence of `text` within `span`.
    pub fn find(&self, span: &Range<usize>, text: &str) -> Option<Range<usize>> {
        let start = span.start + self.text(span).find(text)?;
        Some(start..start + text.len())
    }

    /// Creates an error at `span`. If the span has several lines, the error is at the first one.
    pub fn error(&self, span: &Range<usize>, message: impl Into<String>) -> Diagnostic {
        let boundary = |byte: usize| {
            (0..=byte.min(self.text.len())).rfind(|byte| self.text.is_char_boundary(*byte))
        };
        let mut start = boundary(span.start).unwrap_or_default();
        if start == self.text.len() {
            // The end of the file is shown at the end of its last line, not on an empty line after it.
            start = self.text.trim_end_matches(['\r', '\n']).len();
        }
        if span.is_empty() && self.text[start..].trim_start_matches('\r').starts_with('\n') {
            // A missing value at the end of a line is shown at its key's colon.
            start = boundary(start.saturating_sub(1)).unwrap_or_default();
        }
        let line_end = self.text[start..].find('\n').map_or(self.text.len(), |end| start + end);
        let end = boundary(span.end).unwrap_or_default().clamp(start, line_end);
        Diagnostic::about_file(&self.file, message).at(Arc::clone(&self.text), start..end)
    }

    /// Parses the text into a `T`. Stops at the first error.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, LoadError> {
        self.parse_node(&self.tree()?)
    }

    /// The text's values with their positions, as a tree. The root is a mapping or a list.
    pub(crate) fn tree(&self) -> Result<At<Node>, LoadError> {
        parser::tree(self)
    }

    /// Reads a node of the text's tree into a `T`. Stops at the first error.
    pub(crate) fn parse_node<T: DeserializeOwned>(&self, node: &At<Node>) -> Result<T, LoadError> {
        T::deserialize(Reader::node(node)).map_err(|error| error.error(self, &node.span).into())
    }
}
