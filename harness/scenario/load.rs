//! A file into its scenarios, with everything that is wrong with it at once.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::Path;
use std::time::Duration;

use fallproof_mocks::behaviour::Behaviour;
use fallproof_mocks::brain::{ScriptError, behaviour_names, unsendable};
use fallproof_mocks::errors;
use fallproof_mocks::provider::Surface;
use indexmap::IndexMap;

use super::expand::Expander;
use super::family::{FamilyFile, case_id};
use super::file::{AzureSurface, GroupFile, Provider, ScenarioFile, UpstreamFile};
use super::node::{self, Members, Node};
use super::{Cooldown, DeadEnd, Group, ONLY_GROUP, Scenario, Upstream};
use crate::requirement::{self, Code};
use crate::yaml::{At, Diagnostic, LoadError, Optional, Source};

/// The legacy surface's version where a scenario names none: the last preview of the dated ones.
pub const DEFAULT_API_VERSION: &str = "2025-04-01-preview";

/// Reads the scenarios of `file`: the one of this id, or each case of the family of this id.
pub fn load(file: &Path, id: &str) -> Result<Vec<Scenario>, LoadError> {
    from(&Source::read(file)?, file, id)
}

/// The same of a file whose bytes are at hand.
pub(super) fn read(file: &Path, bytes: &[u8], id: &str) -> Result<Vec<Scenario>, LoadError> {
    from(&Source::of(file, bytes)?, file, id)
}

fn from(source: &Source, file: &Path, id: &str) -> Result<Vec<Scenario>, LoadError> {
    if source.has_key("matrix") {
        family(source, file, id)
    } else {
        one(source, file, id).map(|scenario| vec![scenario])
    }
}

fn one(source: &Source, file: &Path, id: &str) -> Result<Scenario, LoadError> {
    let read: ScenarioFile = source.parse()?;
    let named_groups = !read.groups.is_empty();
    let mut loader = Loader { source, named_groups, problems: Vec::new() };
    let scenario = loader.scenario(read, file, id);
    if loader.problems.is_empty() {
        Ok(scenario)
    } else {
        Err(LoadError { diagnostics: loader.problems })
    }
}

fn family(source: &Source, file: &Path, id: &str) -> Result<Vec<Scenario>, LoadError> {
    let read: FamilyFile = source.parse()?;
    let mut members: At<Members> = source.parse()?;
    members.value.retain(|key, _| !matches!(&*key.value, "matrix" | "except"));
    let mut problems = Vec::new();
    let axes = read.axes(source, &mut problems);
    if !problems.is_empty() {
        return Err(LoadError { diagnostics: problems });
    }
    let choices = read.choices(&axes, source, &mut problems);
    let mut all_followed = !choices.is_empty();
    let mut scenarios = Vec::new();
    let mut used = BTreeSet::new();
    for choice in &choices {
        let mut expander = Expander::new(source, &axes, choice);
        let case = Node::Members(expander.case(&members.value));
        used.append(&mut expander.used);
        if expander.problems.is_empty() {
            let case = node::rewrite(&At { value: case, span: members.span.clone() }, source);
            match one(&case, file, &case_id(id, choice)) {
                Ok(scenario) => scenarios.push(scenario),
                Err(error) => problems.extend(error.diagnostics),
            }
        } else {
            all_followed = false;
            problems.append(&mut expander.problems);
        }
    }
    // Where a reference leads nowhere, it may be the axis's own.
    let axes = if all_followed { axes.as_slice() } else { &[] };
    for axis in axes.iter().filter(|axis| !used.contains(&axis.name.value)) {
        let message = format!("no case differs by the axis `{}`", axis.name.value);
        let help = format!("put `{{{0}}}` or `use: {0}` where it matters", axis.name.value);
        problems.push(source.error(&axis.name.span, message).help(help));
    }
    // What is wrong with the file is wrong with most of its cases.
    let mut told = BTreeSet::new();
    problems.retain(|problem| told.insert(problem.to_string()));
    if problems.is_empty() { Ok(scenarios) } else { Err(LoadError { diagnostics: problems }) }
}

/// Turns the file's words into the model's; what it can't understand goes to `problems`.
pub(super) struct Loader<'a> {
    pub(super) source: &'a Source,
    /// Whether the file has `groups`, so that calls can ask for one by its name.
    pub(super) named_groups: bool,
    pub(super) problems: Vec<Diagnostic>,
}

