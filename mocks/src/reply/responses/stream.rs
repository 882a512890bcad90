//! A response as a stream of events.

use serde_json::{Map, Value, json};

use super::items::{Content, Item, logprobs};
use super::{frame, response};
use crate::provider::Endpoint;
use crate::reply::model_output::{Kind, ModelOutput, Tool};
use crate::reply::sse::Events;
use crate::reply::{ReplyContext, ReplyMode};

pub(super) fn events(context: &ReplyContext<'_>, items: &[Item]) -> Events {
    let mut stream = Stream { context, events: Events::default() };
    stream.response("response.created", &frame(context));
    stream.response("response.in_progress", &frame(context));
    match context.mode {
        ReplyMode::ErrorFirst => stream.error(),
        ReplyMode::Failed => {
            stream.error();
            stream.failed();
        }
        ReplyMode::ErrorLater => {
            for (index, item) in items.iter().enumerate() {
                stream.begin(index, item);
                if let Content::ModelOutput(output) = &item.content {
                    stream.piece(index, item, output, 0);
                } else {
                    stream.done(index, item);
                }
            }
            stream.error();
        }
        ReplyMode::Plain | ReplyMode::Refusal => {
            for (index, item) in items.iter().enumerate() {
                stream.item(index, item);
            }
            stream.response("response.completed", &response(context, items));
        }
    }
    stream.events
}

struct Stream<'a> {
    context: &'a ReplyContext<'a>,
    events: Events,
}

