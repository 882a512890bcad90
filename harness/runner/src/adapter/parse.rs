//! Reads an adapter file and checks everything that does not depend on a plan.

use std::path::{Component, Path};

use fallproof_suite::yaml::{At, Diagnostic, LoadError, Source};
use indexmap::IndexMap;
use reqwest::header::HeaderName;

use super::file::{Adapter, Client};
use super::template::Template;
use super::waivers;

/// Longest time in which a gateway must be ready: an hour.
const MAX_SECONDS: f64 = 3600.0;

impl Client {
    /// The first path or header name that is not valid in an HTTP request, where it could begin
    /// another request.
    fn problem(&self, source: &Source) -> Option<Diagnostic> {
        let is_visible = |text: &&String| text.bytes().all(|byte| byte.is_ascii_graphic());
        let mut paths = [&self.base].into_iter().chain(self.paths.values());
        let mut names = self.headers.keys();
        let (text, what) = if let Some(path) = paths.find(|text| !is_visible(text)) {
            (path, "a path has only visible ASCII characters")
        } else {
            let is_name = |name: &&String| HeaderName::from_bytes(name.as_bytes()).is_ok();
            (names.find(|name| !is_name(name))?, "this is not the name of a header")
        };
        let whole = 0..source.as_str().len();
        let first = text.split(char::is_control).next().unwrap_or_default();
        let span = source.find(&whole, first).unwrap_or(0..0);
        Some(source.error(&span, format!("under `client`: {what}")))
    }
}

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
        for seconds in [Some(&ready.seconds), ready.seconds_per_group.0.as_ref()] {
            let Some(At { value, span }) = seconds else { continue };
            if !(0.0..=MAX_SECONDS).contains(value) {
                let message = format!("expected a number of seconds from 0 to {MAX_SECONDS}");
                diagnostics.push(source.error(span, message));
            }
        }
        diagnostics.extend(self.client.problem(source));
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
