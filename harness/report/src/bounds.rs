//! Limits of a report. A target can send megabytes in any place, and a report shows them in several
//! files. This cuts what a case shows, in one place, after API keys were redacted: half a key would
//! not be recognized.

use std::fmt::Write as _;

use crate::model::{Case, Cause};
use crate::texts::Texts as _;

/// Maximum length of a text, in bytes.
const LONGEST: usize = 4 * 1024;

/// Maximum length of all texts of a case together. Texts beyond it are cut to [`SHORT`].
const MOST_OF_A_CASE: usize = 256 * 1024;

/// Maximum length of a text once the case has many, in bytes.
const SHORT: usize = 120;

/// Maximum number of characters that the example of a cause shows of an error or a request.
const MOST_OF_EXAMPLE: usize = 200;

/// Maximum number of attempts that reports and traces list of a call.
pub(crate) const MOST_ATTEMPTS: usize = 50;

/// Maximum number of bytes that HAR files and traces show of a body.
pub(crate) const MOST_OF_A_BODY: usize = 1024 * 1024;

/// Maximum number of attempts of a call whose bodies are compared with the client's.
pub(crate) const MOST_DIFFS: usize = 8;

/// Maximum number of lines of each body that are compared.
pub(crate) const MOST_COMPARED_LINES: usize = 2_000;

/// Maximum number of lines of a comparison.
pub(crate) const MOST_DIFF_LINES: usize = 200;

/// Cuts the texts of a case that a target may have made long.
pub(crate) fn cut_case(case: &mut Case) {
    let mut left = MOST_OF_A_CASE;
    let mut cut_next = |text: &mut String| {
        cut(text, if left > 0 { LONGEST } else { SHORT });
        left = left.saturating_sub(text.len());
    };
    case.reason.each(&mut cut_next);
    case.violations.each(&mut cut_next);
    case.steps.each(&mut cut_next);
}

/// Cuts a text that may be long.
pub(crate) fn cut_text(text: &mut String) {
    cut(text, LONGEST);
}

/// Cuts what the examples of causes show of an error and of a request.
pub(crate) fn cut_examples(causes: &mut [Cause]) {
    for example in causes.iter_mut().map(|it| &mut it.example) {
        for text in [&mut example.own_error, &mut example.sent].into_iter().flatten() {
            if let Some((end, _)) = text.char_indices().nth(MOST_OF_EXAMPLE) {
                text.truncate(end);
                text.push('…');
            }
        }
    }
}

/// Cuts a text to at most `most` bytes, and says how much was left out.
fn cut(text: &mut String, most: usize) {
    if text.len() > most {
        let is_end = |end: &usize| text.is_char_boundary(*end);
        let end = (0..=most).rev().find(is_end).unwrap_or(0);
        let rest = text.len() - end;
        text.truncate(end);
        let _ = write!(text, "… ({rest} more bytes)");
        text.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_between_characters_and_says_how_much_is_missing() {
        let mut text = "é".repeat(5);
        cut(&mut text, 10);
        assert_eq!(text, "ééééé");
        cut(&mut text, 5);
        assert_eq!(text, "éé… (6 more bytes)");
    }
}
