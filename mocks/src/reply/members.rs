//! The parameters of a request.

use std::borrow::Cow;

use fallproof_protocol::json::{Token, Tokens, unescaped};
use fallproof_strict::FormField;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::tokens_in;

/// The top-level members of a request body: names, and values as JSON text.
#[derive(Debug, Default)]
pub struct Members<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> Members<'a> {
    /// The members of a JSON body; empty if the body is not an object. If a member occurs twice,
    /// its last value counts.
    ///
    /// # Errors
    /// The body is not JSON.
    pub fn of(body: &'a [u8]) -> Result<Self, serde_json::Error> {
        let mut tokens = Tokens::of(body)?;
        let mut members = Vec::new();
        if tokens.next() == Some(Token::Object) {
            while let Some(Token::Scalar(name)) = tokens.next() {
                let Ok(name) = unescaped(name) else { return Ok(Self::default()) };
                members.push((name, Cow::Borrowed(tokens.skip_value())));
            }
        }
        Ok(Self(members))
    }

    /// The fields of a form as members. List items (`name[]`) become an array, `true` and `false`
    /// become booleans, and files are left out.
    pub fn of_form(fields: &[FormField<'_>]) -> Self {
        let mut members = serde_json::Map::new();
        for field in fields.iter().filter(|field| field.filename.is_none()) {
            let text = String::from_utf8_lossy(field.value).into_owned();
            let Some(list) = field.name.strip_suffix("[]") else {
                let value = text.to_ascii_lowercase().parse().map_or(text.into(), Value::Bool);
                members.insert(field.name.to_owned(), value);
                continue;
            };
            let list = members.entry(list).or_insert(Value::Array(Vec::new()));
            if let Value::Array(items) = list {
                items.push(text.into());
            }
        }
        let spelled = |(name, value): (String, Value)| (name.into(), value.to_string().into());
        Self(members.into_iter().map(spelled).collect())
    }

    /// The member with this name, if it exists and has the type `T`.
    pub fn get<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        serde_json::from_str(self.spelled(name)?).ok()
    }

    /// The member with this name; `Null` if absent.
    pub(super) fn value(&self, name: &str) -> Value {
        self.get(name).unwrap_or_default()
    }

    /// The member with this name; `default` if absent.
    pub(super) fn or(&self, name: &str, default: Value) -> Value {
        self.get(name).unwrap_or(default)
    }

    /// Approximate token count of a member, at four bytes per token.
    pub(super) fn tokens(&self, name: &str) -> usize {
        self.spelled(name).map_or(0, tokens_in)
    }

    fn spelled(&self, name: &str) -> Option<&str> {
        let (_, value) = self.0.iter().rfind(|(member, _)| member == name)?;
        Some(value)
    }
}
