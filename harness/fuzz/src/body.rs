//! Generates request bodies from a grammar.

use rand::RngExt as _;
use rand::seq::SliceRandom as _;
use serde_json::Value;

use super::grammar::{Grammar, Id, List, Node, Object, Text, Turn};
use super::json_text;
use super::random::{CaseRng, case_rng, chance, pick};
use fallproof_protocol::json::Tree;

/// How large a generated body is.
#[derive(Debug, Clone, Copy)]
pub struct Richness {
    /// Once the body has this many values, only required members are added.
    pub budget: usize,
    /// Probability, in percent, that an optional member is added.
    pub density: u32,
}

impl Richness {
    /// Draws a small, medium or large size.
    pub fn random(rng: &mut CaseRng) -> Self {
        let budget = *pick(&[0, 8, 25, 60, 150], rng);
        let density = *pick(&[5, 15, 30, 60], rng);
        Self { budget, density }
    }
}

/// Generates a body that follows this route. `model` is not included.
pub fn body(grammar: &Grammar, route: &[Turn], richness: Richness, rng: &mut CaseRng) -> Tree {
    let mut writer = Writer { grammar, rng, left: richness.budget, density: richness.density };
    let mut body = writer.value(grammar.root(), route, "");
    if let (Tree::Object(members), Node::Object(object)) = (&mut body, grammar.node(grammar.root()))
    {
        writer.needs(members, object);
    }
    body
}

/// The smallest body. It is always the same.
pub fn minimal_body(grammar: &Grammar) -> Tree {
    let richness = Richness { budget: 0, density: 0 };
    body(grammar, &[], richness, &mut case_rng(0, 0))
}

struct Writer<'a> {
    grammar: &'a Grammar,
    rng: &'a mut CaseRng,
    left: usize,
    density: u32,
}

impl Writer<'_> {
    /// Generates a value for this node. `name` is the name of the enclosing member.
    fn value(&mut self, id: Id, route: &[Turn], name: &str) -> Tree {
        let grammar = self.grammar;
        self.left = self.left.saturating_sub(1);
        match grammar.node(id) {
            Node::OneOf(branches) => {
                let (at, rest) = match route {
                    [Turn::Branch(at), rest @ ..] => (*at, rest),
                    _ => (self.branch(branches), &[][..]),
                };
                self.value(branches[at], rest, name)
            }
            Node::Null => scalar("null"),
            Node::Bool => scalar(if chance(50, self.rng) { "true" } else { "false" }),
            Node::Enum(values) => {
                let at = match route {
                    [Turn::Value(at)] => *at,
                    _ => self.rng.random_range(0..values.len()),
                };
                self.enum_value(&values[at])
            }
            Node::Text(limits) => Tree::Scalar(json_text::text(limits, name, self.rng)),
            Node::Number(limits) => Tree::Scalar(json_text::number(limits, self.rng)),
            Node::List(list) => self.list(list, route, name),
            Node::Object(object) => self.object(object, route),
            Node::Anything => self.anything(name, 0),
        }
    }

    fn branch(&mut self, branches: &[Id]) -> usize {
        let cost = |at: &usize| self.grammar.cost(branches[*at]);
        if self.left > 0 {
            // Avoid recursive branches that would exceed the budget.
            let fits: Vec<_> =
                (0..branches.len()).filter(|at| cost(at) <= self.left.max(8)).collect();
            if !fits.is_empty() {
                return *pick(&fits, self.rng);
            }
        }
        (0..branches.len()).min_by_key(cost).unwrap_or_default()
    }

    fn enum_value(&mut self, value: &Value) -> Tree {
        Tree::Scalar(match value {
            Value::String(text) if chance(10, self.rng) => json_text::quoted(text, self.rng),
            value => value.to_string(),
        })
    }

    fn list(&mut self, list: &List, route: &[Turn], name: &str) -> Tree {
        let led = matches!(route, [Turn::Item, ..]);
        let mut length = list.min.max(usize::from(led));
        let max = list.max.unwrap_or(usize::MAX);
        while self.left > 0 && length < max && chance(55, self.rng) {
            length += 1;
            self.left = self.left.saturating_sub(self.grammar.cost(list.item));
        }
        let at = self.rng.random_range(0..length.max(1));
        let items = (0..length).map(|index| {
            let rest = if led && index == at { &route[1..] } else { &[] };
            self.value(list.item, rest, name)
        });
        Tree::Array(items.collect())
    }

    fn object(&mut self, object: &Object, route: &[Turn]) -> Tree {
        let mut members = Vec::new();
        for (at, (name, member)) in object.members.iter().enumerate() {
            let rest = match route {
                [Turn::Member(led), rest @ ..] if *led == at => Some(rest),
                _ => None,
            };
            let wanted = self.left > 0 && chance(self.density, self.rng);
            if member.required || rest.is_some() || wanted {
                members.push((name.clone(), self.value(member.node, rest.unwrap_or(&[]), name)));
            }
        }
        if let Some(others) = object.others {
            let mut rest = match route {
                [Turn::Other, rest @ ..] => Some(rest),
                _ => None,
            };
            while members.len() < object.max.unwrap_or(usize::MAX)
                && (rest.is_some() || self.left > 0 && chance(self.density, self.rng))
            {
                let name = json_text::name(self.rng);
                if members.iter().any(|(known, _)| *known == name)
                    || object.members.contains_key(&name)
                {
                    continue;
                }
                let value = self.value(others, rest.take().unwrap_or(&[]), &name);
                members.push((name, value));
            }
        }
        members.shuffle(self.rng);
        Tree::Object(members)
    }

    /// Adds the members that are required by members already present.
    fn needs(&mut self, members: &mut Vec<(String, Tree)>, object: &Object) {
        for need in self.grammar.needs() {
            if !members.iter().any(|(name, _)| *name == need.of) {
                continue;
            }
            let values: Vec<_> =
                need.values.iter().map(|(name, value)| (name, self.enum_value(value))).collect();
            for (name, value) in values {
                members.retain(|(known, _)| known != name);
                members.push((name.clone(), value));
            }
            for name in &need.present {
                let absent = !members.iter().any(|(known, _)| known == name);
                if let (Some(member), true) = (object.members.get(name), absent) {
                    members.push((name.clone(), self.value(member.node, &[], name)));
                }
            }
        }
        members.shuffle(self.rng);
    }

    fn anything(&mut self, name: &str, depth: usize) -> Tree {
        self.left = self.left.saturating_sub(1);
        let kinds = if self.left > 0 && depth < 4 { 7 } else { 5 };
        match self.rng.random_range(0..kinds) {
            0 => scalar("null"),
            1 => scalar(if chance(50, self.rng) { "true" } else { "false" }),
            2 => Tree::Scalar(json_text::number(&super::grammar::Number::ANY, self.rng)),
            3 | 4 => Tree::Scalar(json_text::text(&Text::default(), name, self.rng)),
            5 => {
                let items =
                    (0..self.rng.random_range(0..4)).map(|_| self.anything(name, depth + 1));
                Tree::Array(items.collect())
            }
            _ => {
                let mut members: Vec<(String, Tree)> = Vec::new();
                for _ in 0..self.rng.random_range(0..4) {
                    let name = json_text::name(self.rng);
                    if !members.iter().any(|(known, _)| *known == name) {
                        let value = self.anything(&name, depth + 1);
                        members.push((name, value));
                    }
                }
                Tree::Object(members)
            }
        }
    }
}

fn scalar(text: &str) -> Tree {
    Tree::Scalar(text.to_owned())
}
