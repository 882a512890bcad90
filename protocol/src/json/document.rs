//! JSON tree that preserves what `serde_json::Value` loses.

use std::borrow::Cow;
use std::fmt::Write as _;

use serde::de::Error as _;

use super::tokens::{Token, Tokens, unescaped};

/// Maximum nesting depth, the same as in `serde_json`. Every walk over a tree is recursive, so
/// deeper nesting could overflow the stack.
const MAX_DEPTH: usize = 127;

/// JSON value that preserves what `serde_json::Value` loses: the order of members, duplicate keys
/// and spelling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tree {
    /// Members in the order sent, including duplicates, with unescaped keys.
    Object(Vec<(String, Tree)>),
    /// Items in order.
    Array(Vec<Tree>),
    /// A string, number, boolean or null, exactly as spelled. A string includes its quotes and
    /// escapes.
    Scalar(String),
}

impl Tree {
    /// Parses one JSON value.
    ///
    /// # Errors
    /// The bytes are not JSON, or the value is nested deeper than 127 levels.
    pub fn parse(bytes: &[u8]) -> serde_json::Result<Self> {
        Self::read(&mut Tokens::of(bytes)?, 0)
    }

    fn read(tokens: &mut Tokens<'_>, depth: usize) -> serde_json::Result<Self> {
        let token = tokens.next();
        if depth == MAX_DEPTH && matches!(token, Some(Token::Object | Token::Array)) {
            return Err(serde_json::Error::custom("nested too deeply"));
        }
        Ok(match token {
            Some(Token::Object) => {
                let mut members = Vec::new();
                while let Some(Token::Scalar(key)) = tokens.next() {
                    members.push((unescaped(key)?.into_owned(), Self::read(tokens, depth + 1)?));
                }
                Self::Object(members)
            }
            Some(Token::Array) => {
                let mut items = Vec::new();
                while !tokens.at_end() {
                    items.push(Self::read(tokens, depth + 1)?);
                }
                Self::Array(items)
            }
            Some(Token::Scalar(spelled)) => Self::Scalar(spelled.to_owned()),
            Some(Token::End) | None => return Err(serde_json::Error::custom("a value is missing")),
        })
    }

    /// A string value in canonical spelling.
    pub fn string(text: &str) -> Self {
        Self::Scalar(quoted(text))
    }

    /// The first member with this name; `None` if this is not an object or has no such member.
    pub fn member(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => {
                members.iter().find(|(key, _)| key == name).map(|(_, value)| value)
            }
            _ => None,
        }
    }

    /// Returns a copy of this value. If the value is an object with a member `name`, that member of
    /// the copy is set to `text`.
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

    /// The unescaped content of a string; `None` for other values.
    pub fn as_str(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Scalar(text) if text.starts_with('"') => unescaped(text).ok(),
            _ => None,
        }
    }

    /// Formats the value as indented JSON with sorted keys, for display and diffs only.
    pub fn canonical(&self) -> String {
        let mut out = String::new();
        self.write_canonical(&mut out, 0);
        out
    }

    /// Formats the value as JSON on one line, with members in the order sent.
    pub fn compact(&self) -> String {
        let mut out = String::new();
        self.write_compact(&mut out, false);
        out
    }

    /// Formats the value as JSON on one line, with sorted keys: two values that differ only in the
    /// order of keys have the same text.
    pub fn sorted(&self) -> String {
        let mut out = String::new();
        self.write_compact(&mut out, true);
        out
    }

    fn write_compact(&self, out: &mut String, is_sorted: bool) {
        match self {
            Self::Scalar(text) => out.push_str(text),
            Self::Array(items) => {
                out.push('[');
                for (position, item) in items.iter().enumerate() {
                    out.push_str(if position == 0 { "" } else { "," });
                    item.write_compact(out, is_sorted);
                }
                out.push(']');
            }
            Self::Object(members) => {
                let mut members: Vec<_> = members.iter().collect();
                if is_sorted {
                    members.sort_by_key(|(key, _)| key);
                }
                out.push('{');
                for (position, (key, value)) in members.into_iter().enumerate() {
                    out.push_str(if position == 0 { "" } else { "," });
                    out.push_str(&quoted(key));
                    out.push(':');
                    value.write_compact(out, is_sorted);
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

/// Formats `text` as a JSON string, with quotes and escapes.
pub fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a text can be written")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn excessive_nesting_is_an_error_and_not_a_stack_overflow() {
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
