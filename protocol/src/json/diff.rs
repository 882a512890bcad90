//! Differences between a sent and a received JSON value.

use std::collections::HashSet;

use super::document::Tree;
use super::number::Decimal;

/// One difference between a sent and a received value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// JSON pointer into the sent value or, for an addition, into the received value.
    pub pointer: String,
    /// Kind of difference.
    pub kind: DifferenceKind,
}

/// Kinds of differences.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DifferenceKind {
    /// Received but not sent. Holds the value.
    Added(String),
    /// Sent but not received. Holds the value.
    Removed(String),
    /// A different value. Holds what was sent and what was received.
    Changed(String, String),
    /// The same items in another order.
    Reordered,
    /// The same value, spelled differently (`1e0` for `1`). Holds both spellings.
    Respelled(String, String),
}

/// All differences between two values, in the order of the sent value.
pub fn differences(sent: &Tree, received: &Tree) -> Vec<Difference> {
    let mut found = Vec::new();
    compare(sent, received, &mut String::new(), &mut found);
    found
}

fn compare(sent: &Tree, received: &Tree, pointer: &mut String, found: &mut Vec<Difference>) {
    match (sent, received) {
        (Tree::Object(sent), Tree::Object(received)) => {
            compare_members(sent, received, pointer, found);
        }
        (Tree::Array(sent), Tree::Array(received)) if is_reordered(sent, received) => {
            let kind = DifferenceKind::Reordered;
            found.push(Difference { pointer: pointer.clone(), kind });
        }
        (Tree::Array(sent), Tree::Array(received)) => {
            let (sent, received): (Vec<_>, Vec<_>) =
                (sent.iter().collect(), received.iter().collect());
            for pair in aligned(&sent, &received) {
                let index = pair.0.or(pair.1).unwrap_or_default().to_string();
                descend(pointer, &index, |pointer| {
                    compare_pair(pair, &sent, &received, pointer, found);
                });
            }
        }
        (Tree::Scalar(left), Tree::Scalar(right)) if left == right => {}
        _ => {
            let (left, right) = (sent.compact(), received.compact());
            let kind = if same_value(sent, received) {
                DifferenceKind::Respelled(left, right)
            } else {
                DifferenceKind::Changed(left, right)
            };
            found.push(Difference { pointer: pointer.clone(), kind });
        }
    }
}

/// Whether two arrays have the same items, but not in the same order. The order of keys within the
/// items is ignored.
fn is_reordered(sent: &[Tree], received: &[Tree]) -> bool {
    let items = |items: &[Tree]| items.iter().map(Tree::canonical).collect::<Vec<_>>();
    if sent.len() != received.len() || sent == received {
        return false;
    }
    let (mut sent, mut received) = (items(sent), items(received));
    if sent == received {
        return false;
    }
    sent.sort_unstable();
    received.sort_unstable();
    sent == received
}

/// Compares members by key; members with the same key are aligned like array items. The order of
/// keys is ignored.
fn compare_members(
    sent: &[(String, Tree)],
    received: &[(String, Tree)],
    pointer: &mut String,
    found: &mut Vec<Difference>,
) {
    let mut seen = HashSet::new();
    for (key, _) in sent.iter().chain(received).filter(|(key, _)| seen.insert(key)) {
        let (sent, received) = (values_of(sent, key), values_of(received, key));
        descend(pointer, key, |pointer| {
            for pair in aligned(&sent, &received) {
                compare_pair(pair, &sent, &received, pointer, found);
            }
        });
    }
}

fn values_of<'a>(members: &'a [(String, Tree)], key: &str) -> Vec<&'a Tree> {
    members.iter().filter(|(name, _)| name == key).map(|(_, value)| value).collect()
}

/// The indices of the items to compare with each other. If the lengths differ, equal items at the
/// start and at the end are left out, so that a missing item is a single difference and does not
/// affect the items after it.
fn aligned(sent: &[&Tree], received: &[&Tree]) -> Vec<(Option<usize>, Option<usize>)> {
    let shorter = sent.len().min(received.len());
    let is_longer = sent.len() != received.len();
    let head = if is_longer { equal(sent.iter().zip(received)) } else { 0 };
    let tail = if is_longer { equal(sent.iter().rev().zip(received.iter().rev())) } else { 0 };
    let tail = tail.min(shorter - head);
    let paired = |at: usize, length: usize| (at < length - tail).then_some(at);
    let longer = sent.len().max(received.len());
    let middle =
        (head..longer - tail).map(|at| (paired(at, sent.len()), paired(at, received.len())));
    middle.collect()
}

/// Number of pairs at the start whose two items are equal.
fn equal<'a>(pairs: impl Iterator<Item = (&'a &'a Tree, &'a &'a Tree)>) -> usize {
    pairs.take_while(|(one, other)| one == other).count()
}

fn compare_pair(
    pair: (Option<usize>, Option<usize>),
    sent: &[&Tree],
    received: &[&Tree],
    pointer: &mut String,
    found: &mut Vec<Difference>,
) {
    match (pair.0.map(|at| sent[at]), pair.1.map(|at| received[at])) {
        (Some(sent), Some(received)) => compare(sent, received, pointer, found),
        (Some(sent), None) => found.push(removed(pointer, sent)),
        (None, Some(received)) => found.push(added(pointer, received)),
        (None, None) => {}
    }
}

