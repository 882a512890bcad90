//! A request body as a tree. It preserves what validation needs: the spelling of numbers, the order
//! of members, and which members are duplicates.

use std::borrow::Cow;
use std::cmp::Ordering;

use fallproof_protocol::json::{Token, Tokens, unescaped};
use serde_json::Number;

use super::Map;
use super::path::Step;

/// Maximum nesting depth. Deeper bodies are refused as invalid JSON, as in `serde_json`.
const MAX_DEPTH: usize = 127;

/// A value in a body. A number is stored as it was spelled, so that numbers of any size are exact.
#[derive(Debug)]
pub(super) enum Value<'a> {
    Null,
    Bool(bool),
    Number(&'a str),
    String(Cow<'a, str>),
    Array(Vec<Self>),
    Object(Object<'a>),
    /// An uploaded file, in forms only. Its content is ignored.
    File,
}

/// An object. If a key is repeated, the last value counts, but the member stays at the position of
/// the first one.
#[derive(Debug, Default)]
pub(super) struct Object<'a> {
    pub(super) members: Map<Cow<'a, str>, Value<'a>>,
    /// Index of the first member whose key is repeated.
    repeated: Option<usize>,
}

impl<'a> Object<'a> {
    /// Inserts a member, and records whether its key is repeated.
    pub(super) fn insert(&mut self, key: Cow<'a, str>, value: Value<'a>) {
        let (at, before) = self.members.insert_full(key, value);
        if before.is_some() {
            self.repeated = Some(self.repeated.map_or(at, |first| first.min(at)));
        }
    }

    pub(super) fn get(&self, key: &str) -> Option<&Value<'a>> {
        self.members.get(key)
    }
}

/// The kind of a value. Like Python, the providers distinguish `1` from `1.0` and `1e0`: a number
/// with a decimal point or an exponent is a decimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Null,
    Bool,
    Integer,
    Decimal,
    String,
    Array,
    Object,
    File,
}

impl Value<'_> {
    pub(super) fn kind(&self) -> Kind {
        match self {
            Self::Null => Kind::Null,
            Self::Bool(_) => Kind::Bool,
            Self::Number(text) if text.contains(['.', 'e', 'E']) => Kind::Decimal,
            Self::Number(_) => Kind::Integer,
            Self::String(_) => Kind::String,
            Self::Array(_) => Kind::Array,
            Self::Object(_) => Kind::Object,
            Self::File => Kind::File,
        }
    }

    /// Whether this value equals a value from the schema. Numbers are compared by value, not by
    /// spelling.
    pub(super) fn equals(&self, other: &serde_json::Value) -> bool {
        use serde_json::Value as Json;

        match (self, other) {
            (Self::Null, Json::Null) => true,
            (Self::Bool(a), Json::Bool(b)) => a == b,
            (Self::String(a), Json::String(b)) => a == b,
            (Self::Number(a), Json::Number(b)) => compare(a, b) == Some(Ordering::Equal),
            _ => false,
        }
    }

    /// Path of the first member whose key is repeated, in body order.
    pub(super) fn repeated_key(&self) -> Option<Vec<Step<'_>>> {
        match self {
            Self::Array(items) => items
                .iter()
                .enumerate()
                .find_map(|(index, item)| Some(led_by(Step::Index(index), item.repeated_key()?))),
            Self::Object(Object { members, repeated }) => {
                members.iter().enumerate().find_map(|(index, (key, value))| {
                    let below =
                        if *repeated == Some(index) { Some(vec![]) } else { value.repeated_key() };
                    Some(led_by(Step::Key(key), below?))
                })
            }
            _ => None,
        }
    }
}

/// Compares the values of two numbers: one as spelled in a body, and one from the schema.
pub(super) fn compare(spelled: &str, other: &Number) -> Option<Ordering> {
    match (spelled.parse::<i128>(), other.as_i128()) {
        (Ok(spelled), Some(other)) => Some(spelled.cmp(&other)),
        // Every JSON number can be read as f64; a number that is too large becomes infinite.
        _ => spelled.parse::<f64>().ok()?.partial_cmp(&other.as_f64()?),
    }
}

fn led_by<'a>(first: Step<'a>, mut path: Vec<Step<'a>>) -> Vec<Step<'a>> {
    path.insert(0, first);
    path
}

/// Parses a body. Returns `None` if the body is not JSON or not UTF-8, contains an unpaired
/// surrogate, or is nested deeper than 127 levels.
pub(super) fn read(body: &[u8]) -> Option<Value<'_>> {
    read_value(&mut Tokens::of(body).ok()?, 0)
}

fn read_value<'a>(tokens: &mut Tokens<'a>, depth: usize) -> Option<Value<'a>> {
    let token = tokens.next()?;
    if depth == MAX_DEPTH && matches!(token, Token::Object | Token::Array) {
        return None;
    }
    Some(match token {
        Token::Object => {
            let mut object = Object::default();
            while let Some(Token::Scalar(key)) = tokens.next() {
                object.insert(unescaped(key).ok()?, read_value(tokens, depth + 1)?);
            }
            Value::Object(object)
        }
        Token::Array => {
            let mut items = Vec::new();
            while !tokens.at_end() {
                items.push(read_value(tokens, depth + 1)?);
            }
            Value::Array(items)
        }
        Token::Scalar("null") => Value::Null,
        Token::Scalar("true") => Value::Bool(true),
        Token::Scalar("false") => Value::Bool(false),
        Token::Scalar(text) if text.starts_with('"') => Value::String(unescaped(text).ok()?),
        Token::Scalar(number) => Value::Number(number),
        Token::End => return None,
    })
}
