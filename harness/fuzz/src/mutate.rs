//! Makes a request invalid: one change that its provider does not accept.

use rand::seq::SliceRandom as _;
use serde_json::Value;

use super::grammar::{Grammar, Id, Node};
use super::paths;
use super::random::{CaseRng, pick};
use fallproof_protocol::json::Tree;

/// In what way a request is invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Defect {
    /// A member that the schema does not know.
    Unknown,
    /// A member that must be there is not.
    Missing,
    /// A value of another type.
    Type,
    /// A value, a number, a length or a count beyond what is listed or set.
    Range,
}

impl Defect {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Unknown, Self::Missing, Self::Type, Self::Range];
}

/// Names that no schema knows; some that gateways use among themselves.
const STRANGERS: &[&str] =
    &["zzz", "litellm_params", "model_group", "api_base", "Temperature", "max-tokens", ""];

/// This body with one defect of this kind; `None` where no place in it can have one.
pub fn mutate(grammar: &Grammar, body: &Tree, defect: Defect, rng: &mut CaseRng) -> Option<Tree> {
    let mut search = Search { grammar, rng, defect, changes: Vec::new() };
    search.visit(grammar.root(), body, &mut Vec::new());
    let mut changes = search.changes;
    changes.shuffle(rng);
    changes.into_iter().find_map(|(path, change)| {
        let mut body = body.clone();
        apply(&mut body, &path, change);
        // One item of a list may have made it a list of another kind.
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
    /// Places, as positions of members and items from the root on, and what to do there.
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
                    // What may stand here was looked at above, over all branches.
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
        let places = members.iter().enumerate().filter(|(_, (name, _))| required(name));
        places.map(|(at, _)| Change::Remove(at)).collect()
    }

    fn other_type(&mut self, id: Id) -> Vec<Change> {
        // Alone, null is all that can be said of a response of before, and no type.
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
                // What is too much for one branch may do for another.
                let others = || branches.iter().filter(|&&branch| branch != own);
                changes.retain(|change| {
                    !matches!(change, Change::Replace(new) if others().any(|&it| grammar.takes(it, new)))
                });
                changes
            }
            (Node::Words(words), _) if words.iter().any(Value::is_string) => {
                vec![scalar("\"zzz\"".to_owned())]
            }
            (Node::Number(limits), _) => {
                let above = limits.most.map(|most| scalar((most.ceil() + 1.0).to_string()));
                let below = limits.least.map(|least| scalar((least.floor() - 1.0).to_string()));
                above.into_iter().chain(below).collect()
            }
            (Node::Text(limits), _) => {
                let most = limits.most.filter(|&most| most < 100_000);
                most.map(|most| scalar(format!("\"{}\"", "x".repeat(most + 1))))
                    .into_iter()
                    .collect()
            }
            (Node::List(limits), Tree::Array(items)) => {
                let few = (limits.least > 0).then(|| Change::Replace(Tree::Array(vec![])));
                let many =
                    limits.most.filter(|&most| most < 500 && !items.is_empty()).map(|most| {
                        Change::Replace(Tree::Array(
                            items.iter().cycle().take(most + 1).cloned().collect(),
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
