//! JSON as it was sent, including key order, duplicate keys and the spelling of numbers and
//! strings.

mod diff;
mod document;
mod number;
mod tokens;

pub use self::diff::{Difference, DifferenceKind, differences};
pub use self::document::{Tree, quoted};
pub use self::tokens::{Token, Tokens, unescaped};
