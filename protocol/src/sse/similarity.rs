//! Comparison of events.

use super::event::Event;
use super::openai::{MODELS, choices};
use crate::json::{Difference, DifferenceKind, differences};

/// How similar two events are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Similarity {
    /// The same bytes, except perhaps for the model name.
    Identical,
    /// The same values, but spelled differently.
    Equivalent,
    /// The same part of the answer, with different metadata such as the id.
    SameContent,
    /// Anything else.
    Different,
}

impl Event {
    /// Compares two events, including their names. A changed model name is ignored, since many
    /// gateways replace it with the name of the group.
    pub fn similarity(&self, other: &Self) -> Similarity {
        if self.name == other.name { self.similarity_of_data(other) } else { Similarity::Different }
    }

    fn similarity_of_data(&self, other: &Self) -> Similarity {
        if self.data == other.data {
            return Similarity::Identical;
        }
        let Some(found) = self.differences(other) else { return Similarity::Different };
        let (model_changes, others): (Vec<_>, Vec<_>) =
            found.iter().partition(|it| MODELS.contains(&&*it.pointer));
        let is_spelling = |it: &Difference| matches!(it.kind, DifferenceKind::Respelled(..));
        if others.is_empty() && !model_changes.is_empty() {
            Similarity::Identical
        } else if others.iter().all(|it| is_spelling(it)) {
            Similarity::Equivalent
        } else if others.iter().all(|it| is_spelling(it) || self.is_metadata(it)) {
            Similarity::SameContent
        } else {
            Similarity::Different
        }
    }

    /// JSON pointer to the first relevant difference from the other event. Differences in the
    /// answer come before differences in the metadata. Null and empty values count as absent. In
    /// the metadata, added members, different spellings and the model name are ignored.
    pub fn differs_at(&self, other: &Self) -> Option<String> {
        let (metadata, content): (Vec<_>, Vec<_>) =
            self.differences(other)?.into_iter().partition(|it| self.is_metadata(it));
        let matters = |it: &Difference| {
            let is_model = MODELS.contains(&&*it.pointer);
            !is_model
                && !is_absence(it)
                && !matches!(it.kind, DifferenceKind::Respelled(..) | DifferenceKind::Added(_))
        };
        let mut found = content.into_iter().chain(metadata.into_iter().filter(matters));
        found.next().map(|it| it.pointer)
    }

    /// The differences from the other event; `None` if one of the events is not JSON.
    fn differences(&self, other: &Self) -> Option<Vec<Difference>> {
        Some(differences(self.tree()?, other.tree()?))
    }

    /// Whether this event reports the same token counts as the usage chunk `usage`.
    pub fn has_same_usage(&self, usage: &Self) -> bool {
        let counts = ["prompt_tokens", "completion_tokens", "total_tokens"];
        let (own, theirs) = (&self.value()["usage"], &usage.value()["usage"]);
        own.is_object() && counts.iter().all(|count| own[count] == theirs[count])
    }

    /// Whether a difference affects neither the answer, nor its finish reason, nor its usage.
    fn is_metadata(&self, difference: &Difference) -> bool {
        let parts: Vec<_> = difference.pointer.split('/').skip(1).collect();
        if matches!((&difference.kind, &parts[..]), (DifferenceKind::Removed(_), ["id" | "object"]))
        {
            // A chunk is invalid without these members.
            return false;
        }
        let is_added = match &difference.kind {
            DifferenceKind::Added(_) => true,
            // Null means that there is no value yet.
            DifferenceKind::Changed(from, _) => from == "null",
            _ => false,
        };
        let is_metadata = match parts[..] {
            ["choices", _, "content_filter_results", ..] => true,
            // Usage details, which come in addition to the totals, are informational.
            ["usage", part, ..] | ["response", "usage", part, ..] if part.ends_with("_details") => {
                true
            }
            // Allowed additions: more usage data, even in a content chunk; the role in the first
            // content chunk; and the type in each piece of a tool call.
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
        is_metadata || is_absence(difference)
    }

    /// Index of this event in `events`. An event with the same name and data is preferred. If there
    /// is none, the first event with the same content is taken, whatever its name. That second
    /// search is much slower.
    pub fn index_in<'a>(&self, events: impl Iterator<Item = &'a Self> + Clone) -> Option<usize> {
        let same = events.clone().position(|it| it == self);
        same.or_else(|| {
            { events }.position(|it| it.similarity_of_data(self) != Similarity::Different)
        })
    }
}

