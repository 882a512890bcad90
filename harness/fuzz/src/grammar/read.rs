//! Reads a grammar from a schema.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::{Grammar, Id, List, Member, Need, Node, Number, Object, Text};

/// Cost of a node without a finite form; larger than any real cost.
const ENDLESS: usize = usize::MAX / 2;

impl Grammar {
    pub(super) fn read(schema: &str) -> Self {
        let schema: Value = serde_json::from_str(schema).expect("the schema is valid JSON");
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

struct Reader<'a> {
    definitions: &'a Map<String, Value>,
    nodes: Vec<Node>,
    /// Nodes of the definitions read so far.
    known: HashMap<&'a str, Id>,
}

impl<'a> Reader<'a> {
    fn put(&mut self, node: Node) -> Id {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    /// Removes the values that a client of a gateway cannot choose. One is `model`: the client
    /// sends the name of the group instead. The other is the id of a previous response, which only
    /// the deployment that created the response knows.
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

    /// Reads a definition. It may be recursive, so its node is reserved before it is read.
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
        if let Some(values) = schema["enum"].as_array() {
            return Node::Enum(values.clone());
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
                min: schema["minimum"].as_f64(),
                max: schema["maximum"].as_f64(),
            }),
            "string" => Node::Text(Text {
                min: count("minLength").unwrap_or_default(),
                max: count("maxLength"),
                characters: schema["pattern"].as_str().map(characters),
            }),
            "array" => Node::List(List {
                item: match schema.get("items") {
                    Some(items) => self.node(items),
                    None => self.put(Node::Anything),
                },
                min: count("minItems").unwrap_or_default(),
                max: count("maxItems"),
            }),
            "object" => Node::Object(self.object(schema, count("maxProperties"))),
            other => unreachable!("the schemas of the mocks have no type `{other}`"),
        }
    }

    fn object(&mut self, schema: &'a Value, max: Option<usize>) -> Object {
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
        Object { members, others, max }
    }
}

/// The characters of a pattern. Supports only the form `^[…]+$` with characters and ranges, since
/// the schemas use no other form.
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

/// The minimum cost of each node. Visits all nodes repeatedly until no cost decreases.
fn costs(nodes: &[Node]) -> Vec<usize> {
    let mut costs = vec![ENDLESS; nodes.len()];
    loop {
        let mut cheaper = false;
        for (id, node) in nodes.iter().enumerate() {
            let cost = match node {
                Node::OneOf(branches) => {
                    branches.iter().map(|&id| costs[id]).min().unwrap_or(ENDLESS)
                }
                Node::List(list) => 1 + costs[list.item].saturating_mul(list.min),
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
    use fallproof_protocol::provider::{Endpoint, Surface};

    use super::*;

    #[test]
    fn every_schema_has_a_grammar_with_a_smallest_request() {
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
    fn a_pattern_is_read_as_its_characters() {
        assert_eq!(characters("^[a-cX_-]+$"), ['a', 'b', 'c', 'X', '_', '-']);
    }

    #[test]
    fn a_recursive_definition_costs_as_much_as_its_cheapest_branch() {
        let grammar = Grammar::read(
            r##"{"type": "object", "required": ["f"], "properties": {"f": {"$ref": "#/$defs/F"}},
                "$defs": {"F": {"anyOf": [
                    {"type": "array", "minItems": 2, "items": {"$ref": "#/$defs/F"}},
                    {"type": "boolean"}]}}}"##,
        );
        assert_eq!(grammar.cost(grammar.root()), 2);
    }
}
