//! YAML files into Rust types, with errors that show the place in the file and the right word.
//!
//! The only module that knows the YAML parser and the snippet renderer.

mod diagnostic;

use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_saphyr::{
    DuplicateKeyPolicy, Error, MergeKeyPolicy, MessageFormatter, Options, UserMessageFormatter,
};

pub use self::diagnostic::{Diagnostic, LoadError, nearest};

/// Files longer than this are not ours.
const MAX_BYTES: u64 = 1024 * 1024;

/// The text of a file that is at hand as a `T`.
pub fn parse<T: DeserializeOwned>(file: &Path, text: &str) -> Result<T, LoadError> {
    Source::new(file, text.as_bytes())?.parse()
}

/// The text of a file, kept for the errors that are found in it.
#[derive(Debug, Clone)]
pub struct Source {
    file: PathBuf,
    text: Arc<str>,
    rewritten: Option<Rewritten>,
}

/// What is read in place of the file's text.
#[derive(Debug, Clone)]
struct Rewritten {
    text: String,
    /// In the order of the text.
    parts: Vec<Part>,
}

/// Where a part of a rewritten text comes from.
#[derive(Debug, Clone)]
pub struct Part {
    /// The byte of the rewritten text where the part begins; it ends where the next one begins.
    pub start: usize,
    /// Its place in the file, in bytes.
    pub span: Range<usize>,
}

impl Source {
    /// Reads a file of at most 1 MiB of UTF-8.
    pub fn read(file: &Path) -> Result<Self, LoadError> {
        let bytes = read_limited(file)
            .map_err(|error| Diagnostic::about_file(file, format!("cannot be read: {error}")))?;
        Self::of(file, &bytes)
    }

    /// The same of a file whose bytes are at hand.
    pub fn of(file: &Path, bytes: &[u8]) -> Result<Self, LoadError> {
        if bytes.len() as u64 > MAX_BYTES {
            return Err(Diagnostic::about_file(file, "is larger than 1 MiB").into());
        }
        Self::new(file, bytes)
    }

