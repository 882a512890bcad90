//! Renders the templates of an adapter, with error messages that name the position.

use std::ops::Range;
use std::path::Path;

use fallproof_suite::yaml::Diagnostic;
use minijinja::Error;
use minijinja::value::Value as Context;

use super::file::Adapter;
use super::template::{Template, description};

/// A template of an adapter cannot be rendered with a plan. This is an error in the adapter.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct RenderError(Box<Diagnostic>);

impl RenderError {
    /// Returns the message with colors, for a terminal.
    pub fn styled(&self) -> String {
        self.0.styled()
    }
}

impl Adapter {
    pub(super) fn fill_all(
        &self,
        key: &str,
        templates: &[Template],
        context: &Context,
    ) -> Result<Vec<String>, RenderError> {
        templates.iter().map(|template| self.fill(key, template, context)).collect()
    }

    /// Renders the template at this YAML key, e.g. `admin.post`.
    pub(super) fn fill(
        &self,
        key: &str,
        template: &Template,
        context: &Context,
    ) -> Result<String, RenderError> {
        template.render(context).map_err(|error| {
            let what = format!("`{key}` cannot be rendered");
            RenderError(Box::new(match &self.source {
                Some(source) => template.diagnostic(&what, &error, source),
                None => self.diagnostic(&what, &error),
            }))
        })
    }

    /// The error of an expression at this YAML key.
    pub(super) fn eval_error(&self, span: &Range<usize>, key: &str, error: &Error) -> RenderError {
        let what = format!("`{key}` cannot be evaluated");
        RenderError(Box::new(match &self.source {
            Some(source) => source.error(span, format!("{what}: {}", description(error))),
            None => self.diagnostic(&what, error),
        }))
    }

    /// An error without a position.
    fn diagnostic(&self, what: &str, error: &Error) -> Diagnostic {
        Diagnostic::about_file(Path::new(&self.id), format!("{what}: {}", description(error)))
    }
}