impl Loader<'_> {
    fn scenario(&mut self, read: ScenarioFile, file: &Path, id: &str) -> Scenario {
        if read.title.value.trim().is_empty() {
            self.problem(&read.title.span, "a title says in one sentence what happens");
        }
        let proves = self.codes(&read.proves);
        for tag in read.tags.iter().filter(|tag| !is_kebab_case(&tag.value)) {
            self.problem(&tag.span, "a tag is made of lower-case letters, digits and `-`");
        }
        let upstreams: IndexMap<_, _> = read
            .upstreams
            .iter()
            .map(|(name, upstream)| (name.value.clone(), self.upstream(upstream)))
            .collect();
        let groups = self.groups(&read);
        let mut steps_read = read.steps.value.iter().map(|step| &step.value);
        if read.steps.value.is_empty() {
            self.problem(&read.steps.span, "a scenario has at least one step");
        } else if steps_read.all(|step| step.send.0.is_none() && step.together.0.is_none()) {
            self.problem(&read.steps.span, "a scenario makes at least one call");
        }
        let mut steps = Vec::new();
        for step in read.steps.value {
            let span = step.span.clone();
            let step = self.step(step, &upstreams, &groups);
            self.goes_on(step.as_ref(), &steps, &span);
            steps.extend(step);
        }
        Scenario {
            id: id.to_owned(),
            file: file.to_owned(),
            title: read.title.value,
            why: read.why.0,
            links: read.links,
            profile: read.profile.0.unwrap_or_default(),
            proves,
            tags: values(read.tags),
            upstreams,
            groups,
            steps,
        }
    }

    fn codes(&mut self, proves: &At<Vec<At<String>>>) -> Vec<Code> {
        if proves.value.is_empty() {
            self.problem(&proves.span, "a scenario proves at least one requirement");
        }
        let mut codes = Vec::new();
        for code in &proves.value {
            if let Ok(code) = code.value.parse() {
                codes.push(code);
            } else {
                let error = requirement::unknown(code, self.source);
                self.problems.push(error.help("`fallproof requirements` lists them"));
            }
        }
        codes
    }

    /// Upstreams and groups name each other, each once.
    fn groups(&mut self, read: &ScenarioFile) -> IndexMap<String, Group> {
        let groups: Vec<_> = match (&read.group.0, read.groups.is_empty()) {
            (Some(group), true) => vec![(ONLY_GROUP, &group.value)],
            (Some(group), false) => {
                self.problem(&group.span, "`group` or `groups`, not both");
                Vec::new()
            }
            (None, false) => {
                read.groups.iter().map(|(name, group)| (&*name.value, &group.value)).collect()
            }
            (None, true) => {
                // Told where the other missing keys are.
                let steps = self.source.find_before(read.steps.span.start, "steps");
                let place = steps.unwrap_or(read.steps.span.clone());
                let error = self.source.error(&place, "the key `group` (or `groups`) is missing");
                self.problems.push(error.label("it belongs here"));
                Vec::new()
            }
        };
        for name in read.groups.keys().filter(|name| !is_kebab_case(&name.value)) {
            let message = "a group's name is made of lower-case letters, digits and `-`";
            self.problem(&name.span, message);
        }
        let named: Vec<&At<String>> = groups
            .iter()
            .flat_map(|(_, group)| {
                let GroupFile { chain, on_context_length, on_content_filter, .. } = group;
                chain.value.iter().chain(on_context_length).chain(on_content_filter)
            })
            .collect();
        // Where a chain is missing, nobody can say who should be in it.
        if !groups.is_empty() && groups.iter().all(|(_, group)| !group.chain.value.is_empty()) {
            self.names(read, &named);
        }
        let read = |(name, group): (&str, &GroupFile)| (name.to_owned(), self.group(group));
        groups.into_iter().map(read).collect()
    }

    fn names(&mut self, read: &ScenarioFile, named: &[&At<String>]) {
        for (position, name) in named.iter().enumerate() {
            if !read.upstreams.keys().any(|upstream| upstream.value == name.value) {
                let known = read.upstreams.keys().map(|upstream| &*upstream.value);
                self.unknown_upstream(name, known);
            } else if named[..position].iter().any(|earlier| earlier.value == name.value) {
                self.problem(&name.span, format!("`{}` is in the chain twice", name.value));
            }
        }
        for name in read.upstreams.keys() {
            if !is_kebab_case(&name.value) {
                let message = "an upstream's name is made of lower-case letters, digits and `-`";
                self.problem(&name.span, message);
            } else if !named.iter().any(|hop| hop.value == name.value) {
                let message = format!("the upstream `{}` is not in the chain", name.value);
                self.problem(&name.span, message);
            }
        }
    }

    fn group(&mut self, read: &GroupFile) -> Group {
        if read.chain.value.is_empty() {
            self.problem(&read.chain.span, "a chain has at least one upstream");
        }
        for timeout in [&read.timeout_ms, &read.total_timeout_ms] {
            if let Some(At { value: 0, span }) = &timeout.0 {
                self.problem(span, "a timeout is at least 1 ms");
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
                    self.problem(&cooldown.after_failures.span, "it takes at least one failure");
                }
                if cooldown.for_ms.value == 0 {
                    self.problem(&cooldown.for_ms.span, "a rest is at least 1 ms");
                }
                Cooldown {
                    after_failures: cooldown.after_failures.value,
                    rest: Duration::from_millis(cooldown.for_ms.value),
                }
            }),
            max_retry_after: read.max_retry_after_ms.0.map(Duration::from_millis),
            fallback_on: (read.fallback_on.0.as_ref())
                .map(|conditions| conditions.iter().map(|condition| condition.value).collect()),
        }
    }

    fn upstream(&mut self, read: &UpstreamFile) -> Upstream {
        let surface = match (read.provider, &read.surface.0) {
            (Provider::OpenAi, _) => Surface::OpenAi,
            (Provider::Azure, Some(At { value: AzureSurface::Legacy, .. })) => Surface::AzureLegacy,
            (Provider::Azure, _) => Surface::AzureV1,
        };
        if surface == Surface::OpenAi {
            self.out_of_place(&read.surface, "only Azure has a `surface`");
            self.out_of_place(&read.deployment, "only Azure has a `deployment`");
        }
        if surface != Surface::AzureLegacy {
            let message = "only Azure with `surface: legacy` has an `api_version`";
            self.out_of_place(&read.api_version, message);
        }
        self.script(&read.script);
        Upstream {
            surface,
            deployment: text(&read.deployment).unwrap_or_else(|| read.model.clone()),
            model: read.model.clone(),
            api_version: (surface == Surface::AzureLegacy)
                .then(|| text(&read.api_version).unwrap_or_else(|| DEFAULT_API_VERSION.to_owned())),
            script: read.script.value.iter().map(|behaviour| behaviour.value.clone()).collect(),
            repeat_last: read.repeat_last,
        }
    }

    fn out_of_place<T>(&mut self, key: &Optional<At<T>>, message: &str) {
        if let Some(At { span, .. }) = &key.0 {
            self.problem(span, message);
        }
    }

    fn script(&mut self, script: &At<Vec<At<Behaviour>>>) {
        if script.value.is_empty() {
            self.problem(&script.span, "a script has at least one behaviour");
        }
        for At { value: behaviour, span } in &script.value {
            let name = &behaviour.reply;
            if !behaviour_names().any(|known| known == name) {
                let error = self.source.error(span, format!("unknown behaviour `{name}`"));
                self.problems.push(error.expected(name, behaviour_names()));
            }
            let alone = script.value.len() == 1 && *behaviour == Behaviour::named(name);
            if DeadEnd::named(name).is_some() && !alone {
                let error = self.source.error(span, format!("`{name}` stands alone in a script"));
                self.problems.push(error.help("a port where no attempt arrives does nothing else"));
            }
            if behaviour.status.is_some_and(|status| !(200..=599).contains(&status)) {
                self.problem(span, "the status of a reply is from 200 to 599");
            }
            let named = errors::wire(name).and_then(|wire| wire.cut.as_ref());
            if let (Some(named), Some(said)) = (named, &behaviour.wire.cut)
                && named != said
            {
                let message = format!("`{name}` is a `cut` of its own, and this is another one");
                let error = self.source.error(span, message);
                self.problems.push(error.help("leave out `reply`, or the `cut`"));
            }
            for (name, value) in unsendable(behaviour) {
                let place = self.source.find(span.start, name).unwrap_or(span.clone());
                let error = ScriptError::Header(name.clone(), value.clone());
                self.problem(&place, error.to_string());
            }
            if behaviour.times == 0 {
                self.problem(span, ScriptError::Never.to_string());
            }
        }
    }

    /// An upstream that is expected to be met must exist and take connections.
    pub(super) fn seen(
        &mut self,
        name: &At<String>,
        upstreams: &IndexMap<String, Upstream>,
        so: &str,
    ) {
        match upstreams.get(&name.value) {
            None => self.unknown_upstream(name, upstreams.keys().map(String::as_str)),
            Some(upstream) => match upstream.dead_end() {
                Some(DeadEnd::Refusing) => {
                    self.problem(&name.span, format!("`{}` refuses connections, {so}", name.value));
                }
                Some(DeadEnd::Silent) => {
                    self.problem(
                        &name.span,
                        format!("`{}` answers no connection, {so}", name.value),
                    );
                }
                None => {}
            },
        }
    }

    pub(super) fn unknown_upstream<'a>(
        &mut self,
        name: &At<String>,
        known: impl Iterator<Item = &'a str>,
    ) {
        let error = self.source.error(&name.span, format!("unknown upstream `{}`", name.value));
        self.problems.push(error.expected(&name.value, known));
    }

    pub(super) fn problem(&mut self, span: &Range<usize>, message: impl Into<String>) {
        self.problems.push(self.source.error(span, message));
    }
}

fn text(read: &Optional<At<String>>) -> Option<String> {
    read.0.as_ref().map(|at| at.value.clone())
}

/// The value where one was read.
pub(super) fn value<T>(read: Optional<At<T>>) -> Option<T> {
    read.0.map(|at| at.value)
}

/// The values without their places.
pub(super) fn values<T>(read: Vec<At<T>>) -> Vec<T> {
    read.into_iter().map(|at| at.value).collect()
}

/// Lower-case letters, digits and `-`, as ids, tags and upstreams are named.
pub(super) fn is_kebab_case(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !name.is_empty() && name.bytes().all(fits)
}
