//! Rules that a schema cannot express: parameters that belong to another endpoint, parameters that
//! a model does not support, and parameters that require others.

use super::body::{Object, Value};
use super::finding::{Fault, Finding};
use super::path::Step;
use super::schema::{Rule, RuleKind};

/// Findings for parameters that belong to another endpoint, in rule order.
pub(super) fn moved<'a>(
    rules: &'a [Rule],
    body: &'a Object<'a>,
) -> impl Iterator<Item = Finding<'a>> {
    rules
        .iter()
        .filter(|rule| rule.kind == RuleKind::Moved)
        .flat_map(|rule| values(rule, body).map(|at| finding(rule, at)))
}

/// Findings for parameters and values that the model does not support, in rule order.
pub(super) fn of_the_model<'a>(
    rules: &'a [Rule],
    model: &str,
    body: &'a Object<'a>,
) -> impl Iterator<Item = Finding<'a>> {
    rules.iter().filter(move |rule| rule.is_for(model)).flat_map(move |rule| {
        let refused = move |value: &Value<'_>| match rule.kind {
            RuleKind::Moved | RuleKind::Requires => false,
            RuleKind::UnsupportedForModel => true,
            RuleKind::UnsupportedValueForModel => !rule.takes(value),
        };
        values(rule, body).filter(move |(_, value)| refused(value)).map(|at| finding(rule, at))
    })
}

/// Findings for parameters that require other parameters which are missing or have the wrong value,
/// in rule order.
pub(super) fn across_parameters<'a>(
    rules: &'a [Rule],
    body: &'a Object<'a>,
) -> impl Iterator<Item = Finding<'a>> {
    rules.iter().filter(|rule| rule.kind == RuleKind::Requires).flat_map(|rule| {
        let has = |name: &String| body.get(name).is_some_and(|value| !matches!(value, Value::Null));
        let kept = rule.requires_present.iter().all(has)
            && rule
                .requires
                .iter()
                .all(|(name, wanted)| body.get(name).is_some_and(|value| value.equals(wanted)));
        values(rule, body).filter(move |_| !kept).map(|at| finding(rule, at))
    })
}

fn finding<'a>(rule: &'a Rule, (path, got): At<'a>) -> Finding<'a> {
    Finding { path, fault: Fault::Rule { rule, got }, strength: rule.strength }
}

type At<'a> = (Vec<Step<'a>>, &'a Value<'a>);

/// All values of the rule's parameter in the body that are not null.
fn values<'a>(rule: &'a Rule, body: &'a Object<'a>) -> impl Iterator<Item = At<'a>> {
    let mut out = Vec::new();
    collect(&rule.param, body, &[], &mut out);
    out.into_iter()
}

fn collect<'a>(param: &'a str, object: &'a Object<'a>, above: &[Step<'a>], out: &mut Vec<At<'a>>) {
    let (name, below) = param.split_once("[].").unwrap_or((param, ""));
    let mut path = above.to_vec();
    path.push(Step::Key(name));
    match object.get(name) {
        Some(Value::Array(items)) if !below.is_empty() => {
            for (index, item) in items.iter().enumerate() {
                if let Value::Object(item) = item {
                    path.push(Step::Index(index));
                    collect(below, item, &path, out);
                    path.pop();
                }
            }
        }
        None | Some(Value::Null) => {}
        Some(_) if !below.is_empty() => {}
        Some(value) => out.push((path, value)),
    }
}