/// Whether the only difference is that one side has an empty value and the other side has no value.
fn is_absence(difference: &Difference) -> bool {
    let says_nothing = |text: &String| ["null", "\"\"", "[]", "{}"].contains(&text.as_str());
    match &difference.kind {
        DifferenceKind::Added(value) | DifferenceKind::Removed(value) => says_nothing(value),
        DifferenceKind::Changed(one, other) => says_nothing(one) && says_nothing(other),
        DifferenceKind::Reordered | DifferenceKind::Respelled(..) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::openai::DONE;
    use super::*;

    #[test]
    fn events_are_compared_by_name_and_value() {
        let event = |data: &str| Event::new("", data);
        let one = event(r#"{"choices":1,"b":"ü"}"#);
        assert_eq!(one.similarity(&one), Similarity::Identical);
        assert_eq!(
            one.similarity(&event(r#"{"b": "\u00fc", "choices": 1}"#)),
            Similarity::Equivalent
        );
        assert_eq!(one.similarity(&event(r#"{"choices":2,"b":"ü"}"#)), Similarity::Different);
        let named = |model: &str| event(&format!(r#"{{"model":"{model}","choices":1}}"#));
        assert_eq!(named("gpt-5").similarity(&named("group")), Similarity::Identical);
        assert_eq!(named("gpt-5").model(), Some("gpt-5"));
        assert_eq!(one.similarity(&Event::new("n", one.data.clone())), Similarity::Different);
        assert_eq!(event("[DONE]").similarity(&event("[done]")), Similarity::Different);
        let first = event(r#"{"choices":[{"delta":{"content":"a"}}]}"#);
        let with_role = event(r#"{"choices":[{"delta":{"content":"a","role":"assistant"}}]}"#);
        assert_ne!(first.similarity(&with_role), Similarity::Different);
        assert_eq!(with_role.similarity(&first), Similarity::Different);
        let cost = event(r#"{"choices":[],"usage":{"total_tokens":1}}"#);
        let more = event(r#"{"choices":[],"usage":{"total_tokens":1,"cost":0.1}}"#);
        assert_ne!(cost.similarity(&more), Similarity::Different);
        assert_eq!(more.similarity(&cost), Similarity::Different);
        assert!(event(r#"{"choices":[],"prompt_filter_results":[]}"#).is_bare());
        assert!(!event(r#"{"choices":[],"usage":{"total_tokens":1}}"#).is_bare());
        assert!(!first.is_bare());
        let charged =
            event(r#"{"choices":[{"delta":{"content":"a"}}],"usage":{"total_tokens":0}}"#);
        assert_eq!(first.similarity(&charged), Similarity::SameContent);
        assert_eq!(charged.similarity(&first), Similarity::Different);
        assert!(charged.has_usage() && !charged.is_usage() && cost.is_usage());
        let piece =
            event(r#"{"choices":[{"delta":{"tool_calls":[{"function":{"arguments":"a"}}]}}]}"#);
        let typed = r#"{"choices":[{"delta":{"tool_calls":[{"type":"function","function":{"arguments":"a"}}]}}]}"#;
        assert_eq!(piece.similarity(&event(typed)), Similarity::SameContent);
        assert_eq!(piece.differs_at(&event(typed)), None);
    }

    #[test]
    fn an_event_is_found_under_any_name() {
        let named = |name: &str, data: &str| Event::new(name, data);
        let delta = r#"{"type":"response.output_text.delta","delta":"a"}"#;
        let events = [named("", "[]"), named("response.output_text.delta", delta)];
        assert_eq!(named("", delta).index_in(events.iter()), Some(1));
        let done = [named("chunk", DONE)];
        assert_eq!(named("", DONE).index_in(done.iter()), Some(0));
    }

    #[test]
    fn metadata_differences_are_distinguished_from_content() {
        let event = |data: &str| Event::new("", data);
        let chunk = event(
            r#"{"id":"1","model":"a","choices":[{"delta":{"content":"x"},"logprobs":null}]}"#,
        );
        for (data, similarity, pointer) in [
            (
                r#"{"id":"2","model":"b","choices":[{"delta":{"content":"x"}}]}"#,
                Similarity::SameContent,
                Some("/id"),
            ),
            (
                r#"{"id":"1","model":"b","choices":[{"delta":{"content":"x"}}],"more":1}"#,
                Similarity::SameContent,
                None,
            ),
            (
                r#"{"id":"2","model":"a","choices":[{"delta":{"content":"y"},"logprobs":null}]}"#,
                Similarity::Different,
                Some("/choices/0/delta/content"),
            ),
            (
                r#"{"id":"1","model":"a","choices":[{"delta":{"content":"x","refusal":"no"},"logprobs":null}]}"#,
                Similarity::Different,
                Some("/choices/0/delta/refusal"),
            ),
        ] {
            assert_eq!(chunk.similarity(&event(data)), similarity, "{data}");
            assert_eq!(chunk.differs_at(&event(data)).as_deref(), pointer, "{data}");
        }
        let begun = event(r#"{"type":"response.created","response":{"id":"1","status":"queued"}}"#);
        let other = |data: &str| begun.similarity(&event(data));
        let id = r#"{"type":"response.created","response":{"id":"2","status":"queued"}}"#;
        assert_eq!(other(id), Similarity::SameContent);
        let status = r#"{"type":"response.created","response":{"id":"1","status":"failed"}}"#;
        assert_eq!(other(status), Similarity::Different);
    }
}
