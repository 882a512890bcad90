//! Converts a call from the file format to the model.

use std::ops::Range;

use fallproof_protocol::provider::Endpoint;
use http::{HeaderName, HeaderValue};
use serde_json::{Map, Value};

use super::body;
use super::file_steps::{CallFile, DisconnectFile, PartFile};
use super::load::{Loader, value};
use super::payload::silence;
use super::{Body, Call, Disconnect, Part};
use crate::yaml::{At, Optional};

/// Headers that describe a call's body. A scenario cannot set them, because a duplicate or wrong
/// header would change the meaning of the request.
const WRITTEN: [&str; 4] =
    ["content-length", "content-encoding", "transfer-encoding", "content-type"];

impl Loader<'_> {
    pub(super) fn call(&mut self, read: At<CallFile>) -> Call {
        let At { value: call, span } = read;
        for (name, value) in &call.headers {
            if HeaderName::from_bytes(name.value.as_bytes()).is_err() {
                self.problem(&name.span, "not a valid name of a header");
            }
            if WRITTEN.contains(&name.value.to_ascii_lowercase().as_str()) {
                let error = format!("`{}` is set by Fallproof", name.value);
                let error = self.source.error(&name.span, error);
                self.problems.push(error.help("remove it: it follows from the body"));
            }
            if HeaderValue::from_str(&value.value).is_err() {
                self.problem(&value.span, "not a valid value of a header");
            }
        }
        if let Some(name) = &call.delay_read_until_sent_by.0 {
            self.must_be_reachable(name, "so it never sends anything");
        }
        let headers = call.headers.iter();
        let headers = headers.map(|(name, value)| (name.value.clone(), value.value.clone()));
        let given = call.disconnect.0.as_ref();
        let disconnect = given.and_then(|given| self.disconnect(given));
        let disconnect_at = given.map(|given| given.span.clone());
        let call = Call {
            group: self.asked_group(call.to.0.as_ref(), &span),
            endpoint: call.endpoint,
            key: call.key,
            headers: headers.collect(),
            encoding: call.encoding.0,
            disconnect,
            delay_read_until_sent_by: call
                .delay_read_until_sent_by
                .0
                .as_ref()
                .map(|name| name.value.clone()),
            body: self.body(call, &span),
        };
        if let (Some(Disconnect::AfterEvents(_)), Some(span)) = (&call.disconnect, disconnect_at)
            && !may_stream(&call)
        {
            let error = self
                .source
                .error(&span, "the client never disconnects, because nothing is streamed");
            self.problems.push(error.help("add `stream: true` to the body"));
        }
        call
    }

    fn disconnect(&mut self, read: &At<DisconnectFile>) -> Option<Disconnect> {
        match (&read.value.after_events.0, &read.value.after_request_to.0) {
            (Some(events), None) => Some(Disconnect::AfterEvents(events.value as usize)),
            (None, Some(deployment)) => {
                self.must_be_reachable(deployment, "so it never gets the request");
                Some(Disconnect::AfterRequestTo(deployment.value.clone()))
            }
            _ => {
                let message = "expected either `{ after_events: 2 }` or \
                               `{ after_request_to: backup }`";
                self.problem(&read.span, message);
                None
            }
        }
    }

    fn asked_group(&mut self, to: Option<&At<String>>, call: &Range<usize>) -> String {
        let names: Vec<_> = self.groups.keys().map(String::as_str).collect();
        let Some(At { value: to, span }) = to else {
            if names.len() > 1 {
                let error =
                    self.source.error(call, "the key `to` is missing: there are several groups");
                self.problems.push(error.help(format!("add `to:`; one of: {}", names.join(", "))));
            }
            return names.first().copied().unwrap_or_default().to_owned();
        };
        if names.is_empty() || names.contains(&to.as_str()) {
            // The name is valid, or cannot be checked because the groups have errors.
        } else if !self.named_groups {
            let error = self.source.error(span, "`to` requires `groups`");
            self.problems.push(error.help("remove it: there is only one `group`"));
        } else {
            let error = self.source.error(span, format!("unknown group `{to}`"));
            self.problems.push(error.expected(to, names));
        }
        to.clone()
    }

    fn body(&mut self, call: CallFile, span: &Range<usize>) -> Body {
        let CallFile { body, model_json, body_json, form, endpoint, .. } = call;
        let spans = [span_of(&body), span_of(&body_json), span_of(&form)];
        let [in_yaml, in_json, in_form] = &spans;
        let (wrong, right) = if endpoint.is_multipart() {
            (in_yaml.as_ref().or(in_json.as_ref()), "`form:`")
        } else {
            (in_form.as_ref(), "`body:` or a `body_json:`")
        };
        if let Some(wrong) = wrong {
            self.problem(wrong, format!("{} takes a {right}", endpoint.path()));
        }
        if let (None, Some(model)) = (&body.0, &model_json.0) {
            self.problem(&model.span, "`model_json` requires `body`");
        }
        match (body.0, body_json.0, form.0) {
            (Some(members), None, None) => {
                let members = body::to_json(&members.value, self.source, &mut self.problems);
                match model_json.0 {
                    Some(model) => self.without_group(&model, &members),
                    None => Body::Members(members),
                }
            }
            (None, Some(text), None) => {
                self.problems.extend(body::check_text(&text, self.source));
                Body::Text(text.value)
            }
            (None, None, Some(parts)) => {
                Body::Form(parts.value.into_iter().map(|part| self.part(part)).collect())
            }
            (None, None, None) => {
                self.problem(span, "`body`, `body_json` or `form` is missing");
                Body::Form(Vec::new())
            }
            _ => {
                let last = spans.into_iter().flatten().max_by_key(|span| span.start);
                self.problem(
                    &last.unwrap_or(span.clone()),
                    "`body`, `body_json` and `form` exclude each other",
                );
                Body::Form(Vec::new())
            }
        }
    }

    /// A body with this text as the value of `model`.
    fn without_group(&mut self, model: &At<String>, members: &Map<String, Value>) -> Body {
        let mut body = Map::new();
        match serde_json::from_str::<Value>(&model.value) {
            Ok(value) => drop(body.insert("model".to_owned(), value)),
            Err(_) if model.value.is_empty() => {}
            Err(error) => self.problem(&model.span, format!("not JSON: {error}")),
        }
        body.extend(members.clone());
        Body::Text(Value::Object(body).to_string())
    }

    fn part(&mut self, read: At<PartFile>) -> Part {
        let At { value: part, span } = read;
        let texts = [Some(&part.name), part.filename.0.as_ref(), part.content_type.0.as_ref()];
        for text in texts.into_iter().flatten() {
            if text.value.contains(['"', '\r', '\n']) {
                self.problem(&text.span, "not valid in a header of a part");
            }
        }
        if let Some(disposition) =
            part.disposition.0.as_ref().filter(|it| it.value.contains(['\r', '\n']))
        {
            self.problem(&disposition.span, "a header of a part has no line breaks");
        }
        if part.name.value == "model" {
            let error = self.source.error(&part.name.span, "`model` is not part of the form");
            self.problems.push(error.help("remove it: the name of the model group is inserted"));
        }
        let content = match (part.value.0, part.audio_silence_ms.0) {
            (Some(text), None) => text.into_bytes(),
            (None, Some(At { value: ms @ ..=60_000, .. })) => silence(ms),
            (None, Some(at)) => {
                self.problem(&at.span, "`audio_silence_ms` must be at most 60000");
                Vec::new()
            }
            _ => {
                self.problem(&span, "a part needs either `value` or `audio_silence_ms`");
                Vec::new()
            }
        };
        Part {
            name: part.name.value,
            filename: value(part.filename),
            disposition: value(part.disposition),
            content_type: value(part.content_type),
            content,
        }
    }
}

/// Whether the response to the call may be an event stream. Also true for every form, whose fields
/// are not checked, and for speech, which requests a stream with a different member.
fn may_stream(call: &Call) -> bool {
    let asks = |stream: Option<&Value>| stream == Some(&Value::Bool(true));
    let requests_stream = match &call.body {
        Body::Members(members) => asks(members.get("stream")),
        Body::Text(text) => {
            serde_json::from_str::<Value>(text).map_or(true, |body| asks(body.get("stream")))
        }
        Body::Form(_) => true,
    };
    requests_stream || call.endpoint == Endpoint::AudioSpeech
}

fn span_of<T>(read: &Optional<At<T>>) -> Option<Range<usize>> {
    read.0.as_ref().map(|at| at.span.clone())
}
