//! Classifies the events in a provider's stream, to tell whether the answer has begun, ended or
//! failed.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::provider_error::ProviderError;
use crate::sse::Event;

/// Format of the events in a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// Chat and completions: chunks with `choices`, and `[DONE]` at the end.
    Choices,
    /// All other endpoints: each event has a `type`.
    Typed,
}

/// What an event means to a client that waits for an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum EventKind {
    /// Announces an answer but contains no part of it.
    Preamble,
    /// A part of the answer, or the reason for its end.
    Content,
    /// The end of a complete answer. Nothing follows.
    End,
    /// The provider reports a failure.
    Error(ProviderError),
}

/// A classified event.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Understood {
    pub(crate) kind: EventKind,
    /// Id of the response that the event belongs to, if the event contains the id.
    pub(crate) response_id: Option<String>,
    /// Position of the event in the stream, if the event contains it.
    pub(crate) sequence_number: Option<u64>,
}

impl From<EventKind> for Understood {
    fn from(kind: EventKind) -> Self {
        Self { kind, response_id: None, sequence_number: None }
    }
}

/// Events that announce an answer. Providers send them before the model has produced anything.
const PREAMBLES: [&str; 6] = [
    "response.created",
    "response.queued",
    "response.in_progress",
    "response.output_item.added",
    "response.content_part.added",
    "response.reasoning_summary_part.added",
];

/// Events that complete an answer.
const ENDS: [&str; 5] = [
    "response.completed",
    "response.incomplete",
    "image_generation.completed",
    "transcript.text.done",
    "speech.audio.done",
];

/// Data of the event that ends a chat or completions stream.
const DONE: &[u8] = b"[DONE]";

impl Dialect {
    /// Classifies an event; `None` if its data is not the expected JSON.
    pub(crate) fn understand(self, event: &Event) -> Option<Understood> {
        match self {
            Self::Choices if event.data == DONE => Some(EventKind::End.into()),
            _ if !event.data.trim_ascii_start().starts_with(b"{") => None,
            Self::Choices => choices(&event.data),
            Self::Typed => typed(event),
        }
    }
}

fn choices(data: &[u8]) -> Option<Understood> {
    #[derive(Deserialize)]
    struct Chunk<'a> {
        #[serde(borrow)]
        error: Option<&'a RawValue>,
        #[serde(borrow)]
        choices: Option<Vec<Choice<'a>>>,
    }

    #[derive(Deserialize)]
    struct Choice<'a> {
        #[serde(borrow)]
        delta: Option<BTreeMap<Cow<'a, str>, &'a RawValue>>,
        #[serde(borrow)]
        text: Option<&'a RawValue>,
        #[serde(borrow)]
        finish_reason: Option<&'a RawValue>,
    }

    impl Choice<'_> {
        fn is_content(&self) -> bool {
            let says = |value: &RawValue| !matches!(value.get(), "null" | "\"\"" | "[]" | "{}");
            let delta = self.delta.iter().flatten();
            self.finish_reason.is_some()
                || self.text.is_some_and(says)
                || delta.into_iter().any(|(name, value)| name != "role" && says(value))
        }
    }

    let chunk: Chunk<'_> = serde_json::from_slice(data).ok()?;
    let kind = match chunk.error {
        Some(error) => EventKind::Error(ProviderError::of(error)),
        None if chunk.choices.iter().flatten().any(Choice::is_content) => EventKind::Content,
        None => EventKind::Preamble,
    };
    Some(kind.into())
}

