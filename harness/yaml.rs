//! YAML files into Rust types, with errors that show the place in the file and the right word.
//!
//! The only module that knows the YAML parser and the snippet renderer.

mod at;
mod diagnostic;
mod misfit;
mod node;
mod read;

use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize as _;
use serde::de::{DeserializeOwned, Error as _};
use serde_saphyr::{
    DuplicateKeyPolicy, Error, MergeKeyPolicy, MessageFormatter, Options, UserMessageFormatter,
    with_deserializer_from_str_with_options,
};

pub use self::at::{At, Optional};
pub use self::diagnostic::{Diagnostic, LoadError, nearest};
use self::misfit::Mistake;
pub(crate) use self::node::{Members, Node};
use self::read::Reader;

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

    /// The first place within `span` where these words stand.
    pub fn find_within(&self, span: &Range<usize>, words: &str) -> Option<Range<usize>> {
        let start = span.start + self.text(span).find(words)?;
        Some(start..start + words.len())
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

    /// The values of the text, with the places of all of them: a mapping or a list.
    pub(crate) fn tree(&self) -> Result<At<Node>, LoadError> {
        let mut scalar = None;
        let tree = with_deserializer_from_str_with_options(self.read_text(), options(), |text| {
            let tree = At::<Node>::deserialize(text)?;
            if let Node::Text(_) | Node::Bare(_) = tree.value {
                // What follows makes no sense to the parser where only a colon is missing.
                scalar = Some(tree.span.clone());
                return Err(Error::custom("neither a mapping nor a list"));
            }
            Ok(tree)
        });
        match (tree, scalar) {
            (Ok(tree), _) => Ok(tree),
            (Err(empty @ Error::Eof { .. }), _) => Err(self.explain(&empty).into()),
            (Err(_), Some(scalar)) => {
                Err(Mistake::expected("a mapping (`key: value`)").error(self, &scalar).into())
            }
            (Err(error), None) => Err(self.explain(&error).into()),
        }
    }

    /// A node of the file's tree as a `T`. Stops at the first error.
    pub(crate) fn parse_node<T: DeserializeOwned>(&self, node: &At<Node>) -> Result<T, LoadError> {
        T::deserialize(Reader::node(node)).map_err(|error| error.error(self, &node.span).into())
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
