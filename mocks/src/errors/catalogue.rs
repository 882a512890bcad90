//! The error replies as data: the files in `errors/`, read once and strictly.

use std::sync::LazyLock;

use indexmap::IndexMap;
use serde::Deserialize;

use super::Reply;
use crate::behaviour::WirePlan;
use crate::provider::{Endpoint, Surface};

/// One provider's file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Catalogue {
    /// The headers of each emitter.
    layers: IndexMap<String, IndexMap<String, String>>,
    pub(super) behaviours: Vec<Entry>,
    pub(super) doors: Vec<Entry>,
    pub(super) refusals: Vec<Entry>,
}

/// One reply.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    pub(super) name: String,
    /// Where it is said; everywhere if empty.
    #[serde(default)]
    endpoints: Vec<Endpoint>,
    /// Names a member of [`Catalogue::layers`].
    layer: Option<String>,
    /// `None` for the success reply.
    status: Option<u16>,
    #[serde(default)]
    headers: IndexMap<String, String>,
    #[serde(default)]
    body: String,
    #[serde(default)]
    pub(super) wire: WirePlan,
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

impl Catalogue {
    /// The catalogue of the provider whose surface this is.
    pub(super) fn of(surface: Surface) -> &'static Self {
        static OPENAI: LazyLock<Catalogue> =
            LazyLock::new(|| Catalogue::read(include_str!("../../errors/openai.yaml")));
        static AZURE: LazyLock<Catalogue> =
            LazyLock::new(|| Catalogue::read(include_str!("../../errors/azure.yaml")));
        match surface {
            Surface::OpenAi => &OPENAI,
            Surface::AzureV1 | Surface::AzureLegacy => &AZURE,
        }
    }

    fn read(text: &str) -> Self {
        serde_saphyr::from_str(text).expect("every file in errors/ is read in a test")
    }

    /// The entry's reply with `values` in place of its placeholders. `None` for the success reply.
    pub(super) fn reply(&self, entry: &Entry, values: &Values) -> Option<Reply> {
        let layer = entry.layer.as_ref().and_then(|layer| self.layers.get(layer));
        let headers = layer.into_iter().flatten().chain(&entry.headers);
        Some(Reply {
            status: entry.status?,
            headers: headers.map(|(name, value)| (name.clone(), values.fill(value))).collect(),
            body: values.fill(&entry.body).into_bytes(),
        })
    }
}

/// The first entry of this name that is for this endpoint.
pub(super) fn find<'a>(
    entries: &'a [Entry],
    name: &str,
    endpoint: Option<Endpoint>,
) -> Option<&'a Entry> {
    let fits = |entry: &&Entry| {
        entry.endpoints.is_empty() || endpoint.is_some_and(|one| entry.endpoints.contains(&one))
    };
    entries.iter().filter(|entry| entry.name == name).find(fits)
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
    use super::*;

    fn both() -> [&'static Catalogue; 2] {
        [Catalogue::of(Surface::OpenAi), Catalogue::of(Surface::AzureV1)]
    }

    fn entries(catalogue: &Catalogue) -> impl Iterator<Item = &Entry> {
        [&catalogue.behaviours, &catalogue.doors, &catalogue.refusals].into_iter().flatten()
    }

    #[test]
    fn every_entry_says_who_saw_it_or_what_was_not_seen() {
        for entry in both().into_iter().flat_map(entries) {
            assert!(!entry.evidence.is_empty() || entry.note.is_some(), "{}", entry.name);
        }
    }

    #[test]
    fn every_layer_that_is_named_exists_and_is_used() {
        for catalogue in both() {
            let named: Vec<_> = entries(catalogue).filter_map(|e| e.layer.as_deref()).collect();
            assert!(named.iter().all(|layer| catalogue.layers.contains_key(*layer)), "{named:?}");
            assert!(catalogue.layers.keys().all(|layer| named.contains(&layer.as_str())));
        }
    }

    #[test]
    fn both_providers_know_the_same_names() {
        let [openai, azure] = both().map(|catalogue| {
            [&catalogue.behaviours, &catalogue.doors, &catalogue.refusals].map(|list| {
                let mut names: Vec<_> = list.iter().map(|entry| &entry.name).collect();
                names.dedup();
                names
            })
        });
        assert_eq!(openai, azure);
    }

    #[test]
    fn what_is_put_in_is_escaped_and_not_filled_again() {
        let values = Values::default().text("name", "{key} \"\\\n").text("key", "secret");
        assert_eq!(values.fill(r#"{"a": "{name}{b}"}"#), r#"{"a": "{key} \"\\\n{b}"}"#);
    }
}
