//! The model's output: text, a refusal or a tool call.
//!
//! The output consists of pieces. A stream sends one piece at a time, and each piece counts as a
//! token. The first piece with text contains the marker, so that a client that received any text
//! also received the marker.

use serde_json::{Value, json};

use super::sample::sample;
use super::{ReplyContext, ReplyMode};

const MOST_CHOICES: u64 = 128;

/// One choice of an answer.
pub(super) struct ModelOutput {
    pub(super) kind: Kind,
    /// Pieces of the text, of the refusal, or of the tool's input.
    pub(super) pieces: Vec<String>,
    pub(super) finish_reason: &'static str,
}

pub(super) enum Kind {
    Text,
    Refusal,
    Call { tool: Tool, id: String, name: String },
}

/// Kind of tool that is called.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Tool {
    /// A function, with JSON arguments.
    Function,
    /// A custom tool, with text input.
    Custom,
    /// An entry of chat's deprecated `functions`. Its calls have no id.
    OldFunction,
}

impl ModelOutput {
    pub(super) fn text(&self) -> String {
        self.pieces.concat()
    }

    pub(super) fn is_call(&self) -> bool {
        matches!(self.kind, Kind::Call { .. })
    }
}

impl ReplyContext<'_> {
    /// Number of choices requested.
    pub(super) fn count(&self) -> u64 {
        self.members.get::<u64>("n").map_or(1, |count| count.clamp(1, MOST_CHOICES))
    }

    /// The sentence with which the model answers. All known gateways preserve the marker in it. The
    /// sentence has characters of one to four bytes, so that a chunk boundary can split a
    /// character.
    pub(super) fn sentence(&self, choice: u64) -> String {
        let token = self.marker.token();
        match choice {
            0 => format!("{token} speaking — ça va? 👋"),
            _ => format!("{token} speaking again, choice {choice}."),
        }
    }

    pub(super) fn say(&self, choice: u64) -> ModelOutput {
        if self.mode == ReplyMode::Refusal {
            let refusal = format!("{} can't help with that.", self.marker.token());
            return ModelOutput {
                kind: Kind::Refusal,
                pieces: pieces(&refusal),
                finish_reason: "stop",
            };
        }
        if let Some(call) = self.forced_call(choice) {
            return call;
        }
        if let Some(schema) = self.answer_schema() {
            let content = sample(&schema, &self.sentence(choice)).to_string();
            return ModelOutput {
                kind: Kind::Text,
                pieces: pieces(&content),
                finish_reason: "stop",
            };
        }
        self.limited(&self.sentence(choice))
    }

    /// An output with this text, which ends before the first `stop` sequence and at the token
    /// limit. The marker is never truncated.
    pub(super) fn limited(&self, text: &str) -> ModelOutput {
        let stops = match self.members.value("stop") {
            Value::String(stop) => vec![stop],
            Value::Array(stops) => {
                stops.iter().filter_map(|stop| stop.as_str().map(str::to_owned)).collect()
            }
            _ => Vec::new(),
        };
        let marker_end =
            text.find(self.marker.token()).map_or(0, |start| start + self.marker.token().len());
        let (before, after) = text.split_at(marker_end);
        let end = stops
            .iter()
            .filter(|stop| !stop.is_empty())
            .filter_map(|stop| after.find(stop.as_str()))
            .min()
            .unwrap_or(after.len());
        let mut pieces = pieces(&format!("{before}{}", &after[..end]));
        let most = ["max_completion_tokens", "max_tokens"]
            .iter()
            .find_map(|name| self.members.get::<usize>(name))
            .map_or(usize::MAX, |most| most.max(1));
        let finish_reason = if most < pieces.len() { "length" } else { "stop" };
        pieces.truncate(most);
        ModelOutput { kind: Kind::Text, pieces, finish_reason }
    }

    fn forced_call(&self, choice: u64) -> Option<ModelOutput> {
        let Forced { tool, name, parameters, finish_reason } =
            self.forced_tool().or_else(|| self.forced_function())?;
        let text = match (tool, parameters) {
            (Tool::Custom, _) => self.sentence(choice),
            (_, parameters @ Value::Object(_)) => {
                sample(&parameters, self.marker.token()).to_string()
            }
            _ => "{}".to_owned(),
        };
        // The id contains the marker, too, because the arguments may contain no text. Most gateways
        // forward the id unchanged.
        let token = self.marker.token();
        let id = format!("call_{token}{}", self.digits(&format!("call {choice}"), 5));
        Some(ModelOutput {
            kind: Kind::Call { tool, id, name },
            pieces: pieces(&text),
            finish_reason,
        })
    }

    /// The tool call that `tool_choice` forces. A call that is forced by name finishes with `stop`,
    /// as was [seen](https://github.com/vllm-project/vllm/pull/25054) with functions.
    fn forced_tool(&self) -> Option<Forced> {
        let choice = self.members.value("tool_choice");
        if !choice.is_object() && choice != "required" {
            return None;
        }
        let tools: Vec<Value> = self.members.get("tools")?;
        let (chosen, finish_reason) = match choice {
            Value::String(mode) if mode == "required" => (first_named(&tools)?, "tool_calls"),
            allowed if allowed["type"] == "allowed_tools" => {
                let allowed = allowed.get("allowed_tools").unwrap_or(&allowed);
                let tools = allowed["tools"].as_array().filter(|_| allowed["mode"] == "required");
                (first_named(tools?)?, "tool_calls")
            }
            forced => (named(&forced)?, "stop"),
        };
        let definition = tools.iter().find(|tool| named(tool).as_ref() == Some(&chosen))?;
        let (tool, name) = chosen;
        let parameters = definition.get("function").unwrap_or(definition)["parameters"].clone();
        Some(Forced { tool, name, parameters, finish_reason })
    }

    /// The call that `function_call` forces by naming a function. It finishes with `stop`, as was
    /// [seen](https://github.com/openai/openai-node/issues/305).
    fn forced_function(&self) -> Option<Forced> {
        let functions: Vec<Value> = self.members.get("functions")?;
        let name = self.members.value("function_call")["name"].as_str()?.to_owned();
        let definition = functions.iter().find(|function| function["name"] == name.as_str())?;
        let parameters = definition["parameters"].clone();
        Some(Forced { tool: Tool::OldFunction, name, parameters, finish_reason: "stop" })
    }

    /// Schema of the JSON answer that the request asks for, if any. Chat has it in
    /// `response_format`, responses have it in `text.format`.
    fn answer_schema(&self) -> Option<Value> {
        let format = self
            .members
            .get::<Value>("response_format")
            .or_else(|| self.members.value("text").get("format").cloned())?;
        match format["type"].as_str()? {
            "json_object" => Some(json!({
                "type": "object",
                "properties": { "answer": { "type": "string" } },
                "required": ["answer"]
            })),
            "json_schema" => {
                Some(format.get("json_schema").unwrap_or(&format).get("schema")?.clone())
            }
            _ => None,
        }
    }
}

