//! Differences between a sent and a received JSON value.

use std::ops::Range;

use indexmap::IndexMap;
use similar::{Algorithm, DiffOp, capture_diff_slices};

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
    let items = |items: &[Tree]| items.iter().map(Tree::sorted).collect::<Vec<_>>();
    let has_order = (2..=MOST_ITEMS).contains(&sent.len());
    if !has_order || sent.len() != received.len() || sent == received {
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
    let mut by_key = IndexMap::<&str, [Vec<&Tree>; 2]>::new();
    for (side, members) in [sent, received].into_iter().enumerate() {
        for (key, value) in members {
            by_key.entry(key).or_default()[side].push(value);
        }
    }
    for (key, [sent, received]) in by_key {
        descend(pointer, key, |pointer| {
            for pair in aligned(&sent, &received) {
                compare_pair(pair, &sent, &received, pointer, found);
            }
        });
    }
}

/// The indices of the items to compare with each other. If the lengths differ, items that are equal
/// are left out, so that a missing item is a single difference and does not affect the items after
/// it.
fn aligned(sent: &[&Tree], received: &[&Tree]) -> Vec<(Option<usize>, Option<usize>)> {
    if sent.len() == received.len() {
        return (0..sent.len()).map(|at| (Some(at), Some(at))).collect();
    }
    let head = equal(sent.iter().zip(received));
    let tail = equal(sent[head..].iter().rev().zip(received[head..].iter().rev()));
    let (old, new) = (head..sent.len() - tail, head..received.len() - tail);
    if old.len().max(new.len()) > MOST_ITEMS {
        return in_order(old, new);
    }
    let texts = |items: &[&Tree]| items.iter().map(|it| it.sorted()).collect::<Vec<_>>();
    let (old, new) = (texts(&sent[old]), texts(&received[new]));
    let blocks = capture_diff_slices(Algorithm::Myers, &old, &new);
    let within = |range: Range<usize>| head + range.start..head + range.end;
    let pairs = blocks.iter().map(|block| match block {
        DiffOp::Equal { .. } => Vec::new(),
        _ => paired(sent, received, within(block.old_range()), within(block.new_range())),
    });
    pairs.flatten().collect()
}

/// Number of pairs at the start whose two items are equal.
fn equal<'a>(pairs: impl Iterator<Item = (&'a &'a Tree, &'a &'a Tree)>) -> usize {
    pairs.take_while(|(one, other)| one == other).count()
}

/// Pairs two runs of items by their positions.
fn in_order(old: Range<usize>, new: Range<usize>) -> Vec<(Option<usize>, Option<usize>)> {
    let longer = old.len().max(new.len());
    let item = |run: &Range<usize>, at: usize| (at < run.len()).then(|| run.start + at);
    (0..longer).map(|at| (item(&old, at), item(&new, at))).collect()
}

/// Pairs two runs of items in order, so that the pairs differ as little as possible. The longer run
/// has items that are not in a pair.
fn paired(
    sent: &[&Tree],
    received: &[&Tree],
    old: Range<usize>,
    new: Range<usize>,
) -> Vec<(Option<usize>, Option<usize>)> {
    if old.len() < new.len() {
        let pairs = paired(received, sent, new, old);
        return pairs.into_iter().map(|(one, other)| (other, one)).collect();
    }
    let surplus = old.len() - new.len();
    if surplus == 0 || new.is_empty() || new.len() * (surplus + 1) > MOST_PAIRS {
        return in_order(old, new);
    }
    // For the items of the shorter run from `at` on, after `skipped` items of the longer one were
    // skipped: the least unlikeness, and whether the next item is skipped.
    let mut best = vec![vec![(0, true); surplus + 1]; new.len() + 1];
    for at in (0..new.len()).rev() {
        for skipped in (0..=surplus).rev() {
            let pair = (sent[old.start + at + skipped], received[new.start + at]);
            let kept = (best[at + 1][skipped].0 + unlikeness(pair.0, pair.1), false);
            let skip = (skipped < surplus).then(|| (best[at][skipped + 1].0, true));
            best[at][skipped] = skip.into_iter().chain([kept]).min().unwrap_or(kept);
        }
    }
    let (mut pairs, mut at, mut skipped) = (Vec::new(), 0, 0);
    while at + skipped < old.len() {
        let position = old.start + at + skipped;
        if at == new.len() || best[at][skipped].1 {
            pairs.push((Some(position), None));
            skipped += 1;
        } else {
            pairs.push((Some(position), Some(new.start + at)));
            at += 1;
        }
    }
    pairs
}

/// How much two items differ, seen from outside.
fn unlikeness(one: &Tree, other: &Tree) -> usize {
    let lacks = |one: &[(String, Tree)], other: &[(String, Tree)]| {
        let other = &other[..other.len().min(MOST_MEMBERS)];
        one.iter().take(MOST_MEMBERS).filter(|member| !other.contains(member)).count()
    };
    match (one, other) {
        (Tree::Object(one), Tree::Object(other)) => lacks(one, other) + lacks(other, one),
        (Tree::Array(one), Tree::Array(other)) => {
            let (shorter, longer) = (one.len().min(other.len()), one.len().max(other.len()));
            longer - shorter + one.iter().zip(other).filter(|(one, other)| one != other).count()
        }
        (Tree::Scalar(one), Tree::Scalar(other)) => usize::from(one != other),
        _ => OF_ANOTHER_TYPE,
    }
}

/// The unlikeness of two items of different types.
const OF_ANOTHER_TYPE: usize = 1000;

/// The largest number of members of an item that are compared to find out how much it is like
/// another one.
const MOST_MEMBERS: usize = 30;

/// The largest number of items that are aligned by their content. Others are compared in order,
/// because a body may have a million items.
const MOST_ITEMS: usize = 1000;

/// The largest number of pairs of items that are compared to find those that belong together.
const MOST_PAIRS: usize = 1000;

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
    fn a_missing_item_does_not_affect_the_items_after_it() {
        let removed = |at: &str, what: &str| (at.to_owned(), DifferenceKind::Removed(what.into()));
        let changed = |at: &str, from: &str, to: &str| {
            (at.to_owned(), DifferenceKind::Changed(from.into(), to.into()))
        };
        assert_eq!(diff("[1,2,3,4,5]", "[1,3,5]"), [removed("/1", "2"), removed("/3", "4")]);
        assert_eq!(
            diff("[1,3]", "[1,2,3]"),
            [("/1".to_owned(), DifferenceKind::Added("2".into()))]
        );
        // The item that is most like the one that arrived is the one that was changed.
        let sent = r#"[{"type":"reasoning","text":"x"},{"type":"message","id":1,"text":"y"},7]"#;
        let received = r#"[{"type":"message","id":2,"text":"y"},7]"#;
        assert_eq!(
            diff(sent, received),
            [removed("/0", r#"{"type":"reasoning","text":"x"}"#), changed("/1/id", "1", "2"),]
        );
        assert_eq!(
            diff("[[1,2],[3,4],[5,6]]", "[[3,9]]"),
            [removed("/0", "[1,2]"), changed("/1/1", "4", "9"), removed("/2", "[5,6]")]
        );
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
