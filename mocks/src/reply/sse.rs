//! Server-sent events, as text.

use serde_json::Value;

pub(super) const CONTENT_TYPE: &str = "text/event-stream; charset=utf-8";

/// The same as `OpenAI`'s completions spell it.
pub(super) const BARE_CONTENT_TYPE: &str = "text/event-stream";

/// Events in the order sent.
#[derive(Default)]
pub(super) struct Events {
    text: String,
    count: usize,
}

impl Events {
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Adds an event that is data only.
    pub(super) fn data(&mut self, value: &Value) {
        self.line("data", &value.to_string());
        self.end();
    }

    /// Adds an event with a name.
    pub(super) fn named(&mut self, name: &str, value: &Value) {
        self.line("event", name);
        self.data(value);
    }

    /// Adds the end that chat and completions have.
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
