//! Parsing of event streams with any kind of line end.

use std::mem;
use std::sync::OnceLock;

use serde_json::Value;

use crate::json::Tree;

/// One event of a stream. Its data is parsed when first needed, and only once.
#[derive(Debug, Clone, Default)]
pub struct Event {
    /// The `event` field; empty if absent.
    pub name: String,
    /// The `data` fields joined by line feeds. Invalid UTF-8 is replaced.
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

/// The complete events in a body. An event without an empty line after it is dropped. Comments are
/// skipped.
pub fn events(body: &[u8]) -> Vec<Event> {
    let text = String::from_utf8_lossy(body).replace("\r\n", "\n").replace('\r', "\n");
    let (mut events, mut event) = (Vec::new(), Event::default());
    for line in text.split_inclusive('\n') {
        let Some(line) = line.strip_suffix('\n') else { break };
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            _ if line.is_empty() => {
                let complete = mem::take(&mut event);
                if let Some(data) = complete.data.strip_suffix('\n') {
                    events.push(Event::new(complete.name, data));
                }
            }
            "event" => value.clone_into(&mut event.name),
            "data" => event.data.extend([value, "\n"]),
            _ => {}
        }
    }
    events
}

impl Event {
    /// Creates an event.
    pub fn new(name: impl Into<String>, data: impl Into<String>) -> Self {
        Self { name: name.into(), data: data.into(), ..Self::default() }
    }

    /// The data as JSON that preserves spelling; `None` if it is not JSON.
    pub fn tree(&self) -> Option<&Tree> {
        self.tree.get_or_init(|| Tree::parse(self.data.as_bytes()).ok()).as_ref()
    }

    pub(super) fn value(&self) -> &Value {
        self.value.get_or_init(|| serde_json::from_str(&self.data).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_read_with_any_line_ends() {
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
}
