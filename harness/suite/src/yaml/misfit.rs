//! Errors for values that do not match their type.

use std::fmt;
use std::ops::Range;

use serde::de::{Error, Expected, Unexpected};
use thiserror::Error;

use super::{Diagnostic, Source};

/// A mistake and its position.
#[derive(Debug, Error)]
#[error("{mistake}")]
pub(super) struct Misfit {
    mistake: Mistake,
    place: Option<Range<usize>>,
}

/// What is wrong with a value.
#[derive(Debug, Error)]
pub(super) enum Mistake {
    #[error("unknown {kind} `{wrong}`")]
    Unknown { kind: &'static str, wrong: String, known: &'static [&'static str] },
    #[error("the key `{0}` is missing")]
    MissingKey(&'static str),
    /// The value is not a string. The message shows it as written in the file.
    #[error("expected text")]
    NotQuoted,
    #[error("expected {0}")]
    Expected(String),
    #[error("expected a list (`[…]`)")]
    NoList,
    #[error("{0}")]
    Other(String),
}

impl Mistake {
    pub(super) fn expected(words: impl Into<String>) -> Self {
        Self::Expected(words.into())
    }

    pub(super) fn no_mapping() -> Self {
        Self::expected("a mapping (`key: value`)")
    }

    pub(super) fn no_single_value() -> Self {
        Self::expected("a single value, not a list or a mapping")
    }

    pub(super) fn no_value() -> Self {
        Self::Other("a value is missing".to_owned())
    }

    /// The diagnostic, with help to fix it.
    pub(super) fn error(&self, source: &Source, span: &Range<usize>) -> Diagnostic {
        let error = source.error(span, self.to_string());
        match self {
            Self::Unknown { wrong, known, .. } => error.expected(wrong, known.iter().copied()),
            Self::MissingKey(_) => error.label("it belongs here"),
            Self::NotQuoted if source.text(span).is_empty() => Self::no_value().error(source, span),
            Self::NotQuoted => {
                let message = format!("{self}, found `{}`", source.text(span));
                source.error(span, message).help("to use it as text, quote it")
            }
            // The span of a mapping is its first brace, or empty.
            Self::NoList => error.help(match source.text(span).trim() {
                "" => "begin each item with `- `".to_owned(),
                "{" => "write `[{ … }]`".to_owned(),
                written => format!("write `[{written}]`"),
            }),
            Self::Expected(_) | Self::Other(_) => error,
        }
    }
}

impl Misfit {
    /// Sets its position, if it has none yet.
    pub(super) fn at(mut self, place: &Range<usize>) -> Self {
        self.place.get_or_insert_with(|| place.clone());
        self
    }

    /// The diagnostic, at `root` if the mistake has no position.
    pub(super) fn error(&self, source: &Source, root: &Range<usize>) -> Diagnostic {
        self.mistake.error(source, self.place.as_ref().unwrap_or(root))
    }
}

impl From<Mistake> for Misfit {
    fn from(mistake: Mistake) -> Self {
        Self { mistake, place: None }
    }
}

impl Error for Misfit {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Mistake::Other(message.to_string()).into()
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Mistake::expected(format!("{expected}, found {}", describe(found))).into()
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_type(found, expected)
    }

    fn unknown_variant(word: &str, known: &'static [&'static str]) -> Self {
        Mistake::Unknown { kind: "value", wrong: word.to_owned(), known }.into()
    }

    fn unknown_field(key: &str, known: &'static [&'static str]) -> Self {
        Mistake::Unknown { kind: "key", wrong: key.to_owned(), known }.into()
    }

    fn missing_field(key: &'static str) -> Self {
        Mistake::MissingKey(key).into()
    }
}

/// Describes the value that was found instead, without its type.
fn describe(found: Unexpected<'_>) -> String {
    match found {
        Unexpected::Bool(value) => format!("`{value}`"),
        Unexpected::Unsigned(number) => format!("`{number}`"),
        Unexpected::Signed(number) => format!("`{number}`"),
        Unexpected::Float(number) => format!("`{number:?}`"),
        Unexpected::Str(text) => format!("{text:?}"),
        Unexpected::Unit => "nothing".to_owned(),
        Unexpected::Seq => "a list".to_owned(),
        Unexpected::Map => "a mapping".to_owned(),
        other => other.to_string(),
    }
}
