//! A mock deployment, and helpers to inspect its replies.

use fallproof_mocks::Reply;
use fallproof_mocks::behavior::Behavior;
use fallproof_mocks::marker::Marker;
use fallproof_mocks::provider::{Deployment, Names, Surface};
use fallproof_mocks::provider_set::{Answer, MockDeployment, MockProviders, Request};
use serde_json::{Value, json};

pub(crate) const PREFIX: &str = "/test/primary";
pub(crate) const KEY: &str = "sk-test-0001";
/// The model or deployment name in requests, on every surface.
pub(crate) const NAME: &str = "d";

pub(crate) struct Mock {
    providers: MockProviders,
    surface: Surface,
}

impl Mock {
    /// A deployment with this model, at which every valid request succeeds.
    pub(crate) fn of(surface: Surface, model: &str) -> Self {
        Self::playing(surface, model, "ok")
    }

    /// A deployment with this model that always plays this behavior.
    pub(crate) fn playing(surface: Surface, model: &str, behavior: &str) -> Self {
        let providers = MockProviders::default();
        let mock = MockDeployment {
            prefix: PREFIX.to_owned(),
            deployment: Deployment {
                surface,
                model: model.to_owned(),
                name: NAME.to_owned(),
                key: KEY.to_owned(),
            },
            names: Names::Own,
            script: vec![Behavior::named(behavior)],
            repeat_last: true,
            marker: marker(),
        };
        providers.mount(mock).expect("a valid script");
        Self { providers, surface }
    }

    /// Sends a valid request with these members and a `model`, and returns the reply.
    pub(crate) fn ask(&self, endpoint: &str, members: &Value) -> Reply {
        let answer = self.try_ask(endpoint, members);
        assert!(!answer.plan.refused, "{}", String::from_utf8_lossy(&answer.reply.body));
        answer.reply
    }

    pub(crate) fn try_ask(&self, endpoint: &str, members: &Value) -> Answer {
        let mut body = members.clone();
        body["model"] = json!(NAME);
        self.send("POST", &self.target(endpoint), "application/json", body.to_string().as_bytes())
    }

    /// Sends a form with these fields, a `model` and a file, and returns the reply.
    pub(crate) fn ask_form(&self, endpoint: &str, fields: &[(&str, &str)]) -> Reply {
        let part = |(name, value): &(&str, &str)| {
            format!("--b\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        };
        let texts: String = [("model", NAME)].iter().chain(fields).map(part).collect();
        let form = texts
            + "--b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\n\
               content-type: audio/wav\r\n\r\nRIFF\r\n--b--\r\n";
        let target = self.target(endpoint);
        let answer = self.send("POST", &target, "multipart/form-data; boundary=b", form.as_bytes());
        assert!(!answer.plan.refused, "{}", String::from_utf8_lossy(&answer.reply.body));
        answer.reply
    }

    pub(crate) fn get(&self, target: &str) -> Answer {
        self.send("GET", target, "", b"")
    }

    /// Like [`get`](Self::get), but with this API key, or without an API key.
    pub(crate) fn get_as(&self, target: &str, key: Option<&str>) -> Answer {
        let bearer = key.map(|key| format!("Bearer {key}"));
        let headers: Vec<(&str, &[u8])> = match (&bearer, key) {
            (Some(bearer), Some(key)) => {
                vec![("authorization", bearer.as_bytes()), ("api-key", key.as_bytes())]
            }
            _ => Vec::new(),
        };
        let request = Request { method: "GET", target, headers: &headers, body: b"" };
        self.providers.answer(PREFIX, &request).expect("mounted")
    }

    pub(crate) fn send(
        &self,
        method: &str,
        target: &str,
        content_type: &str,
        body: &[u8],
    ) -> Answer {
        let bearer = format!("Bearer {KEY}");
        let headers: [(&str, &[u8]); 3] = [
            ("authorization", bearer.as_bytes()),
            ("api-key", KEY.as_bytes()),
            ("content-type", content_type.as_bytes()),
        ];
        let request = Request { method, target, headers: &headers, body };
        self.providers.answer(PREFIX, &request).expect("mounted")
    }

    pub(crate) fn target(&self, endpoint: &str) -> String {
        match self.surface {
            Surface::OpenAi => format!("/v1/{endpoint}"),
            Surface::AzureV1 => format!("/openai/v1/{endpoint}"),
            Surface::AzureLegacy if endpoint.starts_with("responses") => {
                format!("/openai/{endpoint}?api-version=2025-04-01-preview")
            }
            Surface::AzureLegacy => {
                format!("/openai/deployments/{NAME}/{endpoint}?api-version=2024-10-21")
            }
        }
    }
}

pub(crate) fn marker() -> Marker {
    Marker::new(PREFIX)
}

/// The members of a chat request with one message.
pub(crate) fn chat(more: Value) -> Value {
    with(json!({ "messages": [{ "role": "user", "content": "Hi" }] }), more)
}

/// The members of a request with a short input.
pub(crate) fn input(more: Value) -> Value {
    with(json!({ "input": "Hi" }), more)
}

fn with(mut members: Value, more: Value) -> Value {
    if let (Value::Object(members), Value::Object(more)) = (&mut members, more) {
        members.extend(more);
    }
    members
}

pub(crate) fn json_of(reply: &Reply) -> Value {
    serde_json::from_slice(&reply.body).expect("JSON")
}

pub(crate) fn text(reply: &Reply) -> &str {
    std::str::from_utf8(&reply.body).expect("text")
}

pub(crate) fn header<'a>(reply: &'a Reply, name: &str) -> &'a str {
    let found = reply.headers.iter().find(|(key, _)| key == name);
    found.map_or_else(|| panic!("no header {name}"), |(_, value)| value.as_str())
}

