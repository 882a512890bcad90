//! Walks a schema and a body together and finds the one thing that the provider would report.

use std::cmp::Ordering;
use std::mem;
use std::ops::ControlFlow;

use serde_json::{Number, Value as Json};

use super::Strength;
use super::body::{Kind, Object, Value, compare};
use super::path::Step;
use super::rules;
use super::schema::{Node, Others, Rule, Schema};

/// Something wrong with a body, not yet in words.
#[derive(Debug, Clone)]
pub(super) struct Finding<'a> {
    pub(super) path: Vec<Step<'a>>,
    pub(super) fault: Fault<'a>,
    pub(super) strength: Strength,
}

/// What is wrong.
#[derive(Debug, Clone)]
pub(super) enum Fault<'a> {
    Missing,
    /// A member of this object that its node does not know.
    Unknown {
        of: &'a Node,
        object: &'a Object<'a>,
    },
    /// A value of a type that the node does not take.
    Type {
        expected: &'a Node,
        got: &'a Value<'a>,
    },
    /// A tag that is no string, where one of these was expected.
    TagType {
        choices: Vec<&'a Json>,
        got: &'a Value<'a>,
    },
    /// A value of the right type that is none of these.
    Choice {
        choices: Vec<&'a Json>,
        got: &'a Value<'a>,
    },
    Range {
        side: Side,
        limit: &'a Number,
        integer: bool,
        got: &'a str,
    },
    Size {
        side: Side,
        limit: usize,
        of: Kind,
        got: usize,
    },
    Pattern {
        pattern: &'a str,
    },
    Rule {
        rule: &'a Rule,
        got: &'a Value<'a>,
    },
    Repeated,
}

/// On which side of a limit a value lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Below,
    Above,
}

/// The finding that is to be reported: the first observed one, else the first documented one.
pub(super) fn first_finding<'a>(
    schema: &'a Schema,
    model: &str,
    body: &'a Value<'a>,
) -> Option<Finding<'a>> {
    let Value::Object(object) = body else { return None };
    let mut walk = Walk { schema, model, path: Vec::new(), found: Found::default() };
    // Breaks off at the first observed finding: nothing later can outdo it.
    let _ = walk.request(object);
    if walk.found.is_empty()
        && let Some(path) = body.repeated_key()
    {
        return Some(Finding { path, fault: Fault::Repeated, strength: Strength::Documented });
    }
    walk.found.into_first()
}

/// Breaks at an observed finding.
type Flow = ControlFlow<()>;

/// What a walk has found so far.
#[derive(Debug, Default)]
struct Found<'a> {
    observed: Option<Finding<'a>>,
    documented: Option<Finding<'a>>,
}

impl<'a> Found<'a> {
    fn is_empty(&self) -> bool {
        self.observed.is_none() && self.documented.is_none()
    }

    fn add(&mut self, finding: Finding<'a>) -> Flow {
        match finding.strength {
            Strength::Observed => {
                self.observed.get_or_insert(finding);
                Flow::Break(())
            }
            Strength::Documented => {
                self.documented.get_or_insert(finding);
                Flow::Continue(())
            }
        }
    }

    fn into_first(self) -> Option<Finding<'a>> {
        self.observed.or(self.documented)
    }

    /// How far into the value the walk got before its first finding: depth, then place.
    fn progress(&self) -> (usize, Vec<usize>) {
        let first = self.observed.as_ref().or(self.documented.as_ref());
        let path = first.map_or(&[][..], |finding| &finding.path);
        let places = path.iter().filter_map(|step| match step {
            Step::Index(index) => Some(*index),
            Step::Key(_) => None,
        });
        (path.len(), places.collect())
    }
}

struct Walk<'a, 'm> {
    schema: &'a Schema,
    model: &'m str,
    path: Vec<Step<'a>>,
    found: Found<'a>,
}

