//! JSON exactly as it was sent: the order of members, duplicate keys, and the spelling of numbers
//! and strings are preserved.

mod diff;
mod document;
mod error_message;
mod number;
mod tokens;

pub use self::diff::{Difference, DifferenceKind, differences};
pub use self::document::{Tree, quoted};
pub use self::error_message::{error_message, error_text};
pub use self::tokens::{Token, Tokens, unescaped};
