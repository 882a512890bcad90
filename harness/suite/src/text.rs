//! The characters that a line of text may contain.

/// Whether a terminal displays the character without any other effect. False for control
/// characters, line separators, and characters that change the direction of text.
pub fn is_printable(character: char) -> bool {
    let is_bidi = matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    !(is_bidi || character.is_control() || matches!(character, '\u{2028}' | '\u{2029}'))
}
