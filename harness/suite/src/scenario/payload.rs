//! What a client call carries: JSON or a form, with places for what is known only when it is sent.

use std::ops::Range;

use fallproof_protocol::encoding;
use fallproof_protocol::limits::MOST_BODY_BYTES;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::yaml::{Diagnostic, Source};

/// What stands in the text of `body_json` where the model group's name goes.
pub const MODEL_PLACEHOLDER: &str = "{{model}}";

/// What becomes a different word in each call.
pub(super) const CALL_PLACEHOLDER: &str = "{{call}}";

/// What becomes the `id` of the last answer before the call that has one.
pub(super) const RESPONSE_PLACEHOLDER: &str = "{{response_id}}";

/// What begins a placeholder for so many letters, as in `{{letters:5000000}}`.
const LETTERS: &str = "{{letters:";

/// No body has more: what a mock takes, with room for the rest of the body and what a target adds.
const MOST_LETTERS: usize = 32_000_000;
const _: () = assert!(MOST_LETTERS < MOST_BODY_BYTES, "a mock takes that many");

/// Ends each part of a form; no content has it.
const BOUNDARY: &str = "fallproof-form-7d1f5c0a94";

/// The body of a client call; it has a place for the model group's name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    /// The members beside `model`, in the order of the file.
    Members(Map<String, Value>),
    /// JSON text, sent byte for byte but for the placeholders.
    Text(String),
    /// The parts of a form beside `model`, in the order of the file.
    Form(Vec<Part>),
}

/// One part of a form.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// The field's name.
    pub name: String,
    /// The file's name, where it is a file.
    pub filename: Option<String>,
    /// The whole value of its `content-disposition`, instead of one made of these two names.
    pub disposition: Option<String>,
    /// The content type, where it says one.
    pub content_type: Option<String>,
    /// What it holds.
    #[serde(with = "encoding")]
    pub content: Vec<u8>,
}

/// A body as it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The value of `Content-Type`.
    pub content_type: String,
    /// The bytes.
    pub bytes: Vec<u8>,
}

impl Rendered {
    /// With the `id` of an earlier answer where the body goes on from one.
    #[must_use]
    pub fn going_on_from(mut self, answer_id: &str) -> Self {
        if let Ok(text) = str::from_utf8(&self.bytes)
            && text.contains(RESPONSE_PLACEHOLDER)
        {
            self.bytes = text.replace(RESPONSE_PLACEHOLDER, answer_id).into_bytes();
        }
        self
    }
}

impl Body {
    /// The body for the group of this name. `call` is what the call's placeholder becomes.
    pub fn rendered(&self, model: &str, call: &str) -> Rendered {
        match self {
            Self::Form(parts) => form(model, parts),
            json => Rendered {
                content_type: "application/json".to_owned(),
                bytes: json.for_model(model).replace(CALL_PLACEHOLDER, call).into_bytes(),
            },
        }
    }

    /// The JSON text for the group of this name: as the first member, or at the placeholder. Of a
    /// form, its text.
    pub fn for_model(&self, model: &str) -> String {
        match self {
            Self::Members(_) | Self::Text(_) => with_letters(self.spelled(model)),
            Self::Form(_) => self.spelled(model),
        }
    }

    /// The same with the placeholders for letters as they are written.
    fn spelled(&self, model: &str) -> String {
        match self {
            Self::Members(members) => {
                let mut body = Map::with_capacity(members.len() + 1);
                body.insert("model".to_owned(), model.into());
                body.extend(members.clone());
                Value::Object(body).to_string()
            }
            Self::Text(text) => {
                let quoted = Value::from(model).to_string();
                text.replace(MODEL_PLACEHOLDER, &quoted[1..quoted.len() - 1])
            }
            Self::Form(parts) => String::from_utf8_lossy(&form(model, parts).bytes).into_owned(),
        }
    }

    /// Whether its placeholders can be filled, which the loader sees to.
    pub(crate) fn is_playable(&self) -> bool {
        match self {
            Self::Members(members) => {
                let text = serde_json::to_string(members).unwrap_or_default();
                misread(&text).next().is_none()
            }
            Self::Text(text) => misread(text).next().is_none(),
            Self::Form(_) => true,
        }
    }

    /// Whether it goes on from an earlier answer.
    pub(super) fn needs_an_answer(&self) -> bool {
        self.spelled("").contains(RESPONSE_PLACEHOLDER)
    }

    /// Whether each call has a word of its own in it.
    pub fn tells_calls_apart(&self) -> bool {
        self.spelled("").contains(CALL_PLACEHOLDER)
    }
}

/// The first placeholder for letters in this text: where it stands, and how many it asks for; `None`
/// where that is no number, or too great a one.
fn letters(text: &str) -> Option<(Range<usize>, Option<usize>)> {
    let start = text.find(LETTERS)?;
    let rest = &text[start + LETTERS.len()..];
    let count = rest.split_once("}}").map_or(rest, |(count, _)| count);
    let end = (start + LETTERS.len() + count.len() + 2).min(text.len());
    Some((start..end, count.parse().ok().filter(|count| *count <= MOST_LETTERS)))
}

