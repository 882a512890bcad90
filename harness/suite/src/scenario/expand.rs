//! Expands a family into one of its cases, by replacing references with the values of a choice.

use std::collections::BTreeSet;
use std::ops::Range;

use super::family::{Axis, AxisValue, Choice, one_or_more, unknown_axis};
use crate::yaml::{At, Diagnostic, Members, Node, Source};

/// The YAML key that merges the mappings of axis values into the mapping that contains the key.
const EXTENDS: &str = "extends";

/// Replaces the references in a family's members with the values of one choice.
pub(super) struct Expander<'a> {
    source: &'a Source,
    axes: &'a [Axis],
    choice: &'a Choice<'a>,
    /// The names of the axes that the case refers to.
    pub(super) used: BTreeSet<String>,
    /// Errors for references that cannot be resolved.
    pub(super) problems: Vec<Diagnostic>,
}

impl<'a> Expander<'a> {
    pub(super) fn new(source: &'a Source, axes: &'a [Axis], choice: &'a Choice<'a>) -> Self {
        Self { source, axes, choice, used: BTreeSet::new(), problems: Vec::new() }
    }

    /// The members of the case. An axis that occurs only in `title` or `why` does not count as
    /// used.
    pub(super) fn case(&mut self, family: &Members) -> Members {
        let is_description = |key: &At<String>| matches!(&*key.value, "title" | "why");
        let is_family =
            |key: &At<String>| matches!(&*key.value, "matrix" | "except" | "robustness");
        let mut case = Members::new();
        self.put(family.iter().filter(|(key, _)| is_description(key)), &mut case);
        self.used.clear();
        let others = family.iter().filter(|(key, _)| !is_description(key) && !is_family(key));
        self.put(others, &mut case);
        case
    }

    fn node(&mut self, node: &At<Node>) -> At<Node> {
        let value = match &node.value {
            Node::Text(text) => match alone(text) {
                Some(reference) => return self.value(reference, &node.span),
                None => Node::Text(self.text(text, &node.span)),
            },
            Node::Bare(value) => Node::Bare(value.clone()),
            Node::List(items) => Node::List(items.iter().map(|item| self.node(item)).collect()),
            Node::Members(members) => {
                let mut expanded = Members::with_capacity(members.len());
                self.put(members, &mut expanded);
                Node::Members(expanded)
            }
        };
        At { value, span: node.span.clone() }
    }

    /// Expands these members and inserts them into a mapping.
    fn put<'m>(
        &mut self,
        members: impl IntoIterator<Item = (&'m At<String>, &'m At<Node>)>,
        expanded: &mut Members,
    ) {
        for (key, node) in members {
            let inserted: Vec<_> = if key.value == EXTENDS {
                one_or_more(node).iter().flat_map(|node| self.fragment(node)).collect()
            } else {
                vec![(key.clone(), self.node(node))]
            };
            for (name, value) in inserted {
                if expanded.keys().any(|earlier| earlier.value == name.value) {
                    let message = format!("the key `{}` is given twice", name.value);
                    self.problem(&key.span, message);
                }
                expanded.insert(name, value);
            }
        }
    }

    /// The mapping that a reference in `extends` refers to.
    fn fragment(&mut self, node: &At<Node>) -> Members {
        let reference = node.value.word().unwrap_or_default();
        let Some((axis, word, part)) = self.follow(&reference, &node.span) else {
            return Members::new();
        };
        let mapping = match part {
            None => word.fragment.as_ref(),
            Some(At { value: Node::Members(members), .. }) => Some(members),
            Some(_) => None,
        };
        mapping.cloned().unwrap_or_else(|| {
            let axis = &axis.name.value;
            let message = format!("`{reference}` is not a mapping if `{axis}` is `{}`", word.text);
            self.problem(&node.span, message);
            Members::new()
        })
    }

    /// The value of a reference that makes up an entire string.
    fn value(&mut self, reference: &str, span: &Range<usize>) -> At<Node> {
        match self.follow(reference, span) {
            Some((_, _, Some(part))) => part.clone(),
            Some((_, word, None)) => word.value.clone(),
            None => At { value: Node::Text(String::new()), span: span.clone() },
        }
    }

    /// The string with its references replaced.
    fn text(&mut self, text: &str, span: &Range<usize>) -> String {
        if let Some(reference) = self.blank_reference(text) {
            let message = format!("`{{ {reference} }}` is a reference with spaces");
            let error = self.source.error(span, message);
            self.problems.push(error.help(format!("write `{{{reference}}}`")));
        }
        let mut expanded = String::new();
        let mut rest = text;
        while let Some((before, reference, after)) = next_reference(rest) {
            expanded.push_str(before);
            if let Some(word) = self.value(reference, span).value.word() {
                expanded.push_str(&word);
            } else {
                self.problem(span, format!("`{reference}` is not text"));
            }
            rest = after;
        }
        expanded + rest
    }

    /// A reference to an axis that would not be replaced, because it has spaces inside its braces.
    fn blank_reference<'t>(&self, text: &'t str) -> Option<&'t str> {
        text.match_indices('{').find_map(|(start, _)| {
            let (inner, after) = text[start + 1..].split_once('}')?;
            let name = inner.trim().split('.').next()?;
            let is_axis = self.axes.iter().any(|axis| axis.name.value == name);
            let doubled = text[..start].ends_with('{') || after.starts_with('}');
            (is_axis && inner != inner.trim() && !doubled).then_some(inner.trim())
        })
    }

    /// Resolves `axis` or `axis.key`. Returns the axis, its value, and for `axis.key` the member of
    /// the value's mapping.
    fn follow(&mut self, reference: &str, span: &Range<usize>) -> Option<Found<'a>> {
        let (name, key) =
            reference.split_once('.').map_or((reference, None), |(axis, key)| (axis, Some(key)));
        let Some((axis, word)) =
            self.choice.iter().copied().find(|(axis, _)| axis.name.value == name)
        else {
            self.problems.push(unknown_axis(name, span, self.axes, self.source));
            return None;
        };
        self.used.insert(name.to_owned());
        let Some(key) = key else {
            return Some((axis, word, None));
        };
        let mut parts = word.fragment.iter().flatten();
        let Some((_, part)) = parts.find(|(part, _)| part.value == key) else {
            self.problem(span, format!("`{}` of `{name}` has no key `{key}`", word.text));
            return None;
        };
        Some((axis, word, Some(part)))
    }

    fn problem(&mut self, span: &Range<usize>, message: String) {
        self.problems.push(self.source.error(span, message));
    }
}

type Found<'a> = (&'a Axis, &'a AxisValue, Option<&'a At<Node>>);

/// The reference that makes up the entire string, if there is one.
fn alone(text: &str) -> Option<&str> {
    match next_reference(text) {
        Some(("", reference, "")) => Some(reference),
        _ => None,
    }
}

/// The first `{axis}` or `{axis.key}`, with the text before and after it. Double braces mark other
/// placeholders. A brace in JSON text does not count, because a quote follows it.
fn next_reference(text: &str) -> Option<(&str, &str, &str)> {
    let is_name = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_' | b'.')
    };
    text.match_indices('{').find_map(|(start, _)| {
        let (before, inner) = (&text[..start], &text[start + 1..]);
        let (reference, after) = inner.split_once('}')?;
        let named = !reference.is_empty() && reference.bytes().all(is_name);
        let doubled = before.ends_with('{') && after.starts_with('}');
        (named && !doubled).then_some((before, reference, after))
    })
}