fn descend(pointer: &mut String, segment: &str, visit: impl FnOnce(&mut String)) {
    let length = pointer.len();
    pointer.push('/');
    pointer.push_str(&segment.replace('~', "~0").replace('/', "~1"));
    visit(pointer);
    pointer.truncate(length);
}

fn added(pointer: &str, value: &Tree) -> Difference {
    Difference { pointer: pointer.to_owned(), kind: DifferenceKind::Added(value.compact()) }
}

fn removed(pointer: &str, value: &Tree) -> Difference {
    Difference { pointer: pointer.to_owned(), kind: DifferenceKind::Removed(value.compact()) }
}

/// Whether two scalars with different spellings are the same string or exactly the same number.
fn same_value(left: &Tree, right: &Tree) -> bool {
    if let (Some(left), Some(right)) = (left.as_str(), right.as_str()) {
        return left == right;
    }
    match (left, right) {
        (Tree::Scalar(left), Tree::Scalar(right)) => {
            match (Decimal::of(left), Decimal::of(right)) {
                (Some(left), Some(right)) => left == right,
                _ => false,
            }
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::Tree;
    use super::*;

    fn diff(sent: &str, received: &str) -> Vec<(String, DifferenceKind)> {
        let sent = Tree::parse(sent.as_bytes()).expect("valid JSON");
        let received = Tree::parse(received.as_bytes()).expect("valid JSON");
        differences(&sent, &received).into_iter().map(|found| (found.pointer, found.kind)).collect()
    }

    #[test]
    fn a_different_spelling_of_the_same_value_is_not_a_change() {
        for (left, right) in [
            ("1e0", "1"),
            ("1.0", "1"),
            ("10e-1", "1.000"),
            ("0.5", "5E-1"),
            ("-0", "0"),
            ("\"\\u00e9\"", "\"é\""),
        ] {
            assert_eq!(
                diff(left, right),
                [(String::new(), DifferenceKind::Respelled(left.into(), right.into()))]
            );
        }
    }

    #[test]
    fn numbers_that_are_equal_only_as_floats_differ() {
        for (left, right) in
            [("9007199254740993", "9007199254740992"), ("0.1", "0.10000000000000001")]
        {
            assert_eq!(
                diff(left, right),
                [(String::new(), DifferenceKind::Changed(left.into(), right.into()))]
            );
        }
    }

    #[test]
    fn items_in_another_order_are_one_difference() {
        let moved = |pointer: &str| [(pointer.to_owned(), DifferenceKind::Reordered)];
        assert_eq!(diff("[1,2,3]", "[3,1,2]"), moved(""));
        let (sent, received) =
            (r#"{"m":[{"a":1,"b":2},{"a":3}]}"#, r#"{"m":[{"a":3},{"b":2,"a":1}]}"#);
        assert_eq!(diff(sent, received), moved("/m"));
        assert_eq!(diff("[[1,2],3]", "[[2,1],3]"), moved("/0"));
        // The keys of objects have no order, and a changed item is not a moved one.
        assert_eq!(diff(r#"[{"a":1,"b":2}]"#, r#"[{"b":2,"a":1}]"#), []);
        let changed = |at: &str, from: &str, to: &str| {
            (at.to_owned(), DifferenceKind::Changed(from.to_owned(), to.to_owned()))
        };
        assert_eq!(diff("[1,2]", "[2,3]"), [changed("/0", "1", "2"), changed("/1", "2", "3")]);
        assert_eq!(diff("[1,1,2]", "[1,2,2]"), [changed("/1", "1", "2")]);
    }

    #[test]
    fn additions_removals_and_duplicates_are_located_by_pointer() {
        assert_eq!(
            diff(r#"{"a":1,"a":2,"b/c":[1,2]}"#, r#"{"b/c":[1],"a":1,"d":{"e":null}}"#),
            [
                ("/a".into(), DifferenceKind::Removed("2".into())),
                ("/b~1c/1".into(), DifferenceKind::Removed("2".into())),
                ("/d".into(), DifferenceKind::Added(r#"{"e":null}"#.into())),
            ]
        );
    }

    #[test]
    fn a_missing_item_is_one_difference() {
        assert_eq!(
            diff("[1,2,3,4]", "[1,3,4]"),
            [("/1".into(), DifferenceKind::Removed("2".into()))]
        );
        assert_eq!(diff("[1,2]", "[0,1,2]"), [("/0".into(), DifferenceKind::Added("0".into()))]);
        assert_eq!(diff("[1,1]", "[1]"), [("/1".into(), DifferenceKind::Removed("1".into()))]);
        assert_eq!(
            diff("[1,2,5]", "[3,5]"),
            [
                ("/0".into(), DifferenceKind::Changed("1".into(), "3".into())),
                ("/1".into(), DifferenceKind::Removed("2".into())),
            ]
        );
        assert_eq!(
            diff(r#"{"a":1,"a":2}"#, r#"{"a":2}"#),
            [("/a".into(), DifferenceKind::Removed("1".into()))],
            "members with the same name are aligned too"
        );
    }

    #[test]
    fn null_differs_from_absence_and_key_order_does_not_matter() {
        assert_eq!(
            diff(r#"{"a":null}"#, "{}"),
            [("/a".into(), DifferenceKind::Removed("null".into()))]
        );
        assert_eq!(diff(r#"{"a":1,"b":2}"#, r#"{"b":2,"a":1}"#), []);
    }
}
