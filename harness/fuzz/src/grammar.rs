//! What a provider takes as a request, as a grammar that requests can be made from.
//!
//! It is read from the schemas that the mocks enforce, in the subset that `mocks/strict/spec/README.md`
//! describes. What a model does not take is not in it: see [`repair`](super::repair).

mod read;

use std::sync::OnceLock;

use fallproof_protocol::provider::{Endpoint, Surface};
use fallproof_strict as strict;
use indexmap::IndexMap;
use serde_json::Value;

/// A place in a grammar.
pub type Id = usize;

/// The requests of one endpoint on one surface.
#[derive(Debug)]
pub struct Grammar {
    nodes: Vec<Node>,
    /// For each node, how many values its smallest form holds.
    costs: Vec<usize>,
    root: Id,
    /// Which parameters need others.
    needs: Vec<Need>,
}

/// That a parameter is taken only beside others.
#[derive(Debug)]
pub struct Need {
    /// The parameter.
    pub of: String,
    /// Others, and the values that they must have.
    pub values: Vec<(String, Value)>,
    /// Others that must be there and not null.
    pub present: Vec<String>,
}

/// What may stand at one place.
#[derive(Debug)]
pub enum Node {
    /// Any of several.
    OneOf(Vec<Id>),
    /// `null`
    Null,
    /// `true` or `false`
    Bool,
    /// One of these values.
    Words(Vec<Value>),
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

/// A string's limits.
#[derive(Debug, Default)]
pub struct Text {
    /// The fewest characters.
    pub least: usize,
    /// The most characters.
    pub most: Option<usize>,
    /// The characters that it is made of, at least one; `None` where any will do.
    pub characters: Option<Vec<char>>,
}

/// A number's limits.
#[derive(Debug)]
pub struct Number {
    /// Whether a point or an exponent is refused.
    pub integer: bool,
    /// The smallest.
    pub least: Option<f64>,
    /// The greatest.
    pub most: Option<f64>,
}

impl Number {
    /// Any number.
    pub const ANY: Self = Self { integer: false, least: None, most: None };
}

/// An array's items and limits.
#[derive(Debug)]
pub struct List {
    /// What each item is.
    pub item: Id,
    /// The fewest items.
    pub least: usize,
    /// The most items.
    pub most: Option<usize>,
}

/// An object's members.
#[derive(Debug)]
pub struct Object {
    /// Those with a name of their own.
    pub members: IndexMap<String, Member>,
    /// What members of any other name are; `None` where they are refused.
    pub others: Option<Id>,
    /// The most members.
    pub most: Option<usize>,
}

/// A member of an object.
#[derive(Debug)]
pub struct Member {
    /// What it is.
    pub node: Id,
    /// Whether it must be there.
    pub required: bool,
}

/// Something for each endpoint on each surface, made when it is asked for first.
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

    /// Where a request begins.
    pub fn root(&self) -> Id {
        self.root
    }

    /// Which parameters need others.
    pub fn needs(&self) -> &[Need] {
        &self.needs
    }

    /// What may stand at this place.
    pub fn node(&self, id: Id) -> &Node {
        &self.nodes[id]
    }

    /// How many values the smallest form of this holds.
    pub fn cost(&self, id: Id) -> usize {
        self.costs[id]
    }

    /// The places below this one, each with the turn that leads there.
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
            | Node::Words(_)
            | Node::Text(_)
            | Node::Number(_)
            | Node::Anything => vec![],
        }
    }
}

/// One step down in a grammar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Turn {
    /// To the branch with this number.
    Branch(usize),
    /// To the value with this number; nothing is below it.
    Word(usize),
    /// To the member with this number.
    Member(usize),
    /// To a member of any other name.
    Other,
    /// To an item.
    Item,
}
