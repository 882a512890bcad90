//! Formatting of server-sent events.

use serde_json::Value;

pub(super) const CONTENT_TYPE: &str = "text/event-stream; charset=utf-8";

/// Content type of `OpenAI`'s completions, without a charset.
pub(super) const BARE_CONTENT_TYPE: &str = "text/event-stream";

/// The events of a stream, in the order sent.
#[derive(Default)]
pub(super) struct Events {
    text: String,
    count: usize,
}

impl Events {
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Adds an event that has only data.
    pub(super) fn data(&mut self, value: &Value) {
        self.line("data", &value.to_string());
        self.end();
    }

    /// Adds a named event.
    pub(super) fn named(&mut self, name: &str, value: &Value) {
        self.line("event", name);
        self.data(value);
    }

    /// Adds the end of a chat or completions stream.
    pub(super) fn done(&mut self) {
        self.line("data", "[DONE]");
        self.end();
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.text.into_bytes()
    }

    fn line(&mut self, field: &str, value: &str) {
        self.text.extend([field, ": ", value, "\n"]);
    }

    fn end(&mut self) {
        self.text.push('\n');
        self.count += 1;
    }
}
