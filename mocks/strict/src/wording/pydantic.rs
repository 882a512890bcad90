//! The wording of the audio endpoints: errors from the Python library `pydantic`, printed as Python
//! values, e.g. `[{'type': 'enum', 'loc': ('body', 'voice'), 'msg': "Input should be …", 'input':
//! 'sage', …}]`.
//!
//! Such messages were seen for allowed values (<https://github.com/openai/openai-node/issues/1284>)
//! and for lengths (<https://github.com/metadist/synaplan/issues/1665>). For other findings, this
//! module uses the message that the library has for the same kind of error. The library may list
//! several errors, but this module reports only one.

use serde_json::Value as Json;

use super::values::{list, printed, python};
use crate::body::{Kind, Value};
use crate::finding::{Fault, Finding, Side};
use crate::path::Step;
use crate::schema::{Node, Schema};

/// An error: the type, the message, the input, and the violated limit or the allowed values.
struct Error {
    kind: &'static str,
    sentence: String,
    input: Option<String>,
    context: Option<String>,
}

/// The message for this finding; `None` if the library has no such error, e.g. because the finding
/// comes from a rule.
pub(super) fn say(finding: &Finding<'_>, schema: &Schema) -> Option<String> {
    let Error { kind, sentence, input, context } = error(finding, schema)?;
    let steps = finding.path.iter().map(|step| match step {
        Step::Key(key) => format!("'{key}'"),
        Step::Index(index) => index.to_string(),
    });
    let location: Vec<_> = std::iter::once("'body'".to_owned()).chain(steps).collect();
    let location = location.join(", ");
    let sentence = quoted(&sentence);
    let member = |name, value: Option<String>| {
        value.map_or_else(String::new, |value| format!(", '{name}': {value}"))
    };
    let (input, context) = (member("input", input), member("ctx", context));
    Some(format!("[{{'type': '{kind}', 'loc': ({location}), 'msg': {sentence}{input}{context}}}]"))
}

fn error(finding: &Finding<'_>, schema: &Schema) -> Option<Error> {
    let plain = |kind, sentence: &str| Error {
        kind,
        sentence: sentence.to_owned(),
        input: None,
        context: None,
    };
    Some(match &finding.fault {
        Fault::Missing => plain("missing", "Field required"),
        Fault::Unknown { object, .. } => {
            let name = finding.path.last().and_then(|step| match step {
                Step::Key(key) => object.get(key),
                Step::Index(_) => None,
            });
            let error = plain("extra_forbidden", "Extra inputs are not permitted");
            Error { input: name.map(python), ..error }
        }
        Fault::Type { expected, got } => {
            let (kind, sentence) = wrong_type(schema, expected, got);
            Error { input: Some(python(got)), ..plain(kind, sentence) }
        }
        Fault::TagType { choices, got } | Fault::Choice { choices, got } => {
            wrong_choice(choices, got)
        }
        Fault::Range { side, limit, got, .. } => {
            let (kind, than, short) = match side {
                Side::Below => ("greater_than_equal", "greater than or equal to", "ge"),
                Side::Above => ("less_than_equal", "less than or equal to", "le"),
            };
            Error {
                kind,
                sentence: format!("Input should be {than} {limit}"),
                input: Some((*got).to_owned()),
                context: Some(format!("{{'{short}': {limit}}}")),
            }
        }
        Fault::Size { side, limit, of, .. } => wrong_size(*side, *limit, *of),
        Fault::Pattern { .. } | Fault::Rule { .. } | Fault::Repeated => return None,
    })
}

fn wrong_type(schema: &Schema, expected: &Node, got: &Value<'_>) -> (&'static str, &'static str) {
    let shapes = schema.shapes(expected);
    let takes = |kind| shapes.iter().any(|shape| shape.kinds.has(kind));
    let text = matches!(got, Value::String(_));
    match () {
        () if takes(Kind::File) => {
            ("value_error", "Value error, Expected UploadFile, received: <class 'str'>")
        }
        () if takes(Kind::String) => ("string_type", "Input should be a valid string"),
        () if takes(Kind::Decimal) && text => {
            ("float_parsing", "Input should be a valid number, unable to parse string as a number")
        }
        () if takes(Kind::Decimal) => ("float_type", "Input should be a valid number"),
        () if takes(Kind::Integer) && text => {
            ("int_parsing", "Input should be a valid integer, unable to parse string as an integer")
        }
        () if takes(Kind::Integer) => ("int_type", "Input should be a valid integer"),
        () if takes(Kind::Bool) && text => {
            ("bool_parsing", "Input should be a valid boolean, unable to interpret input")
        }
        () if takes(Kind::Bool) => ("bool_type", "Input should be a valid boolean"),
        () if takes(Kind::Array) => ("list_type", "Input should be a valid list"),
        () => ("dict_type", "Input should be a valid dictionary"),
    }
}

fn wrong_choice(choices: &[&Json], got: &Value<'_>) -> Error {
    let printed = printed(choices);
    let choices = match &printed[..] {
        [rest @ .., last] if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        few => list(few, "or"),
    };
    Error {
        kind: "enum",
        sentence: format!("Input should be {choices}"),
        input: Some(python(got)),
        context: Some(format!("{{'expected': {}}}", quoted(&choices))),
    }
}

fn wrong_size(side: Side, limit: usize, of: Kind) -> Error {
    let (what, unit) =
        if of == Kind::String { ("String", "characters") } else { ("List", "items") };
    let (kind, most, short) = match (side, of) {
        (Side::Below, Kind::String) => ("string_too_short", "least", "min_length"),
        (Side::Above, Kind::String) => ("string_too_long", "most", "max_length"),
        (Side::Below, _) => ("too_short", "least", "min_length"),
        (Side::Above, _) => ("too_long", "most", "max_length"),
    };
    Error {
        kind,
        sentence: format!("{what} should have at {most} {limit} {unit}"),
        input: None,
        context: Some(format!("{{'{short}': {limit}}}")),
    }
}

/// A string as Python prints it: in double quotes if it contains single quotes, otherwise in single
/// quotes.
fn quoted(text: &str) -> String {
    if text.contains('\'') { format!("\"{text}\"") } else { format!("'{text}'") }
}
