//! Values with their positions, and optional values.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Range;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::value::SeqAccessDeserializer;
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_saphyr::Spanned;

/// The name of the newtype by which [`At`] requests its position from a tree.
pub(super) const AT: &str = "fallproof::At";

/// A value and its span in the file, in bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct At<T> {
    /// The value.
    pub value: T,
    /// Its span. For a mapping or a list, the span of its start.
    pub span: Range<usize>,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for At<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Placed<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Placed<T> {
            type Value = At<T>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a value with its position")
            }

            /// Reads from a tree, which knows the name of the newtype.
            fn visit_seq<A: SeqAccess<'de>>(self, parts: A) -> Result<At<T>, A::Error> {
                let (start, end, value) =
                    Deserialize::deserialize(SeqAccessDeserializer::new(parts))?;
                Ok(At { value, span: start..end })
            }

            /// Reads from a file's text, with the parser's own mechanism.
            fn visit_newtype_struct<D: Deserializer<'de>>(
                self,
                deserializer: D,
            ) -> Result<At<T>, D::Error> {
                let Spanned { value, defined, .. } = Spanned::deserialize(deserializer)?;
                // An error in the value of an alias is reported at the anchor.
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

/// An optional value. A key without a value is an error, not `None`.
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

/// Gives a wrapper the schema of its content, because the wrapper itself is not visible in the
/// file.
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
