//! JSON spellings of strings and numbers that gateways may handle incorrectly.

use std::fmt::Write as _;

use rand::RngExt as _;

use super::grammar::{Number, Text};
use super::random::{CaseRng, chance, pick};

/// Strings that are known to cause bugs: empty and blank strings, combining characters, characters
/// outside the BMP, control characters, and text that looks like JSON, stream events or internal
/// names of gateways.
const TEXTS: &[&str] = &[
    "",
    " ",
    "é",
    "e\u{301}",
    "🚀 한국어 ﷺ",
    "👩\u{200d}👩\u{200d}👧",
    "\u{0}",
    "\t\r\n",
    "\u{7f}\u{85}\u{2028}\u{2029}\u{feff}",
    "\u{fffd}",
    "\\\"/",
    "null",
    "-0",
    "1e0",
    "{\"metadata\":{}}",
    "[DONE]",
    "data: [DONE]\n\n",
    "a%2Fb?c=d&e",
    "metadata",
    "litellm_params",
    "model_group",
    "fallbacks",
    "default",
    "stream",
];

/// Member names for objects that allow any name.
const NAMES: &[&str] = &[
    "a",
    "b",
    "metadata",
    "litellm_params",
    "litellm_metadata",
    "model_group",
    "model_info",
    "fallbacks",
    "deployment",
    "model",
    "messages",
    "stream",
    "type",
    "",
    "é",
    "🚀",
    "a/b~c",
    "$ref",
    "__proto__",
    "user id",
];

/// Negative zero, and integers that a float cannot represent exactly.
const INTEGERS: &[&str] = &[
    "-0",
    "9007199254740993",
    "-9007199254740993",
    "9223372036854775808",
    "18446744073709551616",
    "123456789012345678901234567890",
];

/// Numbers that are rounded or spelled differently after they are parsed and serialized again.
const DECIMALS: &[&str] = &[
    "1e0",
    "1.0",
    "1E+0",
    "10e-1",
    "0.10",
    "1.000",
    "-0.0",
    "0.0",
    "5e-1",
    "0.30000000000000004",
    "0.1000000000000000055511151231257827",
    "1e-7",
    "5e-324",
    "1e21",
    "1.7976931348623157e308",
];

/// Words for generated plain text.
const WORDS: &[&str] = &[
    "Summarise",
    "our",
    "talk",
    "in",
    "two",
    "lines",
    "about",
    "rain",
    "Zürich",
    "今日は",
    "and",
    "why",
];

/// Values for members that hold a URL. None of them refers to another machine.
const ADDRESSES: &[&str] =
    &["data:image/png;base64,iVBORw0KGgo=", "http://127.0.0.1:9/cat.png", "https://localhost:9/"];

/// Draws a member name for an object that allows any name.
pub(super) fn name(rng: &mut CaseRng) -> String {
    if chance(50, rng) { (*pick(NAMES, rng)).to_owned() } else { word(rng) }
}

/// Generates a string within these limits, as JSON text. `name` is the name of the member that
/// holds the string.
pub(super) fn text(limits: &Text, name: &str, rng: &mut CaseRng) -> String {
    if let Some(characters) = &limits.characters {
        let length = rng.random_range(1..=limits.max.unwrap_or(64).clamp(1, 12));
        let text: String = (0..length).map(|_| *pick(characters, rng)).collect();
        return quoted(&text, rng);
    }
    let mut text = if name.ends_with("url") {
        (*pick(ADDRESSES, rng)).to_owned()
    } else if is_secret(name) {
        // This key is too long to occur elsewhere by chance.
        format!("sk-of-the-client-{:08}", rng.random_range(0..100_000_000))
    } else if chance(35, rng) {
        (*pick(TEXTS, rng)).to_owned()
    } else {
        plain(rng)
    };
    if chance(1, rng) {
        text = text.repeat(1 + 4_000 / text.len().max(1));
    }
    let short = limits.min.saturating_sub(text.chars().count());
    text.extend(std::iter::repeat_n('x', short));
    quoted(&text.chars().take(limits.max.unwrap_or(usize::MAX)).collect::<String>(), rng)
}

/// Whether a member with this name holds a credential.
fn is_secret(name: &str) -> bool {
    ["api_key", "authorization", "token", "password"].contains(&name)
}

