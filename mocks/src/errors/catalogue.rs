//! Parsing of the files in `errors/`, which define the error replies. Each file is parsed once; an
//! unknown field is an error.

use std::sync::LazyLock;

use indexmap::IndexMap;
use serde::Deserialize;

use crate::Reply;
use crate::provider::{Endpoint, Surface};

/// One provider's replies.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Provider {
    /// The headers that each layer sends.
    layers: IndexMap<String, IndexMap<String, String>>,
    behaviors: Vec<Template>,
    edges: Vec<Template>,
    refusals: Vec<Template>,
}

/// A reply template with placeholders.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Template {
    name: String,
    /// Endpoints that the template applies to; all endpoints if empty.
    #[serde(default)]
    endpoints: Vec<Endpoint>,
    /// Name of the reply to use instead.
    same_as: Option<String>,
    /// Name of a layer in [`Provider::layers`].
    layer: Option<String>,
    status: Option<u16>,
    #[serde(default)]
    headers: IndexMap<String, String>,
    #[serde(default)]
    body: String,
    /// The sources in which the reply was seen.
    #[serde(default)]
    #[cfg_attr(not(test), expect(dead_code, reason = "for readers of the file"))]
    evidence: Vec<String>,
    /// Date of the newest source.
    #[expect(dead_code, reason = "for readers of the file")]
    date: Option<String>,
    /// Which parts of the reply were not seen.
    #[cfg_attr(not(test), expect(dead_code, reason = "for readers of the file"))]
    note: Option<String>,
}

/// The sections of a provider's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// Replies for scripted behaviors.
    Behaviors,
    /// Replies from the outer layers.
    Edge,
    /// Replies to invalid bodies.
    Refusals,
}

impl Provider {
    /// The replies of the provider that has this surface.
    pub(super) fn of(surface: Surface) -> &'static Self {
        static OPENAI: LazyLock<Provider> =
            LazyLock::new(|| Provider::read(include_str!("../../errors/openai.yaml")));
        static AZURE: LazyLock<Provider> =
            LazyLock::new(|| Provider::read(include_str!("../../errors/azure.yaml")));
        match surface {
            Surface::OpenAi => &OPENAI,
            Surface::AzureV1 | Surface::AzureLegacy => &AZURE,
        }
    }

    fn read(text: &str) -> Self {
        serde_saphyr::from_str(text).expect("a test checks that every file in errors/ is valid")
    }

    fn part(&self, part: Part) -> &[Template] {
        match part {
            Part::Behaviors => &self.behaviors,
            Part::Edge => &self.edges,
            Part::Refusals => &self.refusals,
        }
    }

    /// The reply with this name at this endpoint, with the placeholders filled in. Returns `None`
    /// if there is no such reply.
    pub(super) fn reply(
        &self,
        part: Part,
        name: &str,
        endpoint: Option<Endpoint>,
        values: impl FnOnce() -> Values,
    ) -> Option<Reply> {
        let template = self.find(part, name, endpoint)?;
        let values = values();
        let layer = template.layer.as_ref().and_then(|layer| self.layers.get(layer));
        let headers = layer.into_iter().flatten().chain(&template.headers);
        Some(Reply {
            status: template.status?,
            headers: headers.map(|(name, value)| (name.clone(), values.fill(value))).collect(),
            body: values.fill(&template.body).into_bytes(),
        })
    }

    /// The first template with this name that applies to the endpoint. If the template is an alias,
    /// the name in its `same_as` is looked up in the same section, then among the behaviors. The
    /// template that this name leads to cannot be an alias itself.
    fn find(&self, part: Part, name: &str, endpoint: Option<Endpoint>) -> Option<&Template> {
        let fits = |template: &&Template| {
            template.endpoints.is_empty()
                || endpoint.is_some_and(|one| template.endpoints.contains(&one))
        };
        let first = |part, name: &str| {
            self.part(part).iter().filter(|template| template.name == name).find(fits)
        };
        let found = first(part, name)?;
        match &found.same_as {
            None => Some(found),
            Some(other) => first(part, other).or_else(|| first(Part::Behaviors, other)),
        }
    }
}

