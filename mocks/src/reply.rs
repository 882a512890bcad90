//! Success replies, whose content depends on the request.
//!
//! Layout, member order and headers follow recorded replies: `OpenAI` indents JSON by two spaces
//! and writes members in declaration order; Azure's chat writes a single line with members in
//! alphabetical order. Ids and times are derived from the mock's marker and the number of the
//! attempt, so that a scenario always gets the same bytes.
//!
//! This module creates a stream as a single body, which the server then sends in chunks.

mod audio;
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

/// The `created` time of a first attempt: noon UTC on January 1, 2026.
pub(crate) const FIRST_CREATED: u64 = 1_767_268_800;

/// A variant of the success reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString)]
#[strum(serialize_all = "snake_case")]
pub enum ReplyMode {
    /// A regular success.
    Plain,
    /// A refusal by the model.
    Refusal,
    /// A stream that starts with an error.
    #[strum(serialize = "stream_error_first")]
    ErrorFirst,
    /// A stream that is interrupted by an error.
    #[strum(serialize = "stream_error")]
    ErrorLater,
    /// A stream that ends with a failed response.
    #[strum(serialize = "response_failed")]
    Failed,
}

impl ReplyMode {
    /// The mode of the behavior with this name; [`Plain`](Self::Plain) if no mode is specific to
    /// the behavior.
    pub fn named(name: &str) -> Self {
        name.parse().unwrap_or(Self::Plain)
    }

    fn fails(self) -> bool {
        matches!(self, Self::ErrorFirst | Self::ErrorLater | Self::Failed)
    }
}

/// Everything that determines a success reply.
#[derive(Debug, Clone, Copy)]
pub struct ReplyContext<'a> {
    /// The deployment that answers.
    pub deployment: &'a Deployment,
    /// The marker to include.
    pub marker: &'a Marker,
    /// Number of the attempt at the deployment, from 1.
    pub attempt: u32,
    /// The request's parameters.
    pub members: &'a Members<'a>,
    /// The variant of the reply.
    pub mode: ReplyMode,
}

/// The body of a reply, with its content type.
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

    /// The id of the response, for `/responses`.
    pub fn response_id(&self) -> String {
        format!("resp_{}", self.digits("response", 50))
    }

    /// The response as it can be retrieved later, even if it was streamed.
    pub fn response(&self) -> Vec<u8> {
        responses::stored(self).into_bytes()
    }

    fn is_streamed(&self) -> bool {
        self.members.get("stream") == Some(true)
    }

    /// Adds the chunks of all choices and the end of the stream. In [`ReplyMode::ErrorLater`], an
    /// error replaces the steps from `later` on, so that the stream fails after its first content.
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

    /// Whether a failure is reported as an error event within a stream. Streams of audio, images
    /// and transcripts have no error events.
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

    /// The provider's server error, in the form of an error event in a stream.
    fn error(&self, endpoint: Endpoint) -> Value {
        let reply = self.server_error(endpoint);
        serde_json::from_slice::<Value>(&reply.body)
            .map(|mut body| body["error"].take())
            .unwrap_or_default()
    }

    /// At most 64 hexadecimal digits, which differ for each purpose and attempt.
    fn digits(&self, purpose: &str, length: usize) -> String {
        let seed = format!("{purpose} {} {}", self.marker.token(), self.attempt);
        let mut digits = hex::encode(Sha256::digest(seed));
        digits.truncate(length);
        digits
    }

    /// Opaque content that only the provider can read.
    fn sealed(&self, purpose: &str) -> String {
        let digits = self.digits(purpose, 64);
        format!("gAAAAABp{digits}{}{digits}", self.marker.token())
    }

    /// Padding for an event, which hides the length of the text in the event. `None` if the client
    /// disabled it.
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

    /// Unix time in seconds.
    fn created(&self) -> u64 {
        FIRST_CREATED + u64::from(self.attempt) - 1
    }

    /// The service tier in the reply: the requested tier, or `default` if the request has none or
    /// `auto`.
    fn service_tier(&self) -> String {
        let asked: Option<String> = self.members.get("service_tier");
        asked.filter(|tier| tier != "auto").unwrap_or_else(|| "default".to_owned())
    }
}

/// JSON indented by two spaces, followed by `end`.
pub(crate) fn pretty(value: &Value, end: &str) -> String {
    let mut text =
        serde_json::to_string_pretty(value).expect("a JSON value can always be serialized");
    text.push_str(end);
    text
}

fn tokens_in(text: &str) -> usize {
    text.len().div_ceil(4)
}
