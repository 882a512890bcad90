//! Text as YAML.

use std::fmt::Write as _;

use fallproof_protocol::json;

/// The text in double quotes. A JSON string is valid YAML if characters that YAML does not allow
/// are also escaped.
pub fn quoted(text: &str) -> String {
    let mut out = String::new();
    for character in json::quoted(text).chars() {
        if character.is_control() || matches!(character, '\u{2028}' | '\u{2029}' | '\u{feff}') {
            let _ = write!(out, "\\u{:04x}", u32::from(character));
        } else {
            out.push(character);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_yaml_does_not_allow_are_escaped() {
        assert_eq!(quoted("a\"ü\n"), r#""a\"ü\n""#);
        assert_eq!(
            quoted("\u{85}\u{2028}\u{2029}\u{feff}\u{7f}"),
            r#""\u0085\u2028\u2029\ufeff\u007f""#
        );
    }
}
