//! Single-pass JSON tokenizer that preserves spelling.

use std::borrow::Cow;

use memchr::memchr2;
use serde_json::value::RawValue;

/// A JSON token. Commas, colons and whitespace are skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Token<'a> {
    /// `{`, followed by alternating keys and values.
    Object,
    /// `[`
    Array,
    /// `}` or `]`
    End,
    /// A key, string, number, boolean or null, as spelled.
    Scalar(&'a str),
}

/// The tokens of one JSON value, in order.
#[derive(Debug, Clone)]
pub struct Tokens<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Tokens<'a> {
    /// Validates the whole text, and returns its tokens.
    ///
    /// # Errors
    /// The text is not exactly one JSON value, or is not UTF-8. Unpaired surrogate escapes are
    /// accepted.
    pub fn of(text: &'a [u8]) -> serde_json::Result<Self> {
        let checked: &RawValue = serde_json::from_slice(text)?;
        Ok(Self { text: checked.get(), at: 0 })
    }

    /// Whether the current object or array ends here; if so, consumes its end.
    pub fn at_end(&mut self) -> bool {
        let mut rest = self.clone();
        let ends = matches!(rest.next(), Some(Token::End) | None);
        if ends {
            *self = rest;
        }
        ends
    }

    /// Skips a value of any kind and returns it as spelled.
    pub fn skip_value(&mut self) -> &'a str {
        let mut rest = self.clone();
        let first = rest.next();
        let start = rest.at;
        let mut depth = usize::from(matches!(first, Some(Token::Object | Token::Array)));
        let start = match first {
            Some(Token::Scalar(scalar)) => start - scalar.len(),
            _ => start.saturating_sub(1),
        };
        while depth > 0 {
            match rest.next() {
                Some(Token::Object | Token::Array) => depth += 1,
                Some(Token::End) => depth -= 1,
                Some(Token::Scalar(_)) => {}
                None => break,
            }
        }
        self.at = rest.at;
        &self.text[start..self.at]
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        let bytes = self.text.as_bytes();
        let is_between = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b',' | b':');
        while bytes.get(self.at).is_some_and(is_between) {
            self.at += 1;
        }
        let start = self.at;
        let token = match bytes.get(start)? {
            b'{' => Token::Object,
            b'[' => Token::Array,
            b'}' | b']' => Token::End,
            b'"' => {
                self.at = end_of_string(bytes, start + 1);
                return Some(Token::Scalar(&self.text[start..self.at]));
            }
            _ => {
                let is_end = |byte: &u8| is_between(byte) || matches!(byte, b'}' | b']');
                let length = bytes[start..].iter().position(is_end);
                self.at = length.map_or(bytes.len(), |length| start + length);
                return Some(Token::Scalar(&self.text[start..self.at]));
            }
        };
        self.at += 1;
        Some(token)
    }
}

/// Index after the closing quote of a string, given an index `at` within the string.
fn end_of_string(bytes: &[u8], mut at: usize) -> usize {
    while let Some(found) = memchr2(b'"', b'\\', &bytes[at.min(bytes.len())..]) {
        at += found;
        if bytes[at] == b'"' {
            return at + 1;
        }
        at += 2; // A backslash, and what it escapes.
    }
    bytes.len()
}

/// The content of a key or string, without quotes and escapes. Borrowed if there are no escapes.
///
/// # Errors
/// An escape is an unpaired surrogate.
pub fn unescaped(spelled: &str) -> serde_json::Result<Cow<'_, str>> {
    if memchr::memchr(b'\\', spelled.as_bytes()).is_some() {
        return serde_json::from_str(spelled).map(Cow::Owned);
    }
    let inner = spelled.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    Ok(Cow::Borrowed(inner.unwrap_or(spelled)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Map, Number, Value};

    use super::*;

    #[test]
    fn tokens_keep_their_spelling() {
        let text = br#" {"a\"b" : [1.50e+1,true ,"x,]"],"":{}, "c":-0} "#;
        let pieces: Vec<_> = Tokens::of(text).expect("JSON").collect();
        let expected = [
            Token::Object,
            Token::Scalar(r#""a\"b""#),
            Token::Array,
            Token::Scalar("1.50e+1"),
            Token::Scalar("true"),
            Token::Scalar(r#""x,]""#),
            Token::End,
            Token::Scalar("\"\""),
            Token::Object,
            Token::End,
            Token::Scalar("\"c\""),
            Token::Scalar("-0"),
            Token::End,
        ];
        assert_eq!(pieces, expected);
    }

    #[test]
    fn a_value_is_skipped_with_its_contents() {
        let mut pieces = Tokens::of(br#"[ {"a":[1,"]"]} , "x" ,5,[ ]]"#).expect("JSON");
        assert_eq!(pieces.next(), Some(Token::Array));
        let skipped: Vec<_> = (0..4).map(|_| pieces.skip_value()).collect();
        assert_eq!(skipped, [r#"{"a":[1,"]"]}"#, "\"x\"", "5", "[ ]"]);
        assert_eq!((pieces.next(), pieces.next()), (Some(Token::End), None));
    }

    #[test]
    fn anything_but_one_value_is_an_error() {
        for text in ["", "{", "[1,]", "{} {}", "\"\u{1}\"", "01", "nul"] {
            assert!(Tokens::of(text.as_bytes()).is_err(), "{text}");
        }
        assert!(Tokens::of(b"\"\xff\"").is_err());
    }

    #[test]
    fn text_is_unescaped() {
        assert!(matches!(unescaped("\"ü\""), Ok(Cow::Borrowed("ü"))));
        assert_eq!(unescaped(r#""\u00fc\n""#).expect("text"), "ü\n");
        assert!(unescaped(r#""\ud83d""#).is_err());
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            any::<i64>().prop_map(|it| Value::Number(it.into())),
            any::<f64>().prop_map(|it| Number::from_f64(it).map_or(Value::Null, Value::Number)),
            "[\"\\\\a,\\]}\\{\\[: é\u{1}]{0,6}".prop_map(Value::String),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
                prop::collection::vec(("[\"\\\\a}é]{0,3}", inner), 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
            ]
        })
    }

    fn read(pieces: &mut Tokens<'_>) -> Value {
        match pieces.next().expect("a value") {
            Token::Scalar(spelled) => serde_json::from_str(spelled).expect("a scalar"),
            Token::Array => {
                let mut items = Vec::new();
                while !pieces.at_end() {
                    items.push(read(pieces));
                }
                Value::Array(items)
            }
            Token::Object => {
                let mut members = Map::new();
                while let Some(Token::Scalar(key)) = pieces.next() {
                    members.insert(unescaped(key).expect("text").into_owned(), read(pieces));
                }
                Value::Object(members)
            }
            Token::End => panic!("a value"),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

        #[test]
        fn the_tokens_make_up_the_value(value in json(), pretty: bool) {
            let text = if pretty { format!("{value:#}") } else { value.to_string() };
            // Parse the text again, since parsing may change the last digit of a decimal.
            let value: Value = serde_json::from_str(&text).expect("JSON");
            let mut pieces = Tokens::of(text.as_bytes()).expect("JSON");
            prop_assert_eq!(read(&mut pieces), value);
            prop_assert_eq!(pieces.next(), None);
            let mut pieces = Tokens::of(text.as_bytes()).expect("JSON");
            prop_assert_eq!(pieces.skip_value(), &text);
        }
    }
}
