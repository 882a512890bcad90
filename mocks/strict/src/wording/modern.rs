//! The wording of most endpoints and models. Its errors have `param` and `code`.

use fallproof_protocol::provider::Endpoint;
use serde_json::Value as Json;

use super::Sentence;
use super::expected::{expected, expected_tag};
use super::values::{list, printed, python, quoted};
use crate::body::{Kind, Value};
use crate::finding::{Fault, Finding, Side};
use crate::path::bracketed;
use crate::schema::{ErrorParam, Rule, Schema};

/// Maximum length up to which a message repeats a received value in full. Values of 19 characters
/// were seen in full, and a value of 28 characters was shortened.
const ECHOED_WHOLE: usize = 20;

/// The message for this finding, with `param` and `code`.
pub(super) fn say(
    finding: &Finding<'_>,
    schema: &Schema,
    endpoint: Endpoint,
    model: &str,
) -> Sentence {
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
        ErrorParam::Fixed(param) => param.clone(),
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
