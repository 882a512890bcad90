//! Parsing of values that are either a word (`events`) or a mapping from one word to a value
//! (`{ bytes: 7 }`).
//!
//! If a value has neither form, the error lists the valid ones. A derived parser would give a
//! misleading error: if a word lacks its value, it would take the next YAML key as the value.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::{Error as NotAWord, MapAccessDeserializer};
use serde::de::{Error, IgnoredAny, IntoDeserializer, MapAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

use super::{Chunking, CutPoint, HeadFault};

pub(super) fn head<'de, D: Deserializer<'de>>(read: D) -> Result<Option<HeadFault>, D::Error> {
    word(read, "`garbage` or `{ content_length_off_by: 5 }`").map(Some)
}

pub(super) fn write<'de, D: Deserializer<'de>>(read: D) -> Result<Option<Chunking>, D::Error> {
    word(read, "`events` or `{ bytes: 7 }`").map(Some)
}

pub(super) fn at<'de, D: Deserializer<'de>>(read: D) -> Result<CutPoint, D::Error> {
    word(read, "`before_head`, `after_head`, `{ body_bytes: 20 }` or `{ events: 2 }`")
}

fn word<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    read: D,
    forms: &'static str,
) -> Result<T, D::Error> {
    read.deserialize_any(Word { forms, value: PhantomData })
}

struct Word<T> {
    forms: &'static str,
    value: PhantomData<T>,
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Word<T> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.forms)
    }

    fn visit_str<E: Error>(self, word: &str) -> Result<T, E> {
        T::deserialize(IntoDeserializer::<NotAWord>::into_deserializer(word))
            .map_err(|_| E::invalid_value(Unexpected::Str(word), &self))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<T, A::Error> {
        let value = T::deserialize(MapAccessDeserializer::new(&mut map))?;
        match map.next_key::<IgnoredAny>()? {
            None => Ok(value),
            Some(_) => Err(A::Error::invalid_value(Unexpected::Other("more than one key"), &self)),
        }
    }
}
