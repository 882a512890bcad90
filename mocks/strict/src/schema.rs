//! The request schemas in `spec/`. Each is parsed once. They use the subset of JSON Schema that
//! `spec/README.md` describes. Any other keyword is an error, so that no rule is silently ignored.

mod embedded;
mod node;
mod rule;

use indexmap::IndexMap;
use serde_json::{Map, Value as Json, from_value};

pub(crate) use embedded::Embedded;
pub(crate) use node::{Node, Others};
pub(crate) use rule::{ErrorParam, LegacyWording, Rule, RuleKind};

use fallproof_protocol::provider::{Endpoint, Surface};

/// The request schema of one endpoint on one surface.
#[derive(Debug)]
pub(super) struct Schema {
    pub(super) root: Node,
    definitions: Vec<Node>,
    pub(super) rules: Vec<Rule>,
    /// The models whose back ends use the legacy error wording for an unknown parameter, and for an
    /// unknown member of a chat message.
    pub(super) legacy_wording: LegacyWording,
}

impl Schema {
    /// The schema of this endpoint on this surface.
    pub(super) fn of(surface: Surface, endpoint: Endpoint) -> &'static Self {
        &Embedded::of(surface, endpoint).schema
    }

    fn read(text: &str) -> serde_json::Result<Self> {
        use serde::de::Error as _;

        let mut root: IndexMap<String, Json> = serde_json::from_str(text)?;
        for about in ["$schema", "$id", "x-provenance"] {
            root.shift_remove(about);
        }
        let rules = root.shift_remove("x-rules").unwrap_or_else(|| Json::Array(Vec::new()));
        let legacy_wording = root
            .shift_remove("x-legacy-wording")
            .map_or(Ok(LegacyWording::default()), from_value)?;
        let definitions =
            root.shift_remove("$defs").unwrap_or_else(|| Json::Object(Map::default()));
        let Json::Object(definitions) = definitions else {
            return Err(serde_json::Error::custom("$defs is not an object"));
        };
        let names: Vec<String> = definitions.keys().cloned().collect();
        let node = |mut value: Json| {
            link(&mut value, &names)?;
            from_value::<Node>(value)
        };
        Ok(Self {
            root: node(Json::Object(root.into_iter().collect()))?,
            definitions: definitions
                .into_iter()
                .map(|(_, one)| node(one))
                .collect::<Result<_, _>>()?,
            rules: from_value(rules)?,
            legacy_wording,
        })
    }

    /// The schema nodes that a value may match: the branches of this node or, if it has none, the
    /// node itself.
    pub(super) fn shapes<'a>(&'a self, node: &'a Node) -> Vec<&'a Node> {
        let node = self.resolve(node);
        if node.branches.is_empty() {
            return vec![node];
        }
        node.branches.iter().map(|branch| self.resolve(branch)).collect()
    }

    /// The node itself, or the definition that it references.
    pub(super) fn resolve<'a>(&'a self, node: &'a Node) -> &'a Node {
        // A definition may itself be a reference. The generator never creates a cycle of
        // references.
        let mut node = node;
        while let Some(index) = node.reference {
            node = &self.definitions[index];
        }
        node
    }
}

/// Replaces each reference with the index of its definition. Where `x-file` is present, sets the
/// type to `file`, which is not part of JSON Schema.
fn link(value: &mut Json, names: &[String]) -> serde_json::Result<()> {
    use serde::de::Error as _;

    match value {
        Json::Object(members) => {
            if members.shift_remove("x-file").is_some() {
                members.insert("type".to_owned(), Json::from("file"));
            }
            for (key, value) in members {
                match value {
                    Json::String(reference) if key == "$ref" => {
                        let name = reference.strip_prefix("#/$defs/");
                        let index = name.and_then(|name| names.iter().position(|n| n == name));
                        let unknown =
                            || serde_json::Error::custom(format!("unknown reference: {reference}"));
                        *value = Json::from(index.ok_or_else(unknown)?);
                    }
                    _ => link(value, names)?,
                }
            }
            Ok(())
        }
        Json::Array(items) => items.iter_mut().try_for_each(|item| link(item, names)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_schema_can_be_read() {
        for surface in Surface::ALL {
            for endpoint in Endpoint::ALL {
                assert!(!Schema::of(surface, endpoint).root.properties.is_empty());
            }
        }
    }

    #[test]
    fn a_keyword_outside_the_subset_is_an_error() {
        let error = Schema::read(r#"{"type": "object", "not": {}}"#).expect_err("must be refused");
        assert!(error.to_string().contains("`not`"), "{error}");
    }

    #[test]
    fn a_reference_to_nothing_is_an_error() {
        let error = Schema::read(r##"{"items": {"$ref": "#/$defs/Gone"}, "$defs": {}}"##);
        assert_eq!(
            error.expect_err("must be refused").to_string(),
            "unknown reference: #/$defs/Gone"
        );
    }
}
