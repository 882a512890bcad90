//! Quoting for a POSIX shell.

use std::borrow::Cow;

/// Returns the word, quoted if necessary.
pub fn quoted(word: &str) -> Cow<'_, str> {
    // Only words with a NUL are rejected, and no program can get such an argument anyway.
    shlex::try_quote(word).unwrap_or(Cow::Borrowed(word))
}
