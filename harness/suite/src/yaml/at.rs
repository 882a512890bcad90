//! Values with their places, and values that may be left out.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Range;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::value::SeqAccessDeserializer;
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_saphyr::Spanned;

/// The name of the newtype by which [`At`] asks a tree for its place.
pub(super) const AT: &str = "fallproof::At";

/// A value and where it is written, as bytes of the file.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct At<T> {
    /// The value.
    pub value: T,
    /// Its place; of a mapping or list, the place of its beginning.
    pub span: Range<usize>,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for At<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Placed<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Placed<T> {
            type Value = At<T>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a value with its place")
            }

            /// Out of a tree, which knows the name.
            fn visit_seq<A: SeqAccess<'de>>(self, parts: A) -> Result<At<T>, A::Error> {
                let (start, end, value) =
                    Deserialize::deserialize(SeqAccessDeserializer::new(parts))?;
                Ok(At { value, span: start..end })
            }

            /// Out of a file's text, by the parser's own way.
            fn visit_newtype_struct<D: Deserializer<'de>>(
                self,
                deserializer: D,
            ) -> Result<At<T>, D::Error> {
                let Spanned { value, defined, .. } = Spanned::deserialize(deserializer)?;
                // Where an alias stands for the value, the mistake is at the anchor.
                let span = defined.span();
                let byte = |offset: Option<u64>| offset.and_then(|it| usize::try_from(it).ok());
                let start = byte(span.byte_offset()).unwrap_or_default();
                let end = start + byte(span.byte_len()).unwrap_or_default();
                Ok(At { value, span: start..end })
            }
        }

        deserializer.deserialize_newtype_struct(AT, Placed(PhantomData))
    }
}

/// A value that may be left out; but a key without a value is an error, not `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Optional<T>(pub Option<T>);

impl<T> Default for Optional<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Optional<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(|value| Self(Some(value)))
    }
}

/// Wrappers that are not seen in the file have the schema of what they hold.
macro_rules! schema_of_the_value {
    ($wrapper:ident) => {
        impl<T: JsonSchema> JsonSchema for $wrapper<T> {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                T::schema_name()
            }

            fn schema_id() -> std::borrow::Cow<'static, str> {
                T::schema_id()
            }

            fn inline_schema() -> bool {
                T::inline_schema()
            }

            fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                T::json_schema(generator)
            }
        }
    };
}

schema_of_the_value!(At);
schema_of_the_value!(Optional);
