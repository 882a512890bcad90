//! The grammar of the requests that a provider accepts; bodies are generated from it.
//!
//! The grammar is read from the schemas that the mocks enforce, in the JSON Schema subset that
//! `mocks/strict/spec/README.md` describes. Restrictions of single models are not part of the
//! grammar; [`repair`](super::repair) handles them.

mod read;

use std::sync::OnceLock;

use fallproof_protocol::provider::{Endpoint, Surface};
use fallproof_strict as strict;
use indexmap::IndexMap;
use serde_json::Value;

/// Index of a node in a grammar.
pub type Id = usize;

/// The requests of one endpoint on one surface.
#[derive(Debug)]
pub struct Grammar {
    nodes: Vec<Node>,
    /// For each node, the number of values in its smallest form.
    costs: Vec<usize>,
    root: Id,
    /// Parameters that require other parameters.
    needs: Vec<Need>,
}

/// A dependency: a parameter is only accepted together with other parameters.
#[derive(Debug)]
pub struct Need {
    /// The parameter.
    pub of: String,
    /// Parameters that must have these values.
    pub values: Vec<(String, Value)>,
    /// Parameters that must be present and not null.
    pub present: Vec<String>,
}

/// The values that are allowed at one point of a request.
#[derive(Debug)]
pub enum Node {
    /// A union: any of these branches.
    OneOf(Vec<Id>),
    /// `null`
    Null,
    /// `true` or `false`
    Bool,
    /// One of these values.
    Enum(Vec<Value>),
    /// A string.
    Text(Text),
    /// A number.
    Number(Number),
    /// An array.
    List(List),
    /// An object.
    Object(Object),
    /// Any value at all.
    Anything,
}

/// Limits of a string.
#[derive(Debug, Default)]
pub struct Text {
    /// Minimum number of characters.
    pub min: usize,
    /// Maximum number of characters.
    pub max: Option<usize>,
    /// Allowed characters, in which case the string must not be empty. `None` if any character is
    /// allowed.
    pub characters: Option<Vec<char>>,
}

/// Limits of a number.
#[derive(Debug)]
pub struct Number {
    /// Whether a fraction or an exponent is rejected.
    pub integer: bool,
    /// Minimum.
    pub min: Option<f64>,
    /// Maximum.
    pub max: Option<f64>,
}

impl Number {
    /// Any number.
    pub const ANY: Self = Self { integer: false, min: None, max: None };
}

/// Items and limits of an array.
#[derive(Debug)]
pub struct List {
    /// Node of each item.
    pub item: Id,
    /// Minimum number of items.
    pub min: usize,
    /// Maximum number of items.
    pub max: Option<usize>,
}

/// Members of an object.
#[derive(Debug)]
pub struct Object {
    /// Members that the schema names.
    pub members: IndexMap<String, Member>,
    /// Node of members that the schema does not name; `None` if such members are rejected.
    pub others: Option<Id>,
    /// Maximum number of members.
    pub max: Option<usize>,
}

/// A member of an object.
#[derive(Debug)]
pub struct Member {
    /// Node of its value.
    pub node: Id,
    /// Whether it is required.
    pub required: bool,
}

/// A lazily computed value for each endpoint on each surface.
pub(super) struct PerRequest<T>([[OnceLock<T>; Endpoint::ALL.len()]; Surface::ALL.len()]);

impl<T> PerRequest<T> {
    pub(super) const fn new() -> Self {
        Self([const { [const { OnceLock::new() }; Endpoint::ALL.len()] }; Surface::ALL.len()])
    }

    pub(super) fn of(&self, surface: Surface, endpoint: Endpoint, make: impl FnOnce() -> T) -> &T {
        self.0[surface as usize][endpoint as usize].get_or_init(make)
    }
}

impl Grammar {
    /// The grammar of this endpoint on this surface.
    pub fn of(surface: Surface, endpoint: Endpoint) -> &'static Self {
        static GRAMMARS: PerRequest<Grammar> = PerRequest::new();
        GRAMMARS.of(surface, endpoint, || Self::read(strict::schema_text(surface, endpoint)))
    }

    /// The root node of a request.
    pub fn root(&self) -> Id {
        self.root
    }

    /// Parameters that require other parameters.
    pub fn needs(&self) -> &[Need] {
        &self.needs
    }

    /// The node with this index.
    pub fn node(&self, id: Id) -> &Node {
        &self.nodes[id]
    }

    /// Number of values in the smallest form of this node.
    pub fn cost(&self, id: Id) -> usize {
        self.costs[id]
    }

    /// The children of this node, each with the turn that leads to it.
    pub fn below(&self, id: Id) -> Vec<(Turn, Id)> {
        match self.node(id) {
            Node::OneOf(branches) => {
                branches.iter().enumerate().map(|(at, &id)| (Turn::Branch(at), id)).collect()
            }
            Node::List(list) => vec![(Turn::Item, list.item)],
            Node::Object(object) => {
                let members = object.members.values().enumerate();
                let members = members.map(|(at, member)| (Turn::Member(at), member.node));
                members.chain(object.others.map(|id| (Turn::Other, id))).collect()
            }
            Node::Null
            | Node::Bool
            | Node::Enum(_)
            | Node::Text(_)
            | Node::Number(_)
            | Node::Anything => vec![],
        }
    }
}

/// One step from a node to a child.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Turn {
    /// To the branch with this index.
    Branch(usize),
    /// To the enum value with this index, which has no node.
    Value(usize),
    /// To the member with this index.
    Member(usize),
    /// To a member that the schema does not name.
    Other,
    /// To an item.
    Item,
}