impl<'a> Walk<'a, '_> {
    fn request(&mut self, body: &'a Object<'a>) -> Flow {
        let Schema { root, rules, .. } = self.schema;
        for finding in rules::moved(rules, body) {
            self.found.add(finding)?;
        }
        self.names(root, body)?;
        for finding in rules::of_the_model(rules, self.model, body) {
            self.found.add(finding)?;
        }
        self.members(root, body)?;
        for finding in rules::across_parameters(rules, body) {
            self.found.add(finding)?;
        }
        Flow::Continue(())
    }

    fn value(&mut self, node: &'a Node, value: &'a Value<'a>) -> Flow {
        let node = self.schema.resolve(node);
        if !node.branches.is_empty() {
            return self.union(node, value);
        }
        if !node.kinds.has(value.kind()) {
            let fault = Fault::Type { expected: node, got: value };
            return self.report(fault, self.usual(node));
        }
        if let Some(choices) = &node.choices
            && !choices.iter().any(|choice| value.equals(choice))
        {
            let fault = Fault::Choice { choices: choices.iter().collect(), got: value };
            return self.report(fault, self.usual(node));
        }
        match value {
            Value::Null | Value::Bool(_) | Value::File => Flow::Continue(()),
            Value::Number(number) => self.range(node, number),
            Value::String(string) => self.string(node, string),
            Value::Array(items) => self.array(node, items),
            Value::Object(object) => {
                self.names(node, object)?;
                self.members(node, object)
            }
        }
    }

    fn range(&mut self, node: &'a Node, number: &'a str) -> Flow {
        let integer = !node.kinds.has(Kind::Decimal);
        for (side, limit, beyond) in [
            (Side::Below, &node.minimum, Ordering::Less),
            (Side::Above, &node.maximum, Ordering::Greater),
        ] {
            if let Some(limit) = limit
                && compare(number, limit) == Some(beyond)
            {
                self.report(Fault::Range { side, limit, integer, got: number }, seen(node))?;
            }
        }
        Flow::Continue(())
    }

    fn string(&mut self, node: &'a Node, string: &'a str) -> Flow {
        if node.min_length.is_some() || node.max_length.is_some() {
            self.size(
                node,
                Kind::String,
                string.chars().count(),
                node.min_length,
                node.max_length,
            )?;
        }
        match &node.pattern {
            Some(pattern) if !pattern.matches(string) => {
                self.report(Fault::Pattern { pattern: &pattern.text }, seen(node))
            }
            _ => Flow::Continue(()),
        }
    }

    fn array(&mut self, node: &'a Node, items: &'a [Value<'a>]) -> Flow {
        self.size(node, Kind::Array, items.len(), node.min_items, node.max_items)?;
        if let Some(each) = &node.items {
            for (index, item) in items.iter().enumerate() {
                self.below(Step::Index(index), |walk| walk.value(each, item))?;
            }
        }
        Flow::Continue(())
    }

    /// The names in an object: what is missing, then what is unknown.
    fn names(&mut self, node: &'a Node, object: &'a Object<'a>) -> Flow {
        for name in &node.required {
            if object.get(name).is_none() {
                self.below(Step::Key(name), |walk| {
                    walk.report(Fault::Missing, walk.of_missing(node, name, seen(node)))
                })?;
            }
        }
        if matches!(node.others, Others::Closed) {
            for name in object.members.keys() {
                if !node.properties.contains_key(name.as_ref()) || self.is_too_new(name) {
                    let strength = self.of_unknown(node, name);
                    let fault = Fault::Unknown { of: node, object };
                    self.below(Step::Key(name), |walk| walk.report(fault, strength))?;
                }
            }
        }
        self.size(node, Kind::Object, object.members.len(), None, node.max_properties)
    }

    fn members(&mut self, node: &'a Node, object: &'a Object<'a>) -> Flow {
        for (name, value) in &object.members {
            let member = match (node.properties.get(name.as_ref()), &node.others) {
                (Some(member), _) => member,
                (None, Others::Each(member)) => member,
                (None, Others::Open | Others::Closed) => continue,
            };
            self.below(Step::Key(name), |walk| walk.value(member, value))?;
        }
        Flow::Continue(())
    }

    fn size(
        &mut self,
        node: &Node,
        of: Kind,
        got: usize,
        min: Option<usize>,
        max: Option<usize>,
    ) -> Flow {
        if let Some(limit) = min.filter(|&min| got < min) {
            self.report(Fault::Size { side: Side::Below, limit, of, got }, seen(node))?;
        }
        if let Some(limit) = max.filter(|&max| got > max) {
            self.report(Fault::Size { side: Side::Above, limit, of, got }, seen(node))?;
        }
        Flow::Continue(())
    }

    /// A value that may have one of several shapes: the fault is that of the branch which fits
    /// best, where the walk got furthest before it found something.
    fn union(&mut self, node: &'a Node, value: &'a Value<'a>) -> Flow {
        let schema = self.schema;
        let kind = value.kind();
        let mut branches: Vec<_> =
            node.branches.iter().map(|branch| schema.resolve(branch)).collect();
        branches.retain(|branch| branch.kinds.has(kind));
        if branches.is_empty() {
            // A union's strength is about its tags.
            return self.report(Fault::Type { expected: node, got: value }, self.by_depth());
        }
        if let Value::Object(object) = value {
            for tag in &node.tags {
                branches = match self.tagged(tag, branches, object) {
                    Ok(branches) => branches,
                    Err(fault) => {
                        return self.below(Step::Key(tag), |walk| {
                            let strength = match fault {
                                Fault::Missing => walk.of_missing(node, tag, Strength::Documented),
                                _ => walk.usual(node),
                            };
                            walk.report(fault, strength)
                        });
                    }
                };
            }
        }
        if let [only] = branches[..] {
            return self.value(only, value);
        }
        let depth = self.path.len();
        let mut best: Option<Found<'a>> = None;
        for branch in branches {
            let outer = mem::take(&mut self.found);
            // A break is an observed finding of the branch, which is only one of several.
            let _ = self.value(branch, value);
            let found = mem::replace(&mut self.found, outer);
            self.path.truncate(depth);
            if found.is_empty() {
                return Flow::Continue(());
            }
            if best.as_ref().is_none_or(|best| found.progress() > best.progress()) {
                best = Some(found);
            }
        }
        let Found { observed, documented } = best.unwrap_or_default();
        for finding in documented.into_iter().chain(observed) {
            self.found.add(finding)?;
        }
        Flow::Continue(())
    }

    /// The branches that an object's tag leaves, those that name its value first.
    fn tagged(
        &self,
        tag: &str,
        branches: Vec<&'a Node>,
        object: &'a Object<'a>,
    ) -> Result<Vec<&'a Node>, Fault<'a>> {
        let schema = self.schema;
        let choices = |branch: &&'a Node| {
            branch.properties.get(tag).and_then(|tag| schema.resolve(tag).choices.as_ref())
        };
        let Some(value) = object.get(tag) else {
            let optional = |branch: &&Node| !branch.required.iter().any(|name| name == tag);
            let left: Vec<_> = branches.into_iter().filter(optional).collect();
            return if left.is_empty() { Err(Fault::Missing) } else { Ok(left) };
        };
        let names_it = |choices: &Vec<Json>| choices.iter().any(|choice| value.equals(choice));
        let mut left: Vec<_> =
            branches.iter().copied().filter(|b| choices(b).is_some_and(names_it)).collect();
        left.extend(branches.iter().copied().filter(|b| choices(b).is_none()));
        if !left.is_empty() {
            return Ok(left);
        }
        let mut choices: Vec<_> = branches.iter().filter_map(choices).flatten().collect();
        choices.sort_by_key(|choice| choice.as_str());
        choices.dedup();
        Err(match value {
            Value::String(_) => Fault::Choice { choices, got: value },
            got => Fault::TagType { choices, got },
        })
    }

    fn below(&mut self, step: Step<'a>, then: impl FnOnce(&mut Self) -> Flow) -> Flow {
        self.path.push(step);
        let flow = then(self);
        self.path.pop();
        flow
    }

    fn report(&mut self, fault: Fault<'a>, strength: Strength) -> Flow {
        self.found.add(Finding { path: self.path.clone(), fault, strength })
    }

    /// How sure a node's type and listed values are.
    fn usual(&self, node: &Node) -> Strength {
        node.strength.unwrap_or(self.by_depth())
    }

    fn by_depth(&self) -> Strength {
        if self.path.len() <= 1 { Strength::Observed } else { Strength::Documented }
    }

    /// How sure it is that the object at this path does not take a member of this name. The older
    /// back ends were seen to refuse any in a message.
    fn of_unknown(&self, node: &Node, name: &str) -> Strength {
        if self.is_in_a_message() && self.schema.older_words.members.include(self.model) {
            return Strength::Observed;
        }
        strength_of_unknown(node, name)
    }

    /// Whether the object at this path is a message to an older back end, which lacks this member.
    fn is_too_new(&self, name: &str) -> bool {
        self.is_in_a_message() && self.schema.older_words.lack(self.model, name)
    }

    fn is_in_a_message(&self) -> bool {
        matches!(self.path[..], [Step::Key("messages"), Step::Index(_)])
    }

    /// How sure it is that the member of this name, which is at this path, is needed; `else_this`
    /// where nobody has shown what comes without it.
    fn of_missing(&self, node: &Node, name: &str, else_this: Strength) -> Strength {
        if node.missed.iter().any(|one| one == name) {
            return Strength::Observed;
        }
        self.by_depth().max(else_this)
    }
}

/// How sure it is that this object does not take a member of this name.
pub(super) fn strength_of_unknown(node: &Node, name: &str) -> Strength {
    if node.unproven.iter().any(|one| one == name) { Strength::Documented } else { seen(node) }
}

/// How sure a range, a length or a pattern is.
fn seen(node: &Node) -> Strength {
    node.strength.unwrap_or(Strength::Documented)
}
