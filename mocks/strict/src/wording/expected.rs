//! Formats the expected types for a provider's message about a wrong type.
//!
//! All these forms were seen on the live API: `a string`, `an array of objects`,
//! `one of a string or array of objects`, `one of 'auto' or 'disabled'`, `one of one of 'none',
//! 'auto', or 'required' or object`, `an array of one of 'fil...lts' or 'web...lts'`. The messages
//! never mention null. This module lists alternatives in schema order; the live API sometimes uses
//! a different order.

use fallproof_protocol::provider::Endpoint;
use serde_json::Value as Json;

use super::values::{list, quoted};
use crate::body::Kind;
use crate::path::Step;
use crate::schema::{Node, Schema};

/// Maximum length up to which an expected value is listed in full. On the live API, `conversation`
/// was seen in full, and `allowed_tools` was seen as `all...ols`.
const LISTED_WHOLE: usize = 12;

/// Array parameters of `/responses`, each with the name that messages use for its items. For other
/// arrays, messages name the type of the items, e.g. "objects".
const NAMED_ITEMS: [(&str, &str); 2] = [("input", "input items"), ("tools", "tools")];

/// The types and values that this node allows, as a phrase with an article.
pub(super) fn expected(
    schema: &Schema,
    node: &Node,
    endpoint: Endpoint,
    path: &[Step<'_>],
) -> String {
    let named = match (endpoint, path) {
        (Endpoint::Responses | Endpoint::ResponsesCompact, [Step::Key(name)]) => {
            NAMED_ITEMS.into_iter().find(|(parameter, _)| parameter == name).map(|(_, items)| items)
        }
        _ => None,
    };
    let mut alternatives = alternatives(schema, node, named);
    if path == [Step::Key("metadata")] {
        alternatives = vec![Alternative { article: "a ", text: "metadata object".to_owned() }];
    }
    together(&alternatives)
}

/// The values that a discriminator allows, as a phrase.
pub(super) fn expected_tag(choices: &[&Json]) -> String {
    together(&[listed(choices)])
}

/// An allowed type, or a list of allowed values. If a message lists several alternatives, only the
/// first one has an article.
#[derive(PartialEq, Eq)]
struct Alternative {
    article: &'static str,
    text: String,
}

fn together(alternatives: &[Alternative]) -> String {
    match alternatives {
        [] => "null".to_owned(),
        [only] => format!("{}{}", only.article, only.text),
        [first, ..] => {
            let text: Vec<_> = alternatives.iter().map(|one| one.text.clone()).collect();
            format!("one of {}{}", first.article, list(&text, "or"))
        }
    }
}

fn alternatives(schema: &Schema, node: &Node, named: Option<&str>) -> Vec<Alternative> {
    let node = schema.resolve(node);
    let mut out: Vec<Alternative> = Vec::new();
    let mut add = |alternative: Alternative| {
        if !out.contains(&alternative) {
            out.push(alternative);
        }
    };
    if !node.branches.is_empty() {
        node.branches.iter().flat_map(|branch| alternatives(schema, branch, named)).for_each(add);
        return out;
    }
    if let Some(choices) = &node.choices {
        let choices: Vec<_> = choices.iter().filter(|choice| !choice.is_null()).collect();
        return vec![listed(&choices)];
    }
    let plain = |article, word: &str| Alternative { article, text: word.to_owned() };
    let kinds = node.kinds;
    if kinds.has(Kind::Bool) {
        add(plain("a ", "boolean"));
    }
    if kinds.has(Kind::Decimal) {
        add(plain("a ", "decimal"));
    } else if kinds.has(Kind::Integer) {
        add(plain("an ", "integer"));
    }
    if kinds.has(Kind::String) {
        add(plain("a ", "string"));
    }
    if kinds.has(Kind::Array) {
        let items =
            named.map(str::to_owned).or_else(|| Some(plural(schema, node.items.as_deref()?)));
        let text = items.map_or_else(|| "array".to_owned(), |items| format!("array of {items}"));
        add(Alternative { article: "an ", text });
    }
    if kinds.has(Kind::Object) {
        add(plain("an ", "object"));
    }
    out
}

fn plural(schema: &Schema, item: &Node) -> String {
    let items = alternatives(schema, item, None).into_iter();
    let text: Vec<_> = items
        .map(|item| match item.article {
            // A list of values has no plural.
            "" | "one of " => format!("{}{}", item.article, item.text),
            _ => match item.text.split_once(' ') {
                Some((noun, rest)) => format!("{noun}s {rest}"),
                None => format!("{}s", item.text),
            },
        })
        .collect();
    list(&text, "or")
}

fn listed(choices: &[&Json]) -> Alternative {
    let text: Vec<_> = choices
        .iter()
        .map(|choice| {
            choice.as_str().map_or_else(|| choice.to_string(), |text| quoted(text, LISTED_WHOLE))
        })
        .collect();
    Alternative { article: if text.len() > 1 { "one of " } else { "" }, text: list(&text, "or") }
}
