//! How a body is written: its blanks, the place of `model`, and the spelling of names.

use std::fmt::Write as _;

use super::dice::Dice;
use fallproof_protocol::json::{Tree, quoted};
use fallproof_suite::scenario::MODEL_PLACEHOLDER;

/// The layout of a body.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Layout {
    /// What stands before and after each mark.
    blank: &'static str,
    /// How many members come before `model`; all of them where there are fewer.
    model_after: usize,
    /// Whether the first letter of `model`'s name is escaped.
    escaped: bool,
}

const BLANKS: [&str; 4] = [" ", "\n  ", "\t", "\r\n"];

impl Layout {
    /// Mostly the plain one.
    pub fn draw(dice: &mut Dice<'_>) -> Self {
        Self {
            blank: if dice.chance(70) { "" } else { *dice.pick(&BLANKS) },
            model_after: if dice.chance(50) { 0 } else { dice.below(12) },
            escaped: dice.chance(4),
        }
    }

    /// The body as JSON text, with a place for the group's name.
    pub fn text(&self, body: &Tree) -> String {
        let mut out = String::new();
        let Tree::Object(members) = body else { return body.compact() };
        let name = if self.escaped { r#""\u006dodel""# } else { r#""model""# };
        let model = (name.to_owned(), format!("\"{MODEL_PLACEHOLDER}\""));
        let mut members: Vec<_> =
            (members.iter()).map(|(name, value)| (quoted(name), self.value(value))).collect();
        members.insert(self.model_after.min(members.len()), model);
        self.object(&members, &mut out);
        out
    }

    fn value(&self, value: &Tree) -> String {
        let mut out = String::new();
        match value {
            Tree::Scalar(text) => out.push_str(text),
            Tree::Array(items) => {
                let items: Vec<_> = items.iter().map(|item| self.value(item)).collect();
                let blank = self.blank;
                let _ = write!(out, "[{blank}{}{blank}]", items.join(&format!(",{blank}")));
            }
            Tree::Object(members) => {
                let members: Vec<_> = (members.iter())
                    .map(|(name, value)| (quoted(name), self.value(value)))
                    .collect();
                self.object(&members, &mut out);
            }
        }
        out
    }

    fn object(&self, members: &[(String, String)], out: &mut String) {
        let blank = self.blank;
        let members: Vec<_> =
            members.iter().map(|(name, value)| format!("{name}{blank}:{blank}{value}")).collect();
        let _ = write!(out, "{{{blank}{}{blank}}}", members.join(&format!(",{blank}")));
    }
}
