//! Request bodies: either YAML, with values that are spelled as in JSON, or verbatim JSON text.

use std::ops::Range;

use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value};

use super::payload::{MODEL_PLACEHOLDER, misread};
use crate::yaml::{At, Diagnostic, Members, Node, Source};

/// The schema of the members of a JSON object.
pub(super) fn schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "object", "properties": { "model": false } })
}

/// Returns the members of a body in order, without `model`.
pub(super) fn to_json(
    body: &Members,
    source: &Source,
    problems: &mut Vec<Diagnostic>,
) -> Map<String, Value> {
    if let Some(key) = body.keys().find(|key| key.value == "model") {
        let error = source.error(&key.span, "`model` is not part of the body");
        problems.push(error.help("remove it: the name of the model group is inserted"));
    }
    members_to_json(body, source, problems)
}

fn members_to_json(
    members: &Members,
    source: &Source,
    problems: &mut Vec<Diagnostic>,
) -> Map<String, Value> {
    let json = |(key, node): (&At<String>, _)| {
        problems.extend(misread(&key.value).map(|it| it.error(source, &key.span)));
        (key.value.clone(), node_to_json(node, source, problems))
    };
    members.iter().map(json).collect()
}

fn node_to_json(node: &At<Node>, source: &Source, problems: &mut Vec<Diagnostic>) -> Value {
    match &node.value {
        Node::Text(text) => {
            problems.extend(misread(text).map(|it| it.error(source, &node.span)));
            text.as_str().into()
        }
        Node::Bare(value) => {
            problems.extend(respelling(value, &node.span, source));
            value.clone()
        }
        Node::List(items) => {
            items.iter().map(|item| node_to_json(item, source, problems)).collect()
        }
        Node::Members(members) => members_to_json(members, source, problems).into(),
    }
}

/// Returns an error if JSON spells `value` differently from the YAML text, as for `1e0`, `010`, `~`
/// or a number beyond 64 bits.
fn respelling(value: &Value, span: &Range<usize>, source: &Source) -> Option<Diagnostic> {
    let (written, sent) = (source.text(span), value.to_string());
    (written != sent).then(|| {
        let error = if written.is_empty() {
            source.error(span, "a value is missing; YAML reads `null`")
        } else {
            source.error(span, format!("`{written}` would be sent as `{sent}`"))
        };
        let meant = without_zeros(written).unwrap_or(sent);
        error.help(format!("write `{meant}`, quote it to make it text, or use `body_json`"))
    })
}

/// Removes the leading zeros of an integer: `7` for `007`, which YAML reads as `7.0`.
fn without_zeros(written: &str) -> Option<String> {
    let (sign, digits) = written.split_at(written.len() - written.trim_start_matches('-').len());
    let all_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
    let meant = digits.trim_start_matches('0');
    (all_digits && meant.len() < digits.len() && !meant.is_empty())
        .then(|| format!("{sign}{meant}"))
}

/// Checks JSON text and its placeholders: the model placeholder must be the value of the member
/// `model` and must not occur elsewhere.
pub(super) fn check_text(text: &At<String>, source: &Source) -> Vec<Diagnostic> {
    let misread = misread(&text.value).map(|it| it.error(source, &text.span));
    misread.chain(check_json(text, source)).collect()
}

fn check_json(text: &At<String>, source: &Source) -> Option<Diagnostic> {
    let body: Value = match serde_json::from_str(&text.value) {
        Ok(body) => body,
        Err(error) => {
            let position = position_in_block(text, &error, source).unwrap_or(text.span.start);
            // The position in the message is relative to the text, not to the file.
            let position_in_text = format!(" at line {} column {}", error.line(), error.column());
            let message = error.to_string().replace(&position_in_text, "");
            return Some(source.error(&(position..position + 1), format!("not JSON: {message}")));
        }
    };
    let is_model = body.get("model").and_then(Value::as_str) == Some(MODEL_PLACEHOLDER);
    let fits = is_model && text.value.matches(MODEL_PLACEHOLDER).count() == 1;
    (!fits).then(|| {
        let message = format!("the value of `model`, and no other, must be `{MODEL_PLACEHOLDER}`");
        let help = format!(
            "write `\"model\": \"{MODEL_PLACEHOLDER}\"`: the name of the model group is inserted"
        );
        source.error(&text.span, message).help(help)
    })
}

/// The byte offset of `error` in the file, if `text` is a literal block (`|`).
fn position_in_block(
    text: &At<String>,
    error: &serde_json::Error,
    source: &Source,
) -> Option<usize> {
    let written = source.text(&text.span);
    if error.is_eof() {
        return Some(text.span.start + written.trim_end().len());
    }
    // The span starts at the first line that is not blank, after its indentation.
    let blank_lines = text.value.bytes().take_while(|byte| *byte == b'\n').count();
    let skipped = error.line().checked_sub(blank_lines + 1)?;
    let line = written.split_inclusive('\n').nth(skipped)?;
    let line_start: usize = written.split_inclusive('\n').take(skipped).map(str::len).sum();
    let content = line.trim_start_matches(' ');
    let value_line = text.value.split('\n').nth(error.line() - 1)?;
    let value_content = value_line.trim_start_matches(' ');
    let column_in_content =
        error.column().saturating_sub(1).saturating_sub(value_line.len() - value_content.len());
    (content.trim_end() == value_content.trim_end())
        .then(|| text.span.start + line_start + line.len() - content.len() + column_in_content)
}
