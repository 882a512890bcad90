//! Success replies, shaped by the request.
//!
//! Layout, member order and headers are those of recorded answers: `OpenAI` writes two-space JSON
//! in declaration context, Azure's chat one line in alphabetical context. Ids and times are derived
//! from the mock and the attempt, so that the same scenario gives the same bytes each time.
//!
//! A stream is one body here, event after event; the wire delivers it in pieces.

mod chat;
mod completions;
mod embeddings;
mod filter;
mod headers;
mod images;
mod logprobs;
mod members;
mod model_output;
mod moderations;
mod responses;
mod sample;
mod sound;
mod speech;
mod sse;
mod transcripts;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use strum::EnumString;

pub use members::Members;

use crate::Reply;
use crate::errors;
use crate::marker::Marker;
use crate::provider::{Deployment, Endpoint, Surface};
use sse::Events;

/// The `created` of a first attempt: noon of the first of January 2026, UTC.
pub(crate) const FIRST_CREATED: u64 = 1_767_268_800;

/// Which way a success reply goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString)]
#[strum(serialize_all = "snake_case")]
pub enum ReplyMode {
    /// To its end.
    Plain,
    /// It refuses.
    Refusal,
    /// Its stream begins with an error.
    #[strum(serialize = "stream_error_first")]
    ErrorFirst,
    /// Its stream breaks off with an error.
    #[strum(serialize = "stream_error")]
    ErrorLater,
    /// Its stream ends with a response that failed.
    #[strum(serialize = "response_failed")]
    Failed,
}

impl ReplyMode {
    /// The mode of the behavior with this name.
    pub fn named(name: &str) -> Self {
        name.parse().unwrap_or(Self::Plain)
    }

    fn fails(self) -> bool {
        matches!(self, Self::ErrorFirst | Self::ErrorLater | Self::Failed)
    }
}

/// All that a success reply is made of.
#[derive(Debug, Clone, Copy)]
pub struct ReplyContext<'a> {
    /// Who answers.
    pub deployment: &'a Deployment,
    /// Whose words the answer holds.
    pub marker: &'a Marker,
    /// Which attempt at the mock this is, from 1.
    pub attempt: u32,
    /// What was asked.
    pub members: &'a Members<'a>,
    /// Which way the reply goes.
    pub mode: ReplyMode,
}

/// The body of a reply and its type.
struct Body {
    content_type: &'static str,
    bytes: Vec<u8>,
}

impl Body {
    fn json(text: String) -> Self {
        Self { content_type: "application/json", bytes: text.into_bytes() }
    }

    fn text(text: String) -> Self {
        Self { content_type: "text/plain; charset=utf-8", bytes: text.into_bytes() }
    }
}

impl From<Events> for Body {
    fn from(events: Events) -> Self {
        Self { content_type: sse::CONTENT_TYPE, bytes: events.into_bytes() }
    }
}

