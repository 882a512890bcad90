//! Shared helpers: the schemas in `spec/`, and conversion of JSON to a form.

use std::fs;
use std::path::Path;

use fallproof_protocol::provider::{Endpoint, Surface};
use fallproof_strict::{FormField, Violation, check_form};
use serde_json::Value;

/// All pairs of a surface and an endpoint that the surface has.
pub(crate) fn everywhere() -> impl Iterator<Item = (Surface, Endpoint)> {
    Surface::ALL
        .into_iter()
        .flat_map(|surface| Endpoint::ALL.map(|endpoint| (surface, endpoint)))
        .filter(|&(surface, endpoint)| endpoint.is_on(surface))
}

/// The request schema of this endpoint on this surface.
pub(crate) fn schema(surface: Surface, endpoint: Endpoint) -> Value {
    let file = format!("spec/{}/{}.json", surface.name(), endpoint.path().replace('/', "."));
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file));
    serde_json::from_str(&text.expect("the file is there")).expect("the file is JSON")
}

/// A form field that owns its bytes. The field is a file if it has a file name.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) filename: Option<String>,
    pub(crate) value: Vec<u8>,
}

impl Field {
    pub(crate) fn text(name: &str, value: &str) -> Self {
        Self { name: name.to_owned(), filename: None, value: value.as_bytes().to_vec() }
    }

    pub(crate) fn file(name: &str, value: &[u8]) -> Self {
        let filename = Some("speech.wav".to_owned());
        Self { name: name.to_owned(), filename, value: value.to_vec() }
    }
}

/// [`check_form`] for owned fields.
pub(crate) fn check_fields(
    surface: Surface,
    endpoint: Endpoint,
    model: &str,
    fields: &[Field],
) -> Option<Violation> {
    let borrowed: Vec<_> = fields
        .iter()
        .map(|field| FormField {
            name: &field.name,
            filename: field.filename.as_deref(),
            value: &field.value,
        })
        .collect();
    check_form(surface, endpoint, model, &borrowed)
}

/// Converts a body to a form as the SDKs do: `file` is a file, null is omitted, list items are
/// named `name[]`, and members of an object are named `name[member]`.
pub(crate) fn as_form(body: &Value) -> Vec<Field> {
    let mut fields = Vec::new();
    for (name, value) in body.as_object().expect("an object") {
        match value {
            Value::String(_) if name == "file" => fields.push(Field::file(name, b"\xff\xf3sound")),
            Value::Array(items) => {
                fields.extend(items.iter().map(|item| scalar(&format!("{name}[]"), item)));
            }
            Value::Object(members) => {
                let members = members.iter().filter(|(_, value)| !value.is_null());
                fields.extend(members.map(|(key, value)| scalar(&format!("{name}[{key}]"), value)));
            }
            Value::Null => {}
            value => fields.push(scalar(name, value)),
        }
    }
    fields
}

fn scalar(name: &str, value: &Value) -> Field {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    Field::text(name, &text)
}
