//! Behaviors. A behavior is what a deployment does on one attempt: a reply plus transport faults.

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

use crate::coding::Coding;

pub use self::catalogue::{Entry, behavior_names, behaviors, find};
pub use self::script::{FRAMING, ScriptError, scheduled, unsendable};

/// Name of the behavior that refuses connections. It is not played by a server: the deployment gets
/// an address that refuses connections, and its attempts are not recorded.
pub const CONNECTION_REFUSED: &str = "connection_refused";

/// Name of the behavior that never completes a connection. It is not played by a server: the
/// deployment gets an address that neither accepts nor refuses connections.
pub const CONNECT_TIMEOUT: &str = "connect_timeout";

/// Behavior name that is recorded for an attempt after the end of the script.
pub const UNEXPECTED: &str = "unexpected";

/// What a deployment does on one attempt.
///
/// In YAML, either the name of a behavior from the catalogue (`server_error`) or a mapping (`{
/// status: 503, body: "…", wire: { delay_ms: 20 } }`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Behavior {
    /// Name from the catalogue; `ok` if the script does not give a name.
    pub reply: String,
    /// Replaces the reply's status.
    pub status: Option<u16>,
    /// Headers to set on the reply, where they replace headers with the same name. If only one of
    /// `retry-after` and `retry-after-ms` is set, the other one is removed from the reply.
    /// `{{key}}` becomes the deployment's credential, and `{{date:20}}` the date 20 seconds from now.
    pub headers: IndexMap<String, String>,
    /// Replaces the reply's body, byte for byte. `{{key}}` becomes the deployment's credential,
    /// `{{marker}}` becomes the string that identifies the deployment's replies, and
    /// `{{letters:70000}}` becomes 70,000 letters.
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
    /// Headers to set on the reply, where they replace headers with the same name. If only one of
    /// `retry-after` and `retry-after-ms` is set, the other one is removed from the reply.
    /// `{{key}}` becomes the deployment's credential, and `{{date:20}}` the date 20 seconds from now.
    headers: IndexMap<String, String>,
    /// Replaces the reply's body, byte for byte. `{{key}}` becomes the deployment's credential,
    /// `{{marker}}` becomes the string that identifies the deployment's replies, and
    /// `{{letters:70000}}` becomes 70,000 letters.
    body: Option<String>,
    /// Number of consecutive attempts with this behavior [default: 1].
    count: Option<u32>,
    /// How the bytes of the reply are sent.
    wire: Option<WireFault>,
}

impl Behavior {
    /// The behavior with this name in the catalogue, without overrides.
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

// Implemented by hand rather than with `untagged`, so that errors keep their position and name the
// field.
impl<'de> Deserialize<'de> for Behavior {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameOrSpelled;

        impl<'de> Visitor<'de> for NameOrSpelled {
            type Value = Behavior;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(
                    "a behavior: a name such as `overloaded`, or a mapping such as `{ status: 503 }`",
                )
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
/// chunk delay. A cut can end the reply at any point.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WireFault {
    /// Delay before the first byte of the reply, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<u64>,
    /// Send an invalid head. The connection is closed with a FIN after the reply, unless a cut ends
    /// the connection differently.
    #[serde(default, deserialize_with = "word::head", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<HeadFault>")]
    pub head: Option<HeadFault>,
    /// How the body is split into chunks [default: `events`].
    #[serde(default, deserialize_with = "word::write", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Chunking>")]
    pub write: Option<Chunking>,
    /// Delay before each chunk of the body, in milliseconds. It does not delay the head.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chunk_delay_ms: Option<u64>,
    /// End each chunk delay early when Fallproof's client has received more of the stream. There is
    /// no delay until the first content was sent, and none after two delays that did not end early.
    #[serde(default, skip_serializing_if = "is_false")]
    pub paced: bool,
    /// Compress the body with this content coding, if the request accepts it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<Coding>,
    /// What happens to connections that the client keeps open after this reply [default: they stay
    /// usable].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_alive: Option<KeepAliveFault>,
    /// Send only a part of the reply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut: Option<Cut>,
}

impl WireFault {
    /// Fills in the unset fields of this fault with those of `other`.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            delay_ms: self.delay_ms.or(other.delay_ms),
            head: self.head.or(other.head),
            write: self.write.or(other.write),
            chunk_delay_ms: self.chunk_delay_ms.or(other.chunk_delay_ms),
            paced: self.paced || other.paced,
            encoding: self.encoding.or(other.encoding),
            keep_alive: self.keep_alive.or(other.keep_alive),
            cut: self.cut.or(other.cut),
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

/// What happens to open connections to a deployment after a reply has been sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeepAliveFault {
    /// The connection of the reply is closed (FIN) at once, without notice. A request that arrives
    /// on it nevertheless is logged and never answered.
    Closes,
    /// A later request to the deployment on an open connection is read, then the connection is
    /// closed (FIN) without a reply, as if the provider had already closed it.
    ClosesOnReuse,
    /// A later request to the deployment on an open connection is read and never answered, as if
    /// the network had silently dropped the connection.
    DropsOnReuse,
}

/// An invalid head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HeadFault {
    /// A line that is not HTTP replaces the reply; there is no body.
    Garbage,
    /// The content length is too large by this many bytes (`5`) or, if the number is negative, too
    /// small (`-5`). It is never below 0. The complete body is sent in either case. Even an event
    /// stream gets a content length.
    ContentLengthOffBy(NonZeroI32),
}

/// The bytes sent instead of a head for [`HeadFault::Garbage`]; always the same.
pub const GARBAGE: &[u8] = b"\x00\xff\xfeFallproof: this is not HTTP\x80\r\n\r\n";

/// How a body is split into chunks. Each chunk is written separately; in an event stream, it is
/// also one chunk of the chunked transfer coding.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Chunking {
    /// One chunk per event of an event stream, including the empty line that ends the event. Any
    /// other body is a single chunk.
    #[default]
    Events,
    /// This many bytes per chunk, even if that splits an event or a UTF-8 character.
    Bytes(NonZeroUsize),
}

/// Where a reply is cut off, and how the connection ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cut {
    /// The point at which the reply is cut off.
    #[serde(deserialize_with = "word::at")]
    #[schemars(with = "CutPoint")]
    pub at: CutPoint,
    /// How the connection ends after the last byte.
    pub end: CutEnd,
}

/// The point in a reply after which nothing more is sent.
///
/// The bytes before this point are those of a complete reply: the content length is the length of
/// the full body, and a chunk that is cut in the middle is preceded by its full size. The chunk of
/// size 0 that ends an event stream is never sent, even if nothing else is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CutPoint {
    /// Read the request and send nothing.
    BeforeHead,
    /// Send the head but none of the body.
    AfterHead,
    /// Send this many bytes of the body, or all of a shorter body.
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
