//! Filters and tests of templates that do not accept an undefined value. With the engine's own
//! ones, a misspelled name silently becomes `null`, or is left out.

use std::borrow::Cow;

use minijinja::value::{Kwargs, Rest, StringInput, Value, ValueKind, ValueOrKwargs};
use minijinja::{Environment, Error, ErrorKind, State, filters, tests};

/// Tests of an attribute that also accept an undefined one.
const ABOUT_UNDEFINED: [&str; 2] = ["defined", "undefined"];

/// Replaces the filters and tests that accept undefined values. `default` and `is defined` still do.
pub(super) fn make_strict(environment: &mut Environment<'_>) {
    environment.add_filter("tojson", tojson);
    environment.add_filter("map", map);
    environment.add_filter("selectattr", selectattr);
    environment.add_filter("rejectattr", rejectattr);
    environment.add_test("none", is_none);
}

/// Fails if the value is undefined, or contains an undefined value.
pub(super) fn check(state: &State<'_, '_>, value: &Value) -> Result<(), Error> {
    match value.kind() {
        // Only the engine's own check names the undefined expression in its error.
        ValueKind::Undefined => StringInput::new(state, value).map(|_| ()),
        ValueKind::Seq => value.try_iter()?.try_for_each(|item| check(state, &item)),
        ValueKind::Map => {
            value.try_iter()?.try_for_each(|name| check(state, &value.get_item(&name)?))
        }
        _ => Ok(()),
    }
}

fn tojson(
    state: &State<'_, '_>,
    value: &Value,
    indent: Option<Value>,
    options: Kwargs,
) -> Result<Value, Error> {
    check(state, value)?;
    filters::tojson(value, indent, options)
}

fn map(
    state: &mut State<'_, '_>,
    value: Value,
    arguments: Rest<ValueOrKwargs>,
) -> Result<Vec<Value>, Error> {
    let mapped = filters::map(state, value, arguments)?;
    mapped.iter().try_for_each(|item| check(state, item))?;
    Ok(mapped)
}

fn selectattr(
    state: &mut State<'_, '_>,
    value: Value,
    attribute: Cow<'_, str>,
    test: Option<Cow<'_, str>>,
    arguments: Rest<ValueOrKwargs>,
) -> Result<Vec<Value>, Error> {
    check_attribute(&value, &attribute, test.as_deref())?;
    filters::selectattr(state, value, attribute, test, arguments)
}

fn rejectattr(
    state: &mut State<'_, '_>,
    value: Value,
    attribute: Cow<'_, str>,
    test: Option<Cow<'_, str>>,
    arguments: Rest<ValueOrKwargs>,
) -> Result<Vec<Value>, Error> {
    check_attribute(&value, &attribute, test.as_deref())?;
    filters::rejectattr(state, value, attribute, test, arguments)
}

/// Fails if an item of the list does not have this attribute, e.g. `policy.retries`.
fn check_attribute(list: &Value, attribute: &str, test: Option<&str>) -> Result<(), Error> {
    if test.is_some_and(|test| ABOUT_UNDEFINED.contains(&test)) {
        return Ok(());
    }
    for item in list.try_iter()? {
        let found = attribute.split('.').try_fold(item, |value, name| value.get_attr(name))?;
        if found.is_undefined() {
            let detail = format!("the attribute `{attribute}` is undefined");
            return Err(Error::new(ErrorKind::UndefinedError, detail));
        }
    }
    Ok(())
}

fn is_none(state: &State<'_, '_>, value: &Value) -> Result<bool, Error> {
    check(state, value)?;
    Ok(tests::is_none(value))
}
