//! Words as a POSIX shell reads them.

/// The word, in quotes where it needs them.
pub fn quoted(word: &str) -> String {
    let is_plain = |character: char| character.is_alphanumeric() || "/._-:=,@".contains(character);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::quoted;

    #[rstest]
    #[case::plain("--target=http://127.0.0.1:4000/v1", "--target=http://127.0.0.1:4000/v1")]
    #[case::empty("", "''")]
    #[case::blank("two words", "'two words'")]
    #[case::quote("it's", r"'it'\''s'")]
    #[case::glob("routing/*", "'routing/*'")]
    fn a_word_is_quoted_where_the_shell_would_take_it_for_more(
        #[case] word: &str,
        #[case] expected: &str,
    ) {
        assert_eq!(quoted(word), expected);
    }
}
