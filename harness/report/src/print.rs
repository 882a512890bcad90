//! The one place where text is printed. Nothing that a file, a target or a name says can do more
//! than be read: API keys are redacted, control characters are replaced, and no line is a command
//! for a CI runner.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io;
use std::sync::OnceLock;

use fallproof_suite::text::is_printable;

use crate::phrases::no_command;
use crate::redact::Redactor;

/// Stands for a character that would do something on a terminal.
const REPLACEMENT: char = '\u{fffd}';

/// The keys that must not be printed.
static HIDDEN: OnceLock<Redactor> = OnceLock::new();

/// From now on, redacts the keys of this redactor in everything that is printed. Only the first call
/// has an effect: a command has one set of keys. Returns the redactor that is used.
pub fn hide(redactor: impl FnOnce() -> Redactor) -> &'static Redactor {
    HIDDEN.get_or_init(redactor)
}

/// Prints to standard output.
///
/// # Errors
/// Standard output cannot be written to.
pub fn stdout(text: &str) -> io::Result<()> {
    print(&mut anstream::stdout().lock(), text)
}

/// Prints to standard error.
///
/// # Errors
/// Standard error cannot be written to.
pub fn stderr(text: &str) -> io::Result<()> {
    print(&mut anstream::stderr().lock(), text)
}

/// Prints a line to standard error. Ignores errors: there is nobody to tell.
macro_rules! eprintln {
    ($($text:tt)*) => {{
        let _ = $crate::print::stderr(&format!("{}\n", format_args!($($text)*)));
    }};
}

pub(crate) use eprintln;

fn print(stream: &mut impl io::Write, text: &str) -> io::Result<()> {
    stream.write_all(safe(text, HIDDEN.get()).as_bytes())?;
    stream.flush()
}

/// JSON with every character that is not printable escaped. It has the same value.
pub fn json(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if is_printable(character) || character == '\n' {
            escaped.push(character);
        } else {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                let _ = write!(escaped, "\\u{unit:04x}");
            }
        }
    }
    escaped
}

/// The text without keys, effects on a terminal, and commands for a CI runner.
fn safe(text: &str, hidden: Option<&Redactor>) -> String {
    let text = match hidden {
        Some(redactor) => redactor.text(text).into(),
        None => Cow::Borrowed(text),
    };
    let mut safe = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        safe.push_str(&no_command(&displayable(line)));
    }
    safe
}

/// Replaces what a terminal would not simply display. Styles are left.
fn displayable(line: &str) -> Cow<'_, str> {
    let is_fine = |it: char| is_printable(it) || matches!(it, '\n' | '\t');
    if line.chars().all(is_fine) {
        return line.into();
    }
    let mut shown = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(character) = rest.chars().next() {
        let style = style(rest);
        if style > 0 {
            shown.push_str(&rest[..style]);
            rest = &rest[style..];
            continue;
        }
        let is_line_end = rest.starts_with("\r\n");
        shown.push(if is_fine(character) || is_line_end { character } else { REPLACEMENT });
        rest = &rest[character.len_utf8()..];
    }
    shown.into()
}

/// The length of the escape sequence at the start of the text if it only sets colors or weight;
/// otherwise 0. Fallproof's own messages have such sequences.
fn style(text: &str) -> usize {
    let Some(parameters) = text.strip_prefix("\u{1b}[") else { return 0 };
    let Some(length) = parameters.find(|it: char| !(it.is_ascii_digit() || it == ';')) else {
        return 0;
    };
    let is_used = |number: &str| match number.parse() {
        // Not 8, which hides text, and not 5 to 7.
        Ok(number) => matches!(number, 0..=4 | 22..=24 | 30..=39 | 90..=97),
        Err(_) => number.is_empty(),
    };
    let is_style = parameters[length..].starts_with('m')
        && (parameters[..length].split(';').all(is_used)
            || parameters[..length].starts_with("38;5;"));
    if is_style { "\u{1b}[".len() + length + 1 } else { 0 }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::plain("a line\n\tanother, ünïcode ✓\n", "a line\n\tanother, ünïcode ✓\n")]
    #[case::style("\u{1b}[1m\u{1b}[31mred\u{1b}[0m\n", "\u{1b}[1m\u{1b}[31mred\u{1b}[0m\n")]
    #[case::palette("\u{1b}[38;5;9mred\u{1b}[0m", "\u{1b}[38;5;9mred\u{1b}[0m")]
    #[case::hidden("\u{1b}[8mhidden", "\u{fffd}[8mhidden")]
    #[case::title("\u{1b}]0;PWNED\u{7}x", "\u{fffd}]0;PWNED\u{fffd}x")]
    #[case::clears("\u{1b}[2Jx", "\u{fffd}[2Jx")]
    #[case::unfinished("x\u{1b}[1", "x\u{fffd}[1")]
    #[case::c1("\u{9b}2J", "\u{fffd}2J")]
    #[case::overwrites("good\rbad\n", "good\u{fffd}bad\n")]
    #[case::line_end("one\r\ntwo", "one\r\ntwo")]
    #[case::direction("a\u{202e}b\u{2066}c\u{200b}d", "a\u{fffd}b\u{fffd}c\u{fffd}d")]
    #[case::command("x\n  ::error::PWNED\n", "x\n  \\u{3a}:error::PWNED\n")]
    #[case::other_command("##[error]x", "#\\u{23}[error]x")]
    fn printed_text_can_only_be_read(#[case] text: &str, #[case] printed: &str) {
        assert_eq!(safe(text, None), printed);
    }

    #[test]
    fn a_hidden_key_is_not_printed() {
        let redactor = Redactor::of([("CANARY1-key-0123".to_owned(), "[gateway key]".to_owned())]);
        let printed = safe("gwkey=CANARY1-key-0123\n", Some(&redactor));
        assert_eq!(printed, "gwkey=[gateway key]\n");
    }

    #[test]
    fn json_keeps_its_value() {
        let value = serde_json::json!({ "a\u{202e}": "\u{9b}\u{7f} é \u{e0041}" });
        let text = json(&serde_json::to_string_pretty(&value).expect("JSON"));
        assert!(text.chars().all(|it| is_printable(it) || it == '\n'), "{text}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).expect("JSON"), value);
    }
}
