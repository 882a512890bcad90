//! A scenario written once for many cases: its axes, their words, and which of them are combined.

use std::ops::Range;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

use super::naming::is_kebab_case;
use crate::yaml::{At, Diagnostic, Members, Node, Source};

/// More cases than this in one file are a mistake.
const MAX_CASES: usize = 500;

/// The key of an exception that tells why.
const REASON: &str = "reason";

/// The keys that make a family of a scenario file; the others are read once for each case.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct FamilyFile {
    /// What varies, by name: a list of words, or a mapping from each word to what it brings along.
    /// `{axis}` stands for the word, `{axis.key}` for a part of what it brings along, `extends: axis`
    /// in a mapping for all of that, which is put in as it is; `extends: [one, other]` for both.
    #[schemars(schema_with = "matrix_schema")]
    matrix: At<Members>,
    /// Combinations that are left out: for some of the axes a word or a list of them, and why.
    #[serde(default)]
    #[schemars(schema_with = "except_schema")]
    except: Vec<At<Members>>,
}

/// What varies.
#[derive(Debug)]
pub(super) struct Axis {
    pub(super) name: At<String>,
    /// Never empty.
    pub(super) words: Vec<Word>,
}

/// One of the values of an axis.
#[derive(Debug)]
pub(super) struct Word {
    /// As it is written.
    pub(super) text: String,
    /// As it stands in ids.
    slug: String,
    /// The word as a value, for where it stands alone.
    pub(super) value: At<Node>,
    /// What it brings along; `None` in a list of words.
    pub(super) fragment: Option<Members>,
}

/// A word for each axis, in the order of the axes.
pub(super) type Choice<'a> = Vec<(&'a Axis, &'a Word)>;

/// The id of a case of the family of this id, e.g. `faults/each@server-error.azure-v1`.
pub(super) fn case_id(family: &str, choice: &Choice<'_>) -> String {
    let words: Vec<_> = choice.iter().map(|(_, word)| &*word.slug).collect();
    format!("{family}@{}", words.join("."))
}

impl FamilyFile {
    /// The axes; what is wrong with them goes to `problems`.
    pub(super) fn axes(&self, source: &Source, problems: &mut Vec<Diagnostic>) -> Vec<Axis> {
        if self.matrix.value.is_empty() {
            problems.push(source.error(&self.matrix.span, "a matrix has at least one axis"));
        }
        let read = |(name, node): (&At<String>, &At<Node>)| {
            if !is_kebab_case(&name.value) || name.value == REASON {
                let message = "an axis is named with lower-case letters, digits and `-`";
                let error = source.error(&name.span, message);
                problems.push(error.help(format!("`{REASON}` is taken by `except`")));
            }
            Axis { name: name.clone(), words: words(node, source, problems) }
        };
        let axes: Vec<_> = self.matrix.value.iter().map(read).collect();
        let cases = axes.iter().map(|axis| axis.words.len()).fold(1, usize::saturating_mul);
        if cases > MAX_CASES {
            let message = format!("a matrix of {cases} cases; {MAX_CASES} is the most");
            problems.push(source.error(&self.matrix.span, message).help("make files of it"));
        }
        axes
    }

    /// Every combination of words but the exceptions, the last axis varying first.
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
                axis.words.iter().map(move |word| [&shorter[..], &[(axis, word)]].concat())
            };
            choices = choices.iter().flat_map(longer).collect();
        }
        for except in &self.except {
            if is_sound(except, axes, source, problems) {
                let before = choices.len();
                choices.retain(|choice| !leaves_out(except, choice));
                if choices.len() == before {
                    problems.push(source.error(&except.span, "no case is left out by this"));
                }
            }
        }
        if choices.is_empty() {
            problems.push(source.error(&self.matrix.span, "no case is left to run"));
        }
        choices
    }
}

fn words(node: &At<Node>, source: &Source, problems: &mut Vec<Diagnostic>) -> Vec<Word> {
    let mut words = Vec::<Word>::new();
    let mut add = |value: At<Node>, fragment, problems: &mut Vec<Diagnostic>| {
        let text = value.value.word().unwrap_or_default();
        let slug = text.replace(['_', '/'], "-");
        if !is_kebab_case(&slug) {
            let message = "a word is made of lower-case letters, digits, `-`, `_` and `/`";
            problems.push(source.error(&value.span, message).help("it is a part of the case's id"));
        } else if words.iter().any(|earlier| earlier.slug == slug) {
            let message = format!("two cases would have `{slug}` in their id");
            problems.push(source.error(&value.span, message));
        }
        words.push(Word { text, slug, value, fragment });
    };
    match &node.value {
        Node::List(list) => list.iter().for_each(|word| add(word.clone(), None, problems)),
        Node::Members(members) => {
            for (word, fragment) in members {
                let value = At { value: Node::Text(word.value.clone()), span: word.span.clone() };
                if let Node::Members(fragment) = &fragment.value {
                    add(value, Some(fragment.clone()), problems);
                } else {
                    let message = "what a word brings along is a mapping (`key: value`)";
                    problems.push(source.error(&fragment.span, message));
                }
            }
        }
        Node::Text(_) | Node::Bare(_) => {}
    }
    if words.is_empty() {
        let message =
            "an axis is a list of words, or a mapping from words to what they bring along";
        problems.push(source.error(&node.span, message));
    }
    words
}

/// Whether an exception has a reason and names axes and their words.
fn is_sound(
    except: &At<Members>,
    axes: &[Axis],
    source: &Source,
    problems: &mut Vec<Diagnostic>,
) -> bool {
    let before = problems.len();
    if !except.value.keys().any(|key| key.value == REASON) {
        let error = source.error(&except.span, "an exception tells its reason");
        problems.push(error.help(format!("add `{REASON}: …`")));
    }
    for (key, node) in except.value.iter().filter(|(key, _)| key.value != REASON) {
        let Some(known) = axes.iter().find(|axis| axis.name.value == key.value) else {
            problems.push(unknown_axis(&key.value, &key.span, axes, source));
            continue;
        };
        for word in one_or_more(node) {
            let text = word.value.word().unwrap_or_default();
            if !known.words.iter().any(|word| word.text == text) {
                let message = format!("`{text}` is no word of `{}`", key.value);
                let words = known.words.iter().map(|word| &*word.text);
                problems.push(source.error(&word.span, message).expected(&text, words));
            }
        }
    }
    problems.len() == before
}

/// Whether the case has one of the words that the exception has for each of its axes.
fn leaves_out(except: &At<Members>, choice: &Choice<'_>) -> bool {
    choice.iter().all(|(axis, chosen)| {
        let said = except.value.iter().find(|(key, _)| key.value == axis.name.value);
        said.is_none_or(|(_, node)| {
            one_or_more(node).iter().any(|word| word.value.word().as_ref() == Some(&chosen.text))
        })
    })
}

/// The items of a list, or the one thing that stands alone.
pub(super) fn one_or_more(node: &At<Node>) -> &[At<Node>] {
    if let Node::List(list) = &node.value { list } else { std::slice::from_ref(node) }
}

/// The error where a name is no axis.
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
            "properties": { "reason": { "description": "Why there is no such case.", "type": "string" } },
            "required": ["reason"],
            "additionalProperties": { "type": ["string", "integer", "boolean", "array"] }
        }
    })
}