/// An event of a stream: its name, if any, and its data.
pub(crate) type Event = (Option<String>, Value);

/// The events of a stream. In chat and completions, the data of the last event is the string
/// `[DONE]`.
pub(crate) fn events(reply: &Reply) -> Vec<Event> {
    assert!(header(reply, "content-type").starts_with("text/event-stream"));
    let events =
        text(reply).strip_suffix("\n\n").expect("the last event is complete").split("\n\n");
    events
        .map(|event| {
            let (name, data) = match event.strip_prefix("event: ") {
                Some(event) => {
                    let (name, data) = event.split_once('\n').expect("a name and its data");
                    (Some(name.to_owned()), data)
                }
                None => (None, event),
            };
            let data = data.strip_prefix("data: ").expect("one line of data");
            (name, serde_json::from_str(data).unwrap_or_else(|_| json!(data)))
        })
        .collect()
}

/// The data of the events in a chat or completions stream.
pub(crate) fn chunks(reply: &Reply) -> Vec<Value> {
    let mut chunks: Vec<_> = events(reply)
        .into_iter()
        .map(|(name, data)| {
            assert_eq!(name, None, "data only");
            data
        })
        .collect();
    assert_eq!(chunks.pop(), Some(json!("[DONE]")));
    chunks
}

/// Joins the strings at `pointer` in all chunks of the choice `index`.
pub(crate) fn joined(chunks: &[Value], index: u64, pointer: &str) -> String {
    chunks
        .iter()
        .flat_map(|chunk| chunk["choices"].as_array().into_iter().flatten())
        .filter(|choice| choice["index"] == index)
        .filter_map(|choice| choice.pointer(pointer)?.as_str())
        .collect()
}

/// The member names of an object, in the order in which they were written.
pub(crate) fn names(value: &Value) -> Vec<&str> {
    value.as_object().expect("an object").keys().map(String::as_str).collect()
}

pub(crate) fn assert_adds_up(usage: &Value, [input, output]: [&str; 2]) {
    let count = |name: &str| usage[name].as_u64().expect("a number");
    assert!(count(input) > 0 && count(output) > 0, "{usage}");
    assert_eq!(count("total_tokens"), count(input) + count(output));
}
