//! JSON as it was sent: key order, duplicate keys and the spelling of every number and string.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::HashSet;
use std::fmt::Write as _;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// Nesting deeper than this is refused, as `serde_json` itself does: every walk over a tree is recursive.
const MAX_DEPTH: usize = 127;

/// A JSON value that keeps what a parsed `serde_json::Value` loses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tree {
    /// Members in the order sent, duplicates included; keys unescaped.
    Object(Vec<(String, Tree)>),
    /// Items in order.
    Array(Vec<Tree>),
    /// A string, number, boolean or null, as spelled (strings with quotes and escapes).
    Scalar(String),
}

impl Tree {
    /// Reads one JSON text.
    ///
    /// # Errors
    /// Where the bytes are not JSON (nesting beyond 127 levels included), in the parser's words.
    pub fn parse(bytes: &[u8]) -> serde_json::Result<Self> {
        let raw: &RawValue = serde_json::from_slice(bytes)?;
        Self::of(raw, 0)
    }

    fn of(raw: &RawValue, depth: usize) -> serde_json::Result<Self> {
        let text = raw.get();
        match text.as_bytes().first() {
            // Raw values are skipped whatever their depth, and not looked into.
            Some(b'{' | b'[') if depth == MAX_DEPTH => {
                Err(serde_json::Error::custom("nested too deeply"))
            }
            Some(b'{') => serde_json::from_str::<Members<'_>>(text)?
                .0
                .into_iter()
                .map(|(key, value)| Ok((key.into_owned(), Self::of(value, depth + 1)?)))
                .collect::<serde_json::Result<_>>()
                .map(Self::Object),
            Some(b'[') => serde_json::from_str::<Vec<&RawValue>>(text)?
                .into_iter()
                .map(|item| Self::of(item, depth + 1))
                .collect::<serde_json::Result<_>>()
                .map(Self::Array),
            _ => Ok(Self::Scalar(text.to_owned())),
        }
    }

    /// A string value in its plainest spelling.
    pub fn string(text: &str) -> Self {
        Self::Scalar(quoted(text))
    }

    /// The first member of this name, if this is an object that has it.
    pub fn member(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => {
                members.iter().find(|(key, _)| key == name).map(|(_, value)| value)
            }
            _ => None,
        }
    }

    /// This object with another string as its member `name`, where it has one.
    #[must_use]
    pub fn with(&self, name: &str, text: &str) -> Self {
        let mut tree = self.clone();
        if let Self::Object(members) = &mut tree
            && let Some((_, value)) = members.iter_mut().find(|(key, _)| key == name)
        {
            *value = Self::string(text);
        }
        tree
    }

    /// The text of a string value, unescaped.
    pub fn as_str(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Scalar(text) if text.starts_with('"') => {
                serde_json::from_str::<Text<'_>>(text).ok().map(|text| text.0)
            }
            _ => None,
        }
    }

    /// Several lines, keys sorted: for display and diffs only.
    pub fn canonical(&self) -> String {
        let mut out = String::new();
        self.write_canonical(&mut out, 0);
        out
    }

    /// One line, in the order sent.
    pub fn compact(&self) -> String {
        match self {
            Self::Scalar(text) => text.clone(),
            Self::Array(items) => {
                let items: Vec<_> = items.iter().map(Self::compact).collect();
                format!("[{}]", items.join(","))
            }
            Self::Object(members) => {
                let members: Vec<_> = members
                    .iter()
                    .map(|(key, value)| format!("{}:{}", quoted(key), value.compact()))
                    .collect();
                format!("{{{}}}", members.join(","))
            }
        }
    }

    fn write_canonical(&self, out: &mut String, depth: usize) {
        let indent = |depth| "  ".repeat(depth);
        match self {
            Self::Object(members) if !members.is_empty() => {
                let mut sorted: Vec<_> = members.iter().collect();
                sorted.sort_by(|left, right| left.0.cmp(&right.0));
                out.push_str("{\n");
                for (position, (key, value)) in sorted.iter().enumerate() {
                    let _ = write!(out, "{}{}: ", indent(depth + 1), quoted(key));
                    value.write_canonical(out, depth + 1);
                    out.push_str(if position + 1 < sorted.len() { ",\n" } else { "\n" });
                }
                let _ = write!(out, "{}}}", indent(depth));
            }
            Self::Array(items) if !items.is_empty() => {
                out.push_str("[\n");
                for (position, item) in items.iter().enumerate() {
                    out.push_str(&indent(depth + 1));
                    item.write_canonical(out, depth + 1);
                    out.push_str(if position + 1 < items.len() { ",\n" } else { "\n" });
                }
                let _ = write!(out, "{}]", indent(depth));
            }
            _ => out.push_str(&self.compact()),
        }
    }
}

