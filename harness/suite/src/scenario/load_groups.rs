//! Converts model groups from the file format to the model.

use std::time::Duration;

use indexmap::IndexMap;

use super::file::{GroupFile, ScenarioFile};
use super::load::Loader;
use super::naming::is_kebab_case;
use super::{Cooldown, Group, ONLY_GROUP};
use crate::yaml::{At, Optional};

impl Loader<'_> {
    /// Converts the groups. Checks that each deployment is in exactly one chain, and only once.
    pub(super) fn groups(&mut self, read: &ScenarioFile) -> IndexMap<String, Group> {
        let groups: Vec<_> = match (&read.group.0, read.groups.is_empty()) {
            (Some(group), true) => vec![(ONLY_GROUP, &group.value)],
            (Some(group), false) => {
                self.problem(&group.span, "`group` and `groups` exclude each other");
                Vec::new()
            }
            (None, false) => {
                read.groups.iter().map(|(name, group)| (&*name.value, &group.value)).collect()
            }
            (None, true) => {
                // Report this at the same position as other missing keys.
                let steps = self.tree.value.member("steps");
                let span = steps.map_or(&read.steps.span, |(key, _)| &key.span);
                let error = self.source.error(span, "the key `group` (or `groups`) is missing");
                self.problems.push(error.label("it belongs here"));
                Vec::new()
            }
        };
        for name in read.groups.keys().filter(|name| !is_kebab_case(&name.value)) {
            let message = "a group's name has only lower-case letters, digits and `-`";
            self.problem(&name.span, message);
        }
        let named: Vec<&At<String>> = groups
            .iter()
            .flat_map(|(_, group)| {
                let GroupFile { chain, on_context_length, on_content_filter, .. } = group;
                chain.value.iter().chain(on_context_length).chain(on_content_filter)
            })
            .collect();
        // If a chain is missing, its members are unknown.
        if !groups.is_empty() && groups.iter().all(|(_, group)| !group.chain.value.is_empty()) {
            self.names(read, &named);
        }
        let read = |(name, group): (&str, &GroupFile)| (name.to_owned(), self.group(group));
        groups.into_iter().map(read).collect()
    }

    fn names(&mut self, read: &ScenarioFile, named: &[&At<String>]) {
        for (position, name) in named.iter().enumerate() {
            if !read.deployments.keys().any(|deployment| deployment.value == name.value) {
                self.unknown_deployment(name);
            } else if named[..position].iter().any(|earlier| earlier.value == name.value) {
                self.problem(
                    &name.span,
                    format!("`{}` is named twice; a deployment is in one chain, once", name.value),
                );
            }
        }
        for name in read.deployments.keys() {
            if !is_kebab_case(&name.value) {
                let message = "a deployment's name has only lower-case letters, digits and `-`";
                self.problem(&name.span, message);
            } else if !named.iter().any(|deployment| deployment.value == name.value) {
                let message = format!("the deployment `{}` is not in a chain", name.value);
                self.problem(&name.span, message);
            }
        }
    }

    fn group(&mut self, read: &GroupFile) -> Group {
        if read.chain.value.is_empty() {
            self.problem(&read.chain.span, "a chain needs at least one deployment");
        }
        for timeout in [&read.timeout_ms, &read.total_timeout_ms] {
            if let Some(At { value: 0, span }) = &timeout.0 {
                self.problem(span, "a timeout must be at least 1 ms");
            }
        }
        let names = |names: &[At<String>]| names.iter().map(|name| name.value.clone()).collect();
        let time = |read: &Optional<At<u64>>| read.0.as_ref().map(|at| at.value);
        Group {
            chain: names(&read.chain.value),
            on_context_length: names(&read.on_context_length),
            on_content_filter: names(&read.on_content_filter),
            retries: read.retries.0,
            timeout: time(&read.timeout_ms).map(Duration::from_millis),
            total_timeout: time(&read.total_timeout_ms).map(Duration::from_millis),
            cooldown: read.cooldown.0.as_ref().map(|cooldown| {
                if cooldown.after_failures.value == 0 {
                    self.problem(
                        &cooldown.after_failures.span,
                        "a cooldown needs at least one failure",
                    );
                }
                if cooldown.duration_ms.value == 0 {
                    self.problem(&cooldown.duration_ms.span, "a cooldown must be at least 1 ms");
                }
                Cooldown {
                    after_failures: cooldown.after_failures.value,
                    duration: Duration::from_millis(cooldown.duration_ms.value),
                }
            }),
            max_retry_after: read.max_retry_after_ms.0.map(Duration::from_millis),
            fallback_on: (read.fallback_on.0.as_ref())
                .map(|conditions| conditions.iter().map(|condition| condition.value).collect()),
        }
    }
}