/// A tool call that the request forces.
struct Forced {
    tool: Tool,
    name: String,
    /// Schema of a function's arguments; `Null` if absent.
    parameters: Value,
    finish_reason: &'static str,
}

/// Kind and name of the first tool that has a name.
fn first_named(tools: &[Value]) -> Option<(Tool, String)> {
    tools.iter().find_map(named)
}

/// Kind and name of a function or custom tool; `None` for other tools. In chat, the name is in a
/// nested object; in responses, it is not.
fn named(tool: &Value) -> Option<(Tool, String)> {
    let (kind, wrapper) = match tool["type"].as_str()? {
        "function" => (Tool::Function, "function"),
        "custom" => (Tool::Custom, "custom"),
        _ => return None,
    };
    let name = tool.get(wrapper).unwrap_or(tool).get("name")?.as_str()?;
    Some((kind, name.to_owned()))
}

/// Splits a string into pieces as a model might. A piece is a punctuation mark, or a word with the
/// space before it. The marker is never split.
pub(super) fn pieces(text: &str) -> Vec<String> {
    let is_word = |c: char| c.is_alphanumeric() || c == '-';
    let mut pieces: Vec<String> = Vec::new();
    let mut last = None;
    for c in text.chars() {
        let goes_on = last.is_some_and(|last: char| {
            (is_word(last) && is_word(c)) || (last.is_whitespace() && !c.is_whitespace())
        });
        match pieces.last_mut().filter(|_| goes_on) {
            Some(piece) => piece.push(c),
            None => pieces.push(c.to_string()),
        }
        last = Some(c);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::pieces;

    #[test]
    fn a_text_is_split_at_words_and_punctuation() {
        let split = pieces("fp-0a1b speaking — ça va? 👋");
        assert_eq!(split, ["fp-0a1b", " speaking", " —", " ça", " va", "?", " 👋"]);
        let split = pieces(r#"{"city":"fp-0a1b"}"#);
        assert_eq!(split, ["{", "\"", "city", "\"", ":", "\"", "fp-0a1b", "\"", "}"]);
        assert!(pieces("").is_empty());
    }
}