/// `{{letters:n}}` becomes n letters: bodies of megabytes need no files of megabytes.
fn with_letters(mut text: String) -> String {
    while let Some((place, Some(count))) = letters(&text) {
        text.replace_range(place, &"lorem ipsum ".repeat(count / 12 + 1)[..count]);
    }
    text
}

/// A placeholder that nothing can be put in place of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Misread<'a> {
    /// One for letters that does not say how many. Holds it as it is written.
    Letters(&'a str),
    /// One for more letters than are left of what a mock takes. Holds it as it is written.
    TooMany(&'a str),
    /// One of another name. Holds what stands in its braces.
    Unknown(&'a str),
}

/// The placeholders of this text that would be sent as they are written. What stands in doubled
/// braces with blanks, or is no word, is not meant as one.
pub(super) fn misread(text: &str) -> impl Iterator<Item = Misread<'_>> {
    let mut left = MOST_LETTERS;
    text.match_indices("{{").filter_map(move |(start, _)| {
        let rest = &text[start..];
        if rest.starts_with(LETTERS) {
            let (place, count) = letters(rest)?;
            let Some(count) = count else { return Some(Misread::Letters(&rest[place])) };
            let Some(fewer) = left.checked_sub(count) else {
                return Some(Misread::TooMany(&rest[place]));
            };
            left = fewer;
            return None;
        }
        let (inner, _) = rest[2..].split_once("}}")?;
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b':');
        let is_word = !inner.is_empty() && inner.bytes().all(fits);
        let known = [MODEL_PLACEHOLDER, CALL_PLACEHOLDER, RESPONSE_PLACEHOLDER];
        (is_word && !known.contains(&&rest[..inner.len() + 4])).then_some(Misread::Unknown(inner))
    })
}

impl Misread<'_> {
    /// The error about it, which points at it where it is written like this at `span`.
    pub(super) fn error(self, source: &Source, span: &Range<usize>) -> Diagnostic {
        let at = |written: &str| source.find(span, written).unwrap_or_else(|| span.clone());
        match self {
            Self::Letters(written) => {
                let message = format!("`{written}` does not say how many letters");
                let help =
                    format!("write a number up to {MOST_LETTERS}, as in `{{{{letters:5000}}}}`");
                source.error(&at(written), message).help(help)
            }
            Self::TooMany(written) => {
                let message = format!(
                    "the letters of this body are more than {MOST_LETTERS}, and the mocks take no more"
                );
                source.error(&at(written), message)
            }
            Self::Unknown(name) => {
                let written = format!("{{{{{name}}}}}");
                let message = format!("unknown placeholder `{written}`");
                let known = ["model", "call", "response_id", "letters:5000"];
                let help = format!(
                    "one of: {}; `{{{{ {name} }}}}` with blanks is sent as it is",
                    known.join(", ")
                );
                source.error(&at(&written), message).near(name, known).help(help)
            }
        }
    }
}

fn form(model: &str, parts: &[Part]) -> Rendered {
    let content = model.as_bytes().to_vec();
    let model = Part { name: "model".to_owned(), content, ..Part::default() };
    let mut bytes = Vec::new();
    for part in std::iter::once(&model).chain(parts) {
        let filename = part.filename.as_ref().map(|name| format!("; filename=\"{name}\""));
        let named = format!("form-data; name=\"{}\"{}", part.name, filename.unwrap_or_default());
        let disposition = part.disposition.as_ref().unwrap_or(&named);
        let kind = part.content_type.as_ref().map(|kind| format!("content-type: {kind}\r\n"));
        let head = format!(
            "--{BOUNDARY}\r\ncontent-disposition: {disposition}\r\n{}\r\n",
            kind.unwrap_or_default(),
        );
        bytes.extend_from_slice(head.as_bytes());
        bytes.extend_from_slice(&part.content);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
    Rendered { content_type: format!("multipart/form-data; boundary={BOUNDARY}"), bytes }
}

impl Part {
    /// A WAV file of so many milliseconds of silence.
    pub fn silence(name: &str, filename: &str, milliseconds: u32) -> Self {
        Self {
            name: name.to_owned(),
            filename: Some(filename.to_owned()),
            disposition: None,
            content_type: Some("audio/wav".to_owned()),
            content: silence(milliseconds),
        }
    }
}

/// A sound file of silence: one channel of 8 bits, 8000 times a second.
pub(super) fn silence(milliseconds: u32) -> Vec<u8> {
    const RATE: u32 = 8000;
    let samples = RATE / 1000 * milliseconds;
    let mut file = Vec::with_capacity(44 + samples as usize);
    file.extend_from_slice(b"RIFF");
    file.extend_from_slice(&(36 + samples).to_le_bytes());
    file.extend_from_slice(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    file.extend_from_slice(&RATE.to_le_bytes());
    file.extend_from_slice(&RATE.to_le_bytes());
    file.extend_from_slice(b"\x01\0\x08\0data");
    file.extend_from_slice(&samples.to_le_bytes());
    file.resize(44 + samples as usize, 0x80);
    file
}
