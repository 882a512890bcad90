//! Renders the configuration of a gateway from a plan.

use std::collections::HashMap;
use std::io;
use std::iter;
use std::path::Path;

use fallproof_protocol::provider::Endpoint;
use fallproof_suite::plan::Plan;

use super::context::Scope;
use super::file::{Adapter, Client};
use super::fill::RenderError;
use super::site::Site;
use crate::shell::quoted;

/// Rendered configuration for one start of a gateway.
#[derive(Debug, Clone)]
pub struct Configuration {
    /// Names and contents of the files.
    pub files: Vec<(String, String)>,
    /// Arguments of the program.
    pub arguments: Vec<String>,
    /// Environment variables, in addition to those that every gateway gets.
    pub environment: Vec<(String, String)>,
    /// Text that the readiness check expects, if the adapter has one.
    pub(super) contains: Option<String>,
    /// Request styles, by group.
    styles: HashMap<String, RequestStyle>,
    /// Template values for the admin calls.
    pub(super) scope: Scope,
}

/// How a request for one group is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestStyle {
    /// Value of `model`.
    pub model: String,
    /// Headers, in addition to those of the call.
    pub headers: Vec<(String, String)>,
}

impl Adapter {
    /// Renders the configuration for a plan, whose groups must belong to one batch.
    ///
    /// # Errors
    /// A template cannot be rendered with the plan.
    pub fn render(&self, plan: &Plan, site: &Site) -> Result<Configuration, RenderError> {
        let settings = match plan.groups.first() {
            Some(group) => self.settings_for(group)?,
            None => serde_json::Map::new(),
        };
        let scope = Scope::new(self, site, plan, settings);
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
                    let key = format!("launch.environment.{name}");
                    Ok((name.clone(), self.fill(&key, template, &whole)?))
                })
                .collect::<Result<_, RenderError>>()?,
            contains: match &launch.ready.contains.0 {
                Some(template) => Some(self.fill("launch.ready.contains", template, &whole)?),
                None => None,
            },
            styles: self.styles(plan, &scope)?,
            scope,
        })
    }

    fn styles(
        &self,
        plan: &Plan,
        scope: &Scope,
    ) -> Result<HashMap<String, RequestStyle>, RenderError> {
        let style = |index: usize| {
            let context = scope.of_group(index, None);
            let headers = self.client.headers.iter().map(|(name, template)| {
                let value = self.fill("client.headers", template, &context)?;
                let value: Vec<_> = value.lines().map(str::trim).collect();
                Ok((name.clone(), value.join(" ").trim().to_owned()))
            });
            Ok(RequestStyle {
                model: self.fill("client.model", &self.client.model, &context)?,
                headers: headers.collect::<Result<_, RenderError>>()?,
            })
        };
        let groups = plan.groups.iter().enumerate();
        groups.map(|(index, group)| Ok((group.model.clone(), style(index)?))).collect()
    }
}

impl Client {
    /// Path of an endpoint.
    pub fn path(&self, endpoint: Endpoint) -> String {
        self.paths
            .get(&endpoint)
            .cloned()
            .unwrap_or_else(|| format!("{}/{}", self.base, endpoint.path()))
    }
}

impl Configuration {
    /// Returns the request style of the group with this model name.
    pub fn style(&self, group: &str) -> Option<&RequestStyle> {
        self.styles.get(group)
    }

    /// Returns the command that starts the gateway, for a POSIX shell.
    pub fn command_line(&self, site: &Site) -> String {
        let environment =
            self.environment.iter().map(|(name, value)| format!("{name}={}", quoted(value)));
        let program = site.installation.program.to_string_lossy();
        let command = iter::once(&*program).chain(self.arguments.iter().map(String::as_str));
        let command = command.map(|word| quoted(word).into_owned());
        let parts: Vec<_> = environment.chain(command).collect();
        format!("cd {} && {}", quoted(&site.folder.to_string_lossy()), parts.join(" "))
    }

    /// Writes the files to this directory, which is created if missing.
    ///
    /// # Errors
    /// File system errors.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        private_folder(folder)?;
        self.files.iter().try_for_each(|(name, text)| {
            let file = folder.join(name);
            file.parent().map_or(Ok(()), std::fs::create_dir_all)?;
            std::fs::write(file, text)
        })
    }
}

/// Creates a folder that only this user can read: the files in it hold keys. A folder that exists
/// is left as it is.
fn private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(folder)
}
