//! A schema node and its keywords.

use serde::{Deserialize, Deserializer};
use serde_json::{Number, Value as Json};

use crate::body::Kind;
use crate::{Map, Strength};

/// A schema node. An absent keyword imposes no restriction.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Node {
    /// Index into [`Schema::definitions`]; see [`link`].
    #[serde(rename = "$ref")]
    pub(super) reference: Option<usize>,
    #[serde(rename = "type", deserialize_with = "kinds")]
    pub(crate) kinds: Kinds,
    #[serde(rename = "enum")]
    pub(crate) choices: Option<Vec<Json>>,
    #[serde(rename = "anyOf")]
    pub(crate) branches: Vec<Node>,
    /// Properties that select the branch for an object. They are applied in this order.
    #[serde(rename = "x-discriminator", deserialize_with = "one_or_more")]
    pub(crate) tags: Vec<String>,
    /// Strength of violations of this node's own restrictions. If absent, the strength depends on
    /// the depth of the value and on the kind of restriction.
    #[serde(rename = "x-strength")]
    pub(crate) strength: Option<Strength>,
    pub(crate) properties: Map<String, Node>,
    pub(crate) required: Vec<String>,
    #[serde(rename = "additionalProperties")]
    pub(crate) others: Others,
    /// Members that are not in the documentation but were never seen to be refused. Such a member
    /// is a documented violation, whatever `strength` says.
    #[serde(rename = "x-unproven")]
    pub(crate) unproven: Vec<String>,
    /// Required members or discriminators whose absence the live service was seen to refuse. Their
    /// absence is an observed violation, whatever `strength` says.
    #[serde(rename = "x-missed")]
    pub(crate) missed: Vec<String>,
    pub(crate) max_properties: Option<usize>,
    pub(crate) items: Option<Box<Node>>,
    pub(crate) min_items: Option<usize>,
    pub(crate) max_items: Option<usize>,
    pub(crate) min_length: Option<usize>,
    pub(crate) max_length: Option<usize>,
    pub(crate) pattern: Option<Pattern>,
    pub(crate) minimum: Option<Number>,
    pub(crate) maximum: Option<Number>,
}

impl Node {
    /// Strength of the violation if an object has the unknown member `name`.
    pub(crate) fn strength_of_unknown(&self, name: &str) -> Strength {
        if self.unproven.iter().any(|one| one == name) {
            Strength::Documented
        } else {
            self.strength_of_limits()
        }
    }

    /// Strength of a violation of a range, length or pattern.
    pub(crate) fn strength_of_limits(&self) -> Strength {
        self.strength.unwrap_or(Strength::Documented)
    }
}

/// What the schema of an object says about members that are not in its `properties`.
#[derive(Debug, Default, Deserialize)]
#[serde(from = "BoolOrNode")]
pub(crate) enum Others {
    #[default]
    Open,
    Closed,
    Each(Box<Node>),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum BoolOrNode {
    Bool(bool),
    Node(Box<Node>),
}

impl From<BoolOrNode> for Others {
    fn from(value: BoolOrNode) -> Self {
        match value {
            BoolOrNode::Bool(true) => Self::Open,
            BoolOrNode::Bool(false) => Self::Closed,
            BoolOrNode::Node(node) => Self::Each(node),
        }
    }
}

/// A set of value kinds; all kinds if the schema has no `type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kinds(u8);

impl Default for Kinds {
    fn default() -> Self {
        Self(u8::MAX)
    }
}

impl Kinds {
    pub(crate) fn has(self, kind: Kind) -> bool {
        self.0 & Self::bit(kind) != 0
    }

    fn bit(kind: Kind) -> u8 {
        1 << kind as u8
    }
}

fn kinds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Kinds, D::Error> {
    use serde::de::Error as _;

    let mut bits = 0;
    for name in one_or_more(deserializer)? {
        bits |= match name.as_str() {
            "null" => Kinds::bit(Kind::Null),
            "boolean" => Kinds::bit(Kind::Bool),
            "integer" => Kinds::bit(Kind::Integer),
            "number" => Kinds::bit(Kind::Integer) | Kinds::bit(Kind::Decimal),
            "string" => Kinds::bit(Kind::String),
            "array" => Kinds::bit(Kind::Array),
            "object" => Kinds::bit(Kind::Object),
            "file" => Kinds::bit(Kind::File),
            _ => return Err(D::Error::custom(format!("unknown type: {name}"))),
        };
    }
    Ok(Kinds(bits))
}

fn one_or_more<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OneOrMore {
        One(String),
        More(Vec<String>),
    }

    Ok(match OneOrMore::deserialize(deserializer)? {
        OneOrMore::One(one) => vec![one],
        OneOrMore::More(more) => more,
    })
}

/// A pattern. The only supported form is `^[…]+$`, where the brackets contain single characters and
/// ranges.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Pattern {
    pub(crate) text: String,
    ranges: Vec<(char, char)>,
}

impl Pattern {
    pub(crate) fn matches(&self, text: &str) -> bool {
        let allowed = |c| self.ranges.iter().any(|&(from, to)| (from..=to).contains(&c));
        !text.is_empty() && text.chars().all(allowed)
    }
}

impl TryFrom<String> for Pattern {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let class = text.strip_prefix("^[").and_then(|rest| rest.strip_suffix("]+$"));
        let mut rest = match class {
            Some(class) if !class.starts_with('^') && !class.contains(['[', ']', '\\']) => {
                class.chars().peekable()
            }
            _ => {
                return Err(format!(
                    "unsupported pattern (only the form ^[…]+$ is supported): {text}"
                ));
            }
        };
        let mut ranges = Vec::new();
        while let Some(from) = rest.next() {
            let to = match (rest.next_if_eq(&'-'), rest.peek()) {
                (Some(_), Some(&to)) => {
                    rest.next();
                    to
                }
                (Some(_), None) => {
                    ranges.push(('-', '-'));
                    from
                }
                (None, _) => from,
            };
            ranges.push((from, to));
        }
        Ok(Self { text, ranges })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_matches_exactly_its_characters() {
        let pattern =
            Pattern::try_from("^[a-zA-Z0-9_-]+$".to_owned()).expect("a supported pattern");
        assert!(pattern.matches("get_Weather-2"));
        for refused in ["", "a b", "naïve", "a.b", "line\n"] {
            assert!(!pattern.matches(refused), "{refused:?}");
        }
        Pattern::try_from("^a+$".to_owned()).expect_err("another form");
    }
}
