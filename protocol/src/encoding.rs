//! JSON encoding of the bytes and times in evidence. Bytes are written as a string if possible and
//! as base64 if not; times are written as integers. Reading restores exactly the bytes that were
//! written.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::{DeserializeOwned, Error, MapAccess, Unexpected, Visitor};
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Name of the JSON member that holds bytes as base64.
const BASE64: &str = "base64";

/// Bytes. In JSON, they are a string or, if that is impossible or longer, `{"base64": "…"}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bytes<'a>(pub Cow<'a, [u8]>);

impl Bytes<'_> {
    /// The bytes as a string. `None` if they are not UTF-8, or if the string would need so many
    /// JSON escapes that base64 is shorter.
    fn as_text(&self) -> Option<&str> {
        let text = std::str::from_utf8(&self.0).ok()?;
        let longer: usize = text.bytes().map(escape).sum();
        (longer <= text.len() / 3).then_some(text)
    }
}

/// Number of extra bytes that JSON needs to escape this byte.
fn escape(byte: u8) -> usize {
    match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 8 | 12 => 1,
        0..0x20 => 5,
        _ => 0,
    }
}

impl Serialize for Bytes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if let Some(text) = self.as_text() {
            return serializer.serialize_str(text);
        }
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry(BASE64, &STANDARD.encode(&self.0))?;
        map.end()
    }
}

impl<'de> Deserialize<'de> for Bytes<'static> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextOrBase64;

        impl<'de> Visitor<'de> for TextOrBase64 {
            type Value = Vec<u8>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("bytes: a string, or an object with the member `base64`")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Vec<u8>, E> {
                Ok(text.as_bytes().to_vec())
            }

            fn visit_string<E: Error>(self, text: String) -> Result<Vec<u8>, E> {
                Ok(text.into_bytes())
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vec<u8>, A::Error> {
                let Some((name, text)) = map.next_entry::<String, String>()? else {
                    return Err(A::Error::missing_field(BASE64));
                };
                if name != BASE64 {
                    return Err(A::Error::unknown_field(&name, &[BASE64]));
                }
                if let Some(name) = map.next_key::<String>()? {
                    return Err(A::Error::unknown_field(&name, &[BASE64]));
                }
                STANDARD
                    .decode(&text)
                    .map_err(|_| A::Error::invalid_value(Unexpected::Other("other text"), &BASE64))
            }
        }

        deserializer.deserialize_any(TextOrBase64).map(|bytes| Self(Cow::Owned(bytes)))
    }
}

/// A type whose JSON form is defined by this module.
pub trait Encoded: Sized {
    /// The type that is serialized instead of this one.
    type Written<'a>: Serialize
    where
        Self: 'a;
    /// The type that is deserialized instead of this one.
    type Read: DeserializeOwned;

    /// Converts this value to the type that is serialized.
    fn written(&self) -> Self::Written<'_>;

    /// Creates a value from what was deserialized.
    fn of_read(read: Self::Read) -> Self;
}

/// Serializes the value; for `#[serde(with = "encoding")]`.
///
/// # Errors
/// The serializer fails.
pub fn serialize<T: Encoded, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    value.written().serialize(serializer)
}

/// Deserializes a value; for `#[serde(with = "encoding")]`.
///
/// # Errors
/// The deserializer fails.
pub fn deserialize<'de, T: Encoded, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    T::Read::deserialize(deserializer).map(T::of_read)
}

impl Encoded for Vec<u8> {
    type Written<'a> = Bytes<'a>;
    type Read = Bytes<'static>;

    fn written(&self) -> Bytes<'_> {
        Bytes(Cow::Borrowed(self))
    }

    fn of_read(read: Bytes<'static>) -> Self {
        read.0.into_owned()
    }
}

/// Header names and values.
impl Encoded for Vec<(String, Vec<u8>)> {
    type Written<'a> = Vec<(&'a str, Bytes<'a>)>;
    type Read = Vec<(String, Bytes<'static>)>;

    fn written(&self) -> Self::Written<'_> {
        self.iter().map(|(name, value)| (name.as_str(), value.written())).collect()
    }

    fn of_read(read: Self::Read) -> Self {
        read.into_iter().map(|(name, value)| (name, Vec::of_read(value))).collect()
    }
}

/// A duration is written as a number of nanoseconds. A duration that was read is therefore at most
/// 584 years, and a sum of a few such durations does not overflow.
impl Encoded for Duration {
    type Written<'a> = u64;
    type Read = u64;

    fn written(&self) -> u64 {
        u64::try_from(self.as_nanos()).unwrap_or(u64::MAX)
    }

    fn of_read(read: u64) -> Self {
        Self::from_nanos(read)
    }
}

impl Encoded for Option<Duration> {
    type Written<'a> = Option<u64>;
    type Read = Option<u64>;

    fn written(&self) -> Option<u64> {
        self.as_ref().map(Duration::written)
    }

    fn of_read(read: Option<u64>) -> Self {
        read.map(Duration::of_read)
    }
}

/// The pieces of a transmission. Each has a time and an end offset.
impl Encoded for Vec<(Duration, usize)> {
    type Written<'a> = Vec<(u64, usize)>;
    type Read = Vec<(u64, usize)>;

    fn written(&self) -> Self::Read {
        self.iter().map(|(at, end)| (at.written(), *end)).collect()
    }

    fn of_read(read: Self::Read) -> Self {
        read.into_iter().map(|(at, end)| (Duration::of_read(at), end)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(bytes: &[u8]) -> (String, Vec<u8>) {
        let json = serde_json::to_string(&bytes.to_vec().written()).expect("it is plain data");
        let read = serde_json::from_str(&json).unwrap_or_else(|error| panic!("{json}: {error}"));
        (json, Vec::of_read(read))
    }

    #[test]
    fn bytes_round_trip_as_text_or_base64() {
        for (bytes, json) in [
            (&b""[..], r#""""#),
            (b"{\"a\": 1}, a line\r\n", r#""{\"a\": 1}, a line\r\n""#),
            ("na\u{ef}ve".as_bytes(), "\"na\u{ef}ve\""),
            (b"\xff\x00", r#"{"base64":"/wA="}"#),
            (b"\0\0\0\0\0\0", r#"{"base64":"AAAAAAAA"}"#),
        ] {
            assert_eq!(batch(bytes), (json.to_owned(), bytes.to_vec()));
        }
    }

    #[test]
    fn an_invalid_encoding_of_bytes_is_refused() {
        for json in ["7", "{}", r#"{"base64":"?"}"#, r#"{"hex":"00"}"#, r#"{"base64":"","a":""}"#] {
            assert!(serde_json::from_str::<Bytes<'static>>(json).is_err(), "{json}");
        }
    }
}
