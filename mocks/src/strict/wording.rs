//! Findings in the providers' words.
//!
//! Three families: most endpoints and models speak the modern one; some say some things in the
//! words of [`older`] back ends, and audio in those of [`pydantic`]. The latter two name neither
//! parameter nor code.

mod older;
mod pydantic;

use serde_json::Value as Json;

use super::body::{Kind, Value};
use super::expected::{expected, expected_tag, list, quoted};
use super::interpret::{Fault, Finding, Side};
use super::path::{bracketed, pointer};
use super::schema::{ErrorParam, Rule, RuleKind, Schema};
use super::{Strength, Violation, ViolationKind};
use crate::provider::Endpoint;

/// <https://github.com/ChatGPTNextWeb/NextChat/issues/4064>
const INVALID_JSON: &str = "We could not parse the JSON body of your request. (HINT: \
    This likely means you aren't using your HTTP library correctly. The OpenAI API expects a JSON \
    payload, but what was sent was not valid JSON. If you have trouble figuring out how to fix \
    this, please contact us through our help center at help.openai.com.)";

/// Longer values are shortened where the provider repeats what it got. Values of 19 characters were
/// seen whole, one of 28 shortened.
const ECHOED_WHOLE: usize = 20;

/// The order in which chat lists its roles; other discriminators are listed alphabetically, as
/// <https://github.com/langfuse/langfuse/issues/17166> shows for item types.
const CHAT_ROLES: [&str; 6] = ["system", "assistant", "user", "function", "tool", "developer"];

/// The violation for a body that is not JSON.
pub(super) fn invalid_json() -> Violation {
    Sentence::nameless(INVALID_JSON.to_owned()).about(
        ViolationKind::InvalidJson,
        "",
        Strength::Observed,
    )
}

/// The finding as the endpoint's provider puts it.
pub(super) fn say(
    finding: &Finding<'_>,
    schema: &Schema,
    endpoint: Endpoint,
    model: &str,
) -> Violation {
    let nameless = match endpoint {
        Endpoint::AudioSpeech | Endpoint::AudioTranscriptions | Endpoint::AudioTranslations => {
            pydantic::say(finding, schema)
        }
        _ => older::say(finding, schema, endpoint, model),
    };
    nameless.map_or_else(|| modern(finding, schema, endpoint, model), Sentence::nameless).about(
        kind(finding, endpoint),
        &pointer(&finding.path),
        finding.strength,
    )
}

fn kind(finding: &Finding<'_>, endpoint: Endpoint) -> ViolationKind {
    match &finding.fault {
        Fault::Missing if older::is_no_model(finding, endpoint) => ViolationKind::NoModel,
        Fault::Missing => ViolationKind::Missing,
        Fault::Unknown { .. } => ViolationKind::Unknown,
        Fault::Type { .. } | Fault::TagType { .. } => ViolationKind::Type,
        Fault::Choice { .. } => ViolationKind::Choice,
        Fault::Range { .. } => ViolationKind::Range,
        Fault::Size { .. } => ViolationKind::Length,
        Fault::Pattern { .. } => ViolationKind::Pattern,
        Fault::Rule { rule, .. } => match rule.kind {
            RuleKind::Moved => ViolationKind::Misplaced,
            RuleKind::Requires => ViolationKind::Dependency,
            RuleKind::UnsupportedForModel => ViolationKind::UnsupportedByModel,
            RuleKind::UnsupportedValueForModel => ViolationKind::ValueUnsupportedByModel,
        },
        Fault::Repeated => ViolationKind::DuplicateKey,
    }
}

struct Sentence {
    message: String,
    param: Option<String>,
    code: Option<String>,
}

impl Sentence {
    fn nameless(message: String) -> Self {
        Self { message, param: None, code: None }
    }

    fn about(self, kind: ViolationKind, pointer: &str, strength: Strength) -> Violation {
        Violation {
            kind,
            message: self.message,
            error_type: "invalid_request_error".to_owned(),
            param: self.param,
            code: self.code,
            pointer: pointer.to_owned(),
            strength,
        }
    }
}

fn modern(finding: &Finding<'_>, schema: &Schema, endpoint: Endpoint, model: &str) -> Sentence {
    let path = bracketed(&finding.path);
    let (code, message) = match &finding.fault {
        Fault::Missing => {
            ("missing_required_parameter", format!("Missing required parameter: '{path}'."))
        }
        Fault::Unknown { .. } => ("unknown_parameter", format!("Unknown parameter: '{path}'.")),
        Fault::Type { expected: node, got } => {
            let expected = expected(schema, node, endpoint, &finding.path);
            ("invalid_type", wrong_type(&path, &expected, got))
        }
        Fault::TagType { choices, got } => {
            ("invalid_type", wrong_type(&path, &expected_tag(choices), got))
        }
        Fault::Choice { choices, got } => ("invalid_value", wrong_choice(choices, got)),
        Fault::Range { side, limit, integer, got } => {
            range(&path, *side, &limit.to_string(), *integer, got)
        }
        Fault::Size { side, limit, of, got } => size(&path, *side, *limit, *of, *got),
        Fault::Pattern { pattern } => (
            "invalid_value",
            format!(
                "Invalid '{path}': string does not match pattern. \
                 Expected a string that matches the pattern '{pattern}'."
            ),
        ),
        Fault::Rule { rule, got } => return of_rule(rule, path, got, model),
        Fault::Repeated => ("duplicate_key", format!("Duplicate key: '{path}'.")),
    };
    Sentence { message, param: Some(path), code: Some(code.to_owned()) }
}

