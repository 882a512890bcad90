//! A family: one file that describes many cases by axes, their values, and the combinations to run.

use std::ops::Range;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

use super::Level;
use super::naming::is_kebab_case;
use crate::yaml::{At, Diagnostic, Members, Node, Source};

/// Maximum number of cases in one file.
const MAX_CASES: usize = 500;

/// The YAML key that holds the reason for an exception.
const REASON: &str = "reason";

/// The YAML keys that turn a scenario file into a family. The other keys are read once for each
/// case.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct FamilyFile {
    /// The axes by name. An axis is a list of values, or a mapping from each value to a mapping.
    /// `{axis}` is replaced with the value, and `{axis.key}` with a member of the value's mapping.
    /// `extends: axis` merges the value's whole mapping, verbatim, into the mapping that contains
    /// it; `extends: [one, other]` merges both.
    #[schemars(schema_with = "matrix_schema")]
    matrix: At<Members>,
    /// Excluded combinations: one value or a list of values for some of the axes, and a `reason`.
    #[serde(default)]
    #[schemars(schema_with = "except_schema")]
    except: Vec<At<Members>>,
    /// The combinations that test robustness instead of conformance, in the same form as `except`.
    #[serde(default)]
    #[schemars(schema_with = "except_schema")]
    robustness: Vec<At<Members>>,
}

/// An axis of the matrix.
#[derive(Debug)]
pub(super) struct Axis {
    pub(super) name: At<String>,
    /// Never empty.
    pub(super) values: Vec<AxisValue>,
}

/// One of the values of an axis.
#[derive(Debug)]
pub(super) struct AxisValue {
    /// Its text in the file.
    pub(super) text: String,
    /// Its text in ids.
    slug: String,
    /// Its YAML value, for references that make up an entire string.
    pub(super) value: At<Node>,
    /// Its mapping; `None` if the axis is a list of values.
    pub(super) fragment: Option<Members>,
}

/// A value for each axis, in the order of the axes.
pub(super) type Choice<'a> = Vec<(&'a Axis, &'a AxisValue)>;

/// The id of a case in the family with this id, e.g. `faults/each@server-error.azure-v1`.
pub(super) fn case_id(family: &str, choice: &Choice<'_>) -> String {
    let values: Vec<_> = choice.iter().map(|(_, word)| &*word.slug).collect();
    format!("{family}@{}", values.join("."))
}

impl FamilyFile {
    /// Reads the axes. Errors are added to `problems`.
    pub(super) fn axes(&self, source: &Source, problems: &mut Vec<Diagnostic>) -> Vec<Axis> {
        if self.matrix.value.is_empty() {
            problems.push(source.error(&self.matrix.span, "a matrix has at least one axis"));
        }
        let read = |(name, node): (&At<String>, &At<Node>)| {
            if !is_kebab_case(&name.value) || name.value == REASON {
                let message = "the name of an axis has only lower-case letters, digits and `-`";
                let error = source.error(&name.span, message);
                problems.push(error.help(format!("`{REASON}` is reserved for `except`")));
            }
            Axis { name: name.clone(), values: values(node, source, problems) }
        };
        let axes: Vec<_> = self.matrix.value.iter().map(read).collect();
        let cases = axes.iter().map(|axis| axis.values.len()).fold(1, usize::saturating_mul);
        if cases > MAX_CASES {
            let message = format!("the matrix has {cases} cases; the maximum is {MAX_CASES}");
            problems
                .push(source.error(&self.matrix.span, message).help("split it into several files"));
        }
        axes
    }

    /// Every combination of values except the excluded ones. The last axis varies fastest.
    pub(super) fn choices<'a>(
        &self,
        axes: &'a [Axis],
        source: &Source,
        problems: &mut Vec<Diagnostic>,
    ) -> Vec<Choice<'a>> {
        let mut choices = vec![Vec::new()];
        for axis in axes {
            let longer = |shorter: &Choice<'a>| {
                let shorter = shorter.clone();
                axis.values.iter().map(move |word| [&shorter[..], &[(axis, word)]].concat())
            };
            choices = choices.iter().flat_map(longer).collect();
        }
        for except in &self.except {
            if is_valid(except, axes, source, problems) {
                let before = choices.len();
                choices.retain(|choice| !matches(except, choice));
                if choices.len() == before {
                    problems.push(source.error(&except.span, "this exception excludes no case"));
                }
            }
        }
        for robustness in &self.robustness {
            if is_valid(robustness, axes, source, problems)
                && !choices.iter().any(|choice| matches(robustness, choice))
            {
                problems.push(source.error(&robustness.span, "this entry is about no case"));
            }
        }
        if choices.is_empty() {
            problems.push(source.error(&self.matrix.span, "the exceptions exclude every case"));
        }
        choices
    }
}

