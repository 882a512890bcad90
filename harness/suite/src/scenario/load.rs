//! Loads the scenarios of a file. Reports all of its errors at once.

use std::collections::BTreeSet;
use std::mem;
use std::ops::Range;
use std::path::Path;

use indexmap::IndexMap;

use super::expand::Expander;
use super::family::{FamilyFile, case_id};
use super::file::ScenarioFile;
use super::naming::{id, is_kebab_case};
use super::{Deployment, Group, Scenario};
use crate::requirement::{self, Code};
use crate::yaml::{At, Diagnostic, LoadError, Members, Node, Optional, Source};

/// Reads the scenarios of `file`, which contains the scenario or the family with this id. Returns
/// one scenario, or all cases of the family.
pub fn load(file: &Path, id: &str) -> Result<Vec<Scenario>, LoadError> {
    from(&Source::read(file)?, file, id)
}

/// Reads the scenarios of a file outside a suite. The file's name without `.yaml` is the id of the
/// scenario or the family.
pub fn load_alone(file: &Path) -> Result<Vec<Scenario>, LoadError> {
    let name = Path::new(file.file_name().unwrap_or_default());
    load(file, &id(name, file)?)
}

/// Like [`load`], for a file whose bytes were already read.
pub fn read(file: &Path, bytes: &[u8], id: &str) -> Result<Vec<Scenario>, LoadError> {
    from(&Source::of(file, bytes)?, file, id)
}

fn from(source: &Source, file: &Path, id: &str) -> Result<Vec<Scenario>, LoadError> {
    let tree = source.tree()?;
    match &tree.value {
        Node::Members(members) if tree.value.member("matrix").is_some() => {
            family(source, &tree, members, file, id)
        }
        _ => one(source, &tree, file, id).map(|scenario| vec![scenario]),
    }
}

fn one(source: &Source, tree: &At<Node>, file: &Path, id: &str) -> Result<Scenario, LoadError> {
    let read: ScenarioFile = source.parse_node(tree)?;
    let named_groups = !read.groups.is_empty();
    let (deployments, groups, problems) = (IndexMap::new(), IndexMap::new(), Vec::new());
    let mut loader = Loader { source, tree, named_groups, deployments, groups, problems };
    let scenario = loader.scenario(read, file, id);
    if loader.problems.is_empty() {
        Ok(scenario)
    } else {
        Err(LoadError { diagnostics: loader.problems })
    }
}

fn family(
    source: &Source,
    tree: &At<Node>,
    members: &Members,
    file: &Path,
    id: &str,
) -> Result<Vec<Scenario>, LoadError> {
    let read: FamilyFile = source.parse_node(tree)?;
    let mut problems = Vec::new();
    let axes = read.axes(source, &mut problems);
    if !problems.is_empty() {
        return Err(LoadError { diagnostics: problems });
    }
    let choices = read.choices(&axes, source, &mut problems);
    let mut all_resolved = !choices.is_empty();
    let mut scenarios = Vec::new();
    let mut used = BTreeSet::new();
    for choice in &choices {
        let mut expander = Expander::new(source, &axes, choice);
        let case = Node::Members(read.with_level(choice, expander.case(members)));
        used.append(&mut expander.used);
        if expander.problems.is_empty() {
            let case = At { value: case, span: tree.span.clone() };
            match one(source, &case, file, &case_id(id, choice)) {
                Ok(scenario) => scenarios.push(scenario),
                Err(error) => problems.extend(error.diagnostics),
            }
        } else {
            all_resolved = false;
            problems.append(&mut expander.problems);
        }
    }
    // A reference that cannot be resolved may be meant for an axis that seems unused.
    let axes = if all_resolved { axes.as_slice() } else { &[] };
    for axis in axes.iter().filter(|axis| !used.contains(&axis.name.value)) {
        let message = format!("the axis `{}` makes no difference", axis.name.value);
        let help = format!("use `{{{0}}}` or `extends: {0}` in the cases", axis.name.value);
        problems.push(source.error(&axis.name.span, message).help(help));
    }
    // An error in the file occurs in most of its cases, but is reported once.
    let mut reported = BTreeSet::new();
    problems.retain(|problem| reported.insert(problem.to_string()));
    if problems.is_empty() { Ok(scenarios) } else { Err(LoadError { diagnostics: problems }) }
}

/// Converts the types of the file format to the model. Errors are added to `problems`.
pub(super) struct Loader<'a> {
    pub(super) source: &'a Source,
    /// The YAML tree, for positions that the types do not contain.
    pub(super) tree: &'a At<Node>,
    /// Whether the file has `groups`, so that calls can select one by name.
    pub(super) named_groups: bool,
    /// The deployments and groups that were read. Calls can refer to them by name.
    pub(super) deployments: IndexMap<String, Deployment>,
    pub(super) groups: IndexMap<String, Group>,
    pub(super) problems: Vec<Diagnostic>,
}

impl Loader<'_> {
    fn scenario(&mut self, read: ScenarioFile, file: &Path, id: &str) -> Scenario {
        if read.title.value.trim().is_empty() {
            self.problem(&read.title.span, "a title must say in one sentence what happens");
        }
        let proves = self.codes(&read.proves);
        for tag in read.tags.iter().filter(|tag| !is_kebab_case(&tag.value)) {
            self.problem(&tag.span, "a tag has only lower-case letters, digits and `-`");
        }
        for (name, deployment) in &read.deployments {
            let deployment = self.deployment(&name.value, deployment);
            self.deployments.insert(name.value.clone(), deployment);
        }
        self.groups = self.groups(&read);
        let mut steps_read = read.steps.value.iter().map(|step| &step.value);
        if read.steps.value.is_empty() {
            self.problem(&read.steps.span, "a scenario needs at least one step");
        } else if steps_read.all(|step| step.send.0.is_none() && step.parallel.0.is_none()) {
            self.problem(&read.steps.span, "a scenario needs at least one call");
        }
        let mut steps = Vec::new();
        for step in read.steps.value {
            let span = step.span.clone();
            let step = self.step(step);
            self.has_earlier_response(step.as_ref(), &steps, &span);
            steps.extend(step);
        }
        Scenario {
            id: id.to_owned(),
            file: file.to_owned(),
            title: read.title.value,
            why: read.why.0,
            links: read.links,
            profile: read.profile.0.unwrap_or_default(),
            level: read.level.0.unwrap_or_default(),
            up_to_target: read.up_to_target,
            proves,
            tags: values(read.tags),
            deployments: mem::take(&mut self.deployments),
            groups: mem::take(&mut self.groups),
            steps,
        }
    }

    fn codes(&mut self, proves: &At<Vec<At<String>>>) -> Vec<Code> {
        if proves.value.is_empty() {
            self.problem(&proves.span, "a scenario must prove at least one requirement");
        }
        let mut codes = Vec::new();
        for code in &proves.value {
            if let Ok(code) = code.value.parse() {
                codes.push(code);
            } else {
                let error = requirement::unknown(code, self.source);
                self.problems.push(error.help("see `fallproof list requirements`"));
            }
        }
        codes
    }

    pub(super) fn problem(&mut self, span: &Range<usize>, message: impl Into<String>) {
        self.problems.push(self.source.error(span, message));
    }
}

/// The value, if there is one.
pub(super) fn value<T>(read: Optional<At<T>>) -> Option<T> {
    read.0.map(|at| at.value)
}

/// The values without their positions.
pub(super) fn values<T>(read: Vec<At<T>>) -> Vec<T> {
    read.into_iter().map(|at| at.value).collect()
}
