//! YAML as it is written: its values and the places of all of them.

use std::fmt;

use indexmap::IndexMap;
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::yaml::{At, Part, Source};

/// The members of a mapping, in their order.
pub(super) type Members = IndexMap<At<String>, At<Node>>;

/// A value of JSON's kinds, written in YAML.
#[derive(Debug, Clone)]
pub(super) enum Node {
    /// Text, quoted or not.
    Text(String),
    /// A null, a boolean or a number.
    Bare(Value),
    List(Vec<At<Node>>),
    Members(Members),
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyNode;

        impl<'de> Visitor<'de> for AnyNode {
            type Value = Node;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a value that JSON has")
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

impl Node {
    /// The text of a value that is neither list nor mapping, as it is written but for quotes.
    pub(super) fn word(&self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text.clone()),
            Self::Bare(value) => Some(value.to_string()),
            Self::List(_) | Self::Members(_) => None,
        }
    }
}

/// `node` as one line of YAML, in which each part knows its place in the file.
pub(super) fn rewrite(node: &At<Node>, source: &Source) -> Source {
    let mut writer = Writer { source, text: String::new(), parts: Vec::new() };
    writer.node(node);
    source.rewritten(writer.text, writer.parts)
}

struct Writer<'a> {
    source: &'a Source,
    text: String,
    parts: Vec<Part>,
}

impl Writer<'_> {
    fn node(&mut self, node: &At<Node>) {
        self.parts.push(Part { start: self.text.len(), span: node.span.clone() });
        match &node.value {
            Node::Text(text) => self.text(text),
            // As the author spelled it: a spelling that JSON has not is an error of its own.
            Node::Bare(_) => match self.source.text(&node.span) {
                "" => self.text.push('~'),
                written => self.text.push_str(written),
            },
            Node::List(items) => {
                self.text.push('[');
                for item in items {
                    self.node(item);
                    self.text.push_str(", ");
                }
                self.text.push(']');
            }
            Node::Members(members) => {
                self.text.push('{');
                for (key, value) in members {
                    self.parts.push(Part { start: self.text.len(), span: key.span.clone() });
                    self.text(&key.value);
                    self.text.push_str(": ");
                    self.node(value);
                    self.text.push_str(", ");
                }
                self.text.push('}');
            }
        }
    }

    /// Text in quotes: what JSON escapes, YAML reads alike.
    fn text(&mut self, text: &str) {
        self.text.push_str(&Value::from(text).to_string());
    }
}
