//! Paths in a JSON value: the indices of members and items, starting at the root.

use fallproof_protocol::json::Tree;

/// The paths of all values within this value, outer values first.
pub(super) fn below(value: &Tree) -> Vec<Vec<usize>> {
    let mut all = Vec::new();
    collect(value, &mut Vec::new(), &mut all);
    all
}

fn collect(value: &Tree, path: &mut Vec<usize>, all: &mut Vec<Vec<usize>>) {
    let count = match value {
        Tree::Object(members) => members.len(),
        Tree::Array(items) => items.len(),
        Tree::Scalar(_) => 0,
    };
    all.extend((0..count).rev().map(|index| [&path[..], &[index]].concat()));
    for index in 0..count {
        path.push(index);
        if let Some(value) = at(value, &[index]) {
            collect(value, path, all);
        }
        path.pop();
    }
}

/// The value at this path.
pub(super) fn at<'a>(value: &'a Tree, path: &[usize]) -> Option<&'a Tree> {
    path.iter().try_fold(value, |value, &index| match value {
        Tree::Object(members) => members.get(index).map(|(_, value)| value),
        Tree::Array(items) => items.get(index),
        Tree::Scalar(_) => None,
    })
}

/// The value at this path, mutable.
pub(super) fn at_mut<'a>(value: &'a mut Tree, path: &[usize]) -> Option<&'a mut Tree> {
    path.iter().try_fold(value, |value, &index| match value {
        Tree::Object(members) => members.get_mut(index).map(|(_, value)| value),
        Tree::Array(items) => items.get_mut(index),
        Tree::Scalar(_) => None,
    })
}

/// Removes the value at this path, if any.
pub(super) fn remove(value: &mut Tree, path: &[usize]) {
    let Some((&last, above)) = path.split_last() else { return };
    match at_mut(value, above) {
        Some(Tree::Object(members)) if last < members.len() => drop(members.remove(last)),
        Some(Tree::Array(items)) if last < items.len() => drop(items.remove(last)),
        _ => {}
    }
}

/// Converts a JSON pointer to a path. If the pointer leads to a missing value, the path ends at the
/// last value that exists.
pub(super) fn of_pointer(mut value: &Tree, pointer: &str) -> Vec<usize> {
    let mut path = Vec::new();
    for part in pointer.split('/').skip(1) {
        let part = part.replace("~1", "/").replace("~0", "~");
        let index = match value {
            Tree::Object(members) => members.iter().position(|(name, _)| *name == part),
            Tree::Array(_) => part.parse().ok(),
            Tree::Scalar(_) => None,
        };
        let below = index.and_then(|index| Some((index, at(value, &[index])?)));
        let Some((index, below)) = below else { break };
        path.push(index);
        value = below;
    }
    path
}
