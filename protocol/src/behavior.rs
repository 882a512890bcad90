//! Behaviors: what a deployment does at one attempt, as a reply plus transport faults.

mod catalogue;
mod script;
mod word;

use std::fmt;
use std::num::{NonZeroI32, NonZeroUsize};

use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

pub use self::catalogue::{Entry, behavior_names, behaviors, find};
pub use self::script::{FRAMING, ScriptError, unsendable};

/// Name of the behavior that refuses connections. No server plays it: the deployment gets an
/// address that refuses connections, and none of its attempts is recorded.
pub const CONNECTION_REFUSED: &str = "connection_refused";

/// Name of the behavior that never completes a connection. No server plays it: the deployment gets
/// an address where connection attempts are neither accepted nor refused.
pub const CONNECT_TIMEOUT: &str = "connect_timeout";

/// Name recorded for an attempt made after the script was exhausted.
pub const UNEXPECTED: &str = "unexpected";

/// Behavior of a deployment at one attempt.
///
/// In YAML, either the name of a behavior from the catalogue (`server_error`) or a mapping (`{
/// status: 503, body: "…", wire: { delay_ms: 20 } }`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Behavior {
    /// Name from the catalogue; `ok` if only `wire` is given.
    pub reply: String,
    /// Replaces the reply's status.
    pub status: Option<u16>,
    /// Headers to set on the reply; a header of the same name is replaced. Setting either
    /// `retry-after` or `retry-after-ms` replaces both. `{{key}}` becomes the deployment's
    /// credential, and `{{date:20}}` the date 20 seconds from now.
    pub headers: IndexMap<String, String>,
    /// Replaces the reply's body, byte for byte. `{{key}}` becomes the deployment's credential.
    pub body: Option<String>,
    /// Number of consecutive attempts with this behavior.
    pub count: u32,
    /// How the bytes of the reply are sent.
    pub wire: WireFault,
}

/// A behavior written as a mapping.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct Spelled {
    /// Name from the catalogue [default: `ok`].
    reply: Option<String>,
    /// Replaces the reply's status.
    status: Option<u16>,
    /// Headers to set on the reply; a header of the same name is replaced. Setting either
    /// `retry-after` or `retry-after-ms` replaces both. `{{key}}` becomes the deployment's
    /// credential, and `{{date:20}}` the date 20 seconds from now.
    headers: IndexMap<String, String>,
    /// Replaces the reply's body, byte for byte. `{{key}}` becomes the deployment's credential.
    body: Option<String>,
    /// Number of consecutive attempts with this behavior [default: 1].
    count: Option<u32>,
    /// How the bytes of the reply are sent.
    wire: Option<WireFault>,
}

impl Behavior {
    /// The catalogue behavior of this name, without overrides.
    pub fn named(reply: impl Into<String>) -> Self {
        Self {
            reply: reply.into(),
            status: None,
            headers: IndexMap::new(),
            body: None,
            count: 1,
            wire: WireFault::default(),
        }
    }
}

impl From<Spelled> for Behavior {
    fn from(spelled: Spelled) -> Self {
        Self {
            reply: spelled.reply.unwrap_or_else(|| "ok".to_owned()),
            status: spelled.status,
            headers: spelled.headers,
            body: spelled.body,
            count: spelled.count.unwrap_or(1),
            wire: spelled.wire.unwrap_or_default(),
        }
    }
}

// By hand rather than `untagged`, so that errors keep their position and name the field.
impl<'de> Deserialize<'de> for Behavior {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameOrSpelled;

        impl<'de> Visitor<'de> for NameOrSpelled {
            type Value = Behavior;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a behavior: a name or a mapping")
            }

            fn visit_str<E>(self, name: &str) -> Result<Behavior, E> {
                Ok(Behavior::named(name))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Behavior, A::Error> {
                Spelled::deserialize(MapAccessDeserializer::new(map)).map(Behavior::from)
            }
        }

        deserializer.deserialize_any(NameOrSpelled)
    }
}

impl JsonSchema for Behavior {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Behavior".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let names: Vec<_> = behavior_names().collect();
        let spelled = generator.subschema_for::<Spelled>();
        json_schema!({
            "description": "Behavior of a deployment at one attempt: a catalogue name or a mapping.",
            "anyOf": [{ "type": "string", "enum": names }, spelled]
        })
    }
}

/// How the bytes of a reply reach the client.
///
/// A reply is sent in this order: the delay, the head, then the body chunk by chunk, each after the
/// chunk delay. A cut can end it at any point.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WireFault {
    /// Delay before the first byte of the reply, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<u64>,
    /// Send an invalid head. The connection is closed with a FIN after the reply, unless a cut ends
    /// it differently.
    #[serde(default, deserialize_with = "word::head", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<HeadFault>")]
    pub head: Option<HeadFault>,
    /// How the body is split into chunks [default: `events`].
    #[serde(default, deserialize_with = "word::write", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Chunking>")]
    pub write: Option<Chunking>,
    /// Delay before each chunk of the body, in milliseconds. The head is sent without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chunk_delay_ms: Option<u64>,
    /// Send only a part of the reply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut: Option<Cut>,
}

impl WireFault {
    /// This fault, with `other` supplying the settings that are unset here.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            delay_ms: self.delay_ms.or(other.delay_ms),
            head: self.head.or(other.head),
            write: self.write.or(other.write),
            chunk_delay_ms: self.chunk_delay_ms.or(other.chunk_delay_ms),
            cut: self.cut.or(other.cut),
        }
    }
}

/// An invalid head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HeadFault {
    /// A line that is not HTTP replaces the reply; there is no body.
    Garbage,
    /// The content length is too large by this many bytes (`5`) or too small (`-5`; never below 0).
    /// The complete body is sent in either case. An event stream gets a content length too.
    ContentLengthOffBy(NonZeroI32),
}

/// The bytes sent instead of a head for [`HeadFault::Garbage`]; always the same.
pub const GARBAGE: &[u8] = b"\x00\xff\xfeFallproof: this is not HTTP\x80\r\n\r\n";

/// How a body is split into chunks. Each chunk is written separately, and in an event stream is
/// also one chunk of the chunked transfer coding.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Chunking {
    /// One chunk per event of an event stream, including its empty line. Any other body is one
    /// chunk.
    #[default]
    Events,
    /// This many bytes per chunk, even if that splits an event or a UTF-8 character.
    Bytes(NonZeroUsize),
}

/// Where a reply is cut off, and how the connection ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cut {
    /// The last part that is sent completely.
    #[serde(deserialize_with = "word::at")]
    #[schemars(with = "CutPoint")]
    pub at: CutPoint,
    /// What the client observes then.
    pub end: CutEnd,
}

/// The point in a reply after which nothing more is sent.
///
/// The bytes before it announce a complete reply: the content length is that of the full body, and
/// a chunk that is cut in the middle is preceded by its full size. The chunk of size 0 that ends an
/// event stream is never sent, even if nothing else is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CutPoint {
    /// Read the request and send nothing.
    BeforeHead,
    /// Send the head and nothing of the body.
    AfterHead,
    /// Send this many bytes of the body, or all of a shorter one.
    BodyBytes(usize),
    /// Send this many events, or all of a shorter stream. A body that is not an event stream counts
    /// as one event.
    Events(usize),
}

/// How the connection ends after a cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CutEnd {
    /// FIN: an orderly close.
    Close,
    /// RST: the connection is aborted.
    Reset,
    /// Nothing more is sent; the connection stays open until the client closes it.
    Stall,
}
