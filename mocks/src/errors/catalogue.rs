//! The error replies as data: the files in `errors/`, read once and strictly.

use std::sync::LazyLock;

use indexmap::IndexMap;
use serde::Deserialize;

use crate::Reply;
use crate::provider::{Endpoint, Surface};

/// One provider's replies.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Provider {
    /// The headers of each emitter.
    layers: IndexMap<String, IndexMap<String, String>>,
    behaviors: Vec<Template>,
    edges: Vec<Template>,
    refusals: Vec<Template>,
}

/// One reply, with placeholders.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Template {
    name: String,
    /// Where it is said; everywhere if empty.
    #[serde(default)]
    endpoints: Vec<Endpoint>,
    /// The reply of this name instead.
    same_as: Option<String>,
    /// Names a member of [`Provider::layers`].
    layer: Option<String>,
    status: Option<u16>,
    #[serde(default)]
    headers: IndexMap<String, String>,
    #[serde(default)]
    body: String,
    /// Who saw it.
    #[serde(default)]
    #[cfg_attr(not(test), expect(dead_code, reason = "for readers of the file"))]
    evidence: Vec<String>,
    /// When it was seen last.
    #[expect(dead_code, reason = "for readers of the file")]
    date: Option<String>,
    /// What was not seen.
    #[cfg_attr(not(test), expect(dead_code, reason = "for readers of the file"))]
    note: Option<String>,
}

/// The parts of a provider's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// What a script asks for.
    Behaviors,
    /// What the outer layers refuse.
    Doors,
    /// What is wrong with a body.
    Refusals,
}

impl Provider {
    /// The replies of the provider whose surface this is.
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
        serde_saphyr::from_str(text).expect("every file in errors/ is read in a test")
    }

    fn part(&self, part: Part) -> &[Template] {
        match part {
            Part::Behaviors => &self.behaviors,
            Part::Doors => &self.edges,
            Part::Refusals => &self.refusals,
        }
    }

    /// The reply of this name at this endpoint, with these values in place of its placeholders.
    /// `None` if there is none.
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

    /// The first template of this name that is for this endpoint. Another name that it points to is
    /// looked for in the same part, then among the behaviors, and does not point any further.
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

/// What stands in place of the placeholders.
#[derive(Debug, Default)]
pub(super) struct Values(Vec<(&'static str, String)>);

impl Values {
    /// Adds text, which must become a part of a JSON string.
    pub(super) fn text(mut self, name: &'static str, text: &str) -> Self {
        let quoted = serde_json::Value::from(text).to_string();
        self.0.push((name, quoted[1..quoted.len() - 1].to_owned()));
        self
    }

    /// Adds text or null, which becomes a JSON value.
    pub(super) fn value(mut self, name: &'static str, text: Option<&str>) -> Self {
        self.0.push((name, serde_json::Value::from(text).to_string()));
        self
    }

    pub(super) fn and(mut self, mut others: Self) -> Self {
        self.0.append(&mut others.0);
        self
    }

    /// What is put in is not looked at again, so a value cannot bring in a placeholder.
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

    const PARTS: [Part; 3] = [Part::Behaviors, Part::Doors, Part::Refusals];

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
    fn every_reply_says_who_saw_it_or_what_was_not_seen() {
        for template in both().into_iter().flat_map(templates) {
            assert!(!template.evidence.is_empty() || template.note.is_some(), "{}", template.name);
        }
    }

    #[test]
    fn a_reply_is_either_its_own_or_another_ones() {
        for template in both().into_iter().flat_map(templates) {
            let own = template.layer.is_some() && template.status.is_some();
            assert_ne!(own, template.same_as.is_some(), "{}", template.name);
        }
    }

    #[test]
    fn the_last_reply_of_a_name_is_for_the_endpoints_that_are_left() {
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
    fn every_layer_that_is_named_exists_and_is_used() {
        for provider in both() {
            let named: HashSet<_> =
                templates(provider).filter_map(|t| t.layer.as_deref()).collect();
            let there: HashSet<_> = provider.layers.keys().map(String::as_str).collect();
            assert_eq!(named, there);
        }
    }

    #[test]
    fn both_providers_answer_the_same_names_once_and_in_the_same_order() {
        let [openai, azure] = both();
        for part in PARTS {
            let names = names_in(openai, part);
            assert_eq!(names, names_in(azure, part));
            assert_eq!(names.len(), names.iter().collect::<HashSet<_>>().len(), "{names:?}");
        }
    }

    #[test]
    fn what_the_providers_answer_are_the_names_of_the_catalogue_in_its_order() {
        let success = |named: &&Entry| {
            !named.is_success
                && !["ok", "connection_refused", "connect_timeout"].contains(&named.name.as_str())
                && named.wire == WireFault::default()
        };
        let asked: Vec<_> = behaviors().iter().filter(success).map(|n| n.name.as_str()).collect();
        assert_eq!(asked, names_in(both()[0], Part::Behaviors));
    }

    #[test]
    fn what_is_put_in_is_escaped_and_not_filled_again() {
        let values = Values::default().text("name", "{key} \"\\\n").text("key", "secret");
        assert_eq!(values.fill(r#"{"a": "{name}{b}"}"#), r#"{"a": "{key} \"\\\n{b}"}"#);
    }
}
