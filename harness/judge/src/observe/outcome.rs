//! The outcome of an attempt: what its reply was, and whether all of it was sent.

use fallproof_protocol::behavior::HeadFault;
use fallproof_protocol::provider::Endpoint;
use fallproof_protocol::sse::{self, Event, EventKind};
use serde_json::Value;

use super::ObservedRequest;

/// The outcome of an attempt, as a gateway can see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttemptOutcome {
    /// A complete and valid 2xx response.
    Success,
    /// A complete error answer. Holds the status.
    Error(u16),
    /// An incomplete answer, no answer, or a 2xx response with an invalid body.
    Broken,
    /// A 2xx response with an `error` in its body, or in its stream before any content.
    ErrorInSuccess,
    /// A stream that was cut off, or reported an error, after its first content.
    Interrupted,
}

#[derive(Debug)]
pub(super) struct ParsedReply {
    pub(super) events: Option<Vec<Event>>,
    pub(super) outcome: AttemptOutcome,
}

impl ObservedRequest<'_> {
    pub(super) fn parsed(&self) -> &ParsedReply {
        self.parsed.get_or_init(|| {
            let events = self.events();
            ParsedReply { outcome: self.outcome(events.as_deref()), events }
        })
    }

    fn outcome(&self, events: Option<&[Event]>) -> AttemptOutcome {
        let is_success = self.recorded.status.is_some_and(|status| (200..300).contains(&status));
        if let (true, Some(events)) = (is_success, events) {
            return match outcome(events) {
                AttemptOutcome::Interrupted if self.is_recorded_in_part() => {
                    AttemptOutcome::Success
                }
                outcome => outcome,
            };
        }
        match self.recorded.status {
            None => AttemptOutcome::Broken,
            Some(_)
                if self.is_speech() && is_success && self.is_cut() && self.recorded.sent > 0 =>
            {
                AttemptOutcome::Interrupted
            }
            Some(_) if self.is_cut() => AttemptOutcome::Broken,
            Some(status) if !is_success => AttemptOutcome::Error(status),
            Some(_) if self.is_speech() && !self.has_audio() => AttemptOutcome::Broken,
            // An HTML page is not a transcript.
            Some(_) if !self.answers_json() && self.is_html() => AttemptOutcome::Broken,
            Some(_) if !self.answers_json() && self.recorded.reply.is_empty() => {
                AttemptOutcome::Broken
            }
            Some(_) if !self.answers_json() => AttemptOutcome::Success,
            Some(_) => match serde_json::from_slice::<Value>(&self.recorded.reply) {
                Ok(Value::Object(reply)) if !reply.get("error").is_none_or(Value::is_null) => {
                    AttemptOutcome::ErrorInSuccess
                }
                Err(_) if !self.is_recorded_in_part() => AttemptOutcome::Broken,
                Ok(_) | Err(_) => AttemptOutcome::Success,
            },
        }
    }

    /// Whether a wire fault cut the answer short or made its head invalid.
    pub(crate) fn is_cut(&self) -> bool {
        let wire = &self.recorded.wire;
        wire.cut.is_some() && !self.is_complete() || wire.head.is_some()
    }

    /// Whether the answer was already complete when it was cut: all bytes of its content length
    /// were sent.
    fn is_complete(&self) -> bool {
        let length = self.recorded.reply_cut.unwrap_or(self.recorded.reply.len());
        let out = &self.recorded.out.bytes;
        let head = memchr::memmem::find(out, b"\r\n\r\n").map_or(&out[..], |end| &out[..end]);
        let promises_length = memchr::memmem::find(head, b"\r\ncontent-length: ").is_some();
        promises_length && self.recorded.sent >= length
    }

    /// Whether the whole answer was sent, but the request log truncated it, so that its end is
    /// unknown.
    fn is_recorded_in_part(&self) -> bool {
        self.recorded.reply_cut.is_some() && !self.is_cut()
    }

    /// Whether the request went to the speech endpoint, where a success is audio.
    fn is_speech(&self) -> bool {
        self.recorded.route.is_some_and(|(_, endpoint)| endpoint == Endpoint::AudioSpeech)
    }

    /// Whether the answer has an audio content type and is not empty.
    fn has_audio(&self) -> bool {
        let is_audio = self.has_type("audio/") || self.has_type("application/octet-stream");
        is_audio && !self.recorded.reply.is_empty()
    }

    /// Whether the answer is an HTML page.
    fn is_html(&self) -> bool {
        self.has_type("text/html")
    }

    /// Whether the content type of the answer starts with `kind`.
    fn has_type(&self, kind: &str) -> bool {
        self.recorded.reply_headers().any(|(name, value)| {
            name.eq_ignore_ascii_case("content-type") && value.starts_with(kind)
        })
    }

    /// Whether the body of a success should be JSON. Speech is audio, and transcripts may be plain
    /// text.
    fn answers_json(&self) -> bool {
        let endpoint = self.recorded.route.map(|(_, endpoint)| endpoint);
        let is_text = endpoint.is_some_and(Endpoint::is_multipart)
            && !self.recorded.reply.trim_ascii_start().starts_with(b"{");
        !self.is_speech() && !is_text
    }

    fn events(&self) -> Option<Vec<Event>> {
        let reply = &self.recorded.reply;
        (!sse::events(reply).is_empty()).then(|| sse::events(&reply[..self.sent()]))
    }

    /// Number of bytes of the answer's body that were sent.
    pub(super) fn sent(&self) -> usize {
        // If the content length is too small, the bytes beyond it are not part of the answer.
        let beyond = match self.recorded.wire.head {
            Some(HeadFault::ContentLengthOffBy(by)) => by.get().min(0).unsigned_abs() as usize,
            Some(HeadFault::Garbage) | None => 0,
        };
        self.recorded.sent.min(self.recorded.reply.len().saturating_sub(beyond))
    }
}

fn outcome(events: &[Event]) -> AttemptOutcome {
    let has_content =
        events.iter().take_while(|event| event.kind() != EventKind::Error).any(Event::is_answer);
    let has = |wanted| events.iter().any(|event| event.kind() == wanted);
    match (has_content, has(EventKind::Error), has(EventKind::End)) {
        (true, false, true) => AttemptOutcome::Success,
        (true, _, _) => AttemptOutcome::Interrupted,
        (false, true, _) => AttemptOutcome::ErrorInSuccess,
        (false, false, _) => AttemptOutcome::Broken,
    }
}
