//! The tree of a JSON text that keeps what a parsed `serde_json::Value` loses.

use std::borrow::Cow;
use std::fmt::Write as _;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// Nesting deeper than this is refused, as `serde_json` itself does: every walk over a tree is recursive.
const MAX_DEPTH: usize = 127;

/// A JSON value that keeps what a parsed `serde_json::Value` loses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tree {
    /// Members in the order sent, duplicates included; keys unescaped.
    Object(Vec<(String, Tree)>),
    /// Items in order.
    Array(Vec<Tree>),
    /// A string, number, boolean or null, as spelled (strings with quotes and escapes).
    Scalar(String),
}

impl Tree {
    /// Reads one JSON text.
    ///
    /// # Errors
    /// Where the bytes are not JSON (nesting beyond 127 levels included), in the parser's words.
    pub fn parse(bytes: &[u8]) -> serde_json::Result<Self> {
        let raw: &RawValue = serde_json::from_slice(bytes)?;
        Self::of(raw, 0)
    }

    fn of(raw: &RawValue, depth: usize) -> serde_json::Result<Self> {
        let text = raw.get();
        match text.as_bytes().first() {
            // Raw values are skipped whatever their depth, and not looked into.
            Some(b'{' | b'[') if depth == MAX_DEPTH => {
                Err(serde_json::Error::custom("nested too deeply"))
            }
            Some(b'{') => serde_json::from_str::<Members<'_>>(text)?
                .0
                .into_iter()
                .map(|(key, value)| Ok((key.into_owned(), Self::of(value, depth + 1)?)))
                .collect::<serde_json::Result<_>>()
                .map(Self::Object),
            Some(b'[') => serde_json::from_str::<Vec<&RawValue>>(text)?
                .into_iter()
                .map(|item| Self::of(item, depth + 1))
                .collect::<serde_json::Result<_>>()
                .map(Self::Array),
            _ => Ok(Self::Scalar(text.to_owned())),
        }
    }

    /// A string value in its plainest spelling.
    pub fn string(text: &str) -> Self {
        Self::Scalar(quoted(text))
    }

    /// The first member of this name, if this is an object that has it.
    pub fn member(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => {
                members.iter().find(|(key, _)| key == name).map(|(_, value)| value)
            }
            _ => None,
        }
    }

    /// This object with another string as its member `name`, where it has one.
    #[must_use]
    pub fn with(&self, name: &str, text: &str) -> Self {
        let mut tree = self.clone();
        if let Self::Object(members) = &mut tree
            && let Some((_, value)) = members.iter_mut().find(|(key, _)| key == name)
        {
            *value = Self::string(text);
        }
        tree
    }

    /// The text of a string value, unescaped.
    pub fn as_str(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Scalar(text) if text.starts_with('"') => {
                serde_json::from_str::<Text<'_>>(text).ok().map(|text| text.0)
            }
            _ => None,
        }
    }

    /// Several lines, keys sorted: for display and diffs only.
    pub fn canonical(&self) -> String {
        let mut out = String::new();
        self.write_canonical(&mut out, 0);
        out
    }

    /// One line, in the order sent.
    pub fn compact(&self) -> String {
        let mut out = String::new();
        self.write_compact(&mut out);
        out
    }

    fn write_compact(&self, out: &mut String) {
        match self {
            Self::Scalar(text) => out.push_str(text),
            Self::Array(items) => {
                out.push('[');
                for (position, item) in items.iter().enumerate() {
                    out.push_str(if position == 0 { "" } else { "," });
                    item.write_compact(out);
                }
                out.push(']');
            }
            Self::Object(members) => {
                out.push('{');
                for (position, (key, value)) in members.iter().enumerate() {
                    out.push_str(if position == 0 { "" } else { "," });
                    out.push_str(&quoted(key));
                    out.push(':');
                    value.write_compact(out);
                }
                out.push('}');
            }
        }
    }

    fn write_canonical(&self, out: &mut String, depth: usize) {
        let indent = |depth| "  ".repeat(depth);
        match self {
            Self::Object(members) if !members.is_empty() => {
                let mut sorted: Vec<_> = members.iter().collect();
                sorted.sort_by(|left, right| left.0.cmp(&right.0));
                out.push_str("{\n");
                for (position, (key, value)) in sorted.iter().enumerate() {
                    let _ = write!(out, "{}{}: ", indent(depth + 1), quoted(key));
                    value.write_canonical(out, depth + 1);
                    out.push_str(if position + 1 < sorted.len() { ",\n" } else { "\n" });
                }
                let _ = write!(out, "{}}}", indent(depth));
            }
            Self::Array(items) if !items.is_empty() => {
                out.push_str("[\n");
                for (position, item) in items.iter().enumerate() {
                    out.push_str(&indent(depth + 1));
                    item.write_canonical(out, depth + 1);
                    out.push_str(if position + 1 < items.len() { ",\n" } else { "\n" });
                }
                let _ = write!(out, "{}]", indent(depth));
            }
            _ => out.push_str(&self.compact()),
        }
    }
}

/// The text as JSON writes it.
pub fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a text can be written")
}

/// An object's members in order, duplicates included.
struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Members<'de>;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some((Text(key), value)) = map.next_entry()? {
                    members.push((key, value));
                }
                Ok(Members(members))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<Self::Value, A::Error> {
                Err(serde::de::Error::custom("an array where an object was expected"))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}

/// A string, borrowed where it holds no escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_nested_too_deeply_is_an_error_and_no_overflow() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(Tree::parse(nested(127).as_bytes()).is_ok());
        for depth in [128, 200_000] {
            let error = Tree::parse(nested(depth).as_bytes()).expect_err("it is too deep");
            assert_eq!(error.to_string(), "nested too deeply");
        }
        let objects = format!("{}1{}", "{\"a\":".repeat(20_000), "}".repeat(20_000));
        assert!(Tree::parse(objects.as_bytes()).is_err());
    }
}
