//! Deserializes Rust types from a tree of nodes.

use std::fmt;
use std::ops::Range;

use serde::Deserializer;
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeSeed, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::Value;

use super::at::{AT, At};
use super::misfit::{Misfit, Mistake};
use super::node::{Members, Node};

/// Deserializer for a node of a tree, or for the key of a member.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'de> {
    view: View<'de>,
    span: &'de Range<usize>,
}

#[derive(Debug, Clone, Copy)]
enum View<'de> {
    Text(&'de str),
    Bare(&'de Value),
    List(&'de [At<Node>]),
    Members(&'de Members),
}

impl<'de> Reader<'de> {
    pub(super) fn node(node: &'de At<Node>) -> Self {
        let view = match &node.value {
            Node::Text(text) => View::Text(text),
            Node::Bare(value) => View::Bare(value),
            Node::List(items) => View::List(items),
            Node::Members(members) => View::Members(members),
        };
        Self { view, span: &node.span }
    }

    fn key(key: &'de At<String>) -> Self {
        Self { view: View::Text(&key.value), span: &key.span }
    }

    fn misfit(self, mistake: Mistake) -> Misfit {
        Misfit::from(mistake).at(self.span)
    }

    fn expected(self, expected: impl Into<String>) -> Misfit {
        match self.view {
            View::Text(_) | View::Bare(_) => self.misfit(Mistake::expected(expected)),
            View::List(_) | View::Members(_) => self.misfit(Mistake::no_single_value()),
        }
    }

    /// Reads a string. A number or a similar value must be quoted.
    fn text(self) -> Result<&'de str, Misfit> {
        match self.view {
            View::Text(text) => Ok(text),
            View::Bare(Value::Null) => Err(self.misfit(Mistake::no_value())),
            View::Bare(_) => Err(self.misfit(Mistake::NotQuoted)),
            View::List(_) | View::Members(_) => Err(self.misfit(Mistake::no_single_value())),
        }
    }

    /// Reads a whole number. It may be in quotes, because YAML keys are read as strings.
    fn whole_number<T>(self, least: T, most: T) -> Result<T, Misfit>
    where
        T: Copy + TryFrom<i128> + fmt::Display,
    {
        let number = match self.view {
            View::Bare(Value::Number(number)) => number.as_i128(),
            View::Text(text) => text.trim().parse().ok(),
            _ => None,
        };
        let number = number.and_then(|number| T::try_from(number).ok());
        number.ok_or_else(|| self.expected(format!("a whole number from {least} to {most}")))
    }
}

macro_rules! whole_numbers {
    ($($deserialize:ident, $visit:ident: $type:ident;)*) => {$(
        fn $deserialize<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
            let number = self.whole_number($type::MIN, $type::MAX)?;
            // Types that exclude zero have messages of their own.
            visitor.$visit(number).map_err(|error| match number {
                0 if $type::MIN == 0 => Mistake::expected("a whole number of at least 1, found `0`").into(),
                0 => Mistake::expected("a whole number other than 0, found `0`").into(),
                _ => error,
            })
        }
    )*};
}

impl<'de> Deserializer<'de> for Reader<'de> {
    type Error = Misfit;

    whole_numbers! {
        deserialize_i8, visit_i8: i8;
        deserialize_i16, visit_i16: i16;
        deserialize_i32, visit_i32: i32;
        deserialize_i64, visit_i64: i64;
        deserialize_u8, visit_u8: u8;
        deserialize_u16, visit_u16: u16;
        deserialize_u32, visit_u32: u32;
        deserialize_u64, visit_u64: u64;
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.view {
            View::Text(text) => visitor.visit_borrowed_str(text),
            View::Bare(Value::Bool(value)) => visitor.visit_bool(*value),
            View::Bare(Value::Number(number)) => match (number.as_u64(), number.as_i64()) {
                (Some(number), _) => visitor.visit_u64(number),
                (_, Some(number)) => visitor.visit_i64(number),
                _ => visitor.visit_f64(number.as_f64().unwrap_or_default()),
            },
            // Only null remains, because strings, lists and mappings are other views.
            View::Bare(_) => visitor.visit_unit(),
            View::List(_) => self.deserialize_seq(visitor),
            View::Members(_) => self.deserialize_map(visitor),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.view {
            View::Bare(Value::Bool(value)) => visitor.visit_bool(*value),
            View::Text("true") => visitor.visit_bool(true),
            View::Text("false") => visitor.visit_bool(false),
            _ => Err(self.expected("`true` or `false`")),
        }
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        let number = match self.view {
            View::Bare(Value::Number(number)) => number.as_f64(),
            View::Text(text) => text.trim().parse().ok(),
            _ => None,
        };
        visitor.visit_f64(number.ok_or_else(|| self.expected("a number"))?)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_borrowed_str(self.text()?)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.view {
            View::Bare(Value::Null) => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.view {
            View::Bare(Value::Null) => visitor.visit_unit(),
            _ => Err(self.misfit(Mistake::Other("this key takes no value".to_owned()))),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        if name == AT {
            visitor.visit_seq(Place { reader: self, given: 0 })
        } else {
            visitor.visit_newtype_struct(self)
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.view {
            View::List(items) => visitor.visit_seq(Items(items.iter())),
            _ => Err(self.misfit(Mistake::NoList)),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        let View::Members(members) = self.view else {
            return Err(self.misfit(Mistake::no_mapping()));
        };
        let mut rest = Rest { members: members.iter(), value: None, span: self.span };
        // A missing key is reported at the last key that is present.
        visitor.visit_map(&mut rest).map_err(|error| error.at(rest.span))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        words: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        match self.view {
            View::Text(word) => {
                let word = word.into_deserializer();
                visitor.visit_enum(word).map_err(|error: Misfit| error.at(self.span))
            }
            View::Members(members) if members.len() == 1 => {
                let member = Rest { members: members.iter(), value: None, span: self.span };
                MapAccessDeserializer::new(member).deserialize_enum(name, words, visitor)
            }
            View::Bare(_) => Err(self.misfit(Mistake::NotQuoted)),
            View::List(_) | View::Members(_) => {
                Err(self.misfit(Mistake::expected("a single value")))
            }
        }
    }

    forward_to_deserialize_any! {
        i128 u128 f32 char bytes byte_buf unit_struct tuple tuple_struct ignored_any
    }
}

/// The sequence that [`At`] requests: start, end, value.
struct Place<'de> {
    reader: Reader<'de>,
    given: usize,
}

impl<'de> SeqAccess<'de> for Place<'de> {
    type Error = Misfit;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Misfit> {
        self.given += 1;
        match self.given {
            1 => seed.deserialize(self.reader.span.start.into_deserializer()).map(Some),
            2 => seed.deserialize(self.reader.span.end.into_deserializer()).map(Some),
            3 => seed.deserialize(self.reader).map(Some),
            _ => Ok(None),
        }
    }
}

/// The items of a list.
struct Items<'de>(std::slice::Iter<'de, At<Node>>);

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = Misfit;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Misfit> {
        let read =
            |item| seed.deserialize(Reader::node(item)).map_err(|error| error.at(&item.span));
        self.0.next().map(read).transpose()
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.0.len())
    }
}

/// The unread members of a mapping.
struct Rest<'de> {
    members: indexmap::map::Iter<'de, At<String>, At<Node>>,
    /// The value of the key that was read last.
    value: Option<&'de At<Node>>,
    /// The position for errors that have none: the key that was read last, or initially the
    /// mapping.
    span: &'de Range<usize>,
}

impl<'de> MapAccess<'de> for Rest<'de> {
    type Error = Misfit;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Misfit> {
        let Some((key, value)) = self.members.next() else { return Ok(None) };
        (self.value, self.span) = (Some(value), &key.span);
        seed.deserialize(Reader::key(key)).map(Some).map_err(|error| error.at(&key.span))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Misfit> {
        let value = self.value.take().ok_or(Mistake::no_value())?;
        seed.deserialize(Reader::node(value)).map_err(|error| error.at(self.span))
    }
}