impl Stream<'_> {
    /// Adds an event. As in the provider's events, the type comes first and the other members
    /// follow in alphabetical order.
    fn event(&mut self, kind: &str, members: Value) {
        let mut members = match members {
            Value::Object(members) => members,
            _ => Map::new(),
        };
        members.insert("sequence_number".to_owned(), self.events.count().into());
        members.sort_keys();
        members.shift_insert(0, "type".to_owned(), kind.into());
        self.events.named(kind, &members.into());
    }

    fn response(&mut self, kind: &str, response: &Value) {
        self.event(kind, json!({ "response": response }));
    }

    fn item(&mut self, index: usize, item: &Item) {
        self.begin(index, item);
        match &item.content {
            Content::ModelOutput(output) => {
                for at in 0..output.pieces.len() {
                    self.piece(index, item, output, at);
                }
                self.output_done(index, item, output);
            }
            Content::Reasoning(summary) if summary.is_empty() => {}
            Content::Reasoning(summary) => self.summary(index, item, summary),
        }
        self.done(index, item);
    }

    /// Adds the events that come before the first content of an item.
    fn begin(&mut self, index: usize, item: &Item) {
        let mut begun = item.value.clone();
        match &item.content {
            Content::Reasoning(_) => begun["summary"] = json!([]),
            Content::ModelOutput(output) => {
                begun["status"] = json!("in_progress");
                match output.kind {
                    Kind::Call { tool: Tool::Custom, .. } => begun["input"] = json!(""),
                    Kind::Call { .. } => begun["arguments"] = json!(""),
                    Kind::Text | Kind::Refusal => begun["content"] = json!([]),
                }
            }
        }
        self.event("response.output_item.added", json!({ "item": begun, "output_index": index }));
        if let Content::ModelOutput(ModelOutput { kind: Kind::Text | Kind::Refusal, .. }) =
            &item.content
        {
            let mut part = item.value["content"][0].clone();
            if part["type"] == "refusal" {
                part["refusal"] = json!("");
            } else {
                part["text"] = json!("");
                part["logprobs"] = json!([]);
            }
            self.part("response.content_part.added", index, item, &part);
        }
    }

    fn part(&mut self, kind: &str, index: usize, item: &Item, part: &Value) {
        self.event(
            kind,
            json!({
                "content_index": 0,
                "item_id": item.id(),
                "output_index": index,
                "part": part
            }),
        );
    }

    fn piece(&mut self, index: usize, item: &Item, output: &ModelOutput, at: usize) {
        let Some(piece) = output.pieces.get(at) else { return };
        let mut delta = json!({ "delta": piece, "item_id": item.id(), "output_index": index });
        let kind = match output.kind {
            Kind::Text => {
                delta["content_index"] = json!(0);
                delta["logprobs"] = logprobs(self.context, &output.pieces[at..=at]);
                "response.output_text.delta"
            }
            Kind::Refusal => {
                delta["content_index"] = json!(0);
                "response.refusal.delta"
            }
            // The names and the order of these events are from
            // https://github.com/Oaklight/llm-rosetta/issues/182
            Kind::Call { tool: Tool::Custom, .. } => "response.custom_tool_call_input.delta",
            Kind::Call { .. } => "response.function_call_arguments.delta",
        };
        if let Some(obfuscation) = self.context.obfuscation(self.events.count()) {
            delta["obfuscation"] = obfuscation.into();
        }
        self.event(kind, delta);
    }

    /// Adds the events that come after the last piece of an item.
    fn output_done(&mut self, index: usize, item: &Item, output: &ModelOutput) {
        let mut members = json!({ "item_id": item.id(), "output_index": index });
        match output.kind {
            Kind::Text => {
                members["content_index"] = json!(0);
                members["logprobs"] = logprobs(self.context, &output.pieces);
                members["text"] = json!(output.text());
                self.event("response.output_text.done", members);
            }
            Kind::Refusal => {
                members["content_index"] = json!(0);
                members["refusal"] = json!(output.text());
                self.event("response.refusal.done", members);
            }
            Kind::Call { tool: Tool::Custom, .. } => {
                members["input"] = json!(output.text());
                self.event("response.custom_tool_call_input.done", members);
                return;
            }
            Kind::Call { .. } => {
                members["arguments"] = json!(output.text());
                self.event("response.function_call_arguments.done", members);
                return;
            }
        }
        self.part("response.content_part.done", index, item, &item.value["content"][0]);
    }

    fn summary(&mut self, index: usize, item: &Item, summary: &[String]) {
        let place = || json!({ "item_id": item.id(), "output_index": index, "summary_index": 0 });
        let with = |name: &str, value: Value| {
            let mut members = place();
            members[name] = value;
            members
        };
        let part = |text: String| json!({ "type": "summary_text", "text": text });
        let added = with("part", part(String::new()));
        self.event("response.reasoning_summary_part.added", added);
        for piece in summary {
            let mut delta = with("delta", json!(piece));
            if let Some(obfuscation) = self.context.obfuscation(self.events.count()) {
                delta["obfuscation"] = obfuscation.into();
            }
            self.event("response.reasoning_summary_text.delta", delta);
        }
        let text = summary.concat();
        self.event("response.reasoning_summary_text.done", with("text", json!(text)));
        self.event("response.reasoning_summary_part.done", with("part", part(text)));
    }

    fn done(&mut self, index: usize, item: &Item) {
        let members = json!({ "item": item.value, "output_index": index });
        self.event("response.output_item.done", members);
    }

    /// Adds an error event in the form that was [recorded], with the error in a nested object. The
    /// published schema has its members at the top level instead.
    ///
    /// [recorded]:
    /// https://github.com/vercel/ai/blob/ed857f50f112e23930b0c2dd8d532cc8bebbc911/packages/openai/src/responses/__fixtures__/openai-error.1.chunks.txt
    fn error(&mut self) {
        let (code, message) = self.failure();
        self.event(
            "error",
            json!({
                "error": { "type": "server_error", "code": code, "message": message, "param": null }
            }),
        );
    }

    fn failed(&mut self) {
        let (code, message) = self.failure();
        let mut response = frame(self.context);
        response["status"] = json!("failed");
        response["error"] = json!({ "code": code, "message": message });
        self.response("response.failed", &response);
    }

    fn failure(&self) -> (&'static str, Value) {
        ("server_error", self.context.error(Endpoint::Responses)["message"].take())
    }
}