    /// Text that is at hand, under the name that its errors give it.
    pub fn new(file: &Path, bytes: &[u8]) -> Result<Self, LoadError> {
        // Where a byte can't be shown there is a mark in its place.
        let text = String::from_utf8_lossy(bytes);
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text).into();
        let source = Self { file: file.to_owned(), text, rewritten: None };
        if std::str::from_utf8(bytes).is_ok() {
            return Ok(source);
        }
        let first = source.text.find(char::REPLACEMENT_CHARACTER).unwrap_or_default();
        let span = first..first + char::REPLACEMENT_CHARACTER.len_utf8();
        Err(source.error(&span, "the file is not UTF-8").into())
    }

    /// The same file with another text to be read, made of its parts: spans are of that text,
    /// errors are shown where its parts come from.
    #[must_use]
    pub fn rewritten(&self, text: String, parts: Vec<Part>) -> Self {
        Self { rewritten: Some(Rewritten { text, parts }), ..self.clone() }
    }

    fn read_text(&self) -> &str {
        self.rewritten.as_ref().map_or(&self.text, |rewritten| &rewritten.text)
    }

    /// The place in the file of what is read at `span`.
    fn in_file<'a>(&'a self, span: &'a Range<usize>) -> &'a Range<usize> {
        let Some(Rewritten { parts, .. }) = &self.rewritten else {
            return span;
        };
        let after = parts.partition_point(|part| part.start <= span.start);
        after.checked_sub(1).map_or(span, |index| &parts[index].span)
    }

    /// Whether a line begins with this key: which kind of file it is, before it is read.
    pub fn has_key(&self, key: &str) -> bool {
        let is_key = |line: &str| line.strip_prefix(key).is_some_and(|rest| rest.starts_with(':'));
        self.text.lines().any(is_key)
    }

    /// The text as it stands at `span`.
    pub fn text(&self, span: &Range<usize>) -> &str {
        self.read_text().get(span.clone()).unwrap_or_default()
    }

    /// The first place from this byte on where these words stand.
    pub fn find(&self, from: usize, words: &str) -> Option<Range<usize>> {
        let start = from + self.read_text().get(from..)?.find(words)?;
        Some(start..start + words.len())
    }

    /// The last place before this byte where these words stand.
    pub fn find_before(&self, end: usize, words: &str) -> Option<Range<usize>> {
        let start = self.read_text().get(..end)?.rfind(words)?;
        Some(start..start + words.len())
    }

    /// An error at `span`, or at the part of it on its first line.
    pub fn error(&self, span: &Range<usize>, message: impl Into<String>) -> Diagnostic {
        let span = self.in_file(span);
        let boundary = |byte: usize| {
            (0..=byte.min(self.text.len())).rfind(|byte| self.text.is_char_boundary(*byte))
        };
        let mut start = boundary(span.start).unwrap_or_default();
        if span.is_empty() && self.text[start..].trim_start_matches('\r').starts_with('\n') {
            // A value that is missing at the end of its line: shown at its key's colon.
            start = boundary(start.saturating_sub(1)).unwrap_or_default();
        }
        let line_end = self.text[start..].find('\n').map_or(self.text.len(), |end| start + end);
        let end = boundary(span.end).unwrap_or_default().clamp(start, line_end);
        Diagnostic::about_file(&self.file, message).at(Arc::clone(&self.text), start..end)
    }

    /// The text as a `T`. Stops at the first error.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, LoadError> {
        serde_saphyr::from_str_with_options(self.read_text(), options())
            .map_err(|error| self.explain(&error).into())
    }

    fn explain(&self, error: &Error) -> Diagnostic {
        let span = error.location().map(|location| {
            // Only character offsets are there for syntax errors too.
            let start = self.byte(location.span().offset());
            start..self.byte(location.span().offset() + location.span().len())
        });
        let at = |message: String| self.error(&span.clone().unwrap_or_default(), message);
        match error {
            Error::AliasError { error, .. } => self.explain(error),
            Error::SerdeUnknownField { field, expected, .. } => {
                at(format!("unknown key `{field}`")).expected(field, expected.iter().copied())
            }
            Error::SerdeUnknownVariant { variant, expected, .. } => {
                at(format!("unknown word `{variant}`")).expected(variant, expected.iter().copied())
            }
            Error::SerdeMissingField { field, .. } => {
                at(format!("the key `{field}` is missing")).label("it belongs here")
            }
            Error::DuplicateMappingKey { key: Some(key), .. } => {
                at(format!("the key `{key}` is given twice"))
            }
            Error::SerdeInvalidType { unexpected, expected, .. }
            | Error::SerdeInvalidValue { unexpected, expected, .. } => {
                at(format!("expected {}, found {}", plain_words(expected), found(unexpected)))
            }
            Error::Unexpected { expected, .. } => at(format!("expected {}", plain_words(expected))),
            Error::ExternallyTaggedEnumExpectedScalarOrMapping { .. } => {
                at("expected a word".into())
            }
            Error::UnexpectedValueForUnitEnumVariant { .. }
            | Error::UnexpectedValueForUnit { .. } => at("this word takes no value".into()),
            Error::InvalidScalar { ty, .. } => at(format!("expected {}", plain_words(ty))),
            Error::NullIntoString { .. } => at("a value is missing".into()),
            Error::QuotingRequired { value, .. } => {
                at(format!("expected text, found `{value}`")).help("if text is meant, quote it")
            }
            Error::InvalidBooleanStrict { .. } => at("expected `true` or `false`".into()),
            Error::Eof { .. } => self.error(&(0..0), "the file is empty"),
            Error::MultipleDocuments { .. } => at("a file holds one document".into()),
            Error::MergeKeyNotAllowed { .. } => at("merge keys are not supported".into())
                .help("write the keys out; whole values can be repeated with an anchor"),
            Error::Budget { .. } | Error::AliasReplayLimitExceeded { .. } => {
                at("the file is too large or too deep once its anchors are expanded".into())
            }
            Error::RecursiveReferencesRequireWeakTypes { .. } => {
                at("the anchor contains itself".into())
            }
            Error::UnknownAnchor { .. } => at("no anchor of this name stands before".into()),
            Error::ExternalMessage { msg, .. } if msg.starts_with("tabs disallowed") => {
                at("a tab is used for indentation".into()).help("indent with blanks")
            }
            other => at(UserMessageFormatter.format_message(other).into_owned()),
        }
    }

    fn byte(&self, character: u64) -> usize {
        let character = usize::try_from(character).unwrap_or(usize::MAX);
        let text = self.read_text();
        text.char_indices().nth(character).map_or(text.len(), |(byte, _)| byte)
    }
}

