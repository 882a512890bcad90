//! Kinds of events in `OpenAI` streams: chat, completions, responses, images, speech and
//! transcripts.

use serde_json::Value;

use super::event::{Event, events};

/// Data of the last event in a chat or completions stream.
pub(super) const DONE: &str = "[DONE]";

/// JSON pointers to the model name in an event.
pub(super) const MODELS: [&str; 2] = ["/model", "/response/model"];

/// What an event means to a client that waits for the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    /// Metadata rather than a part of the answer: the role, an announcement or usage.
    Frame,
    /// A part of the answer.
    Content,
    /// The end of a complete answer.
    End,
    /// A failed answer: an error event, or data that cannot be parsed.
    Error,
}

/// The `id` of a JSON answer, or of the response in a stream's first event.
pub fn response_id(body: &[u8]) -> Option<String> {
    let id = |value: &Value| value.as_str().map(str::to_owned);
    match serde_json::from_slice::<Value>(body) {
        Ok(answer) => id(&answer["id"]),
        Err(_) => events(body).first().and_then(|event| id(&event.value()["response"]["id"])),
    }
}

impl Event {
    /// The meaning of this event. An unknown event type counts as content.
    pub fn kind(&self) -> EventKind {
        const FRAMES: [&str; 6] = [
            "response.created",
            "response.queued",
            "response.in_progress",
            "response.output_item.added",
            "response.content_part.added",
            "response.reasoning_summary_part.added",
        ];
        const ENDS: [&str; 5] = [
            "response.completed",
            "response.incomplete",
            "image_generation.completed",
            "transcript.text.done",
            "speech.audio.done",
        ];
        if self.is_done() {
            return EventKind::End;
        }
        // An event that cannot be parsed counts as an error, because it may have contained a part
        // of the answer.
        let value = self.value();
        if value.is_null() {
            return EventKind::Error;
        }
        match value["type"].as_str() {
            _ if self.reports_error() => EventKind::Error,
            Some(name) if ENDS.contains(&name) => EventKind::End,
            Some(name) if FRAMES.contains(&name) => EventKind::Frame,
            None if choices(value).all(|choice| !has_content(choice)) => EventKind::Frame,
            Some(_) | None => EventKind::Content,
        }
    }

    /// Whether the event reports an error: it has an `error`, or its type is `error` or
    /// `response.failed`.
    pub fn reports_error(&self) -> bool {
        let value = self.value();
        matches!(value["type"].as_str(), Some("error" | "response.failed"))
            || !value["error"].is_null()
    }

    /// The error code that the event reports, if any.
    pub fn error_code(&self) -> Option<&str> {
        let pointers = ["/error/code", "/response/error/code", "/code"];
        let mut codes =
            pointers.iter().filter_map(|pointer| self.value().pointer(pointer)?.as_str());
        codes.next().filter(|_| self.reports_error())
    }

    /// Whether the event tells the client that the answer is not complete.
    pub fn reports_failure(&self) -> bool {
        self.reports_error() || self.value()["type"] == "response.incomplete"
    }

    /// Whether the event carries the answer: content, or an end event with the complete answer.
    pub fn is_answer(&self) -> bool {
        match self.kind() {
            EventKind::Content => true,
            EventKind::End => !self.is_done(),
            EventKind::Frame | EventKind::Error => false,
        }
    }

    /// Whether this is `response.created`, the first event of a stream on the responses endpoint.
    pub fn is_created(&self) -> bool {
        self.value()["type"] == "response.created"
    }

    /// The event's `sequence_number`, which only events of the responses endpoint have.
    pub fn sequence_number(&self) -> Option<i64> {
        self.value()["sequence_number"].as_i64()
    }

    /// The id of the response to which a chunk with choices belongs; `None` if the id is empty, as
    /// in some chunks from Azure.
    pub fn chunk_id(&self) -> Option<&str> {
        let value = self.value();
        let id = value["id"].as_str().filter(|id| !id.is_empty())?;
        (value["choices"].is_array() && value["error"].is_null()).then_some(id)
    }

