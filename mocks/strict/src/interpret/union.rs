//! Values that may have one of several shapes.

use std::mem;

use serde_json::Value as Json;

use super::Walk;
use super::found::{Flow, Found};
use crate::Strength;
use crate::body::{Object, Value};
use crate::finding::Fault;
use crate::path::Step;
use crate::schema::Node;

impl<'a> Walk<'a, '_> {
    /// Checks a value that may have one of several shapes. If no branch accepts the value, reports
    /// the findings from the branch in which the walk got furthest before its first finding.
    pub(super) fn union(&mut self, node: &'a Node, value: &'a Value<'a>) -> Flow {
        let schema = self.schema;
        let kind = value.kind();
        let mut branches: Vec<_> =
            node.branches.iter().map(|branch| schema.resolve(branch)).collect();
        branches.retain(|branch| branch.kinds.has(kind));
        if branches.is_empty() {
            // The `x-strength` of a union applies only to its discriminator.
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
            // Ignore whether the walk stopped in this branch, because another branch may accept the
            // value.
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

    /// The branches that match the object's value for the discriminator `tag`. Branches that list
    /// this value come first.
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
}
