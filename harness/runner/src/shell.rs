//! Command lines of a POSIX shell.

use std::borrow::Cow;

/// Returns the word, quoted if necessary.
pub fn quoted(word: &str) -> Cow<'_, str> {
    // Quoting fails only for a word with a NUL, which no program can get as an argument anyway.
    shlex::try_quote(word).unwrap_or(Cow::Borrowed(word))
}

/// Returns the words of a command; `None` if a quote is not closed.
pub fn words(command: &str) -> Option<Vec<String>> {
    shlex::split(command)
}
