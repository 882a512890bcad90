//! Server-sent events: what a streamed answer says.
//!
//! <https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream>

use std::mem;
use std::sync::OnceLock;

use serde_json::Value;

use crate::json::{Difference, DifferenceKind, Tree, differences};

/// The last event of a stream of chat or completions.
const DONE: &str = "[DONE]";

/// Where events name the model that speaks.
const MODELS: [&str; 2] = ["/model", "/response/model"];

/// One event of a stream. What its data says is read once, and only if somebody asks.
#[derive(Debug, Clone, Default)]
pub struct Event {
    /// The `event` field; empty where there is none.
    pub name: String,
    /// The `data` fields, with a line feed between them. What is not UTF-8 is replaced.
    pub data: String,
    value: OnceLock<Value>,
    tree: OnceLock<Option<Tree>>,
}

impl PartialEq for Event {
    fn eq(&self, other: &Self) -> bool {
        self.data == other.data && self.name == other.name
    }
}

impl Eq for Event {}

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

/// How alike two events are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Likeness {
    /// Byte for byte.
    Same,
    /// By value.
    Equal,
    /// In what they say of the answer: what stands beside it differs, as its id may.
    InContent,
    /// Not at all.
    Other,
}

/// The whole events of a body: one whose empty line is missing is none. Comments are left out.
pub fn events(body: &[u8]) -> Vec<Event> {
    let text = String::from_utf8_lossy(body).replace("\r\n", "\n").replace('\r', "\n");
    let (mut events, mut event) = (Vec::new(), Event::default());
    for line in text.split_inclusive('\n') {
        let Some(line) = line.strip_suffix('\n') else { break };
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            _ if line.is_empty() => {
                let whole = mem::take(&mut event);
                if let Some(data) = whole.data.strip_suffix('\n') {
                    events.push(Event::new(whole.name, data));
                }
            }
            "event" => value.clone_into(&mut event.name),
            "data" => event.data.extend([value, "\n"]),
            _ => {}
        }
    }
    events
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
    /// An event of this name with these data.
    pub fn new(name: impl Into<String>, data: impl Into<String>) -> Self {
        Self { name: name.into(), data: data.into(), ..Self::default() }
    }

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

    /// How alike this event and another are, their names included; the model's name aside, by which
    /// many gateways call their group.
    pub fn likeness(&self, other: &Self) -> Likeness {
        if self.name == other.name { self.likeness_of_data(other) } else { Likeness::Other }
    }

    fn likeness_of_data(&self, other: &Self) -> Likeness {
        if self.data == other.data {
            return Likeness::Same;
        }
        let Some(found) = self.differences(other) else { return Likeness::Other };
        let (of_the_model, others): (Vec<_>, Vec<_>) =
            found.iter().partition(|it| MODELS.contains(&&*it.pointer));
        let is_spelling = |it: &Difference| matches!(it.kind, DifferenceKind::Respelled(..));
        if others.is_empty() && !of_the_model.is_empty() {
            Likeness::Same
        } else if others.iter().all(|it| is_spelling(it)) {
            Likeness::Equal
        } else if others.iter().all(|it| is_spelling(it) || self.is_beside(it)) {
            Likeness::InContent
        } else {
            Likeness::Other
        }
    }

    /// The model that it names, where it does.
    pub fn model(&self) -> Option<&str> {
        MODELS.iter().find_map(|place| self.value().pointer(place)?.as_str())
    }

    /// Where the other one says something else, as a JSON pointer: of the answer if it does so at
    /// all, else beside it. What is null or empty says what its absence says, and any name may be
    /// given to the model.
    pub fn differs_at(&self, other: &Self) -> Option<String> {
        let (beside, content): (Vec<_>, Vec<_>) =
            self.differences(other)?.into_iter().partition(|it| self.is_beside(it));
        let said = |it: &Difference| {
            let is_model = MODELS.contains(&&*it.pointer);
            !is_model
                && !is_absence(it)
                && !matches!(it.kind, DifferenceKind::Respelled(..) | DifferenceKind::Added(_))
        };
        let mut found = content.into_iter().chain(beside.into_iter().filter(said));
        found.next().map(|it| it.pointer)
    }

    /// Where both are JSON.
    fn differences(&self, other: &Self) -> Option<Vec<Difference>> {
        Some(differences(self.tree()?, other.tree()?))
    }

    /// Whether this tells what that usage chunk tells of the cost.
    pub fn costs_the_same(&self, usage: &Self) -> bool {
        let counts = ["prompt_tokens", "completion_tokens", "total_tokens"];
        let (own, theirs) = (&self.value()["usage"], &usage.value()["usage"]);
        own.is_object() && counts.iter().all(|count| own[count] == theirs[count])
    }

    /// Whether what differs is no part of the answer, nor of why it ended and what it costs.
    fn is_beside(&self, difference: &Difference) -> bool {
        let parts: Vec<_> = difference.pointer.split('/').skip(1).collect();
        if matches!((&difference.kind, &parts[..]), (DifferenceKind::Removed(_), ["id" | "object"]))
        {
            // Without these it is no chunk.
            return false;
        }
        let is_added = match &difference.kind {
            DifferenceKind::Added(_) => true,
            // Null stands where there is nothing yet.
            DifferenceKind::Changed(from, _) => from == "null",
            _ => false,
        };
        let is_beside = match parts[..] {
            ["choices", _, "content_filter_results", ..] => true,
            // What is beside the totals is told for interest.
            ["usage", part, ..] | ["response", "usage", part, ..] if part.ends_with("_details") => {
                true
            }
            // More may be told of the cost than was given, also beside a part of the answer; who speaks
            // with the first word; and of each piece of a tool call what it is.
            ["usage", _, ..]
            | ["response", "usage", _, ..]
            | ["choices", _, "delta", "role"]
            | ["choices", _, "delta", "tool_calls", _, "type"] => is_added,
            ["usage"] if choices(self.value()).next().is_some() => is_added,
            ["response", name, ..] => {
                !["output", "usage", "error", "status", "incomplete_details"].contains(&name)
            }
            [name, ..] if self.value()["type"].is_null() => {
                !["choices", "usage", "error"].contains(&name)
            }
            _ => false,
        };
        is_beside || is_absence(difference)
    }

    /// The place of this event among these: of one with the same bytes, else of one that says the
    /// same, whatever its name, which takes far longer to see.
    pub fn place_in<'a>(&self, events: impl Iterator<Item = &'a Self> + Clone) -> Option<usize> {
        let same = events.clone().position(|it| it == self);
        same.or_else(|| { events }.position(|it| it.likeness_of_data(self) != Likeness::Other))
    }

    /// The data as JSON, digit for digit; `None` where they are none.
    pub fn tree(&self) -> Option<&Tree> {
        self.tree.get_or_init(|| Tree::parse(self.data.as_bytes()).ok()).as_ref()
    }

    fn value(&self) -> &Value {
        self.value.get_or_init(|| serde_json::from_str(&self.data).unwrap_or_default())
    }
}

