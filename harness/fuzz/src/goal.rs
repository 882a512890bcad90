//! Coverage goals: the parts of a grammar that generated requests target one by one, so that
//! coverage does not depend on chance.
//!
//! A goal is a parameter at any depth, an enum value, a branch of a union, or a member with an
//! arbitrary name.

use std::collections::{HashSet, VecDeque};

use serde_json::Value;

use super::grammar::{Grammar, Id, Node, PerRequest, Turn};
use fallproof_protocol::json::Tree;
use fallproof_protocol::provider::{Endpoint, Surface};

/// A part of the grammar that a request can reach.
#[derive(Debug, Clone)]
pub struct Goal {
    /// The last turn of the route, and the node where it is taken.
    pub mark: Mark,
    /// A shortest route from the root, including the last turn.
    pub route: Vec<Turn>,
}

/// A turn taken at a node.
pub type Mark = (Id, Turn);

/// All goals that a request of this endpoint on this surface can reach. Goals close to the root
/// come first.
pub fn goals(surface: Surface, endpoint: Endpoint) -> &'static [Goal] {
    static GOALS: PerRequest<Vec<Goal>> = PerRequest::new();
    GOALS.of(surface, endpoint, || all(Grammar::of(surface, endpoint)))
}

fn all(grammar: &Grammar) -> Vec<Goal> {
    let mut goals = Vec::new();
    let mut met = HashSet::from([grammar.root()]);
    let mut queue = VecDeque::from([(grammar.root(), Vec::new())]);
    while let Some((id, route)) = queue.pop_front() {
        let led = |turn| [&route[..], &[turn]].concat();
        if let Node::Enum(values) = grammar.node(id) {
            let values = (0..values.len()).map(Turn::Value);
            goals.extend(values.map(|turn| Goal { mark: (id, turn), route: led(turn) }));
        }
        for (turn, below) in grammar.below(id) {
            if turn != Turn::Item {
                goals.push(Goal { mark: (id, turn), route: led(turn) });
            }
            if met.insert(below) {
                queue.push_back((below, led(turn)));
            }
        }
    }
    goals
}

impl Grammar {
    /// Walks through this value, beginning at this node. Calls `reached` for every turn, with the
    /// value that the turn leads to. If several branches match a value, visits all of them.
    pub fn visit<'t>(&self, id: Id, value: &'t Tree, reached: &mut impl FnMut(Mark, &'t Tree)) {
        match (self.node(id), value) {
            (Node::OneOf(branches), _) => {
                for (at, &branch) in branches.iter().enumerate() {
                    if self.takes(branch, value) {
                        reached((id, Turn::Branch(at)), value);
                        self.visit(branch, value, reached);
                    }
                }
            }
            (Node::Enum(values), _) => {
                if let Some(at) = enum_index(value, values) {
                    reached((id, Turn::Value(at)), value);
                }
            }
            (Node::List(list), Tree::Array(items)) => {
                for item in items {
                    reached((id, Turn::Item), item);
                    self.visit(list.item, item, reached);
                }
            }
            (Node::Object(object), Tree::Object(members)) => {
                for (name, value) in members {
                    let known = object.members.get_full(name).map(|(at, _, it)| (at, it.node));
                    let (turn, below) = match (known, object.others) {
                        (Some((at, below)), _) => (Turn::Member(at), below),
                        (None, Some(below)) => (Turn::Other, below),
                        (None, None) => continue,
                    };
                    reached((id, turn), value);
                    self.visit(below, value, reached);
                }
            }
            _ => {}
        }
    }

    /// Whether this value has only types and member names that this node allows. Limits and
    /// patterns are not checked.
    pub fn takes(&self, id: Id, value: &Tree) -> bool {
        match (self.node(id), value) {
            (Node::Anything, _) => true,
            (Node::OneOf(branches), _) => branches.iter().any(|&branch| self.takes(branch, value)),
            (Node::Enum(values), _) => enum_index(value, values).is_some(),
            (Node::Null, Tree::Scalar(text)) => text == "null",
            (Node::Bool, Tree::Scalar(text)) => text == "true" || text == "false",
            (Node::Text(_), Tree::Scalar(text)) => text.starts_with('"'),
            (Node::Number(number), Tree::Scalar(text)) => {
                text.starts_with(|first: char| first == '-' || first.is_ascii_digit())
                    && !(number.integer && text.contains(['.', 'e', 'E']))
            }
            (Node::List(list), Tree::Array(items)) => {
                items.iter().all(|item| self.takes(list.item, item))
            }
            (Node::Object(object), Tree::Object(members)) => {
                let mut required = object.members.iter().filter(|(_, member)| member.required);
                required.all(|(name, _)| value.member(name).is_some())
                    && members.iter().all(|(name, value)| {
                        let known = object.members.get(name).map(|member| member.node);
                        known.or(object.others).is_some_and(|below| self.takes(below, value))
                    })
            }
            _ => false,
        }
    }
}

fn enum_index(value: &Tree, values: &[Value]) -> Option<usize> {
    let Tree::Scalar(text) = value else { return None };
    let value = serde_json::from_str::<Value>(text).ok()?;
    values.iter().position(|listed| *listed == value)
}
