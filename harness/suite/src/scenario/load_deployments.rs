//! Deployments and their scripts as a file spells them into what they mean.

use std::ops::Range;

use fallproof_protocol::behavior::{self, Behavior, ScriptError, behavior_names, unsendable};
use fallproof_protocol::provider::Surface;

use super::file::{AzureSurface, DeploymentFile, Provider};
use super::load::Loader;
use super::{DeadEnd, Deployment};
use crate::yaml::{At, Node, Optional};

/// The legacy surface's version where a scenario names none: the last preview of the dated ones.
pub const DEFAULT_API_VERSION: &str = "2025-04-01-preview";

impl Loader<'_> {
    pub(super) fn deployment(&mut self, name: &str, read: &DeploymentFile) -> Deployment {
        let surface = match (read.provider, &read.surface.0) {
            (Provider::OpenAi, _) => Surface::OpenAi,
            (Provider::Azure, Some(At { value: AzureSurface::Legacy, .. })) => Surface::AzureLegacy,
            (Provider::Azure, _) => Surface::AzureV1,
        };
        if surface == Surface::OpenAi {
            self.out_of_place(&read.surface, "only Azure has a `surface`");
            self.out_of_place(&read.deployment_name, "only Azure has a `deployment_name`");
        }
        if surface != Surface::AzureLegacy {
            let message = "only Azure with `surface: legacy` has an `api_version`";
            self.out_of_place(&read.api_version, message);
        }
        self.script(name, &read.script);
        Deployment {
            surface,
            deployment_name: text(&read.deployment_name).unwrap_or_else(|| read.model.clone()),
            model: read.model.clone(),
            api_version: (surface == Surface::AzureLegacy)
                .then(|| text(&read.api_version).unwrap_or_else(|| DEFAULT_API_VERSION.to_owned())),
            script: read.script.value.iter().map(|behavior| behavior.value.clone()).collect(),
            repeat_last: read.repeat_last,
        }
    }

    fn out_of_place<T>(&mut self, key: &Optional<At<T>>, message: &str) {
        if let Some(At { span, .. }) = &key.0 {
            self.problem(span, message);
        }
    }

    fn script(&mut self, deployment: &str, script: &At<Vec<At<Behavior>>>) {
        if script.value.is_empty() {
            self.problem(&script.span, "a script has at least one behavior");
        }
        for (position, At { value: behavior, span }) in script.value.iter().enumerate() {
            let name = &behavior.reply;
            if !behavior_names().any(|known| known == name) {
                let error = self.source.error(span, format!("unknown behavior `{name}`"));
                self.problems.push(error.expected(name, behavior_names()));
            }
            let alone = script.value.len() == 1 && *behavior == Behavior::named(name);
            if DeadEnd::named(name).is_some() && !alone {
                let error = self.source.error(span, format!("`{name}` stands alone in a script"));
                self.problems.push(error.help("a port where no attempt arrives does nothing else"));
            }
            if behavior.status.is_some_and(|status| !(200..=599).contains(&status)) {
                self.problem(span, "the status of a reply is from 200 to 599");
            }
            let named = behavior::find(name).and_then(|entry| entry.wire.cut.as_ref());
            if let (Some(named), Some(said)) = (named, &behavior.wire.cut)
                && named != said
            {
                let message = format!("`{name}` is a `cut` of its own, and this is another one");
                let error = self.source.error(span, message);
                self.problems.push(error.help("leave out `reply`, or the `cut`"));
            }
            for (name, value) in unsendable(behavior) {
                let place = self.header(deployment, position, name).unwrap_or(span.clone());
                let error = ScriptError::of_header(name, value);
                self.problem(&place, error.to_string());
            }
            if behavior.count == 0 {
                self.problem(span, ScriptError::Never.to_string());
            }
        }
    }

    /// Where a behavior of a deployment's script names this header.
    fn header(&self, deployment: &str, position: usize, name: &str) -> Option<Range<usize>> {
        let (_, deployments) = self.tree.value.member("deployments")?;
        let (_, deployment) = deployments.value.member(deployment)?;
        let (_, script) = deployment.value.member("script")?;
        let Node::List(behaviors) = &script.value else { return None };
        let (_, headers) = behaviors.get(position)?.value.member("headers")?;
        let (key, _) = headers.value.member(name)?;
        self.source.find(&key.span, name).or(Some(key.span.clone()))
    }

    /// A deployment that is expected to be met must exist and take connections.
    pub(super) fn seen(&mut self, name: &At<String>, so: &str) {
        let Some(deployment) = self.deployments.get(&name.value) else {
            return self.unknown_deployment(name);
        };
        let why = match deployment.dead_end() {
            Some(DeadEnd::Refusing) => "refuses connections",
            Some(DeadEnd::Silent) => "answers no connection",
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
