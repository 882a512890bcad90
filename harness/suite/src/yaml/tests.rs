//! Tests reading types from YAML, and the error messages.

use std::num::{NonZeroI32, NonZeroUsize};
use std::path::Path;

use serde::Deserialize;

use super::{At, parse};
use crate::text::is_printable;

#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
struct Kinds {
    whole: u16,
    signed: i8,
    some: NonZeroUsize,
    none_but_zero: NonZeroI32,
    number: f64,
    truth: bool,
    maybe: Option<u8>,
    text: String,
    word: Word,
    list: Vec<At<String>>,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Word {
    One,
    Other,
}

impl Default for Kinds {
    fn default() -> Self {
        Self {
            whole: 0,
            signed: 0,
            some: NonZeroUsize::MIN,
            none_but_zero: NonZeroI32::MIN,
            number: 0.0,
            truth: false,
            maybe: None,
            text: String::new(),
            word: Word::One,
            list: Vec::new(),
        }
    }
}

fn read(text: &str) -> Result<Kinds, String> {
    parse(Path::new("a.yaml"), text).map_err(|error| error.to_string())
}

#[test]
fn each_kind_of_value_is_read() {
    let text = "whole: 0x10\nsigned: -8\nsome: 1_000\nnone_but_zero: -1\nnumber: 2\ntruth: True\n\
                maybe: ~\ntext: 2024-10-21\nword: other\nlist: [&a a, *a, 'b''c']\n";
    let at = |value: &str, span| At { value: value.to_owned(), span };
    let start = text.find("a, *a").unwrap_or_default();
    let quoted = text.find("'b''c'").unwrap_or_default();
    let expected = Kinds {
        whole: 16,
        signed: -8,
        some: NonZeroUsize::new(1000).unwrap_or(NonZeroUsize::MIN),
        none_but_zero: NonZeroI32::new(-1).unwrap_or(NonZeroI32::MIN),
        number: 2.0,
        truth: true,
        maybe: None,
        text: "2024-10-21".to_owned(),
        word: Word::Other,
        list: vec![
            at("a", start..start + 1),
            at("a", start..start + 1),
            at("b'c", quoted..quoted + 6),
        ],
    };
    assert_eq!(read(text), Ok(expected));
}

#[test]
fn a_quoted_value_can_be_a_number_or_a_boolean() {
    let text = "{ whole: '5', number: '0.5', truth: 'true', maybe: '7' }";
    let expected = Kinds { whole: 5, number: 0.5, truth: true, maybe: Some(7), ..Kinds::default() };
    assert_eq!(read(text), Ok(expected));
}

#[test]
fn a_mismatch_is_described_in_plain_words() {
    for (text, place, words) in [
        ("whole: 65536", "1:8", "expected a whole number from 0 to 65535"),
        ("whole: 1.0", "1:8", "expected a whole number from 0 to 65535"),
        ("signed: x", "1:9", "expected a whole number from -128 to 127"),
        ("whole: [1]", "1:8", "expected a single value, not a list or a mapping"),
        ("some: 0", "1:1", "expected a whole number of at least 1, found `0`"),
        ("none_but_zero: 0", "1:1", "expected a whole number other than 0, found `0`"),
        ("number: x", "1:9", "expected a number"),
        ("truth: yes", "1:8", "expected `true` or `false`"),
        ("maybe: -1", "1:8", "expected a whole number from 0 to 255"),
        ("text: 1e0", "1:7", "expected text, found `1e0`"),
        ("text:", "1:5", "a value is missing"),
        ("text: ~", "1:7", "a value is missing"),
        ("word: ons", "1:7", "unknown value `ons`"),
        ("word: ~", "1:7", "expected text, found `~`"),
        ("word:", "1:5", "a value is missing"),
        ("word: { one: 5 }", "1:14", "this key takes no value"),
        ("word: { one: ~, other: ~ }", "1:7", "expected a single value"),
        ("list: a", "1:7", "expected a list (`[…]`)"),
        ("list: a", "1:7", "help: write `[a]`"),
        ("list: { a: b }", "1:7", "help: write `[{ … }]`"),
        ("list:\n  a: b\n  c: d", "2:3", "help: begin each item with `- `"),
        ("list: [a, { b: c }]", "1:11", "expected a single value"),
        ("word: one\nlits: []", "2:1", "unknown key `lits`"),
        ("text: a\n'text': b", "2:1", "the key `text` is given twice"),
        ("text: a\n? [text]\n: b", "2:3", "expected a single value"),
        ("1: a", "1:1", "expected text, found `1`"),
        ("text", "1:1", "expected a mapping"),
        ("text\nmore: a", "1:1", "expected a mapping"),
        ("[text]", "1:1", "expected a mapping"),
        ("~", "1:1", "expected a mapping"),
        ("# nothing", "1:1", "the file is empty"),
        ("%YAML 1.2\n\n", "1:9", "did not find expected <document start>"),
    ] {
        let error = read(text).expect_err(text);
        assert!(error.contains(words), "{words}: {error}");
        assert!(error.contains(&format!("a.yaml:{place}\n")), "{place}: {error}");
    }
}

#[test]
fn no_character_of_a_file_controls_the_terminal_that_shows_an_error() {
    // U+009B begins a command, like ESC and `[`.
    for strange in ["\u{9b}2J", "\u{1b}[2J", "\u{202e}", "\u{2028}", "\u{200b}"] {
        let error = read(&format!("wrong{strange}: 1")).expect_err(strange);
        let shows = |it: &str| error.contains(it) || error.contains(char::REPLACEMENT_CHARACTER);
        assert!(shows("\u{241b}[2J"), "{error:?}");
        assert!(error.chars().all(|it| it == '\n' || is_printable(it)), "{error:?}");
    }
}
