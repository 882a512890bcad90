//! Lines that fit the terminal.

use textwrap::core::display_width;
use textwrap::{Options, WordSeparator, WordSplitter, WrapAlgorithm};

use crate::phrases::no_command;

/// Stands for text that was left out.
const CUT: char = '…';

/// Breaks the text at spaces into lines of at most `width` columns, which all start with `indent`.
/// A word that does not fit a line is cut. No line is a command for a CI runner.
pub(crate) fn wrap(text: &str, indent: &str, width: usize) -> Vec<String> {
    if width == usize::MAX {
        return vec![format!("{indent}{text}")];
    }
    let room = width.saturating_sub(indent.len()).max(1);
    let text = text.split(' ').map(|word| cut(word, room)).collect::<Vec<_>>().join(" ");
    let options = Options::new(width)
        .initial_indent(indent)
        .subsequent_indent(indent)
        .break_words(false)
        .word_separator(WordSeparator::AsciiSpace)
        .word_splitter(WordSplitter::NoHyphenation)
        .wrap_algorithm(WrapAlgorithm::FirstFit);
    let lines = textwrap::wrap(&text, options);
    lines.iter().map(|line| no_command(line.trim_end()).into_owned()).collect()
}

/// Like [`wrap`], but with at most `limit` lines. If text is left out, the last line ends with `…`.
pub(crate) fn wrap_some(text: &str, indent: &str, width: usize, limit: usize) -> Vec<String> {
    let mut lines = wrap(text, indent, width);
    if lines.len() > limit {
        lines.truncate(limit);
        if let Some(last) = lines.last_mut() {
            *last = cut(&format!("{last}{CUT}{CUT}"), width.min(display_width(last) + 1));
        }
    }
    lines
}

/// The text, cut to `width` columns. If text is left out, the result ends with `…`.
pub(crate) fn cut(text: &str, width: usize) -> String {
    if display_width(text) <= width {
        return text.to_owned();
    }
    let mut short = String::new();
    for character in text.chars() {
        short.push(character);
        if display_width(&short) >= width {
            short.pop();
            break;
        }
    }
    short.truncate(short.trim_end().len());
    short.push(CUT);
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_at_spaces_only_and_a_long_word_is_cut() {
        let text = "attempt 2 added /metadata-of-a-group: {\"model_group\":\"some-long-name\"}";
        let lines = wrap(text, "  ", 24);
        let expected =
            ["  attempt 2 added", "  /metadata-of-a-group:", "  {\"model_group\":\"some-…"];
        assert_eq!(lines, expected);
        assert_eq!(wrap(text, "  ", usize::MAX), [format!("  {text}")]);
        assert_eq!(wrap("it says ::error::x", "  ", 12), ["  it says", r"  \u{3a}:error::x"]);
    }

    #[test]
    fn text_that_is_left_out_is_marked_within_the_width() {
        assert_eq!(wrap_some("one two three", "", 8, 2), ["one two", "three"]);
        assert_eq!(wrap_some("one two three four", "", 8, 2), ["one two", "three…"]);
        assert_eq!(wrap_some("one two three four", "", 7, 1), ["one tw…"]);
        assert_eq!(cut("four", 4), "four");
        assert_eq!(cut("four five", 6), "four…");
        assert_eq!(cut("日本語日本語", 5), "日本…");
    }
}
