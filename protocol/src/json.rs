//! JSON as it was sent: key order, duplicate keys and the spelling of every number and string.

mod diff;
mod document;
mod number;
mod tokens;

pub use self::diff::{Difference, DifferenceKind, differences};
pub use self::document::{Tree, quoted};
pub use self::tokens::{Token, Tokens, unescaped};