    /// The error type or status with which an error event blames the request, if it does. Clients
    /// do not retry a call after such an error.
    pub fn blames_request(&self) -> Option<String> {
        const TYPES: [&str; 6] = [
            "invalid_request_error",
            "invalid_request",
            "authentication_error",
            "permission_error",
            "not_found_error",
            "unprocessable_entity",
        ];
        let value = self.value();
        let nested = [&value["error"], &value["response"]["error"]];
        let error = nested.into_iter().find(|it| it.is_object()).unwrap_or(value);
        let text = |name: &str| match &error[name] {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        if let Some(kind) = text("type").filter(|kind| TYPES.contains(&kind.as_str())) {
            return Some(kind);
        }
        let status = ["status", "status_code", "code"].into_iter().filter_map(text);
        let is_mistake = |status: &u16| {
            (400..500).contains(status) && !matches!(status, 408 | 409 | 424 | 425 | 429 | 499)
        };
        status.filter_map(|text| text.parse().ok()).find(is_mistake).map(|it| it.to_string())
    }

    /// Whether this is `[DONE]`.
    pub fn is_done(&self) -> bool {
        self.data == DONE
    }

    /// Whether this is a chunk with neither usage nor any part of the answer, except perhaps the
    /// role.
    pub fn is_bare(&self) -> bool {
        let is_chunk = self.value()["choices"].is_array();
        is_chunk && !self.is_usage() && self.kind() == EventKind::Frame
    }

    /// Whether an answer starts with this event: it has a role, or is `response.created`.
    pub fn is_beginning(&self) -> bool {
        let value = self.value();
        value["type"] == "response.created"
            || choices(value).any(|choice| !choice["delta"]["role"].is_null())
    }

    /// Whether this event has a finish reason.
    pub fn finishes(&self) -> bool {
        choices(self.value()).any(|choice| !choice["finish_reason"].is_null())
    }

    /// Whether this is a chat or completions chunk with usage.
    pub fn has_usage(&self) -> bool {
        let value = self.value();
        value["choices"].is_array() && value["usage"].is_object()
    }

    /// Whether this is the extra chunk that contains only usage.
    pub fn is_usage(&self) -> bool {
        self.has_usage() && choices(self.value()).next().is_none()
    }

    /// The model named in this event.
    pub fn model(&self) -> Option<&str> {
        MODELS.iter().find_map(|pointer| self.value().pointer(pointer)?.as_str())
    }
}

pub(super) fn choices(value: &Value) -> impl Iterator<Item = &Value> {
    value["choices"].as_array().into_iter().flatten()
}

fn has_content(choice: &Value) -> bool {
    let says = |value: &Value| !["null", "\"\"", "[]", "{}"].contains(&value.to_string().as_str());
    let mut delta = choice["delta"].as_object().into_iter().flatten();
    says(&choice["text"])
        || says(&choice["finish_reason"])
        || delta.any(|(name, value)| name != "role" && says(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_classified() {
        let meaning = |data: &str| Event::new("", data).kind();
        for frame in [
            r#"{"choices":[],"prompt_filter_results":[]}"#,
            r#"{"choices":[{"delta":{"role":"assistant","content":""},"finish_reason":null}]}"#,
            r#"{"choices":[{"text":"","finish_reason":null}]}"#,
            r#"{"type":"response.created","response":{"error":null}}"#,
        ] {
            assert_eq!(meaning(frame), EventKind::Frame, "{frame}");
        }
        for content in [
            r#"{"choices":[{"delta":{"content":" "}}]}"#,
            r#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#,
            r#"{"choices":[{"text":"a"}]}"#,
            r#"{"type":"response.output_text.delta","delta":"a"}"#,
        ] {
            assert_eq!(meaning(content), EventKind::Content, "{content}");
        }
        assert_eq!(meaning("[DONE]"), EventKind::End);
        assert_eq!(meaning(r#"{"type":"response.incomplete"}"#), EventKind::End);
        assert_eq!(meaning(r#"{"error":{"message":"x"}}"#), EventKind::Error);
        assert_eq!(meaning(r#"{"type":"response.failed"}"#), EventKind::Error);
        assert_eq!(meaning(r#"{"choices":[{"del"#), EventKind::Error);
    }

    #[test]
    fn an_error_blames_the_request_by_type_or_status() {
        let blames = |data: &str| Event::new("", data).blames_request();
        for (data, wanted) in [
            (
                r#"{"error":{"type":"invalid_request_error","code":"request_timeout"}}"#,
                "invalid_request_error",
            ),
            (r#"{"error":{"message":"x","code":"400"}}"#, "400"),
            (r#"{"error":{"code":404}}"#, "404"),
            (r#"{"type":"error","error":{"type":"not_found_error"}}"#, "not_found_error"),
            (r#"{"type":"response.failed","response":{"error":{"code":"422"}}}"#, "422"),
        ] {
            assert_eq!(blames(data).as_deref(), Some(wanted), "{data}");
        }
        for data in [
            r#"{"error":{"type":"server_error","code":"500"}}"#,
            r#"{"error":{"type":"rate_limit_error","code":429}}"#,
            r#"{"error":{"message":"It broke.","code":408}}"#,
            r#"{"type":"error","code":"server_error","message":"It broke."}"#,
            r#"{"type":"response.failed","response":{"error":{"code":"server_error"}}}"#,
        ] {
            assert_eq!(blames(data), None, "{data}");
        }
    }
}
