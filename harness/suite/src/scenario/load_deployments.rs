//! Converts deployments and their scripts from the file format to the model.

use std::ops::Range;

use fallproof_protocol::behavior::{self, Behavior, ScriptError, behavior_names, unsendable};
use fallproof_protocol::provider::Surface;
use http::{HeaderName, HeaderValue};
use indexmap::IndexMap;

use super::file::{AzureSurface, DeploymentFile, Provider};
use super::load::Loader;
use super::{DeadEnd, Deployment, Settings};
use crate::yaml::{At, Node, Optional};

/// Default API version of the legacy surface: the last of the dated previews.
pub const DEFAULT_API_VERSION: &str = "2025-04-01-preview";

impl Loader<'_> {
    pub(super) fn deployment(&mut self, name: &str, read: &DeploymentFile) -> Deployment {
        let surface = match (read.provider, &read.surface.0) {
            (Provider::OpenAi, _) => Surface::OpenAi,
            (Provider::Azure, Some(At { value: AzureSurface::Legacy, .. })) => Surface::AzureLegacy,
            (Provider::Azure, _) => Surface::AzureV1,
        };
        if surface == Surface::OpenAi {
            self.not_allowed(&read.surface, "only Azure has a `surface`");
            self.not_allowed(&read.deployment_name, "only Azure has a `deployment_name`");
        }
        if surface != Surface::AzureLegacy {
            let message = "only Azure with `surface: legacy` has an `api_version`";
            self.not_allowed(&read.api_version, message);
        }
        self.script(name, &read.script);
        let settings = self.settings(surface, read);
        Deployment {
            surface,
            deployment_name: text(&read.deployment_name).unwrap_or_else(|| read.model.clone()),
            model: read.model.clone(),
            api_version: (surface == Surface::AzureLegacy)
                .then(|| text(&read.api_version).unwrap_or_else(|| DEFAULT_API_VERSION.to_owned())),
            settings,
            script: read.script.value.iter().map(|behavior| behavior.value.clone()).collect(),
            repeat_last: read.repeat_last,
        }
    }

    fn settings(&mut self, surface: Surface, read: &DeploymentFile) -> Settings {
        if surface != Surface::OpenAi {
            self.not_allowed(&read.organization, "only OpenAI has an `organization`");
            self.not_allowed(&read.project, "only OpenAI has a `project`");
        }
        for (name, value) in &read.headers {
            if HeaderName::from_bytes(name.value.as_bytes()).is_err() {
                self.problem(&name.span, "not a valid name of a header");
            }
            if HeaderValue::from_str(&value.value).is_err() {
                self.problem(&value.span, "not a valid value of a header");
            }
        }
        // Only characters that no URL escapes, so that an attempt's query can be compared.
        let is_plain = |text: &str| {
            text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        };
        for text in read.query.iter().flat_map(|(name, value)| [name, value]) {
            if !is_plain(&text.value) {
                self.problem(&text.span, "only ASCII letters, digits, `-` and `_` are possible");
            }
        }
        let texts = |read: &IndexMap<At<String>, At<String>>| {
            read.iter().map(|(name, value)| (name.value.clone(), value.value.clone())).collect()
        };
        Settings {
            organization: text(&read.organization),
            project: text(&read.project),
            headers: texts(&read.headers),
            query: texts(&read.query),
        }
    }

    fn not_allowed<T>(&mut self, key: &Optional<At<T>>, message: &str) {
        if let Some(At { span, .. }) = &key.0 {
            self.problem(span, message);
        }
    }

    fn script(&mut self, deployment: &str, script: &At<Vec<At<Behavior>>>) {
        if script.value.is_empty() {
            self.problem(&script.span, "a script needs at least one behavior");
        }
        for (position, At { value: behavior, span }) in script.value.iter().enumerate() {
            let name = &behavior.reply;
            if !behavior_names().any(|known| known == name) {
                let error = self.source.error(span, format!("unknown behavior `{name}`"));
                self.problems.push(error.expected(name, behavior_names()));
            }
            let alone = script.value.len() == 1 && *behavior == Behavior::named(name);
            if DeadEnd::named(name).is_some() && !alone {
                let message = format!("`{name}` must be the only behavior of a script");
                let error = self.source.error(span, message);
                self.problems.push(error.help("a dedicated port plays this behavior and no other"));
            }
            if behavior.status.is_some_and(|status| !(200..=599).contains(&status)) {
                self.problem(span, "the status of a reply must be from 200 to 599");
            }
            let named = behavior::find(name).and_then(|entry| entry.wire.cut.as_ref());
            if let (Some(named), Some(given)) = (named, &behavior.wire.cut)
                && named != given
            {
                let message = format!("`{name}` already has a different `cut`");
                let error = self.source.error(span, message);
                self.problems.push(error.help("remove `reply` or the `cut`"));
            }
            for (name, value) in unsendable(behavior) {
                let span = self.header(deployment, position, name).unwrap_or(span.clone());
                let error = ScriptError::of_header(name, value);
                self.problem(&span, error.to_string());
            }
            if behavior.validate() == Err(ScriptError::Letters) {
                self.problem(span, ScriptError::Letters.to_string());
            }
            if behavior.count == 0 {
                self.problem(span, ScriptError::Never.to_string());
            }
        }
    }

    /// The span of this header in a behavior of a deployment's script.
    fn header(&self, deployment: &str, position: usize, name: &str) -> Option<Range<usize>> {
        let (_, deployments) = self.tree.value.member("deployments")?;
        let (_, deployment) = deployments.value.member(deployment)?;
        let (_, script) = deployment.value.member("script")?;
        let Node::List(behaviors) = &script.value else { return None };
        let (_, headers) = behaviors.get(position)?.value.member("headers")?;
        let (key, _) = headers.value.member(name)?;
        self.source.find(&key.span, name).or(Some(key.span.clone()))
    }

    /// Checks that a deployment exists and accepts connections. `so` is the consequence that the
    /// error message states.
    pub(super) fn must_be_reachable(&mut self, name: &At<String>, so: &str) {
        let Some(deployment) = self.deployments.get(&name.value) else {
            return self.unknown_deployment(name);
        };
        let why = match deployment.dead_end() {
            Some(DeadEnd::Refusing) => "refuses connections",
            Some(DeadEnd::Silent) => "does not answer connections",
            None => return,
        };
        self.problem(&name.span, format!("`{}` {why}, {so}", name.value));
    }

    pub(super) fn unknown_deployment(&mut self, name: &At<String>) {
        let error = self.source.error(&name.span, format!("unknown deployment `{}`", name.value));
        let known = self.deployments.keys().map(String::as_str);
        self.problems.push(error.expected(&name.value, known));
    }
}

fn text(read: &Optional<At<String>>) -> Option<String> {
    read.0.as_ref().map(|at| at.value.clone())
}