fn of_rule(rule: &Rule, path: String, got: &Value<'_>, model: &str) -> Sentence {
    let message = rule.message.replace("{path}", &path).replace("{model}", model);
    let message = message.replace("{value}", &python(got));
    let param = match &rule.error_param {
        ErrorParam::Path => Some(path),
        ErrorParam::Said(said) => said.clone(),
    };
    Sentence { message, param, code: rule.code.clone() }
}

fn wrong_type(path: &str, expected: &str, got: &Value<'_>) -> String {
    let got = match got.kind() {
        Kind::Null => "null",
        Kind::Bool => "a boolean",
        Kind::Integer => "an integer",
        Kind::Decimal => "a decimal number",
        Kind::String => "a string",
        Kind::Array => "an array",
        Kind::Object => "an object",
        Kind::File => "a file",
    };
    format!("Invalid type for '{path}': expected {expected}, but got {got} instead.")
}

fn wrong_choice(choices: &[&Json], got: &Value<'_>) -> String {
    let got = match got {
        Value::String(text) => quoted(text, ECHOED_WHOLE),
        other => python(other),
    };
    match &printed(choices)[..] {
        [only] => format!("Invalid value: {got}. Value must be {only}."),
        more => format!("Invalid value: {got}. Supported values are: {}.", list(more, "and")),
    }
}

/// The values that would do, null left out, in the order in which the provider lists them.
fn printed(choices: &[&Json]) -> Vec<String> {
    let mut texts: Vec<_> = choices.iter().filter(|choice| !choice.is_null()).collect();
    let role = |choice: &Json| CHAT_ROLES.iter().position(|role| choice == role);
    if texts.len() == CHAT_ROLES.len() && texts.iter().all(|choice| role(choice).is_some()) {
        texts.sort_by_key(|choice| role(choice));
    }
    texts
        .into_iter()
        .map(|choice| {
            choice.as_str().map_or_else(|| choice.to_string(), |text| format!("'{text}'"))
        })
        .collect()
}

fn range(path: &str, side: Side, limit: &str, integer: bool, got: &str) -> (&'static str, String) {
    let kind = if integer { "integer" } else { "decimal" };
    let (code, fault, sign) = match (side, integer) {
        (Side::Below, true) => ("integer_below_min_value", "below minimum", ">="),
        (Side::Below, false) => ("decimal_below_min_value", "below minimum", ">="),
        (Side::Above, true) => ("integer_above_max_value", "above maximum", "<="),
        (Side::Above, false) => ("decimal_above_max_value", "above maximum", "<="),
    };
    let message = format!(
        "Invalid '{path}': {kind} {fault} value. \
         Expected a value {sign} {limit}, but got {got} instead."
    );
    (code, message)
}

fn size(path: &str, side: Side, limit: usize, of: Kind, got: usize) -> (&'static str, String) {
    if of == Kind::Object {
        let message = format!(
            "Invalid '{path}': too many properties. \
             Expected an object with at most {limit} properties, \
             but got an object with {got} properties instead."
        );
        return ("object_above_max_properties", message);
    }
    let (a, noun) = if of == Kind::Array { ("an", "array") } else { ("a", "string") };
    let (code, fault, limited) = match (side, of, got) {
        (Side::Below, Kind::Array, 0) => ("empty_array", "empty array", "minimum"),
        (Side::Below, Kind::Array, _) => ("array_below_min_length", "array too short", "minimum"),
        (Side::Above, Kind::Array, _) => ("array_above_max_length", "array too long", "maximum"),
        (Side::Below, _, 0) => ("empty_string", "empty string", "minimum"),
        (Side::Below, _, _) => ("string_below_min_length", "string too short", "minimum"),
        (Side::Above, _, _) => ("string_above_max_length", "string too long", "maximum"),
    };
    let but_got = match (side, got) {
        (Side::Below, 0) => format!("an empty {noun}"),
        _ => format!("{a} {noun} with length {got}"),
    };
    let message = format!(
        "Invalid '{path}': {fault}. Expected {a} {noun} with {limited} length {limit}, \
         but got {but_got} instead."
    );
    (code, message)
}

/// A value as Python prints it, which is how it shows in some sentences.
fn python(value: &Value<'_>) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Number(text) => (*text).to_owned(),
        Value::String(text) => format!("'{text}'"),
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(python).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(object) => {
            let members = object.members.iter();
            let members: Vec<_> =
                members.map(|(key, value)| format!("'{key}': {}", python(value))).collect();
            format!("{{{}}}", members.join(", "))
        }
        Value::File => "<file>".to_owned(),
    }
}