fn typed(event: &Event) -> Option<Understood> {
    #[derive(Deserialize)]
    struct Typed<'a> {
        #[serde(borrow)]
        r#type: Option<Cow<'a, str>>,
        #[serde(borrow)]
        error: Option<&'a RawValue>,
        #[serde(borrow)]
        response: Option<About<'a>>,
        sequence_number: Option<u64>,
    }

    #[derive(Deserialize)]
    struct About<'a> {
        id: Option<String>,
        #[serde(borrow)]
        error: Option<&'a RawValue>,
    }

    let typed: Typed<'_> = serde_json::from_slice(&event.data).ok()?;
    let name = typed.r#type.unwrap_or_else(|| String::from_utf8_lossy(&event.name));
    let kind = match (&*name, typed.error.map(ProviderError::of)) {
        ("error", error) => {
            // In the documentation, the message is next to `type`; the live service nests it under
            // `error`.
            let flat = || serde_json::from_slice(&event.data).ok().map(ProviderError::of);
            EventKind::Error(error.or_else(flat).unwrap_or_default())
        }
        ("response.failed", _) => {
            let error = typed.response.as_ref().and_then(|response| response.error);
            EventKind::Error(error.map(ProviderError::of).unwrap_or_default())
        }
        ("", Some(error)) => EventKind::Error(error),
        (name, _) if ENDS.contains(&name) => EventKind::End,
        (name, _) if PREAMBLES.contains(&name) => EventKind::Preamble,
        _ => EventKind::Content,
    };
    let response_id = typed.response.and_then(|response| response.id);
    Some(Understood { kind, response_id, sequence_number: typed.sequence_number })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn kind(dialect: Dialect, name: &str, data: &str) -> Option<EventKind> {
        let event = Event { name: name.into(), data: data.into() };
        dialect.understand(&event).map(|understood| understood.kind)
    }

    fn error(code: &str, message: &str) -> EventKind {
        EventKind::Error(ProviderError { code: code.to_owned(), message: message.to_owned() })
    }

    #[rstest]
    #[case::role(r#"{"choices":[{"delta":{"role":"assistant","content":"","refusal":null},"finish_reason":null}]}"#, Some(EventKind::Preamble))]
    #[case::azures_first(
        r#"{"choices":[],"prompt_filter_results":[{}]}"#,
        Some(EventKind::Preamble)
    )]
    #[case::usage(r#"{"choices":[],"usage":{}}"#, Some(EventKind::Preamble))]
    #[case::no_choices("{}", Some(EventKind::Preamble))]
    #[case::null("{\"choices\":null,\"error\":null}", Some(EventKind::Preamble))]
    #[case::empty_lists(
        r#"{"choices":[{"delta":{"tool_calls":[],"x":{}}}]}"#,
        Some(EventKind::Preamble)
    )]
    #[case::content(r#"{"choices":[{"delta":{"content":"a"}}]}"#, Some(EventKind::Content))]
    #[case::blank(r#"{"choices":[{"delta":{"content":" "}}]}"#, Some(EventKind::Content))]
    #[case::refusal(r#"{"choices":[{"delta":{"refusal":"no"}}]}"#, Some(EventKind::Content))]
    #[case::tool(
        r#"{"choices":[{"delta":{"tool_calls":[{"index":0}]}}]}"#,
        Some(EventKind::Content)
    )]
    #[case::reasoning(
        r#"{"choices":[{"delta":{"reasoning_content":"hm"}}]}"#,
        Some(EventKind::Content)
    )]
    #[case::second_choice(
        r#"{"choices":[{"delta":{}},{"delta":{"content":"a"}}]}"#,
        Some(EventKind::Content)
    )]
    #[case::finish(
        r#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#,
        Some(EventKind::Content)
    )]
    #[case::text(r#"{"choices":[{"text":"a"}]}"#, Some(EventKind::Content))]
    #[case::no_text(r#"{"choices":[{"text":"","finish_reason":null}]}"#, Some(EventKind::Preamble))]
    #[case::done("[DONE]", Some(EventKind::End))]
    #[case::error(r#"{"error":{"code":"x","message":"y"}}"#, Some(error("x", "y")))]
    #[case::bare_error(r#"{"error":"y"}"#, Some(error("", "y")))]
    #[case::not_json("{", None)]
    #[case::not_an_object("[]", None)]
    #[case::not_json("ping", None)]
    fn chunks_are_classified(#[case] data: &str, #[case] means: Option<EventKind>) {
        assert_eq!(kind(Dialect::Choices, "", data), means);
    }

    #[rstest]
    #[case::created(
        "",
        r#"{"type":"response.created","response":{"id":"r"}}"#,
        Some(EventKind::Preamble)
    )]
    #[case::announced("", r#"{"type":"response.output_item.added"}"#, Some(EventKind::Preamble))]
    #[case::delta("", r#"{"type":"response.output_text.delta"}"#, Some(EventKind::Content))]
    #[case::unknown("", r#"{"type":"response.telepathy.delta"}"#, Some(EventKind::Content))]
    #[case::named("response.in_progress", "{}", Some(EventKind::Preamble))]
    #[case::completed("", r#"{"type":"response.completed"}"#, Some(EventKind::End))]
    #[case::incomplete("", r#"{"type":"response.incomplete"}"#, Some(EventKind::End))]
    #[case::speech("", r#"{"type":"speech.audio.done"}"#, Some(EventKind::End))]
    #[case::done_too_early("", "[DONE]", None)]
    #[case::failed(
        "",
        r#"{"type":"response.failed","response":{"error":{"code":"x","message":"y"}}}"#,
        Some(error("x", "y"))
    )]
    #[case::failed_without_a_message("", r#"{"type":"response.failed"}"#, Some(error("", "")))]
    #[case::nested_error(
        "error",
        r#"{"type":"error","error":{"code":"x","message":"y"}}"#,
        Some(error("x", "y"))
    )]
    #[case::flat_error("", r#"{"type":"error","code":"x","message":"y"}"#, Some(error("x", "y")))]
    #[case::nameless_error("", r#"{"error":{"message":"y"}}"#, Some(error("", "y")))]
    #[case::not_json("", "{", None)]
    fn typed_events_are_classified(
        #[case] name: &str,
        #[case] data: &str,
        #[case] means: Option<EventKind>,
    ) {
        assert_eq!(kind(Dialect::Typed, name, data), means);
    }

    #[test]
    fn an_event_has_a_response_id_and_a_position() {
        let data = r#"{"type":"response.created","sequence_number":3,"response":{"id":"resp_1"}}"#;
        let event = Event { name: Vec::new(), data: data.into() };
        let understood = Dialect::Typed.understand(&event).expect("an event");
        assert_eq!(understood.response_id.as_deref(), Some("resp_1"));
        assert_eq!(understood.sequence_number, Some(3));
    }
}
