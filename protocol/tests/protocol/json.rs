//! JSON that keeps its spelling, and its differences.

use fallproof_protocol::json::{Difference, DifferenceKind, Tree, differences};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::checks::json::{check, differ};
use crate::mutation::{each, inputs};

const PIECES: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    " ",
    "\n",
    "\"",
    "\\",
    "\"a\"",
    "\"a\":",
    "\"a~/b\":",
    "\"\\u0061\":",
    "\"\\ud83d\"",
    "\"\\\\\"",
    "1",
    "-0",
    "1e0",
    "1.50",
    "1E400",
    "0.1e-9223372036854775808",
    "true",
    "null",
    "\u{1}",
];

#[test]
fn what_holds_for_json_holds_for_any_bytes() {
    let valid = [
        r#" {"a\"b" : [1.50e+1,true ,"x,]"],"":{}, "c":-0,"c":[[]] } "#,
        "{\"m\":[{\"a\":1,\"b\":2},{\"a\":3},7]}\n{\"m\":[{\"a\":3},{\"b\":2.0,\"a\":1}],\"\\u006d\":null}",
        "[1,2,3,{\"a\":[4,5]},\"\\u00e9\"]\n[1,3,{\"a\":[5,4]},\"é\",6]",
    ];
    let valid = valid.map(|text| text.as_bytes().to_vec()).to_vec();
    each(400, &inputs(valid, PIECES), |bytes| check(&bytes));
}

const SCALARS: &[&str] =
    &["0", "-0", "1", "1.0", "10e-1", "null", "true", "\"a\"", "\"\\u0061\"", "\"\""];

/// Trees with keys that occur more than once, and scalars in several spellings.
fn trees() -> impl Strategy<Value = Tree> {
    let leaf = prop::sample::select(SCALARS).prop_map(|text| Tree::Scalar(text.to_owned()));
    leaf.prop_recursive(4, 30, 5, |inner| {
        let member = ("[ab~/]{0,1}", inner.clone());
        prop_oneof![
            prop::collection::vec(inner, 0..5).prop_map(Tree::Array),
            prop::collection::vec(member, 0..5).prop_map(Tree::Object),
        ]
    })
}

#[test]
fn differences_are_empty_only_for_equal_values_and_point_to_what_was_sent() {
    each(400, &(trees(), trees()), |(sent, received)| {
        differ(&sent, &received);
        differ(&Tree::Array(vec![sent.clone(), received.clone()]), &Tree::Array(vec![received]));
    });
}

/// The scalars and the non-empty lists of a tree, with their JSON pointers.
fn places<'a>(tree: &'a mut Tree, pointer: String, found: &mut Vec<(String, &'a mut Tree)>) {
    match tree {
        Tree::Object(members) => {
            for (key, value) in members {
                let key = key.replace('~', "~0").replace('/', "~1");
                places(value, format!("{pointer}/{key}"), found);
            }
        }
        Tree::Array(items) => {
            for (at, item) in items.iter_mut().enumerate() {
                places(item, format!("{pointer}/{at}"), found);
            }
        }
        Tree::Scalar(_) => found.push((pointer, tree)),
    }
}

#[test]
fn one_changed_scalar_is_one_difference_at_its_pointer() {
    each(250, &(trees(), any::<Index>()), |(sent, index)| {
        let (mut received, mut found) = (sent.clone(), Vec::new());
        places(&mut received, String::new(), &mut found);
        if found.is_empty() {
            return;
        }
        let (pointer, scalar) = found.swap_remove(index.index(found.len()));
        let was = std::mem::replace(scalar, Tree::string("new")).compact();
        let kind = DifferenceKind::Changed(was, "\"new\"".to_owned());
        assert_eq!(differences(&sent, &received), [Difference { pointer, kind }]);
    });
}

#[test]
fn one_item_too_few_or_too_many_is_one_difference() {
    each(250, &(prop::collection::vec(trees(), 1..8), any::<Index>()), |(all, index)| {
        let mut fewer = all.clone();
        let item = fewer.remove(index.index(all.len())).compact();
        let (all, fewer) = (Tree::Array(all), Tree::Array(fewer));
        let kinds = |sent, received| -> Vec<_> {
            differences(sent, received).into_iter().map(|it| it.kind).collect()
        };
        assert_eq!(kinds(&all, &fewer), [DifferenceKind::Removed(item.clone())]);
        assert_eq!(kinds(&fewer, &all), [DifferenceKind::Added(item)]);
    });
}