/// Values for the placeholders.
#[derive(Debug, Default)]
pub(super) struct Values(Vec<(&'static str, String)>);

impl Values {
    /// Adds a value that is inserted into a JSON string.
    pub(super) fn text(mut self, name: &'static str, text: &str) -> Self {
        let quoted = serde_json::Value::from(text).to_string();
        self.0.push((name, quoted[1..quoted.len() - 1].to_owned()));
        self
    }

    /// Adds a value that is inserted as a complete JSON value: a string or null.
    pub(super) fn value(mut self, name: &'static str, text: Option<&str>) -> Self {
        self.0.push((name, serde_json::Value::from(text).to_string()));
        self
    }

    pub(super) fn and(mut self, mut others: Self) -> Self {
        self.0.append(&mut others.0);
        self
    }

    /// Replaces the placeholders in the template. Inserted values are not scanned for placeholders.
    fn fill(&self, template: &str) -> String {
        let mut out = String::with_capacity(template.len());
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('{') {
            out.push_str(before);
            let known = self.0.iter().find_map(|(name, value)| {
                Some((value, after.strip_prefix(name)?.strip_prefix('}')?))
            });
            if let Some((value, after)) = known {
                out.push_str(value);
                rest = after;
            } else {
                out.push('{');
                rest = after;
            }
        }
        out.push_str(rest);
        out
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::behavior::{Entry, WireFault, behaviors};

    const PARTS: [Part; 3] = [Part::Behaviors, Part::Edge, Part::Refusals];

    fn both() -> [&'static Provider; 2] {
        [Provider::of(Surface::OpenAi), Provider::of(Surface::AzureV1)]
    }

    fn templates(provider: &Provider) -> impl Iterator<Item = &Template> {
        PARTS.into_iter().flat_map(|part| provider.part(part))
    }

    fn names_in(provider: &Provider, part: Part) -> Vec<&str> {
        let mut names: Vec<_> =
            provider.part(part).iter().map(|template| template.name.as_str()).collect();
        names.dedup();
        names
    }

    #[test]
    fn every_reply_has_a_source_or_states_what_is_unknown() {
        for template in both().into_iter().flat_map(templates) {
            assert!(!template.evidence.is_empty() || template.note.is_some(), "{}", template.name);
        }
    }

    #[test]
    fn a_reply_is_either_defined_or_an_alias() {
        for template in both().into_iter().flat_map(templates) {
            let own = template.layer.is_some() && template.status.is_some();
            assert_ne!(own, template.same_as.is_some(), "{}", template.name);
        }
    }

    #[test]
    fn the_last_reply_of_a_name_applies_to_the_remaining_endpoints() {
        for provider in both() {
            for part in PARTS {
                let templates = provider.part(part);
                for (at, template) in templates.iter().enumerate() {
                    let next = templates.get(at + 1).map(|next| &next.name);
                    let last = next != Some(&template.name);
                    assert_eq!(template.endpoints.is_empty(), last, "{}", template.name);
                }
            }
        }
    }

    #[test]
    fn every_layer_exists_and_is_used() {
        for provider in both() {
            let named: HashSet<_> =
                templates(provider).filter_map(|t| t.layer.as_deref()).collect();
            let there: HashSet<_> = provider.layers.keys().map(String::as_str).collect();
            assert_eq!(named, there);
        }
    }

    #[test]
    fn both_providers_define_the_same_names_once_and_in_the_same_order() {
        let [openai, azure] = both();
        for part in PARTS {
            let names = names_in(openai, part);
            assert_eq!(names, names_in(azure, part));
            assert_eq!(names.len(), names.iter().collect::<HashSet<_>>().len(), "{names:?}");
        }
    }

    #[test]
    fn the_defined_names_are_those_of_the_catalogue_in_its_order() {
        let success = |named: &&Entry| {
            !named.is_success
                && !["ok", "connection_refused", "connect_timeout"].contains(&named.name.as_str())
                && named.wire == WireFault::default()
        };
        let asked: Vec<_> = behaviors().iter().filter(success).map(|n| n.name.as_str()).collect();
        assert_eq!(asked, names_in(both()[0], Part::Behaviors));
    }

    #[test]
    fn inserted_values_are_escaped_and_not_expanded() {
        let values = Values::default().text("name", "{key} \"\\\n").text("key", "secret");
        assert_eq!(values.fill(r#"{"a": "{name}{b}"}"#), r#"{"a": "{key} \"\\\n{b}"}"#);
    }
}
