//! Words as a POSIX shell reads them.

use std::borrow::Cow;

/// The word, in quotes where it needs them.
pub fn quoted(word: &str) -> Cow<'_, str> {
    // A word with a NUL, which is all that it refuses, can be given to no program.
    shlex::try_quote(word).unwrap_or(Cow::Borrowed(word))
}