/// One way in which a received value differs from the one that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Where, as a JSON pointer; of the sent value, except for what was added.
    pub pointer: String,
    /// In what way.
    pub kind: DifferenceKind,
}

/// In what way two values differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DifferenceKind {
    /// Received, but not sent. Holds the value.
    Added(String),
    /// Sent, but not received. Holds the value.
    Removed(String),
    /// Another value. Holds what was sent and what was received.
    Changed(String, String),
    /// The same value in another spelling (`1e0` for `1`). Holds both.
    Respelled(String, String),
}

/// Every difference between what was sent and what was received, in the order sent.
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

/// Members are paired by key, and equal keys like items; the order of keys is not compared.
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

/// The places of what belongs together. Where one side has more, what is equal at both ends does,
/// so that one item less is one difference and not one at each item behind it.
fn aligned(sent: &[&Tree], received: &[&Tree]) -> Vec<(Option<usize>, Option<usize>)> {
    let shorter = sent.len().min(received.len());
    let is_longer = sent.len() != received.len();
    let head = if is_longer { equal(sent.iter().zip(received)) } else { 0 };
    let tail = if is_longer { equal(sent.iter().rev().zip(received.iter().rev())) } else { 0 };
    let tail = tail.min(shorter - head);
    let place = |at: usize, length: usize| (at < length - tail).then_some(at);
    let longer = sent.len().max(received.len());
    let middle = (head..longer - tail).map(|at| (place(at, sent.len()), place(at, received.len())));
    middle.collect()
}

/// How many of these pairs are equal at the beginning.
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

/// Whether two scalars of different spelling mean the same string or exactly the same number.
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

/// A JSON number without its spelling: sign, significant digits and the power of ten of the last.
#[derive(PartialEq, Eq)]
struct Decimal {
    negative: bool,
    digits: String,
    exponent: i64,
}

impl Decimal {
    /// Reads a JSON number; `None` for another scalar, or an exponent beyond 64 bits.
    fn of(text: &str) -> Option<Self> {
        let is_negative = text.starts_with('-');
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        if !unsigned.starts_with(|first: char| first.is_ascii_digit()) {
            return None;
        }
        let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = format!("{whole}{fraction}");
        let digits = all.trim_start_matches('0').trim_end_matches('0').to_owned();
        let trailing = all.len() - all.trim_end_matches('0').len();
        let exponent = match digits.len().cmp(&0) {
            Ordering::Greater => exponent
                .parse::<i64>()
                .ok()?
                .checked_sub(i64::try_from(fraction.len()).ok()?)?
                .checked_add(i64::try_from(trailing).ok()?)?,
            _ => 0,
        };
        // Nothing is below zero by a sign alone.
        let negative = is_negative && !digits.is_empty();
        Some(Self { negative, digits, exponent })
    }
}

/// The text as JSON writes it.
pub(crate) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// An object's members in order, duplicates included.
struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Members<'de>;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some((Text(key), value)) = map.next_entry()? {
                    members.push((key, value));
                }
                Ok(Members(members))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<Self::Value, A::Error> {
                Err(serde::de::Error::custom("an array where an object was expected"))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}

/// A string, borrowed where it holds no escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests {
    use super::*;

    fn diff(sent: &str, received: &str) -> Vec<(String, DifferenceKind)> {
        let sent = Tree::parse(sent.as_bytes()).expect("valid JSON");
        let received = Tree::parse(received.as_bytes()).expect("valid JSON");
        differences(&sent, &received).into_iter().map(|found| (found.pointer, found.kind)).collect()
    }

    #[test]
    fn what_is_nested_too_deeply_is_an_error_and_no_overflow() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(Tree::parse(nested(127).as_bytes()).is_ok());
        for depth in [128, 200_000] {
            let error = Tree::parse(nested(depth).as_bytes()).expect_err("it is too deep");
            assert_eq!(error.to_string(), "nested too deeply");
        }
        let objects = format!("{}1{}", "{\"a\":".repeat(20_000), "}".repeat(20_000));
        assert!(Tree::parse(objects.as_bytes()).is_err());
    }

    #[test]
    fn the_same_value_in_another_spelling_is_respelled_not_changed() {
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
    fn numbers_that_meet_as_floats_are_still_different() {
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
    fn additions_losses_and_duplicates_are_told_by_pointer() {
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
    fn one_item_less_is_one_difference() {
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
            "and so it is with members of one name"
        );
    }

    #[test]
    fn null_is_not_absence_and_key_order_is_no_difference() {
        assert_eq!(
            diff(r#"{"a":null}"#, "{}"),
            [("/a".into(), DifferenceKind::Removed("null".into()))]
        );
        assert_eq!(diff(r#"{"a":1,"b":2}"#, r#"{"b":2,"a":1}"#), []);
    }
}
