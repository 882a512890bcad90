//! Makes a request invalid, by a single change that its provider does not accept.

use rand::seq::SliceRandom as _;
use serde_json::Value;

use super::grammar::{Grammar, Id, Node};
use super::paths;
use super::random::{CaseRng, pick};
use fallproof_protocol::json::Tree;

/// How a request is invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Defect {
    /// A member that is not in the schema.
    Unknown,
    /// A required member is missing.
    Missing,
    /// A value of the wrong type.
    Type,
    /// A value that is not in the enum, or a number, length or count outside its limits.
    Range,
}

impl Defect {
    /// All defects.
    pub const ALL: [Self; 4] = [Self::Unknown, Self::Missing, Self::Type, Self::Range];
}

/// Member names that do not occur in any schema. Some are internal names of gateways.
const STRANGERS: &[&str] =
    &["zzz", "litellm_params", "model_group", "api_base", "Temperature", "max-tokens", ""];

/// Returns this body with one defect of this kind; `None` if the body cannot have one.
pub fn mutate(grammar: &Grammar, body: &Tree, defect: Defect, rng: &mut CaseRng) -> Option<Tree> {
    let mut search = Search { grammar, rng, defect, changes: Vec::new() };
    search.visit(grammar.root(), body, &mut Vec::new());
    let mut changes = search.changes;
    changes.shuffle(rng);
    changes.into_iter().find_map(|(path, change)| {
        let mut body = body.clone();
        apply(&mut body, &path, change);
        // The change may have made the value valid for another branch.
        let is_valid = defect == Defect::Type && grammar.takes(grammar.root(), &body);
        (!is_valid).then_some(body)
    })
}

#[derive(Debug, Clone)]
enum Change {
    Add(String, Tree),
    Remove(usize),
    Replace(Tree),
}

struct Search<'a> {
    grammar: &'a Grammar,
    rng: &'a mut CaseRng,
    defect: Defect,
    /// Paths from the root, each with a change to make there.
    changes: Vec<(Vec<usize>, Change)>,
}

impl Search<'_> {
    fn visit(&mut self, id: Id, value: &Tree, path: &mut Vec<usize>) {
        let changes = match self.defect {
            Defect::Unknown => self.unknown(id),
            Defect::Missing => self.missing(id, value),
            Defect::Type | Defect::Range if path.is_empty() => vec![],
            Defect::Type => self.other_type(id),
            Defect::Range => self.beyond(id, value),
        };
        self.changes.extend(changes.into_iter().map(|change| (path.clone(), change)));
        self.descend(id, value, path);
    }

    fn descend(&mut self, id: Id, value: &Tree, path: &mut Vec<usize>) {
        let grammar = self.grammar;
        match (grammar.node(id), value) {
            (Node::OneOf(branches), _) => {
                let branch = branches.iter().find(|&&branch| grammar.takes(branch, value));
                if let Some(&branch) = branch {
                    // Types and ranges were handled above, across all branches.
                    match self.defect {
                        Defect::Unknown | Defect::Missing => self.visit(branch, value, path),
                        Defect::Type | Defect::Range => self.descend(branch, value, path),
                    }
                }
            }
            (Node::List(list), Tree::Array(items)) => {
                for (at, item) in items.iter().enumerate() {
                    path.push(at);
                    self.visit(list.item, item, path);
                    path.pop();
                }
            }
            (Node::Object(object), Tree::Object(members)) => {
                for (at, (name, value)) in members.iter().enumerate() {
                    let known = object.members.get(name).map(|member| member.node);
                    if let Some(below) = known.or(object.others) {
                        path.push(at);
                        self.visit(below, value, path);
                        path.pop();
                    }
                }
            }
            _ => {}
        }
    }

    fn unknown(&mut self, id: Id) -> Vec<Change> {
        match self.grammar.node(id) {
            Node::Object(object) if object.others.is_none() => {
                let name = (*pick(STRANGERS, self.rng)).to_owned();
                let value = pick(&["1", "\"x\"", "{}", "null"], self.rng);
                vec![Change::Add(name, Tree::Scalar((*value).to_owned()))]
            }
            _ => vec![],
        }
    }

    fn missing(&mut self, id: Id, value: &Tree) -> Vec<Change> {
        let (Node::Object(object), Tree::Object(members)) = (self.grammar.node(id), value) else {
            return vec![];
        };
        let required =
            |name: &String| object.members.get(name).is_some_and(|member| member.required);
        let indices = members.iter().enumerate().filter(|(_, (name, _))| required(name));
        indices.map(|(at, _)| Change::Remove(at)).collect()
    }

    fn other_type(&mut self, id: Id) -> Vec<Change> {
        // A node that allows only null stands for the id of a previous response. The grammar does
        // not know which types are wrong for it.
        if matches!(self.grammar.node(id), Node::Null) {
            return vec![];
        }
        let others = [
            Tree::Scalar("null".to_owned()),
            Tree::Scalar("true".to_owned()),
            Tree::Scalar("7".to_owned()),
            Tree::Scalar("0.5".to_owned()),
            Tree::Scalar("\"zzz\"".to_owned()),
            Tree::Array(vec![]),
            Tree::Object(vec![]),
        ];
        let wrong = others.into_iter().filter(|other| !self.grammar.takes(id, other));
        wrong.map(Change::Replace).collect()
    }

    fn beyond(&mut self, id: Id, value: &Tree) -> Vec<Change> {
        let scalar = |text: String| Change::Replace(Tree::Scalar(text));
        match (self.grammar.node(id), value) {
            (Node::OneOf(branches), _) => {
                let grammar = self.grammar;
                let Some(&own) = branches.iter().find(|&&branch| grammar.takes(branch, value))
                else {
                    return vec![];
                };
                let mut changes = self.beyond(own, value);
                // A value out of range for one branch may be valid for another.
                let others = || branches.iter().filter(|&&branch| branch != own);
                changes.retain(|change| {
                    !matches!(change, Change::Replace(new) if others().any(|&it| grammar.takes(it, new)))
                });
                changes
            }
            (Node::Enum(values), _) if values.iter().any(Value::is_string) => {
                vec![scalar("\"zzz\"".to_owned())]
            }
            (Node::Number(limits), _) => {
                let above = limits.max.map(|max| scalar((max.ceil() + 1.0).to_string()));
                let below = limits.min.map(|min| scalar((min.floor() - 1.0).to_string()));
                above.into_iter().chain(below).collect()
            }
            (Node::Text(limits), _) => {
                let max = limits.max.filter(|&max| max < 100_000);
                max.map(|max| scalar(format!("\"{}\"", "x".repeat(max + 1)))).into_iter().collect()
            }
            (Node::List(limits), Tree::Array(items)) => {
                let few = (limits.min > 0).then(|| Change::Replace(Tree::Array(vec![])));
                let many = limits.max.filter(|&max| max < 500 && !items.is_empty()).map(|max| {
                    Change::Replace(Tree::Array(
                        items.iter().cycle().take(max + 1).cloned().collect(),
                    ))
                });
                few.into_iter().chain(many).collect()
            }
            _ => vec![],
        }
    }
}

fn apply(body: &mut Tree, path: &[usize], change: Change) {
    match (change, paths::at_mut(body, path)) {
        (Change::Add(name, new), Some(Tree::Object(members))) => members.push((name, new)),
        (Change::Remove(at), Some(Tree::Object(members))) => drop(members.remove(at)),
        (Change::Replace(new), Some(value)) => *value = new,
        _ => {}
    }
}
