//! Which characters a line of text may have.

/// Whether a terminal shows the character and does nothing else with it: it controls neither the
/// terminal nor the direction of what is around it.
pub fn is_printable(character: char) -> bool {
    let is_bidi = matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    !(is_bidi || character.is_control() || matches!(character, '\u{2028}' | '\u{2029}'))
}
