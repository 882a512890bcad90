//! How a body is formatted: its whitespace, the position of `model`, and the spelling of the member
//! name `model`.

use rand::RngExt as _;

use super::random::{CaseRng, chance, pick};
use fallproof_protocol::json::{Tree, quoted};

/// The formatting of a body.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Formatting {
    /// Whitespace before and after each punctuation mark.
    blank: &'static str,
    /// Number of members before `model`; all members if there are fewer.
    model_after: usize,
    /// Whether the first letter of the name `model` is escaped.
    escaped: bool,
}

const BLANKS: [&str; 4] = [" ", "\n  ", "\t", "\r\n"];

impl Formatting {
    /// Draws a formatting, most often the compact one.
    pub fn random(rng: &mut CaseRng) -> Self {
        Self {
            blank: if chance(70, rng) { "" } else { *pick(&BLANKS, rng) },
            model_after: if chance(50, rng) { 0 } else { rng.random_range(0..12) },
            escaped: chance(4, rng),
        }
    }

    /// The body as JSON text, with this model name. If the body is not an object, the model name is
    /// left out.
    pub fn text(&self, body: &Tree, model: &str) -> String {
        let Tree::Object(members) = body else { return body.compact() };
        let (before, after) = members.split_at(self.model_after.min(members.len()));
        let members = before.iter().map(Some).chain([None]).chain(after.iter().map(Some));
        let name = if self.escaped { r#""\u006dodel""# } else { r#""model""# };
        let model = Tree::string(model);
        let mut out = String::new();
        self.list(['{', '}'], members, &mut out, |member, out| match member {
            Some((name, value)) => self.member(&quoted(name), value, out),
            None => self.member(name, &model, out),
        });
        out
    }

    fn value(&self, value: &Tree, out: &mut String) {
        match value {
            Tree::Scalar(text) => out.push_str(text),
            Tree::Array(items) => {
                self.list(['[', ']'], items.iter(), out, |item, out| self.value(item, out));
            }
            Tree::Object(members) => {
                self.list(['{', '}'], members.iter(), out, |(name, value), out| {
                    self.member(&quoted(name), value, out);
                });
            }
        }
    }

    fn member(&self, name: &str, value: &Tree, out: &mut String) {
        out.extend([name, self.blank, ":", self.blank]);
        self.value(value, out);
    }

    fn list<T>(
        &self,
        [open, close]: [char; 2],
        items: impl Iterator<Item = T>,
        out: &mut String,
        write: impl Fn(T, &mut String),
    ) {
        out.push(open);
        out.push_str(self.blank);
        for (index, item) in items.enumerate() {
            if index > 0 {
                out.extend([",", self.blank]);
            }
            write(item, out);
        }
        out.push_str(self.blank);
        out.push(close);
    }
}
