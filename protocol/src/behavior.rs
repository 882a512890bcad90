//! What a deployment does at one attempt: a reply, and what the wire does to it.

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

/// The name of the behavior that no deployment can play at the wire: its deployment has the address
/// that refuses connections, and none of its attempts is seen.
pub const CONNECTION_REFUSED: &str = "connection_refused";

/// The other one of this kind: its deployment has the address where nobody ever answers a
/// connection attempt, neither with yes nor with no.
pub const CONNECT_TIMEOUT: &str = "connect_timeout";

/// The behavior of an attempt that comes after a script's end.
pub const UNEXPECTED: &str = "unexpected";

/// What a deployment does at one attempt.
///
/// In YAML either the name of a behavior from the catalogue (`server_error`), or the behavior
/// spelled out (`{ status: 503, body: "…", wire: { delay_ms: 20 } }`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Behavior {
    /// A name from the catalogue; `ok` where only the wire is scripted.
    pub reply: String,
    /// Replaces the reply's status.
    pub status: Option<u16>,
    /// Added to the reply's headers, or put in place of those of the same name, one of `retry-after`
    /// and `retry-after-ms` in place of both; `{{key}}` becomes the deployment's credential.
    pub headers: IndexMap<String, String>,
    /// Replaces the reply's body, byte for byte; `{{key}}` becomes the deployment's credential.
    pub body: Option<String>,
    /// How often in a row the deployment does this.
    pub count: u32,
    /// What the wire does to the bytes.
    pub wire: WireFault,
}

/// A behavior, spelled out.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct Spelled {
    /// A name from the catalogue; `ok` by default.
    reply: Option<String>,
    /// Replaces the reply's status.
    status: Option<u16>,
    /// Added to the reply's headers, or put in place of those of the same name, one of `retry-after`
    /// and `retry-after-ms` in place of both; `{{key}}` becomes the deployment's credential.
    headers: IndexMap<String, String>,
    /// Replaces the reply's body, byte for byte; `{{key}}` becomes the deployment's credential.
    body: Option<String>,
    /// How often in a row the deployment does this; once by default.
    count: Option<u32>,
    /// What the wire does to the bytes.
    wire: Option<WireFault>,
}

impl Behavior {
    /// The behavior of this name from the catalogue.
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

// By hand, not `untagged`: errors keep their position and name the field.
impl<'de> Deserialize<'de> for Behavior {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameOrSpelled;

        impl<'de> Visitor<'de> for NameOrSpelled {
            type Value = Behavior;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a behavior: its name, or a mapping that spells it out")
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
            "description": "What a deployment does at one attempt: a name from the catalogue, or spelled out.",
            "anyOf": [{ "type": "string", "enum": names }, spelled]
        })
    }
}

/// How the bytes of a reply reach the client.
///
/// A reply goes out in this order: the delay, the head, then the body chunk by chunk, each after
/// the chunk delay. A cut ends it at any place of that order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WireFault {
    /// Wait this long before the first byte of the reply, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<u64>,
    /// Send a head that is wrong. The connection is closed with a FIN after the reply, unless it
    /// is cut in another way.
    #[serde(default, deserialize_with = "word::head", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<HeadFault>")]
    pub head: Option<HeadFault>,
    /// Into which chunks the body is cut; `events` by default.
    #[serde(default, deserialize_with = "word::write", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Chunking>")]
    pub write: Option<Chunking>,
    /// Wait this long before each chunk of the body, in milliseconds. The head is sent before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chunk_delay_ms: Option<u64>,
    /// Send only a part of the reply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut: Option<Cut>,
}

impl WireFault {
    /// This plan; where it says nothing, what `other` says.
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

/// What is wrong with a head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HeadFault {
    /// A line that is not HTTP comes instead of the reply; there is no body.
    Garbage,
    /// The content length is so many bytes too great (`5`), or too small (`-5`; never below 0).
    /// The body is sent whole all the same. An event stream has a content length then, too.
    ContentLengthOffBy(NonZeroI32),
}

/// What is sent in place of a garbage head, always the same.
pub const GARBAGE: &[u8] = b"\x00\xff\xfeFallproof: this is not HTTP\x80\r\n\r\n";

/// The chunks that a body is cut into. Each is written by itself, and is a chunk of the chunked
/// coding where the reply is an event stream.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Chunking {
    /// One chunk for each event of an event stream, its empty line included. The body of any other
    /// reply is one chunk.
    #[default]
    Events,
    /// So many bytes in each chunk, also in the middle of an event or of a UTF-8 character.
    Bytes(NonZeroUsize),
}

/// Where a reply breaks off, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cut {
    /// The last thing that is sent whole.
    #[serde(deserialize_with = "word::at")]
    #[schemars(with = "CutPoint")]
    pub at: CutPoint,
    /// What the client sees then.
    pub end: CutEnd,
}

/// The place in a reply after which nothing more is sent.
///
/// What was sent promised all: a content length is that of the whole body, and a chunk that is cut
/// in its middle has its whole size before it. The chunk of size 0, which ends an event stream, is
/// never sent, also where nothing else is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CutPoint {
    /// The request is read and not a byte is answered.
    BeforeHead,
    /// The head is sent and nothing of the body.
    AfterHead,
    /// So many bytes of the body are sent; the whole of a shorter one.
    BodyBytes(usize),
    /// So many events are sent; the whole of a shorter stream. The body of a reply that is no
    /// event stream counts as one event.
    Events(usize),
}

/// How a cut connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CutEnd {
    /// FIN: an orderly close.
    Close,
    /// RST: the connection is torn down.
    Reset,
    /// Nothing more comes; the connection stays open until the client leaves.
    Stall,
}