fn read_limited(file: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(file)?.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn options() -> Options {
    serde_saphyr::options! {
        // A file of ours has some hundred nodes; more come from anchors that multiply.
        budget: serde_saphyr::budget! { max_nodes: 20_000, max_events: 100_000 },
        duplicate_keys: DuplicateKeyPolicy::Error,
        merge_keys: MergeKeyPolicy::Error,
        strict_booleans: true,
        no_schema: true,
        reject_unsupported_tags: true,
        with_snippet: false,
    }
}

/// The parser's name of what it expected, for people.
fn plain_words(expected: &str) -> &str {
    match expected {
        "mapping start" => "a mapping (`key: value`)",
        "sequence start" => "a list (`[…]`)",
        "string scalar" => "a single value, no list and no mapping",
        "u16" => "a whole number from 0 to 65535",
        "u32" => "a whole number from 0 to 4294967295",
        "u64" | "usize" => "a whole number from 0 to 18446744073709551615",
        "i32" => "a whole number from -2147483648 to 2147483647",
        "a nonzero i32" => "a whole number other than 0",
        "a nonzero usize" => "a whole number from 1",
        other => other,
    }
}

/// What the parser says that it found, for people: what is written, without its type.
fn found(unexpected: &str) -> &str {
    match unexpected {
        "sequence" => "a list",
        "map" => "a mapping",
        "unit value" => "nothing",
        typed => typed.find(['`', '"']).map_or(typed, |start| &typed[start..]),
    }
}

/// A value and where it is written, as bytes of the file.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct At<T> {
    /// The value.
    pub value: T,
    /// Its place; of a mapping or list, the place of its beginning.
    pub span: Range<usize>,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for At<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = serde_saphyr::Spanned::<T>::deserialize(deserializer)?;
        // Where an alias stands for the value, the mistake is at the anchor.
        let span = spanned.defined.span();
        let byte = |offset: Option<u64>| offset.and_then(|offset| usize::try_from(offset).ok());
        let start = byte(span.byte_offset()).unwrap_or_default();
        let end = start + byte(span.byte_len()).unwrap_or_default();
        Ok(Self { value: spanned.value, span: start..end })
    }
}

/// A value that may be left out; but a key without a value is an error, not `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Optional<T>(pub Option<T>);

impl<T> Default for Optional<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Optional<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(|value| Self(Some(value)))
    }
}

/// Wrappers that are not seen in the file have the schema of what they hold.
macro_rules! schema_of_the_value {
    ($wrapper:ident) => {
        impl<T: JsonSchema> JsonSchema for $wrapper<T> {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                T::schema_name()
            }

            fn schema_id() -> std::borrow::Cow<'static, str> {
                T::schema_id()
            }

            fn inline_schema() -> bool {
                T::inline_schema()
            }

            fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                T::json_schema(generator)
            }
        }
    };
}

schema_of_the_value!(At);
schema_of_the_value!(Optional);
