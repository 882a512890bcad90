//! What was asked, member by member.

use std::borrow::Cow;
use std::collections::HashMap;

use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use super::tokens_in;
use crate::strict::FormField;

/// The top-level members of a request's body, each as it was spelled.
#[derive(Debug, Default)]
pub struct Members<'a>(HashMap<String, Cow<'a, RawValue>>);

impl<'a> Members<'a> {
    /// The members of a JSON text; of one name the last. A body that is no object has none.
    ///
    /// # Errors
    /// The text is not JSON.
    pub fn of(body: &'a [u8]) -> Result<Self, serde_json::Error> {
        let whole: &RawValue = serde_json::from_slice(body)?;
        let members: HashMap<String, &RawValue> =
            serde_json::from_str(whole.get()).unwrap_or_default();
        let borrowed = members.into_iter().map(|(name, value)| (name, Cow::Borrowed(value)));
        Ok(Self(borrowed.collect()))
    }

    /// The texts of a form, the items of a list (`name[]`) as an array. `true` and `false` count
    /// as such; files are left out.
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
        let owned = members.into_iter().map(|(name, value)| {
            (name, Cow::Owned(to_raw_value(&value).expect("a value can be written")))
        });
        Self(owned.collect())
    }

    /// The member of this name, where it is there and of this type.
    pub fn get<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        serde_json::from_str(self.0.get(name)?.get()).ok()
    }

    /// The member of this name, `Null` where there is none.
    pub(super) fn value(&self, name: &str) -> Value {
        self.get(name).unwrap_or_default()
    }

    /// The member of this name as it was sent, or else `default`.
    pub(super) fn or(&self, name: &str, default: Value) -> Value {
        self.get(name).unwrap_or(default)
    }

    /// About how many tokens a member holds, by the rule of thumb of four bytes a token.
    pub(super) fn tokens(&self, name: &str) -> usize {
        self.0.get(name).map_or(0, |value| tokens_in(value.get()))
    }
}
