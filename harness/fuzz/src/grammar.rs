//! What a provider takes as a request, as a grammar that requests can be made from.
//!
//! It is read from the schemas that the mocks enforce, in the subset that `mocks/strict/spec/README.md`
//! describes. What a model does not take is not in it: see [`repair`](super::repair).

use std::collections::HashMap;
use std::sync::OnceLock;

use fallproof_mocks::strict;
use fallproof_protocol::provider::{Endpoint, Surface};
use indexmap::IndexMap;
use serde_json::{Map, Value};

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

/// Beyond any number of values; what has no end costs this.
const ENDLESS: usize = usize::MAX / 2;

impl Grammar {
    /// The grammar of this endpoint on this surface.
    pub fn of(surface: Surface, endpoint: Endpoint) -> &'static Self {
        static GRAMMARS: PerRequest<Grammar> = PerRequest::new();
        GRAMMARS.of(surface, endpoint, || Self::read(strict::schema_text(surface, endpoint)))
    }

    fn read(schema: &str) -> Self {
        let schema: Value = serde_json::from_str(schema).expect("the mocks read it too");
        let none = Map::new();
        let definitions = schema["$defs"].as_object().unwrap_or(&none);
        let mut reader = Reader { definitions, nodes: Vec::new(), known: HashMap::new() };
        let root = reader.node(&schema);
        reader.leave_to_the_gateway(root);
        let nodes = reader.nodes;
        let costs = costs(&nodes);
        let rules = schema["x-rules"].as_array().into_iter().flatten();
        let needs = rules.filter(|rule| rule["kind"] == "requires").map(need).collect();
        Self { nodes, costs, root, needs }
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

fn need(rule: &Value) -> Need {
    let values = rule["requires"].as_object().into_iter().flatten();
    let present = rule["requires_present"].as_array().into_iter().flatten();
    Need {
        of: rule["param"].as_str().unwrap_or_default().to_owned(),
        values: values.map(|(name, value)| (name.clone(), value.clone())).collect(),
        present: present.filter_map(Value::as_str).map(str::to_owned).collect(),
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

struct Reader<'a> {
    definitions: &'a Map<String, Value>,
    nodes: Vec<Node>,
    /// The places of the definitions met so far.
    known: HashMap<&'a str, Id>,
}

impl<'a> Reader<'a> {
    fn put(&mut self, node: Node) -> Id {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    /// Takes out what a client of a gateway cannot choose: the model, in whose place the group's
    /// name stands, and a response of before, which only the upstream knows that gave it.
    fn leave_to_the_gateway(&mut self, root: Id) {
        let null = self.put(Node::Null);
        if let Node::Object(object) = &mut self.nodes[root] {
            object.members.shift_remove("model");
            if let Some(member) = object.members.get_mut("previous_response_id") {
                member.node = null;
            }
        }
    }

    fn node(&mut self, schema: &'a Value) -> Id {
        if let Some(reference) = schema["$ref"].as_str() {
            return self.definition(reference.strip_prefix("#/$defs/").unwrap_or(reference));
        }
        let node = self.shape(schema);
        self.put(node)
    }

    /// A definition may lead back to itself, so it has its place before it is read.
    fn definition(&mut self, name: &'a str) -> Id {
        if let Some(&id) = self.known.get(name) {
            return id;
        }
        let id = self.put(Node::Anything);
        self.known.insert(name, id);
        let schema = &self.definitions[name];
        self.nodes[id] = if schema["$ref"].is_string() {
            Node::OneOf(vec![self.node(schema)])
        } else {
            self.shape(schema)
        };
        id
    }

    fn shape(&mut self, schema: &'a Value) -> Node {
        if let Some(branches) = schema["anyOf"].as_array() {
            return Node::OneOf(branches.iter().map(|branch| self.node(branch)).collect());
        }
        if let Some(words) = schema["enum"].as_array() {
            return Node::Words(words.clone());
        }
        match &schema["type"] {
            Value::String(kind) => self.of_kind(kind, schema),
            Value::Array(kinds) => {
                let kinds = kinds.iter().filter_map(Value::as_str);
                let shapes: Vec<_> = kinds.map(|kind| self.of_kind(kind, schema)).collect();
                Node::OneOf(shapes.into_iter().map(|shape| self.put(shape)).collect())
            }
            _ => Node::Anything,
        }
    }

    fn of_kind(&mut self, kind: &str, schema: &'a Value) -> Node {
        let count = |keyword: &str| schema[keyword].as_u64().and_then(|it| it.try_into().ok());
        match kind {
            "null" => Node::Null,
            "boolean" => Node::Bool,
            "integer" | "number" => Node::Number(Number {
                integer: kind == "integer",
                least: schema["minimum"].as_f64(),
                most: schema["maximum"].as_f64(),
            }),
            "string" => Node::Text(Text {
                least: count("minLength").unwrap_or_default(),
                most: count("maxLength"),
                characters: schema["pattern"].as_str().map(characters),
            }),
            "array" => Node::List(List {
                item: match schema.get("items") {
                    Some(items) => self.node(items),
                    None => self.put(Node::Anything),
                },
                least: count("minItems").unwrap_or_default(),
                most: count("maxItems"),
            }),
            "object" => Node::Object(self.object(schema, count("maxProperties"))),
            other => unreachable!("the mocks read no type `{other}`"),
        }
    }

    fn object(&mut self, schema: &'a Value, most: Option<usize>) -> Object {
        let required: Vec<_> =
            schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let members = schema["properties"].as_object().into_iter().flatten();
        let members = members
            .map(|(name, schema)| {
                let required = required.contains(&name.as_str());
                (name.clone(), Member { node: self.node(schema), required })
            })
            .collect();
        let others = match schema.get("additionalProperties") {
            Some(Value::Bool(false)) => None,
            Some(schema @ Value::Object(_)) => Some(self.node(schema)),
            _ => Some(self.put(Node::Anything)),
        };
        Object { members, others, most }
    }
}

/// The characters of a pattern of the one form in use: `^[…]+$` with single characters and ranges.
fn characters(pattern: &str) -> Vec<char> {
    let class = pattern.trim_start_matches("^[").trim_end_matches("]+$");
    let class: Vec<_> = class.chars().collect();
    let mut found = Vec::new();
    let mut at = 0;
    while at < class.len() {
        if let [from, '-', to, ..] = class[at..] {
            found.extend(from..=to);
            at += 3;
        } else {
            found.push(class[at]);
            at += 1;
        }
    }
    found
}

/// The least costs, by going over all nodes until nothing gets cheaper.
fn costs(nodes: &[Node]) -> Vec<usize> {
    let mut costs = vec![ENDLESS; nodes.len()];
    loop {
        let mut cheaper = false;
        for (id, node) in nodes.iter().enumerate() {
            let cost = match node {
                Node::OneOf(branches) => {
                    branches.iter().map(|&id| costs[id]).min().unwrap_or(ENDLESS)
                }
                Node::List(list) => 1 + costs[list.item].saturating_mul(list.least),
                Node::Object(object) => {
                    let required = object.members.values().filter(|member| member.required);
                    required.fold(1_usize, |sum, member| sum.saturating_add(costs[member.node]))
                }
                _ => 1,
            };
            let cost = cost.min(ENDLESS);
            if cost < costs[id] {
                costs[id] = cost;
                cheaper = true;
            }
        }
        if !cheaper {
            return costs;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_schema_is_read_and_has_a_smallest_request() {
        for surface in Surface::ALL {
            for endpoint in Endpoint::ALL.into_iter().filter(|endpoint| !endpoint.is_multipart()) {
                let grammar = Grammar::of(surface, endpoint);
                assert!(matches!(grammar.node(grammar.root()), Node::Object(_)));
                let cost = grammar.cost(grammar.root());
                assert!((1..10).contains(&cost), "{surface:?} {endpoint:?} costs {cost}");
            }
        }
    }

    #[test]
    fn a_pattern_is_its_characters() {
        assert_eq!(characters("^[a-cX_-]+$"), ['a', 'b', 'c', 'X', '_', '-']);
    }

    #[test]
    fn what_leads_back_to_itself_is_cut_at_its_cheapest() {
        let grammar = Grammar::read(
            r##"{"type": "object", "required": ["f"], "properties": {"f": {"$ref": "#/$defs/F"}},
                "$defs": {"F": {"anyOf": [
                    {"type": "array", "minItems": 2, "items": {"$ref": "#/$defs/F"}},
                    {"type": "boolean"}]}}}"##,
        );
        assert_eq!(grammar.cost(grammar.root()), 2);
    }
}
