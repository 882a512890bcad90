//! Renders a plan into the configuration of one gateway.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::ops::Range;
use std::path::Path;

use fallproof_protocol::provider::Endpoint;
use minijinja::Error;
use minijinja::value::Value as Context;

use super::context::{Scope, Site};
use super::file::{Adapter, Client};
use super::rounds;
use super::template::{Template, words};
use crate::shell::quoted;
use fallproof_suite::plan::Plan;
use fallproof_suite::yaml::Diagnostic;

/// A template of an adapter that a plan cannot be put into: the adapter's mistake.
#[derive(Debug)]
pub struct RenderError(Box<Diagnostic>);

impl RenderError {
    /// The text with colours, for a terminal.
    pub fn styled(&self) -> String {
        self.0.styled()
    }
}

impl fmt::Display for RenderError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.0)
    }
}

impl std::error::Error for RenderError {}

/// All that one start of a gateway needs.
#[derive(Debug, Clone)]
pub struct Configuration {
    /// Names and contents of its files.
    pub files: Vec<(String, String)>,
    /// The arguments of its program.
    pub arguments: Vec<String>,
    /// Environment variables beside those that every gateway gets.
    pub environment: Vec<(String, String)>,
    /// What it answers once it knows the last group, where the adapter says so.
    pub(super) contains: Option<String>,
    /// How clients speak to it, by group.
    approaches: HashMap<String, Approach>,
    /// For the calls that come when it is ready.
    pub(super) scope: Scope,
}

/// How a client speaks to a gateway to ask for one group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approach {
    /// What it writes for `model`.
    pub model: String,
    /// The headers beside those of the call itself.
    pub headers: Vec<(String, String)>,
}

impl Adapter {
    /// Renders the groups of `plan` for one start of the gateway: those of one round.
    ///
    /// # Errors
    /// A template that the plan cannot be put into.
    pub fn render(&self, plan: &Plan, site: &Site) -> Result<Configuration, RenderError> {
        let settings = match plan.groups.first() {
            Some(group) => rounds::settings(self, group)?,
            None => serde_json::Map::new(),
        };
        let scope = Scope::new(site, plan, settings);
        let whole = scope.whole();
        let launch = &self.launch;
        Ok(Configuration {
            files: self
                .files
                .iter()
                .map(|(name, template)| {
                    let text = self.fill(&format!("files.{}", name.value), template, &whole)?;
                    Ok((name.value.clone(), text))
                })
                .collect::<Result<_, RenderError>>()?,
            arguments: self.fill_all("launch.arguments", &launch.arguments, &whole)?,
            environment: launch
                .environment
                .iter()
                .map(|(name, template)| {
                    let place = format!("launch.environment.{name}");
                    Ok((name.clone(), self.fill(&place, template, &whole)?))
                })
                .collect::<Result<_, RenderError>>()?,
            contains: match &launch.ready.contains.0 {
                Some(template) => Some(self.fill("launch.ready.contains", template, &whole)?),
                None => None,
            },
            approaches: self.approaches(plan, &scope)?,
            scope,
        })
    }

    fn approaches(
        &self,
        plan: &Plan,
        scope: &Scope,
    ) -> Result<HashMap<String, Approach>, RenderError> {
        let approach = |index: usize| {
            let context = scope.of_group(index, None);
            let headers = self.client.headers.iter().map(|(name, template)| {
                let value = self.fill("client.headers", template, &context)?;
                let value: Vec<_> = value.lines().map(str::trim).collect();
                Ok((name.clone(), value.join(" ").trim().to_owned()))
            });
            Ok(Approach {
                model: self.fill("client.model", &self.client.model, &context)?,
                headers: headers.collect::<Result<_, RenderError>>()?,
            })
        };
        let groups = plan.groups.iter().enumerate();
        groups.map(|(index, group)| Ok((group.group.clone(), approach(index)?))).collect()
    }

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

impl Client {
    /// The path of an endpoint.
    pub fn path(&self, endpoint: Endpoint) -> String {
        self.paths
            .get(&endpoint)
            .cloned()
            .unwrap_or_else(|| format!("{}/{}", self.base, endpoint.path()))
    }
}

impl Configuration {
    /// How a client asks for the group of this name.
    pub fn approach(&self, group: &str) -> Option<&Approach> {
        self.approaches.get(group)
    }

    /// What starts it, for a POSIX shell.
    pub fn command_line(&self, site: &Site) -> String {
        let environment =
            self.environment.iter().map(|(name, value)| format!("{name}={}", quoted(value)));
        let program = quoted(&site.installation.program.to_string_lossy());
        let arguments = self.arguments.iter().map(|argument| quoted(argument));
        let words: Vec<_> = environment.chain([program]).chain(arguments).collect();
        format!("cd {} && {}", quoted(&site.folder.to_string_lossy()), words.join(" "))
    }

    /// Writes the files into this folder, which is made where it is missing.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        std::fs::create_dir_all(folder)?;
        self.files.iter().try_for_each(|(name, text)| {
            let file = folder.join(name);
            file.parent().map_or(Ok(()), std::fs::create_dir_all)?;
            std::fs::write(file, text)
        })
    }
}
