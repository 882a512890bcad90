//! The body of a client call: JSON or a form, with placeholders that are replaced when it is sent.

use std::ops::Range;

use fallproof_protocol::encoding;
use fallproof_protocol::letters::{LETTERS, MOST_LETTERS, letters, with_letters};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::yaml::{Diagnostic, Source};

/// Placeholder in `body_json` for the model group's name.
pub const MODEL_PLACEHOLDER: &str = "{{model}}";

/// Placeholder for a string that is different in each call.
pub(super) const CALL_PLACEHOLDER: &str = "{{call}}";

/// Placeholder for the `id` of the latest earlier response that has an `id`.
pub(super) const RESPONSE_PLACEHOLDER: &str = "{{response_id}}";

/// Boundary between the parts of a form. It never occurs in their content.
const BOUNDARY: &str = "fallproof-form-7d1f5c0a94";

/// The body of a client call, with a placeholder for the model group's name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    /// The members except `model`, in the order of the file.
    Members(Map<String, Value>),
    /// JSON text, sent byte for byte except for the placeholders.
    Text(String),
    /// The parts of a form except `model`, in the order of the file.
    Form(Vec<Part>),
}

/// One part of a form.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// The field's name.
    pub name: String,
    /// The file name, if the part is a file.
    pub filename: Option<String>,
    /// The complete value of `content-disposition`, instead of a value built from `name` and
    /// `filename`.
    pub disposition: Option<String>,
    /// The content type, if the part has one.
    pub content_type: Option<String>,
    /// The content.
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
    /// Replaces the placeholder for the `id` of an earlier response.
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
    /// Renders the body for the group with this name. `call` replaces the call placeholder.
    pub fn rendered(&self, model: &str, call: &str) -> Rendered {
        match self {
            Self::Form(parts) => form(model, parts),
            json => Rendered {
                content_type: "application/json".to_owned(),
                bytes: json.for_model(model).replace(CALL_PLACEHOLDER, call).into_bytes(),
            },
        }
    }

    /// The text of the body for the group with this name. The name is inserted as the first member,
    /// or at the placeholder.
    pub fn for_model(&self, model: &str) -> String {
        match self {
            Self::Members(_) | Self::Text(_) => with_letters(self.spelled(model)),
            Self::Form(_) => self.spelled(model),
        }
    }

    /// Like [`for_model`](Self::for_model), but does not expand `{{letters:n}}` placeholders.
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

    /// Whether all placeholders are valid. The loader ensures that they are.
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

    /// Whether the body continues an earlier response.
    pub(super) fn needs_an_answer(&self) -> bool {
        self.spelled("").contains(RESPONSE_PLACEHOLDER)
    }

    /// Whether the body has the name of the model group.
    pub fn names_a_group(&self) -> bool {
        !matches!(self, Self::Text(text) if !text.contains(MODEL_PLACEHOLDER))
    }

    /// Whether the body is different in each call.
    pub fn tells_calls_apart(&self) -> bool {
        self.spelled("").contains(CALL_PLACEHOLDER)
    }
}

/// An invalid placeholder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Misread<'a> {
    /// A `{{letters:n}}` placeholder without a valid number. Holds the placeholder's text.
    Letters(&'a str),
    /// A `{{letters:n}}` placeholder that makes the body too large. Holds the placeholder's text.
    TooMany(&'a str),
    /// A placeholder with an unknown name. Holds the name.
    Unknown(&'a str),
}

/// The invalid placeholders of this text; of those that make the body too large, only the first. Text
/// in double braces is a placeholder only if it is a single word.
pub(super) fn misread(text: &str) -> impl Iterator<Item = Misread<'_>> {
    // `None` if the body is too large.
    let mut remaining = Some(MOST_LETTERS);
    text.match_indices("{{").filter_map(move |(start, _)| {
        let rest = &text[start..];
        if rest.starts_with(LETTERS) {
            let (range, count) = letters(rest)?;
            let Some(count) = count else { return Some(Misread::Letters(&rest[range])) };
            let before = remaining?;
            remaining = before.checked_sub(count);
            return remaining.is_none().then(|| Misread::TooMany(&rest[range]));
        }
        let (inner, _) = rest[2..].split_once("}}")?;
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b':');
        let is_word = !inner.is_empty() && inner.bytes().all(fits);
        let known = [MODEL_PLACEHOLDER, CALL_PLACEHOLDER, RESPONSE_PLACEHOLDER];
        (is_word && !known.contains(&&rest[..inner.len() + 4])).then_some(Misread::Unknown(inner))
    })
}

impl Misread<'_> {
    /// The error for the placeholder, at its position within `span`.
    pub(super) fn error(self, source: &Source, span: &Range<usize>) -> Diagnostic {
        let at = |written: &str| source.find(span, written).unwrap_or_else(|| span.clone());
        match self {
            Self::Letters(written) => {
                let message = format!("`{written}` has no valid number of letters");
                let help =
                    format!("write a number up to {MOST_LETTERS}, as in `{{{{letters:5000}}}}`");
                source.error(&at(written), message).help(help)
            }
            Self::TooMany(written) => {
                let message = format!(
                    "the letters of this body are more than {MOST_LETTERS}, the limit of the mocks"
                );
                source.error(&at(written), message)
            }
            Self::Unknown(name) => {
                let written = format!("{{{{{name}}}}}");
                let message = format!("unknown placeholder `{written}`");
                let known = ["model", "call", "response_id", "letters:5000"];
                let help = format!(
                    "one of: {}; `{{{{ {name} }}}}` with spaces is sent verbatim",
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
    /// A WAV file with this many milliseconds of silence.
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

/// A WAV file of silence: 8 bits, mono, 8000 samples per second.
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