fn plain(rng: &mut CaseRng) -> String {
    let words: Vec<_> = (0..rng.random_range(0..6)).map(|_| *pick(WORDS, rng)).collect();
    words.join(" ")
}

fn word(rng: &mut CaseRng) -> String {
    let length = rng.random_range(1..=10);
    let letters: Vec<char> = ('a'..='z').chain(['_', '-', '9']).collect();
    (0..length).map(|_| *pick(&letters, rng)).collect()
}

/// Serializes a string as JSON text, mostly without optional escapes.
pub(super) fn quoted(text: &str, rng: &mut CaseRng) -> String {
    if !chance(8, rng) {
        return serde_json::Value::from(text).to_string();
    }
    let mut json = String::from("\"");
    for character in text.chars() {
        match character {
            '/' => json.push_str("\\/"),
            '"' | '\\' | '\0'..='\x1f' => escape(character, &mut json, rng),
            other if chance(40, rng) => escape(other, &mut json, rng),
            other => json.push(other),
        }
    }
    json.push('"');
    json
}

fn escape(character: char, json: &mut String, rng: &mut CaseRng) {
    let upper = chance(50, rng);
    for unit in character.encode_utf16(&mut [0; 2]) {
        let _ = if upper { write!(json, "\\u{unit:04X}") } else { write!(json, "\\u{unit:04x}") };
    }
}

/// Generates a number within these limits, as JSON text.
pub(super) fn number(limits: &Number, rng: &mut CaseRng) -> String {
    let fits = |text: &&&str| {
        text.parse::<f64>().is_ok_and(|value| {
            limits.min.is_none_or(|min| value >= min) && limits.max.is_none_or(|max| value <= max)
        })
    };
    if chance(35, rng) {
        let decimals = if limits.integer { &[] } else { DECIMALS };
        let special: Vec<_> = INTEGERS.iter().chain(decimals).filter(fits).collect();
        if !special.is_empty() {
            return (**pick(&special, rng)).to_owned();
        }
    }
    let min = limits.min.and_then(|min| integral(min.ceil())).unwrap_or(0);
    let max = limits.max.and_then(|max| integral(max.floor())).unwrap_or(i64::MAX);
    // The numbers are mostly small, because many of them say how many items the mocks must
    // generate.
    let reach = if chance(95, rng) { 4 } else { 1_000 };
    let number = rng.random_range(min..=max.min(min.saturating_add(reach)).max(min));
    if limits.integer || number < 0 || number >= max || chance(50, rng) {
        return number.to_string();
    }
    let fraction: String = (0..rng.random_range(1..=18)).map(|_| *pick(&DIGITS, rng)).collect();
    format!("{number}.{fraction}")
}

const DIGITS: [char; 10] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'];

/// Converts an integral float to an integer; `None` if it is too large.
fn integral(number: f64) -> Option<i64> {
    format!("{number:.0}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::super::random::case_rng;
    use super::*;

    #[test]
    fn every_text_is_json_and_within_its_limits() {
        for case in 0..2_000 {
            let mut rng = case_rng(1, case);
            let (min, max) = (rng.random_range(0..3), rng.random_range(3..43));
            let limits = Text { min, max: Some(max), characters: None };
            let json = text(&limits, "user", &mut rng);
            let read: String =
                serde_json::from_str(&json).unwrap_or_else(|error| panic!("{json}: {error}"));
            let length = read.chars().count();
            assert!(length >= limits.min && Some(length) <= limits.max, "{json}");
        }
    }

    #[test]
    fn every_number_is_json_and_within_its_limits() {
        for (integer, min, max) in [
            (true, None, None),
            (true, Some(1.0), Some(128.0)),
            (false, Some(-2.0), Some(2.0)),
            (false, Some(0.25), Some(4.0)),
        ] {
            let limits = Number { integer, min, max };
            for case in 0..1_000 {
                let json = number(&limits, &mut case_rng(2, case));
                let value: f64 =
                    serde_json::from_str(&json).unwrap_or_else(|error| panic!("{json}: {error}"));
                assert!(min.is_none_or(|min| value >= min), "{json}");
                assert!(max.is_none_or(|max| value <= max), "{json}");
                assert!(!(integer && json.contains(['.', 'e', 'E'])), "{json}");
            }
        }
    }
}
