//! Errors in files, shown at their position.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use thiserror::Error;

use crate::text::is_printable;

/// All errors that were found in one or more files.
///
/// `Display` gives the text without colors.
#[derive(Debug, Clone, Error)]
#[error("{}", join(.diagnostics.iter().map(ToString::to_string)))]
pub struct LoadError {
    /// The diagnostics; never empty.
    pub diagnostics: Vec<Diagnostic>,
}

impl LoadError {
    /// The text with colors, for a terminal.
    pub fn styled(&self) -> String {
        join(self.diagnostics.iter().map(Diagnostic::styled))
    }
}

impl From<Diagnostic> for LoadError {
    fn from(diagnostic: Diagnostic) -> Self {
        Self { diagnostics: vec![diagnostic] }
    }
}

fn join(texts: impl Iterator<Item = String>) -> String {
    texts.collect::<Vec<_>>().join("\n\n")
}

/// One error in a file and its position.
#[derive(Debug, Clone)]
pub struct Diagnostic {
    /// The path of the file, as given.
    pub file: PathBuf,
    /// The message, one sentence.
    pub message: String,
    /// How to fix it.
    pub help: Option<String>,
    place: Option<Place>,
}

#[derive(Debug, Clone)]
struct Place {
    text: Arc<str>,
    span: Range<usize>,
    label: String,
}

impl Diagnostic {
    /// Creates a diagnostic about an entire file.
    pub fn about_file(file: &Path, message: impl Into<String>) -> Self {
        Self { file: file.to_owned(), message: message.into(), help: None, place: None }
    }

    /// Adds the text of the file and the span to show.
    #[must_use]
    pub(super) fn at(mut self, text: Arc<str>, span: Range<usize>) -> Self {
        self.place = Some(Place { text, span, label: String::new() });
        self
    }

    /// Adds how to fix it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds the label next to the caret.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        if let Some(place) = &mut self.place {
            place.label = label.into();
        }
        self
    }

    /// Lists the valid values in the help, and suggests the most similar one next to the caret.
    #[must_use]
    pub fn expected<'a>(self, wrong: &str, right: impl IntoIterator<Item = &'a str>) -> Self {
        let right: Vec<_> = right.into_iter().collect();
        let help = format!("one of: {}", right.join(", "));
        self.near(wrong, right).help(help)
    }

    /// Suggests the most similar valid value next to the caret.
    #[must_use]
    pub fn near<'a>(self, wrong: &str, right: impl IntoIterator<Item = &'a str>) -> Self {
        match nearest(wrong, right) {
            Some(word) => self.label(format!("did you mean `{word}`?")),
            None => self,
        }
    }

    /// Line and column, both from 1; the column counts characters. `None` for an entire file.
    pub fn line_and_column(&self) -> Option<(usize, usize)> {
        let Place { text, span, .. } = self.place.as_ref()?;
        let before = &text[..span.start];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = before.matches('\n').count() + 1;
        Some((line, before[line_start..].chars().count() + 1))
    }

    /// The text with colors, for a terminal.
    pub fn styled(&self) -> String {
        self.render(&Renderer::styled())
    }

    fn render(&self, renderer: &Renderer) -> String {
        let file = self.file.display().to_string();
        let title = Level::ERROR.primary_title(&self.message);
        let mut report = match &self.place {
            Some(Place { text, span, label }) => {
                let label = (!label.is_empty()).then_some(label.as_str());
                let caret = AnnotationKind::Primary.span(span.clone()).label(label);
                title.element(Snippet::source(&**text).path(file).annotation(caret))
            }
            None => Group::with_title(title).element(Origin::path(file)),
        };
        if let Some(help) = &self.help {
            report = report.element(Level::HELP.message(help));
        }
        // The renderer replaces most characters that control a terminal, but not all. Escapes are its own.
        let is_strange = |it: char| !matches!(it, '\n' | '\u{1b}') && !is_printable(it);
        renderer.render(&[report]).replace(is_strange, "\u{fffd}")
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.render(&Renderer::plain()))
    }
}

/// The candidate most similar to `wrong`, if one is similar enough.
pub fn nearest<'a>(wrong: &str, right: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let right: Vec<_> = right.into_iter().collect();
    similar::get_close_matches(wrong, &right, 1, 0.6).pop()
}
