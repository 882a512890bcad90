//! What holds for the reader of JSON and for the differences between two values.

use fallproof_protocol::json::{
    Difference, DifferenceKind, Token, Tokens, Tree, differences, error_message, unescaped,
};
use serde_json::Value;

/// Checks everything that holds for these bytes, and for the differences between their first line and
/// the rest.
pub(crate) fn check(bytes: &[u8]) {
    value(bytes);
    let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else { return };
    if let (Ok(sent), Ok(received)) = (Tree::parse(&bytes[..end]), Tree::parse(&bytes[end..])) {
        differ(&sent, &received);
        differ(&received, &sent);
    }
}

/// Checks what holds for a text that may be JSON.
fn value(bytes: &[u8]) {
    error_message(bytes);
    let plain = serde_json::from_slice::<Value>(bytes).ok();
    let Ok(tokens) = Tokens::of(bytes) else {
        assert!(plain.is_none() && Tree::parse(bytes).is_err(), "it is JSON, but has no tokens");
        return;
    };
    let text = std::str::from_utf8(bytes).expect("JSON is UTF-8");
    spelling_is_kept(text, tokens.clone());
    let whole = tokens.clone().skip_value();
    assert_eq!(whole, text.trim_matches([' ', '\t', '\n', '\r']), "the whole value is skipped");
    let Ok(tree) = Tree::parse(bytes) else {
        assert!(plain.is_none(), "it is JSON, but has no tree");
        return;
    };
    if let Some(plain) = plain {
        assert_eq!(plain_value(&tree), Some(plain), "the tree has another value");
    }
    assert_eq!(Tree::parse(tree.compact().as_bytes()).ok().as_ref(), Some(&tree), "compact");
    for text in [tree.sorted(), tree.canonical()] {
        let read = Tree::parse(text.as_bytes()).expect("what was written is JSON");
        assert_eq!(read.sorted(), tree.sorted(), "{text}");
    }
    assert_eq!(differences(&tree, &tree), []);
}

/// Checks that the tokens are the text without white space, commas and colons.
fn spelling_is_kept(text: &str, tokens: Tokens<'_>) {
    let mut rest = text;
    for token in tokens {
        let between = [' ', '\t', '\n', '\r', ',', ':'];
        rest = rest.trim_start_matches(between);
        let start = match token {
            Token::Object => "{",
            Token::Array => "[",
            Token::End if rest.starts_with('}') => "}",
            Token::End => "]",
            Token::Scalar(spelled) => spelled,
        };
        let Some(after) = rest.strip_prefix(start) else {
            panic!("expected {token:?} before {rest:?}");
        };
        if start.starts_with('"') {
            let closes = start.len() > 1 && start.ends_with('"');
            assert!(closes && unescaped(start).is_ok() | start.contains("\\u"), "{start}");
        }
        rest = after;
    }
    assert!(rest.chars().all(char::is_whitespace), "{rest:?} is no token");
}

/// The value of the tree as `serde_json` would read it. `None` if it does not have one.
fn plain_value(tree: &Tree) -> Option<Value> {
    Some(match tree {
        Tree::Scalar(spelled) => serde_json::from_str(spelled).ok()?,
        Tree::Array(items) => items.iter().map(plain_value).collect::<Option<_>>()?,
        Tree::Object(members) => {
            let member = |(key, value): &(String, Tree)| Some((key.clone(), plain_value(value)?));
            members.iter().map(member).collect::<Option<_>>()?
        }
    })
}

/// Checks what holds for the differences between two values.
pub(crate) fn differ(sent: &Tree, received: &Tree) {
    let found = differences(sent, received);
    let are_equal = sent.sorted() == received.sorted();
    assert_eq!(found.is_empty(), are_equal, "{found:?}");
    for Difference { pointer, kind } in &found {
        let below = pointer.rsplit_once('/').map_or("", |(parent, _)| parent);
        let at =
            |tree, pointer, value: &str| at(tree, pointer).iter().any(|it| it.compact() == value);
        match kind {
            DifferenceKind::Added(value) => {
                assert!(!self::at(sent, below).is_empty(), "nothing sent at {below}");
                assert!(received.compact().contains(value), "{value} was not received");
            }
            DifferenceKind::Removed(value) => {
                assert!(at(sent, pointer, value), "{value} was not sent at {pointer}");
            }
            DifferenceKind::Changed(from, to) | DifferenceKind::Respelled(from, to) => {
                assert!(at(sent, pointer, from), "{from} was not sent at {pointer}");
                assert!(received.compact().contains(to), "{to} was not received");
                assert_ne!(from, to, "at {pointer}");
            }
            DifferenceKind::Reordered => {
                let lists = self::at(sent, pointer);
                assert!(
                    lists.iter().any(|it| matches!(it, Tree::Array(_))),
                    "no list at {pointer}"
                );
            }
        }
    }
}

/// The values at this JSON pointer: several if a key occurs more than once.
fn at<'a>(tree: &'a Tree, pointer: &str) -> Vec<&'a Tree> {
    let mut found = vec![tree];
    for segment in pointer.split('/').skip(1) {
        let name = segment.replace("~1", "/").replace("~0", "~");
        found = { found }
            .into_iter()
            .flat_map(|tree| match tree {
                Tree::Object(members) => {
                    let named = members.iter().filter(|(key, _)| *key == name);
                    named.map(|(_, value)| value).collect()
                }
                Tree::Array(items) => {
                    name.parse().ok().and_then(|at: usize| items.get(at)).into_iter().collect()
                }
                Tree::Scalar(_) => Vec::new(),
            })
            .collect();
    }
    found
}