/// Whether one has what says nothing, where the other has nothing.
fn is_absence(difference: &Difference) -> bool {
    let says_nothing = |text: &String| ["null", "\"\"", "[]", "{}"].contains(&text.as_str());
    match &difference.kind {
        DifferenceKind::Added(value) | DifferenceKind::Removed(value) => says_nothing(value),
        DifferenceKind::Changed(one, other) => says_nothing(one) && says_nothing(other),
        DifferenceKind::Respelled(..) => false,
    }
}

fn choices(value: &Value) -> impl Iterator<Item = &Value> {
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
    fn events_are_read_whatever_their_line_ends() {
        let read = |body: &str| {
            let events = events(body.as_bytes());
            events.into_iter().map(|event| (event.name, event.data)).collect::<Vec<_>>()
        };
        let event = |name: &str, data: &str| (name.to_owned(), data.to_owned());
        let expected = vec![event("n", "a\nb"), event("", "c")];
        let body = ": hi\n\nevent: n\ndata: a\ndata:b\nid: 1\n\ndata: c\n\n:\n\ndata: cut off\n";
        assert_eq!(read(body), expected);
        assert_eq!(read(&body.replace('\n', "\r\n")), expected);
        assert_eq!(read(&body.replace('\n', "\r")), expected);
        assert_eq!(read("{}"), []);
    }

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

    #[test]
    fn events_are_compared_by_name_and_value() {
        let event = |data: &str| Event::new("", data);
        let one = event(r#"{"choices":1,"b":"ü"}"#);
        assert_eq!(one.likeness(&one), Likeness::Same);
        assert_eq!(one.likeness(&event(r#"{"b": "\u00fc", "choices": 1}"#)), Likeness::Equal);
        assert_eq!(one.likeness(&event(r#"{"choices":2,"b":"ü"}"#)), Likeness::Other);
        let named = |model: &str| event(&format!(r#"{{"model":"{model}","choices":1}}"#));
        assert_eq!(named("gpt-5").likeness(&named("group")), Likeness::Same);
        assert_eq!(named("gpt-5").model(), Some("gpt-5"));
        assert_eq!(one.likeness(&Event::new("n", one.data.clone())), Likeness::Other);
        assert_eq!(event("[DONE]").likeness(&event("[done]")), Likeness::Other);
        let first = event(r#"{"choices":[{"delta":{"content":"a"}}]}"#);
        let with_role = event(r#"{"choices":[{"delta":{"content":"a","role":"assistant"}}]}"#);
        assert_ne!(first.likeness(&with_role), Likeness::Other);
        assert_eq!(with_role.likeness(&first), Likeness::Other);
        let cost = event(r#"{"choices":[],"usage":{"total_tokens":1}}"#);
        let more = event(r#"{"choices":[],"usage":{"total_tokens":1,"cost":0.1}}"#);
        assert_ne!(cost.likeness(&more), Likeness::Other);
        assert_eq!(more.likeness(&cost), Likeness::Other);
        assert!(event(r#"{"choices":[],"prompt_filter_results":[]}"#).is_bare());
        assert!(!event(r#"{"choices":[],"usage":{"total_tokens":1}}"#).is_bare());
        assert!(!first.is_bare());
        let charged =
            event(r#"{"choices":[{"delta":{"content":"a"}}],"usage":{"total_tokens":0}}"#);
        assert_eq!(first.likeness(&charged), Likeness::InContent);
        assert_eq!(charged.likeness(&first), Likeness::Other);
        assert!(charged.has_usage() && !charged.is_usage() && cost.is_usage());
        let piece =
            event(r#"{"choices":[{"delta":{"tool_calls":[{"function":{"arguments":"a"}}]}}]}"#);
        let typed = r#"{"choices":[{"delta":{"tool_calls":[{"type":"function","function":{"arguments":"a"}}]}}]}"#;
        assert_eq!(piece.likeness(&event(typed)), Likeness::InContent);
        assert_eq!(piece.differs_at(&event(typed)), None);
    }

    #[test]
    fn an_event_is_found_again_whatever_its_name() {
        let named = |name: &str, data: &str| Event::new(name, data);
        let delta = r#"{"type":"response.output_text.delta","delta":"a"}"#;
        let events = [named("", "[]"), named("response.output_text.delta", delta)];
        assert_eq!(named("", delta).place_in(events.iter()), Some(1));
        let done = [named("chunk", DONE)];
        assert_eq!(named("", DONE).place_in(done.iter()), Some(0));
    }

    #[test]
    fn what_stands_beside_the_answer_is_told_apart_from_it() {
        let event = |data: &str| Event::new("", data);
        let chunk = event(
            r#"{"id":"1","model":"a","choices":[{"delta":{"content":"x"},"logprobs":null}]}"#,
        );
        for (data, likeness, place) in [
            (
                r#"{"id":"2","model":"b","choices":[{"delta":{"content":"x"}}]}"#,
                Likeness::InContent,
                Some("/id"),
            ),
            (
                r#"{"id":"1","model":"b","choices":[{"delta":{"content":"x"}}],"more":1}"#,
                Likeness::InContent,
                None,
            ),
            (
                r#"{"id":"2","model":"a","choices":[{"delta":{"content":"y"},"logprobs":null}]}"#,
                Likeness::Other,
                Some("/choices/0/delta/content"),
            ),
            (
                r#"{"id":"1","model":"a","choices":[{"delta":{"content":"x","refusal":"no"},"logprobs":null}]}"#,
                Likeness::Other,
                Some("/choices/0/delta/refusal"),
            ),
        ] {
            assert_eq!(chunk.likeness(&event(data)), likeness, "{data}");
            assert_eq!(chunk.differs_at(&event(data)).as_deref(), place, "{data}");
        }
        let begun = event(r#"{"type":"response.created","response":{"id":"1","status":"queued"}}"#);
        let other = |data: &str| begun.likeness(&event(data));
        let id = r#"{"type":"response.created","response":{"id":"2","status":"queued"}}"#;
        assert_eq!(other(id), Likeness::InContent);
        let status = r#"{"type":"response.created","response":{"id":"1","status":"failed"}}"#;
        assert_eq!(other(status), Likeness::Other);
    }
}
