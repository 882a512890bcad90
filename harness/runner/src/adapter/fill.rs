//! Fills the templates of an adapter, and says where one cannot be filled.

use std::ops::Range;
use std::path::Path;

use fallproof_suite::yaml::Diagnostic;
use minijinja::Error;
use minijinja::value::Value as Context;

use super::file::Adapter;
use super::template::{Template, words};

/// A template of an adapter that a plan cannot be put into: the adapter's mistake.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct RenderError(Box<Diagnostic>);

impl RenderError {
    /// The text with colors, for a terminal.
    pub fn styled(&self) -> String {
        self.0.styled()
    }
}

impl Adapter {
    pub(super) fn fill_all(
        &self,
        place: &str,
        templates: &[Template],
        context: &Context,
    ) -> Result<Vec<String>, RenderError> {
        templates.iter().map(|template| self.fill(place, template, context)).collect()
    }

    /// Fills the template at `place` of this adapter.
    pub(super) fn fill(
        &self,
        place: &str,
        template: &Template,
        context: &Context,
    ) -> Result<String, RenderError> {
        template.render(context).map_err(|error| self.render_error(template.span(), place, &error))
    }

    pub(super) fn render_error(
        &self,
        span: &Range<usize>,
        place: &str,
        error: &Error,
    ) -> RenderError {
        let line = error.line().map_or_else(String::new, |line| format!(", line {line} of it"));
        let message = format!("`{place}` cannot be rendered{line}: {}", words(error));
        let diagnostic = match &self.source {
            Some(source) => source.error(span, message),
            None => Diagnostic::about_file(Path::new(&self.id), message),
        };
        RenderError(Box::new(diagnostic))
    }
}