impl ReplyContext<'_> {
    /// The provider's reply to a valid request.
    pub fn success(&self, endpoint: Endpoint) -> Reply {
        if self.mode.fails() && !self.fails_in_stream(endpoint) {
            return self.server_error(endpoint);
        }
        let body = match endpoint {
            Endpoint::ChatCompletions => chat::body(self),
            Endpoint::Completions => completions::body(self),
            Endpoint::Embeddings => embeddings::body(self),
            Endpoint::Responses => responses::body(self),
            Endpoint::ResponsesCompact => responses::compact_body(self),
            Endpoint::ImagesGenerations => images::body(self),
            Endpoint::AudioSpeech => speech::body(self),
            Endpoint::AudioTranscriptions => transcripts::transcription(self),
            Endpoint::AudioTranslations => transcripts::translation(self),
            Endpoint::Moderations => moderations::body(self),
        };
        let headers = self.headers(endpoint, body.content_type);
        Reply { status: 200, headers, body: body.bytes }
    }

    /// The id of the answer if it is one of `/responses`.
    pub fn response_id(&self) -> String {
        format!("resp_{}", self.digits("response", 50))
    }

    /// The answer of `/responses` as it can be got again, also where it is streamed.
    pub fn response(&self) -> Vec<u8> {
        responses::stored(self).into_bytes()
    }

    fn is_streamed(&self) -> bool {
        self.members.get("stream") == Some(true)
    }

    /// Adds what the choices of a stream send, chunk by chunk, and how it ends. An error that comes
    /// later comes before the step `later`, when there is some content.
    fn stream_choices(
        &self,
        mut events: Events,
        endpoint: Endpoint,
        [steps, later]: [usize; 2],
        choices_at: impl Fn(usize) -> Vec<Value>,
        chunk: impl Fn(&Self, usize, &Value, &Value) -> Value,
        usage: &Value,
    ) -> Events {
        let (sent, fails) = match self.mode {
            ReplyMode::ErrorFirst | ReplyMode::Failed => (0, true),
            ReplyMode::ErrorLater if steps > later => (later, true),
            _ => (steps, false),
        };
        for choice in (0..sent).flat_map(choices_at) {
            let chunk = chunk(self, events.count(), &json!([choice]), &Value::Null);
            events.data(&chunk);
        }
        if fails {
            events.data(&json!({ "error": self.error(endpoint) }));
        } else if self.includes_usage() {
            let chunk = chunk(self, events.count(), &json!([]), usage);
            events.data(&chunk);
        }
        events.done();
        events
    }

    fn includes_usage(&self) -> bool {
        self.members.value("stream_options")["include_usage"] == true
    }

    /// Streams of sound, images and transcripts do not fail here.
    fn fails_in_stream(&self, endpoint: Endpoint) -> bool {
        let speaks = matches!(
            endpoint,
            Endpoint::ChatCompletions | Endpoint::Completions | Endpoint::Responses
        );
        speaks && self.is_streamed()
    }

    fn is_azure(&self) -> bool {
        self.deployment.surface != Surface::OpenAi
    }

    fn server_error(&self, endpoint: Endpoint) -> Reply {
        errors::behavior("server_error", self.deployment, endpoint)
            .and_then(|(reply, _)| reply)
            .expect("the catalogue has a server_error for every endpoint")
    }

    /// The provider's server error as it stands within a stream.
    fn error(&self, endpoint: Endpoint) -> Value {
        let reply = self.server_error(endpoint);
        serde_json::from_slice::<Value>(&reply.body)
            .map(|mut body| body["error"].take())
            .unwrap_or_default()
    }

    /// Hexadecimal digits, other ones for each use of each attempt; at most 64.
    fn digits(&self, purpose: &str, length: usize) -> String {
        let seed = format!("{purpose} {} {}", self.marker.token(), self.attempt);
        let mut digits = hex::encode(Sha256::digest(seed));
        digits.truncate(length);
        digits
    }

    /// What only the provider can read.
    fn sealed(&self, purpose: &str) -> String {
        let digits = self.digits(purpose, 64);
        format!("gAAAAABp{digits}{}{digits}", self.marker.token())
    }

    /// Filler that hides how long a piece of a stream is. `None` where the client wants none.
    fn obfuscation(&self, event: usize) -> Option<String> {
        let options: Value = self.members.get("stream_options").unwrap_or_default();
        (options["include_obfuscation"] != false)
            .then(|| self.digits(&format!("obfuscation {event}"), 4 + event * 5 % 12))
    }

    fn uuid(&self, purpose: &str) -> String {
        let digits = self.digits(purpose, 32);
        let [node, clock, version] = [&digits[20..], &digits[17..20], &digits[13..16]];
        format!("{}-{}-4{version}-8{clock}-{node}", &digits[..8], &digits[8..12])
    }

    /// Seconds since 1970.
    fn created(&self) -> u64 {
        FIRST_CREATED + u64::from(self.attempt) - 1
    }

    /// The tier that served: what was asked for, unless the choice was left to the provider.
    fn service_tier(&self) -> String {
        let asked: Option<String> = self.members.get("service_tier");
        asked.filter(|tier| tier != "auto").unwrap_or_else(|| "default".to_owned())
    }
}

/// Two-space JSON with this ending.
pub(crate) fn pretty(value: &Value, end: &str) -> String {
    let mut text = serde_json::to_string_pretty(value).expect("a value can be written");
    text.push_str(end);
    text
}

fn tokens_in(text: &str) -> usize {
    text.len().div_ceil(4)
}
