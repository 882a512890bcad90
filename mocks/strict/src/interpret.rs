//! Walks a schema and a body in parallel to find the one problem that the provider would report.

mod found;
mod union;

use std::cmp::Ordering;

use crate::Strength;
use crate::body::{Kind, Object, Value, compare};
use crate::finding::{Fault, Finding, Side};
use crate::path::Step;
use crate::rules;
use crate::schema::{Node, Others, Schema};
use found::{Flow, Found};

/// The finding to report: the first observed finding or, if there is none, the first documented
/// finding.
pub(super) fn first_finding<'a>(
    schema: &'a Schema,
    model: &str,
    body: &'a Value<'a>,
) -> Option<Finding<'a>> {
    let Value::Object(object) = body else { return None };
    let mut walk = Walk { schema, model, path: Vec::new(), found: Found::default() };
    // The walk stops at the first observed finding, since that is the one to report.
    let _ = walk.request(object);
    if walk.found.is_empty()
        && let Some(path) = body.repeated_key()
    {
        return Some(Finding { path, fault: Fault::Repeated, strength: Strength::Documented });
    }
    walk.found.into_first()
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
                self.report(
                    Fault::Range { side, limit, integer, got: number },
                    node.strength_of_limits(),
                )?;
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
                self.report(Fault::Pattern { pattern: &pattern.text }, node.strength_of_limits())
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

    /// Checks the names of an object's members: first for missing members, then for unknown
    /// members.
    fn names(&mut self, node: &'a Node, object: &'a Object<'a>) -> Flow {
        for name in &node.required {
            if object.get(name).is_none() {
                self.below(Step::Key(name), |walk| {
                    walk.report(
                        Fault::Missing,
                        walk.of_missing(node, name, node.strength_of_limits()),
                    )
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
        let below = min.filter(|&min| got < min).map(|limit| (Side::Below, limit));
        let above = max.filter(|&max| got > max).map(|limit| (Side::Above, limit));
        for (side, limit) in below.into_iter().chain(above) {
            self.report(Fault::Size { side, limit, of, got }, node.strength_of_limits())?;
        }
        Flow::Continue(())
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

    /// Strength of the violation if a value has the wrong type, or is not one of the allowed
    /// values.
    fn usual(&self, node: &Node) -> Strength {
        node.strength.unwrap_or(self.by_depth())
    }

    fn by_depth(&self) -> Strength {
        if self.path.len() <= 1 { Strength::Observed } else { Strength::Documented }
    }

    /// Strength of the violation if the object at this path has an unknown member. Legacy back ends
    /// were seen to refuse every unknown member of a message.
    fn of_unknown(&self, node: &Node, name: &str) -> Strength {
        if self.is_in_a_message() && self.schema.legacy_wording.members.include(self.model) {
            return Strength::Observed;
        }
        node.strength_of_unknown(name)
    }

    /// Whether the object at this path is a message to a legacy back end that does not know this
    /// member.
    fn is_too_new(&self, name: &str) -> bool {
        self.is_in_a_message() && self.schema.legacy_wording.lack(self.model, name)
    }

    fn is_in_a_message(&self) -> bool {
        matches!(self.path[..], [Step::Key("messages"), Step::Index(_)])
    }

    /// Strength of the violation if the object at this path lacks the member `name`. It is at least
    /// `default`. It is `Observed` at the top level, and where such a refusal was seen.
    fn of_missing(&self, node: &Node, name: &str, default: Strength) -> Strength {
        if node.missed.iter().any(|one| one == name) {
            return Strength::Observed;
        }
        self.by_depth().max(default)
    }
}
