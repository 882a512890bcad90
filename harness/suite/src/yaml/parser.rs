//! Parses a file's text into a tree, and converts the parser's errors.
//!
//! Only this module depends on the parser's error types. The parser's own message is shown if there
//! is no better one; nothing depends on its wording.

use serde::Deserialize as _;
use serde::de::Error as _;
use serde_saphyr::granit_parser::ErrorKind;
use serde_saphyr::localizer::ExternalMessageSource;
use serde_saphyr::{
    DuplicateKeyPolicy, Error, MergeKeyPolicy, MessageFormatter, Options, UserMessageFormatter,
    with_deserializer_from_str_with_options,
};

use super::misfit::Mistake;
use super::node::Node;
use super::{At, Diagnostic, LoadError, Source};

/// The values of a file with their positions, as a tree. The root is a mapping or a list.
pub(super) fn tree(source: &Source) -> Result<At<Node>, LoadError> {
    let mut scalar = None;
    let tree = with_deserializer_from_str_with_options(&source.text, options(), |text| {
        let tree = At::<Node>::deserialize(text)?;
        if let Node::Text(_) | Node::Bare(_) = tree.value {
            // If only a colon is missing, the parser's error would be about the text after the
            // missing colon.
            scalar = Some(tree.span.clone());
            return Err(Error::custom("neither a mapping nor a list"));
        }
        Ok(tree)
    });
    let explain = |error| match (error, scalar) {
        (Error::Eof { .. }, _) => source.error(&(0..0), "the file is empty"),
        (_, Some(scalar)) => Mistake::no_mapping().error(source, &scalar),
        (error, None) => explained(&error, source),
    };
    tree.map_err(|error| explain(error).into())
}

fn explained(error: &Error, source: &Source) -> Diagnostic {
    let span = error.location().map(|location| {
        // Syntax errors have only character offsets.
        let (start, length) = (location.span().offset(), location.span().len());
        byte(source, start)..byte(source, start + length)
    });
    let span = span.unwrap_or_default();
    let at = |message: String| source.error(&span, message);
    match error {
        Error::AliasError { error, .. } => explained(error, source),
        Error::DuplicateMappingKey { key: Some(key), .. } => {
            at(format!("the key `{key}` is given twice"))
        }
        // Only keys cause this error, because every value is accepted.
        Error::Unexpected { .. } => Mistake::no_single_value().error(source, &span),
        Error::NullIntoString { .. } => Mistake::no_value().error(source, &span),
        Error::QuotingRequired { .. } => Mistake::NotQuoted.error(source, &span),
        Error::MultipleDocuments { .. } => at("a file holds one document".into()),
        Error::MergeKeyNotAllowed { .. } => at("merge keys are not supported".into())
            .help("write the keys out; whole values can be repeated with an anchor"),
        Error::Budget { .. } | Error::AliasReplayLimitExceeded { .. } => {
            at("the file is too large or too deep once its anchors are expanded".into())
        }
        Error::RecursiveReferencesRequireWeakTypes { .. } => {
            at("the anchor contains itself".into())
        }
        Error::UnknownAnchor { .. } => at("there is no earlier anchor of this name".into()),
        Error::ExternalMessage { source: parser, .. } if is_about_tabs(parser) => {
            at("a tab is used for indentation".into()).help("indent with spaces")
        }
        Error::ExternalMessage { .. } => match tab_in_indentation(&source.text) {
            // The parser's error may be about an earlier line.
            Some(tab) => {
                let message = "a tab is used for indentation";
                source.error(&(tab..tab + 1), message).help("indent with spaces")
            }
            None => at(UserMessageFormatter.format_message(error).into_owned()).help(SYNTAX),
        },
        other => at(UserMessageFormatter.format_message(other).into_owned()),
    }
}

/// Common causes of a syntax error.
const SYNTAX: &str =
    "start each entry of a list with `- `, and quote a text that contains `: ` or ` #`";

/// The offset of the first tab in the indentation of a line.
fn tab_in_indentation(text: &str) -> Option<usize> {
    let mut start = 0;
    text.split_inclusive('\n').find_map(|line| {
        let tab =
            line.bytes().position(|byte| byte != b' ').filter(|&at| line.as_bytes()[at] == b'\t');
        let found = tab.map(|tab| start + tab);
        start += line.len();
        found
    })
}

fn is_about_tabs(parser: &ExternalMessageSource) -> bool {
    let ExternalMessageSource::Parser(error) = parser else { return false };
    matches!(error.kind(), ErrorKind::TabNotAllowed | ErrorKind::TabInBlockIndentation)
}

fn byte(source: &Source, character: u64) -> usize {
    let character = usize::try_from(character).unwrap_or(usize::MAX);
    source.text.char_indices().nth(character).map_or(source.text.len(), |(byte, _)| byte)
}

fn options() -> Options {
    serde_saphyr::options! {
        // Scenario files have a few hundred nodes. Far more come from anchors that expand
        // exponentially.
        budget: serde_saphyr::budget! { max_nodes: 20_000, max_events: 100_000 },
        duplicate_keys: DuplicateKeyPolicy::Error,
        merge_keys: MergeKeyPolicy::Error,
        strict_booleans: true,
        no_schema: true,
        reject_unsupported_tags: true,
        with_snippet: false,
    }
}
