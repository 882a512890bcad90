//! The outcome of an attempt, as a gateway sees it.

use std::collections::HashMap;
use std::time::Duration;

use fallproof_mocks::Reply;
use fallproof_mocks::provider_set::Answer;
use fallproof_protocol::behavior::{CutEnd, CutPoint, HeadFault, WireFault};
use fallproof_protocol::condition::Condition;
use fallproof_protocol::provider::Endpoint;
use fallproof_protocol::sse::{self, Event, EventKind};
use serde::de::IgnoredAny;

use super::case::Request;

/// The outcome of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum AttemptOutcome {
    /// A complete response.
    Answer,
    /// A partial response: the client has received the beginning of the response when the remainder
    /// fails.
    Part(AttemptFailure),
    /// No usable response.
    Failure(AttemptFailure),
}

/// Why there is no complete response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AttemptFailure {
    /// Kind of failure.
    pub(super) kind: Condition,
    /// Wait time that the provider asks for with `Retry-After`.
    pub(super) retry_after: Duration,
}

impl From<Condition> for AttemptFailure {
    fn from(kind: Condition) -> Self {
        Self { kind, retry_after: Duration::ZERO }
    }
}

/// The kind of response that a call asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    Json,
    Events,
    Audio,
}

impl Wanted {
    /// The kind of response that this call to this endpoint asks for.
    pub(super) fn by(request: &Request, endpoint: Endpoint) -> Self {
        let is = |name: &str, text: &str| {
            request.member(name).is_some_and(|value| match value.as_str() {
                Some(value) => value == text,
                None => value.compact() == text,
            })
        };
        match endpoint {
            Endpoint::AudioSpeech if is("stream_format", "sse") => Self::Events,
            Endpoint::AudioSpeech => Self::Audio,
            Endpoint::ChatCompletions
            | Endpoint::Completions
            | Endpoint::Responses
            | Endpoint::ImagesGenerations
                if is("stream", "true") =>
            {
                Self::Events
            }
            _ => Self::Json,
        }
    }
}

impl AttemptOutcome {
    /// The outcome of an attempt that gets this answer and has this timeout.
    pub(super) fn of(answer: Answer, wanted: Wanted, timeout: Duration) -> Self {
        let Answer { plan, mut reply } = answer;
        let wire = plan.wire;
        let fails = |kind: Condition| Self::Failure(kind.into());
        if Duration::from_millis(wire.delay_ms.unwrap_or(0)) >= timeout {
            return fails(Condition::Timeout);
        }
        if wire.head == Some(HeadFault::Garbage) {
            return fails(Condition::Connection);
        }
        let stalls = wire.cut.as_ref().is_some_and(|cut| cut.end == CutEnd::Stall);
        if wire.cut.as_ref().is_some_and(|cut| cut.at == CutPoint::BeforeHead) {
            return fails(if stalls { Condition::Timeout } else { Condition::Connection });
        }
        if reply.status >= 400 {
            let kind = Condition::Status(reply.status);
            return Self::Failure(AttemptFailure { kind, retry_after: retry_after(&reply) });
        }
        let full_length = reply.body.len();
        reply.body.truncate(sent(&reply, &wire));
        let is_complete = reply.body.len() == full_length && wire.head.is_none();
        let broken = if stalls { Condition::Timeout } else { Condition::InvalidResponse };
        Self::of_success(&reply, wanted, is_complete, broken)
    }

    /// The outcome of a reply with a success status.
    fn of_success(reply: &Reply, wanted: Wanted, is_complete: bool, broken: Condition) -> Self {
        let media_type = media_type(reply);
        let invalid = Self::Failure(Condition::InvalidResponse.into());
        match wanted {
            Wanted::Events if media_type == "text/event-stream" => {
                Self::of_events(&reply.body, broken)
            }
            Wanted::Audio if media_type.starts_with("audio/") => {
                match (reply.body.len(), is_complete) {
                    (0, _) => Self::Failure(broken.into()),
                    (_, true) => Self::Answer,
                    (_, false) => Self::Part(broken.into()),
                }
            }
            Wanted::Events | Wanted::Audio => invalid,
            Wanted::Json if !is_complete => Self::Failure(broken.into()),
            Wanted::Json => {
                match serde_json::from_slice::<HashMap<String, Option<IgnoredAny>>>(&reply.body) {
                    Ok(members) if members.get("error").is_some_and(Option::is_some) => {
                        Self::Failure(Condition::ErrorInSuccess.into())
                    }
                    Ok(_) => Self::Answer,
                    Err(_) => invalid,
                }
            }
        }
    }

    fn of_events(body: &[u8], broken: Condition) -> Self {
        let events = sse::events(body);
        let until_error = events.iter().take_while(|event| event.kind() != EventKind::Error);
        let has_content = { until_error }.any(Event::is_answer);
        let has = |meaning| events.iter().any(|event| event.kind() == meaning);
        match (has_content, has(EventKind::Error), has(EventKind::End)) {
            (true, false, true) => Self::Answer,
            (true, true, _) => Self::Part(Condition::ErrorInSuccess.into()),
            (true, false, false) => Self::Part(broken.into()),
            (false, true, _) => Self::Failure(Condition::ErrorInSuccess.into()),
            (false, false, _) => Self::Failure(broken.into()),
        }
    }
}

/// Number of body bytes that are sent.
fn sent(reply: &Reply, wire: &WireFault) -> usize {
    let all = reply.body.len();
    match wire.cut.as_ref().map(|cut| cut.at) {
        Some(CutPoint::BeforeHead | CutPoint::AfterHead | CutPoint::Events(0)) => 0,
        Some(CutPoint::BodyBytes(bytes)) => bytes.min(all),
        Some(CutPoint::Events(events)) if media_type(reply) == "text/event-stream" => {
            sse::events_length(&reply.body, events)
        }
        Some(CutPoint::Events(_)) | None => all,
    }
}

/// Wait time that the provider asks for. A date counts as two seconds ahead.
pub(super) fn retry_after(reply: &Reply) -> Duration {
    let seconds = |text: &str| Duration::try_from_secs_f64(text.parse().ok()?).ok();
    let fine = header(reply, "retry-after-ms").and_then(seconds).map(|thousands| thousands / 1000);
    let coarse = || Some(seconds(header(reply, "retry-after")?).unwrap_or(Duration::from_secs(2)));
    fine.filter(|wait| !wait.is_zero()).or_else(coarse).unwrap_or_default()
}

fn media_type(reply: &Reply) -> &str {
    let content_type = header(reply, "content-type").unwrap_or_default();
    content_type.split(';').next().unwrap_or_default().trim()
}

fn header<'a>(reply: &'a Reply, name: &str) -> Option<&'a str> {
    let mut headers = reply.headers.iter();
    headers.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}
