//! The characters that a line of text may contain.

/// Whether a terminal displays the character without any other effect. False for control
/// characters, line separators, characters that change the direction of text, and characters that
/// nobody sees.
pub fn is_printable(character: char) -> bool {
    let is_bidi = matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let is_invisible = matches!(
        character,
        '\u{200b}' | '\u{2060}'..='\u{2064}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
    );
    !(is_bidi
        || is_invisible
        || character.is_control()
        || matches!(character, '\u{2028}' | '\u{2029}'))
}
