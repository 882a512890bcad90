//! What a violation is about within its requirement: a part of a body, a header, or a query
//! parameter.

use std::fmt;

use serde::Serialize;

use super::fault;

/// What a violation is about. Violations of one requirement that are about different subjects can
/// have different causes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// A part of a body: the name of a member, or a JSON pointer with `*` for each array index.
    Part(String),
    /// A header.
    Header(String),
    /// A query parameter.
    Parameter(String),
}

/// The most subjects that a sentence names.
const MOST_NAMED: usize = 4;

impl Subject {
    /// Its name without words around it.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Part(name) | Self::Header(name) | Self::Parameter(name) => name,
        }
    }

    /// Its name; of a JSON pointer, only the first part.
    pub(crate) fn root(&self) -> &str {
        let name = self.name();
        name.match_indices('/').find(|(at, _)| *at > 0).map_or(name, |(at, _)| &name[..at])
    }

    fn quoted(&self) -> String {
        match self {
            Self::Part(pointer) if pointer.is_empty() => "the body".to_owned(),
            Self::Part(name) | Self::Header(name) | Self::Parameter(name) => format!("`{name}`"),
        }
    }

    /// The noun before the names of one or more subjects of this kind.
    fn noun(&self, is_one: bool) -> &'static str {
        match (self, is_one) {
            (Self::Part(_), _) => "",
            (Self::Header(_), true) => "header ",
            (Self::Header(_), false) => "headers ",
            (Self::Parameter(_), true) => "query parameter ",
            (Self::Parameter(_), false) => "query parameters ",
        }
    }

    fn is_like(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.noun(true), self.quoted())
    }
}

/// Names the subjects, at most [`MOST_NAMED`] of them: headers `a`, `b` and 3 more.
fn in_words(subjects: &[&Subject]) -> String {
    let (named, others) = subjects.split_at(subjects.len().min(MOST_NAMED));
    let mut parts = Vec::new();
    for (index, subject) in named.iter().enumerate() {
        if named[..index].iter().any(|it| it.is_like(subject)) {
            continue;
        }
        let alike: Vec<_> = named.iter().filter(|it| it.is_like(subject)).collect();
        let names: Vec<_> = alike.iter().map(|it| it.quoted()).collect();
        parts.push(format!("{}{}", subject.noun(alike.len() == 1), names.join(", ")));
    }
    let rest =
        if others.is_empty() { String::new() } else { format!(" and {} more", others.len()) };
    parts.join(", ") + &rest
}

/// A fault as a phrase that follows the target's name, with a gap for what the fault is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Phrase {
    before: String,
    /// What follows the gap; `None` if there is no gap.
    after: Option<String>,
}

impl Phrase {
    /// Reads a text with `fault::GAP` in place of what the fault is about.
    pub(crate) fn new(text: &str) -> Self {
        match text.split_once(fault::GAP) {
            Some((before, after)) => {
                Self { before: before.to_owned(), after: Some(after.to_owned()) }
            }
            None => Self { before: text.to_owned(), after: None },
        }
    }

    /// The phrase about these subjects.
    pub fn about(&self, subjects: &[&Subject]) -> String {
        match &self.after {
            Some(after) => format!("{}{}{after}", self.before, in_words(subjects)),
            None => self.before.clone(),
        }
    }
}
