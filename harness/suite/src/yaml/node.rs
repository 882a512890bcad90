//! The tree of a YAML file: its values with their positions.

use std::fmt;

use indexmap::IndexMap;
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::at::At;

/// The members of a mapping, in order.
pub(crate) type Members = IndexMap<At<String>, At<Node>>;

/// A value of the JSON data model, written in YAML.
#[derive(Debug, Clone)]
pub(crate) enum Node {
    /// A string, quoted or not.
    Text(String),
    /// A null, a boolean or a number. Its spelling is in the file, at its position.
    Bare(Value),
    List(Vec<At<Node>>),
    Members(Members),
}

impl Node {
    /// The text of a value that is neither a list nor a mapping, without quotes.
    pub(crate) fn word(&self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text.clone()),
            Self::Bare(value) => Some(value.to_string()),
            Self::List(_) | Self::Members(_) => None,
        }
    }

    /// The member with this name and its key, if this is a mapping that has it.
    pub(crate) fn member(&self, name: &str) -> Option<(&At<String>, &At<Self>)> {
        let Self::Members(members) = self else { return None };
        members.iter().find(|(key, _)| key.value == name)
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyNode;

        impl<'de> Visitor<'de> for AnyNode {
            type Value = Node;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a value of the JSON data model")
            }

            fn visit_unit<E>(self) -> Result<Node, E> {
                Ok(Node::Bare(Value::Null))
            }

            fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
                Ok(Node::Bare(value.into()))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
                Ok(Node::Bare(value.into()))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
                Ok(Node::Bare(value.into()))
            }

            fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
                Ok(Node::Bare(value.into()))
            }

            fn visit_str<E>(self, text: &str) -> Result<Node, E> {
                Ok(Node::Text(text.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = list.next_element()? {
                    items.push(item);
                }
                Ok(Node::List(items))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
                let mut members = IndexMap::new();
                while let Some((key, value)) = map.next_entry()? {
                    members.insert(key, value);
                }
                Ok(Node::Members(members))
            }
        }

        deserializer.deserialize_any(AnyNode)
    }
}
