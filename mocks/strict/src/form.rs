//! Converts a `multipart/form-data` request into the same tree as a JSON body, so that the same
//! code validates both.
//!
//! The value of a field is text, and the schema of its parameter determines how that text is read.
//! The fields are named as the SDKs name them: `name[]` for each item of a list (`name` is also
//! accepted), and `name[member]` for a member of an object. Three rules are not from the providers:
//! `True` is read as `true`, an object may be written as JSON, and a value that is not UTF-8 is a
//! file, even without a file name.

use std::borrow::Cow;

use fallproof_protocol::multipart::FormField;

use super::body::{self, Kind, Object, Value};
use super::schema::{Node, Schema};

/// Converts the fields into one object, whose values have the types that the schema asks for.
pub(super) fn read<'a>(schema: &Schema, fields: &[FormField<'a>]) -> Value<'a> {
    let mut form = Object::default();
    for field in fields {
        let (name, subscript) = split(field.name);
        match schema.root.properties.get(name) {
            Some(node) => put(schema, node, &mut form, field, name, subscript),
            None => form.insert(Cow::Borrowed(field.name), text_or_file(field)),
        }
    }
    Value::Object(form)
}

/// The part of a field name in brackets.
#[derive(Clone, Copy)]
enum Subscript<'a> {
    Absent,
    Item,
    Member(&'a str),
}

fn split(name: &str) -> (&str, Subscript<'_>) {
    match name.split_once('[').map(|(base, rest)| (base, rest.strip_suffix(']'))) {
        Some((base, Some(""))) => (base, Subscript::Item),
        Some((base, Some(member))) => (base, Subscript::Member(member)),
        _ => (name, Subscript::Absent),
    }
}

fn put<'a>(
    schema: &Schema,
    node: &Node,
    form: &mut Object<'a>,
    field: &FormField<'a>,
    name: &'a str,
    subscript: Subscript<'a>,
) {
    let shapes = schema.shapes(node);
    let items = shapes.iter().find_map(|shape| shape.items.as_deref());
    match subscript {
        Subscript::Member(member) => {
            let node = shapes.iter().find_map(|shape| shape.properties.get(member));
            let value = read_field(schema, node, field);
            if let Some(Value::Object(object)) = form.members.get_mut(name) {
                object.insert(Cow::Borrowed(member), value);
            } else {
                let mut object = Object::default();
                object.insert(Cow::Borrowed(member), value);
                form.insert(Cow::Borrowed(name), Value::Object(object));
            }
        }
        Subscript::Item => push(form, name, read_field(schema, items, field)),
        Subscript::Absent if items.is_some() => push(form, name, read_field(schema, items, field)),
        Subscript::Absent => {
            form.insert(Cow::Borrowed(name), read_field(schema, Some(node), field));
        }
    }
}

fn push<'a>(form: &mut Object<'a>, name: &'a str, item: Value<'a>) {
    match form.members.get_mut(name) {
        Some(Value::Array(items)) => items.push(item),
        _ => form.insert(Cow::Borrowed(name), Value::Array(vec![item])),
    }
}

/// Reads the field as a number, an object or a boolean, if the node allows this type and the text
/// of the field has this form. In all other cases, the field is a string or a file.
fn read_field<'a>(schema: &Schema, node: Option<&Node>, field: &FormField<'a>) -> Value<'a> {
    let value = text_or_file(field);
    let (Value::String(Cow::Borrowed(text)), Some(node)) = (&value, node) else { return value };
    let shapes = schema.shapes(node);
    let takes = |kind| shapes.iter().any(|shape| shape.kinds.has(kind));
    let read = body::read(text.as_bytes());
    match read {
        Some(number @ Value::Number(_)) if takes(Kind::Integer) => number,
        Some(object @ Value::Object(_)) if takes(Kind::Object) => object,
        _ if !takes(Kind::Bool) => value,
        _ if text.eq_ignore_ascii_case("true") => Value::Bool(true),
        _ if text.eq_ignore_ascii_case("false") => Value::Bool(false),
        _ => value,
    }
}

fn text_or_file<'a>(field: &FormField<'a>) -> Value<'a> {
    match std::str::from_utf8(field.value) {
        Ok(text) if field.filename.is_none() => Value::String(Cow::Borrowed(text)),
        _ => Value::File,
    }
}
