//! The placeholder `{{letters:n}}`, which stands for n letters. With it, a scenario file can stay
//! small although a body is large.

use std::ops::Range;

use crate::limits::MOST_BODY_BYTES;

/// Start of the placeholder, as in `{{letters:5000000}}`.
pub const LETTERS: &str = "{{letters:";

/// Maximum number of letters that placeholders can add to a body. It is below the mocks' body
/// limit, to leave room for the other members and for what a target adds.
pub const MOST_LETTERS: usize = 32_000_000;
const _: () = assert!(MOST_LETTERS < MOST_BODY_BYTES, "the mocks accept that many");

/// Finds the first placeholder in this text. Returns its position and its number of letters. The
/// number is `None` if it is invalid or too large.
pub fn letters(text: &str) -> Option<(Range<usize>, Option<usize>)> {
    let start = text.find(LETTERS)?;
    let rest = &text[start + LETTERS.len()..];
    let count = rest.split_once("}}").map_or(rest, |(count, _)| count);
    let end = (start + LETTERS.len() + count.len() + 2).min(text.len());
    Some((start..end, count.parse().ok().filter(|count| *count <= MOST_LETTERS)))
}

/// Replaces each placeholder with the letters that it stands for.
pub fn with_letters(mut text: String) -> String {
    while let Some((range, Some(count))) = letters(&text) {
        text.replace_range(range, &"lorem ipsum ".repeat(count / 12 + 1)[..count]);
    }
    text
}

/// Whether all placeholders in this text are valid and their sum is within the limit.
pub(crate) fn are_valid(mut text: &str) -> bool {
    let mut remaining = MOST_LETTERS;
    while let Some((range, count)) = letters(text) {
        match count.and_then(|count| remaining.checked_sub(count)) {
            Some(fewer) => remaining = fewer,
            None => return false,
        }
        text = &text[range.end..];
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_become_letters() {
        assert_eq!(with_letters("<{{letters:13}}|{{letters:0}}>".to_owned()), "<lorem ipsum l|>");
        assert!(are_valid("{{letters:31999999}}{{letters:1}}{{key}}"));
        for invalid in ["{{letters:x}}", "{{letters:32000001}}", "{{letters:", "{{letters:-1}}"] {
            assert!(!are_valid(invalid), "{invalid}");
        }
        assert!(!are_valid("{{letters:20000000}}{{letters:20000000}}"));
    }
}