impl FamilyFile {
    /// Adds the level to the YAML fields of a case that tests robustness.
    pub(super) fn with_level(&self, choice: &Choice<'_>, mut case: Members) -> Members {
        if let Some(entry) = self.robustness.iter().find(|entry| matches(entry, choice)) {
            let text = |value: &str| At { value: value.to_owned(), span: entry.span.clone() };
            let level = Level::Robustness.to_string();
            let level = At { value: Node::Text(level), span: entry.span.clone() };
            let before = case.keys().position(|key| key.value == "proves");
            case.shift_insert(before.unwrap_or_default(), text("level"), level);
        }
        case
    }
}

fn values(node: &At<Node>, source: &Source, problems: &mut Vec<Diagnostic>) -> Vec<AxisValue> {
    let mut values = Vec::<AxisValue>::new();
    let mut add = |value: At<Node>, fragment, problems: &mut Vec<Diagnostic>| {
        let text = value.value.word().unwrap_or_default();
        let slug = text.replace(['_', '/'], "-");
        if !is_kebab_case(&slug) {
            let message = "a value has only lower-case letters, digits, `-`, `_` and `/`";
            problems.push(source.error(&value.span, message).help("it is part of the case's id"));
        } else if values.iter().any(|earlier| earlier.slug == slug) {
            let message = format!("two cases would have `{slug}` in their id");
            problems.push(source.error(&value.span, message));
        }
        values.push(AxisValue { text, slug, value, fragment });
    };
    match &node.value {
        Node::List(list) => list.iter().for_each(|word| add(word.clone(), None, problems)),
        Node::Members(members) => {
            for (word, fragment) in members {
                let value = At { value: Node::Text(word.value.clone()), span: word.span.clone() };
                if let Node::Members(fragment) = &fragment.value {
                    add(value, Some(fragment.clone()), problems);
                } else {
                    let message = "each value of this axis must be a mapping (`key: value`)";
                    problems.push(source.error(&fragment.span, message));
                }
            }
        }
        Node::Text(_) | Node::Bare(_) => {}
    }
    if values.is_empty() {
        let message = "an axis is a list of values, or a mapping from values to mappings";
        problems.push(source.error(&node.span, message));
    }
    values
}

/// Whether an entry has a reason and names existing axes and values.
fn is_valid(
    except: &At<Members>,
    axes: &[Axis],
    source: &Source,
    problems: &mut Vec<Diagnostic>,
) -> bool {
    let before = problems.len();
    if !except.value.keys().any(|key| key.value == REASON) {
        let error = source.error(&except.span, "an exception needs a reason");
        problems.push(error.help(format!("add `{REASON}: …`")));
    }
    for (key, node) in except.value.iter().filter(|(key, _)| key.value != REASON) {
        let Some(known) = axes.iter().find(|axis| axis.name.value == key.value) else {
            problems.push(unknown_axis(&key.value, &key.span, axes, source));
            continue;
        };
        for word in one_or_more(node) {
            let text = word.value.word().unwrap_or_default();
            if !known.values.iter().any(|word| word.text == text) {
                let message = format!("`{text}` is not a value of `{}`", key.value);
                let values = known.values.iter().map(|word| &*word.text);
                problems.push(source.error(&word.span, message).expected(&text, values));
            }
        }
    }
    problems.len() == before
}

/// Whether the entry covers the case: for each axis that the entry names, it lists the case's
/// value.
fn matches(entry: &At<Members>, choice: &Choice<'_>) -> bool {
    choice.iter().all(|(axis, chosen)| {
        let listed = entry.value.iter().find(|(key, _)| key.value == axis.name.value);
        listed.is_none_or(|(_, node)| {
            one_or_more(node).iter().any(|word| word.value.word().as_ref() == Some(&chosen.text))
        })
    })
}

/// The items of a list, or a single value as one item.
pub(super) fn one_or_more(node: &At<Node>) -> &[At<Node>] {
    if let Node::List(list) = &node.value { list } else { std::slice::from_ref(node) }
}

/// The error for a name that is not an axis.
pub(super) fn unknown_axis(
    name: &str,
    span: &Range<usize>,
    axes: &[Axis],
    source: &Source,
) -> Diagnostic {
    let error = source.error(span, format!("unknown axis `{name}`"));
    error.expected(name, axes.iter().map(|axis| &*axis.name.value))
}

/// The schema of `matrix`.
fn matrix_schema(_: &mut SchemaGenerator) -> Schema {
    let word = "^[a-z0-9_/-]+$";
    json_schema!({
        "type": "object",
        "minProperties": 1,
        "propertyNames": { "pattern": "^[a-z0-9-]+$" },
        "additionalProperties": { "anyOf": [
            {
                "type": "array",
                "minItems": 1,
                "items": { "type": ["string", "integer", "boolean"], "pattern": word }
            },
            {
                "type": "object",
                "minProperties": 1,
                "propertyNames": { "pattern": word },
                "additionalProperties": { "type": "object" }
            }
        ] }
    })
}

/// The schema of `except`.
fn except_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "items": {
            "type": "object",
            "properties": { "reason": { "description": "Why these combinations are apart.", "type": "string" } },
            "required": ["reason"],
            "additionalProperties": { "type": ["string", "integer", "boolean", "array"] }
        }
    })
}
