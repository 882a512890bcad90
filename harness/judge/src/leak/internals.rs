//! `FP-LEAK-06`: no response shows a trace of the gateway's program. The patterns are in
//! `internals.yaml`.

use std::cell::LazyCell;
use std::path::Path;
use std::sync::LazyLock;

use fallproof_suite::requirement::Code;
use fallproof_suite::yaml;
use memchr::memmem;
use regex::bytes::{Regex, RegexBuilder, RegexSet, RegexSetBuilder};
use serde::Deserialize;

use super::written;
use crate::collector::Collector;
use crate::violation::LeakViolation::{InternalsInAnswer, InternalsInHeader};

const DOCUMENT: &str = include_str!("internals.yaml");

static INTERNALS: LazyLock<Internals> = LazyLock::new(|| {
    let file: File = yaml::parse(Path::new("harness/judge/src/leak/internals.yaml"), DOCUMENT)
        .unwrap_or_else(|error| panic!("the embedded internals.yaml is invalid:\n{error}"));
    Internals::of(&file).unwrap_or_else(|error| panic!("internals.yaml: {error}"))
});

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(not(test), expect(dead_code, reason = "the examples are for the tests"))]
struct File {
    internals: Vec<Internal>,
    harmless: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(not(test), expect(dead_code, reason = "the examples are for the tests"))]
struct Internal {
    what: String,
    patterns: Vec<String>,
    examples: Vec<String>,
}

struct Internals {
    /// All patterns, so that one pass searches a response for all of them.
    any: RegexSet,
    /// Each pattern, with a description of what it finds.
    each: Vec<(Regex, String)>,
}

impl Internals {
    fn of(file: &File) -> Result<Self, regex::Error> {
        let any = file.internals.iter().flat_map(|it| &it.patterns);
        let any = RegexSetBuilder::new(any).unicode(false).build()?;
        let each = file.internals.iter().flat_map(|it| {
            let regex = |pattern: &String| RegexBuilder::new(pattern).unicode(false).build();
            it.patterns.iter().map(move |pattern| Ok((regex(pattern)?, it.what.clone())))
        });
        Ok(Self { any, each: each.collect::<Result<_, regex::Error>>()? })
    }

    /// Returns each match in the response: its description and the matching bytes. `text` must be
    /// unescaped.
    fn shown<'a>(&'a self, text: &'a [u8]) -> impl Iterator<Item = (&'a str, &'a [u8])> {
        let found = self.any.matches(text).into_iter();
        found.flat_map(move |index| {
            let (pattern, what) = &self.each[index];
            pattern.find_iter(text).map(|it| (what.as_str(), it.as_bytes()))
        })
    }
}

/// How much of a match a violation quotes.
const MAX_CHARS: usize = 200;

/// A match that the client or a provider may have written is not a leak.
pub(super) fn check(found: &mut Collector<'_>) {
    let view = found.view;
    let Some(written) = written(view) else { return };
    // Rarely needed: most responses have no match.
    let written = LazyCell::new(|| written.into_iter().map(unescaped).collect::<Vec<_>>());
    let is_known = |text: &[u8]| written.iter().any(|it| memmem::find(it, text).is_some());
    let own = |text: &[u8]| {
        let text = unescaped(text);
        let (what, text) = INTERNALS.shown(&text).find(|(_, shown)| !is_known(shown))?;
        let text = String::from_utf8_lossy(text);
        Some((what.to_owned(), text.chars().take(MAX_CHARS).collect()))
    };
    let exchange = &view.observed.exchange;
    for (header, value) in &exchange.headers {
        if let Some((what, text)) = own(value) {
            let kind = InternalsInHeader { header: header.clone(), what, text };
            found.breach(Code::Leak06, kind);
        }
    }
    if let Some((what, text)) = own(&exchange.body) {
        found.breach(Code::Leak06, InternalsInAnswer { what, text });
    }
}

/// Removes the backslashes of JSON, so that the patterns also match JSON strings within JSON
/// strings.
fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    let mut bytes = text.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        if byte != b'\\' {
            plain.push(byte);
        } else if bytes.next_if(|next| matches!(next, b'n' | b't' | b'r')).is_some() {
            plain.push(b' ');
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> File {
        yaml::parse(Path::new("internals.yaml"), DOCUMENT).expect("the embedded file is valid")
    }

    #[test]
    fn each_pattern_has_an_example_and_each_example_is_found() {
        for Internal { what, patterns, examples } in file().internals {
            for example in &examples {
                let mut shown = INTERNALS.shown(example.as_bytes());
                assert!(shown.any(|it| it.0 == what), "{example} does not show {what}");
            }
            for pattern in patterns {
                let regex = Regex::new(&pattern).expect("it compiles, too, with Unicode");
                let mut examples = examples.iter().map(String::as_bytes);
                assert!(examples.any(|it| regex.is_match(it)), "{pattern} has no example");
            }
        }
    }

    #[test]
    fn harmless_text_shows_nothing() {
        for text in file().harmless {
            let shown: Vec<_> = INTERNALS.shown(text.as_bytes()).map(|it| it.0).collect();
            assert_eq!(shown, [""; 0], "{text}");
        }
    }

    #[test]
    fn escapes_of_json_hide_nothing() {
        let text = r#"{"message":"{\"detail\":\"x\\n  File \\\"/a/b.py\\\", line 3, in f\"}"}"#;
        let text = unescaped(text.as_bytes());
        let shown: Vec<_> = INTERNALS.shown(&text).map(|it| it.0).collect();
        assert_eq!(shown, ["a Python stack trace"]);
    }
}
