//! Reads an adapter file and checks everything that does not depend on a plan.

use std::path::{Component, Path};

use fallproof_suite::yaml::{Diagnostic, LoadError, Source};
use indexmap::IndexMap;

use super::file::Adapter;
use super::template::Template;
use super::waivers;

impl Adapter {
    /// Parses the text of a file and checks everything that does not depend on a plan.
    pub(super) fn parse(id: &str, source: Source) -> Result<Self, LoadError> {
        let mut adapter: Self = source.parse()?;
        let mut diagnostics = adapter.problems(&source);
        diagnostics.extend(waivers::problems(&source)?);
        if !diagnostics.is_empty() {
            return Err(LoadError { diagnostics });
        }
        id.clone_into(&mut adapter.id);
        adapter.source = Some(source);
        Ok(adapter)
    }

    fn problems(&self, source: &Source) -> Vec<Diagnostic> {
        let mut diagnostics = Vec::new();
        if self.versions.value.is_empty() {
            let error = source.error(&self.versions.span, "the list of versions is empty");
            diagnostics.push(error.help("add at least one tested version"));
        }
        for (key, template) in self.templates() {
            diagnostics.extend(template.check(&key, source));
        }
        let conditions = self.cannot.iter().map(|cannot| &cannot.when);
        for expression in self.settings.values().chain(conditions) {
            diagnostics.extend(expression.check(source));
        }
        for variant in self.variants.values() {
            diagnostics.extend(variant.problems(&self.settings, source));
        }
        for name in self.files.keys() {
            let mut parts = Path::new(&name.value).components();
            if !parts.all(|part| matches!(part, Component::Normal(_))) {
                let message =
                    format!("the file `{}` is outside the gateway's directory", name.value);
                diagnostics.push(source.error(&name.span, message));
            }
        }
        let ready = &self.launch.ready;
        if let (Some(contains), None) = (&ready.contains.0, &ready.path.0) {
            let error = source.error(contains.span(), "`contains` has no effect without `path`");
            diagnostics.push(error.help("add the `path` whose response contains it"));
        }
        if let (Some(reload), None) = (&self.launch.reload.0, &ready.contains.0) {
            let error = source.error(
                &reload.span,
                "`reload` needs `ready.contains` to detect that the files are loaded",
            );
            diagnostics.push(error.help("add `path` and `contains` under `ready`"));
        }
        diagnostics
    }

    /// Every template with its YAML key.
    pub(super) fn templates(&self) -> impl Iterator<Item = (String, &Template)> {
        let install = self.versions.value.iter().flat_map(|it| &it.install).map(named("install"));
        let headers = of("client.headers", &self.client.headers);
        let model = [("client.model".to_owned(), &self.client.model)];
        let files =
            self.files.iter().map(|(name, template)| (format!("files.{}", name.value), template));
        let admin = self.admin.iter().flat_map(|call| {
            [("admin.post".to_owned(), &call.post), ("admin.body".to_owned(), &call.body)]
        });
        let launch = &self.launch;
        let arguments = launch.arguments.iter().map(named("launch.arguments"));
        let environment = of("launch.environment", &launch.environment);
        let version = launch.version.iter().map(named("launch.version"));
        let contains = launch.ready.contains.0.iter().map(named("launch.ready.contains"));
        install
            .chain(headers)
            .chain(model)
            .chain(files)
            .chain(admin)
            .chain(arguments)
            .chain(environment)
            .chain(version)
            .chain(contains)
    }
}

fn named(key: &'static str) -> impl Fn(&Template) -> (String, &Template) {
    move |template| (key.to_owned(), template)
}

fn of<'a>(
    key: &'static str,
    templates: &'a IndexMap<String, Template>,
) -> impl Iterator<Item = (String, &'a Template)> {
    templates.iter().map(move |(name, template)| (format!("{key}.{name}"), template))
}
