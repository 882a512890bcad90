//! Kinds of failed attempts that can trigger a fallback.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use strum::Display;

/// A kind of failure that can trigger a fallback to the next deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Display)]
#[strum(serialize_all = "snake_case")]
pub enum Condition {
    /// The connection failed, or ended before the response was complete.
    Connection,
    /// The response, or the first content of a stream, did not arrive in time.
    Timeout,
    /// A success response that is empty, truncated or not of the requested kind.
    InvalidResponse,
    /// A response with a success status but with `error` in its body or stream.
    ErrorInSuccess,
    /// An error with exactly this status.
    #[strum(to_string = "{0}")]
    Status(u16),
    /// Any error status from 400 to 499, which blames the request.
    #[strum(to_string = "4xx")]
    Any4xx,
    /// Any error status from 500 to 599, which blames the provider.
    #[strum(to_string = "5xx")]
    Any5xx,
}

impl Condition {
    /// The default fallback conditions of the reference router.
    pub const RECOMMENDED: &[Self] = &[
        Self::Connection,
        Self::Timeout,
        Self::InvalidResponse,
        Self::ErrorInSuccess,
        Self::Status(401),
        Self::Status(403),
        Self::Status(404),
        Self::Status(408),
        Self::Status(409),
        Self::Status(429),
        Self::Any5xx,
    ];

    /// Whether `failure` is of this kind. Pass a failure with a status as [`Self::Status`].
    pub fn covers(self, failure: Self) -> bool {
        match (self, failure) {
            (Self::Any4xx, Self::Status(400..=499)) | (Self::Any5xx, Self::Status(500..=599)) => {
                true
            }
            (one, other) => one == other,
        }
    }

    fn read(text: &str) -> Option<Self> {
        Some(match text {
            "connection" => Self::Connection,
            "timeout" => Self::Timeout,
            "invalid_response" => Self::InvalidResponse,
            "error_in_success" => Self::ErrorInSuccess,
            "4xx" => Self::Any4xx,
            "5xx" => Self::Any5xx,
            other => Self::Status(other.parse().ok().filter(|code| (400..600).contains(code))?),
        })
    }
}

impl Serialize for Condition {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Status(code) => serializer.serialize_u16(*code),
            other => serializer.collect_str(other),
        }
    }
}

impl<'de> Deserialize<'de> for Condition {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct WordOrStatus;

        impl Visitor<'_> for WordOrStatus {
            type Value = Condition;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(
                    "`connection`, `timeout`, `invalid_response`, `error_in_success`, `4xx`, `5xx` or a status from 400 to 599",
                )
            }

            fn visit_u64<E: serde::de::Error>(self, code: u64) -> Result<Condition, E> {
                self.visit_str(&code.to_string())
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Condition, E> {
                Condition::read(text)
                    .ok_or_else(|| E::invalid_value(serde::de::Unexpected::Str(text), &self))
            }
        }

        deserializer.deserialize_any(WordOrStatus)
    }
}

impl JsonSchema for Condition {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Condition".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let word =
            |word: &str, meaning: &str| json_schema!({ "const": word, "description": meaning });
        json_schema!({
            "description": "A failure that causes a fallback. If two values fit a failure, a fallback is allowed if either is listed, and required only if both are.",
            "anyOf": [
                word(
                    "connection",
                    "The connection was refused or reset, or it ended before the response was complete. After a 2xx status, `invalid_response` fits, too."
                ),
                word(
                    "timeout",
                    "The response, or the first content of a stream, did not arrive in time."
                ),
                word(
                    "invalid_response",
                    "A 2xx response that is empty, incomplete or not of the requested kind, or a stream that ends before its first content."
                ),
                word(
                    "error_in_success",
                    "A 2xx response with `error` in its body, or in its stream before its first content."
                ),
                word("4xx", "Any status from 400 to 499."),
                word("5xx", "Any status from 500 to 599."),
                { "type": "integer", "minimum": 400, "maximum": 599, "description": "Exactly this status." }
            ]
        })
    }
}
