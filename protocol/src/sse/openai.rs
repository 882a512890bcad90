//! What the events of `OpenAI`'s streams mean: chat, completions, responses, images, speech,
//! transcripts.

use serde_json::Value;

use super::event::{Event, events};

/// The last event of a stream of chat or completions.
pub(super) const DONE: &str = "[DONE]";

/// Where events name the model that speaks.
pub(super) const MODELS: [&str; 2] = ["/model", "/response/model"];

/// What an event is to somebody who waits for an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// It holds nothing of the answer: who speaks, what is to come, what it costs.
    Frame,
    /// It holds a part of the answer.
    Content,
    /// The answer is whole.
    End,
    /// The answer has failed: it says so, or cannot be read.
    Error,
}

/// The `id` of an answer that is JSON, or of the response that a stream's first event tells of.
pub fn response_id(body: &[u8]) -> Option<String> {
    let id = |value: &Value| value.as_str().map(str::to_owned);
    match serde_json::from_slice::<Value>(body) {
        Ok(answer) => id(&answer["id"]),
        Err(_) => events(body).first().and_then(|event| id(&event.value()["response"]["id"])),
    }
}

impl Event {
    /// What it is. An event of an unknown kind counts as content.
    pub fn meaning(&self) -> Meaning {
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
            return Meaning::End;
        }
        // Nobody can tell what was lost with it.
        let value = self.value();
        if value.is_null() {
            return Meaning::Error;
        }
        match value["type"].as_str() {
            Some("error" | "response.failed") => Meaning::Error,
            _ if !value["error"].is_null() => Meaning::Error,
            Some(name) if ENDS.contains(&name) => Meaning::End,
            Some(name) if FRAMES.contains(&name) => Meaning::Frame,
            None if choices(value).all(|choice| !has_content(choice)) => Meaning::Frame,
            Some(_) | None => Meaning::Content,
        }
    }

    /// Whether the answer is under way with it: content, or an end that holds the whole answer.
    pub fn is_answer(&self) -> bool {
        match self.meaning() {
            Meaning::Content => true,
            Meaning::End => !self.is_done(),
            Meaning::Frame | Meaning::Error => false,
        }
    }

    /// Whether it is `[DONE]`.
    pub fn is_done(&self) -> bool {
        self.data == DONE
    }

    /// Whether it is a chunk without anything of the answer, but for who speaks.
    pub fn is_bare(&self) -> bool {
        let is_chunk = self.value()["choices"].is_array();
        is_chunk && !self.is_usage() && self.meaning() == Meaning::Frame
    }

    /// Whether an answer starts here: its first role, or `response.created`.
    pub fn is_beginning(&self) -> bool {
        let value = self.value();
        value["type"] == "response.created"
            || choices(value).any(|choice| !choice["delta"]["role"].is_null())
    }

    /// Whether it says why a choice ended.
    pub fn finishes(&self) -> bool {
        choices(self.value()).any(|choice| !choice["finish_reason"].is_null())
    }

    /// Whether it is a chunk that says what the answer costs, of chat and completions.
    pub fn has_usage(&self) -> bool {
        let value = self.value();
        value["choices"].is_array() && value["usage"].is_object()
    }

    /// Whether it is the extra chunk that says this, and nothing else.
    pub fn is_usage(&self) -> bool {
        self.has_usage() && choices(self.value()).next().is_none()
    }

    /// The model that it names, where it does.
    pub fn model(&self) -> Option<&str> {
        MODELS.iter().find_map(|place| self.value().pointer(place)?.as_str())
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
    fn an_event_tells_what_it_is() {
        let meaning = |data: &str| Event::new("", data).meaning();
        for frame in [
            r#"{"choices":[],"prompt_filter_results":[]}"#,
            r#"{"choices":[{"delta":{"role":"assistant","content":""},"finish_reason":null}]}"#,
            r#"{"choices":[{"text":"","finish_reason":null}]}"#,
            r#"{"type":"response.created","response":{"error":null}}"#,
        ] {
            assert_eq!(meaning(frame), Meaning::Frame, "{frame}");
        }
        for content in [
            r#"{"choices":[{"delta":{"content":" "}}]}"#,
            r#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#,
            r#"{"choices":[{"text":"a"}]}"#,
            r#"{"type":"response.output_text.delta","delta":"a"}"#,
        ] {
            assert_eq!(meaning(content), Meaning::Content, "{content}");
        }
        assert_eq!(meaning("[DONE]"), Meaning::End);
        assert_eq!(meaning(r#"{"type":"response.incomplete"}"#), Meaning::End);
        assert_eq!(meaning(r#"{"error":{"message":"x"}}"#), Meaning::Error);
        assert_eq!(meaning(r#"{"type":"response.failed"}"#), Meaning::Error);
        assert_eq!(meaning(r#"{"choices":[{"del"#), Meaning::Error);
    }
}
