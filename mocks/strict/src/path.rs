//! Paths within a body, in the providers' notations and as JSON pointers.

use std::fmt::Write as _;

/// A step of a path. It leads to a member of an object or to an item of an array.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step<'a> {
    Key(&'a str),
    Index(usize),
}

/// The notation of most messages: `tools[0].name`.
pub(super) fn bracketed(path: &[Step<'_>]) -> String {
    let mut out = String::new();
    for step in path {
        match step {
            Step::Key(key) if out.is_empty() => out.push_str(key),
            Step::Key(key) => write!(out, ".{key}").expect("writing to a string cannot fail"),
            Step::Index(index) => {
                write!(out, "[{index}]").expect("writing to a string cannot fail");
            }
        }
    }
    out
}

/// The notation of legacy back ends: `messages.0`.
pub(super) fn dotted(path: &[Step<'_>]) -> String {
    let steps = path.iter().map(|step| match step {
        Step::Key(key) => (*key).to_owned(),
        Step::Index(index) => index.to_string(),
    });
    steps.collect::<Vec<_>>().join(".")
}

/// JSON pointer (RFC 6901): `/tools/0/name`.
pub(super) fn pointer(path: &[Step<'_>]) -> String {
    let mut out = String::new();
    for step in path {
        match step {
            Step::Key(key) => {
                out.push('/');
                out.push_str(&key.replace('~', "~0").replace('/', "~1"));
            }
            Step::Index(index) => write!(out, "/{index}").expect("writing to a string cannot fail"),
        }
    }
    out
}
