//! Minimal values that satisfy a JSON Schema, for answers and tool calls that have a schema.

use std::cell::Cell;

use serde_json::{Map, Value};

/// Maximum number of values in a sample, because a schema may be recursive or require too many
/// values.
const MOST_VALUES: u32 = 1_000;

/// From this depth on, lists stay as short as the schema allows, and the last alternative of a
/// union is chosen. This ends most recursion.
const DEEP: u32 = 8;

/// Maximum nesting depth.
const DEEPEST: u32 = 64;

/// Schema for the items of an array whose schema has no `items`.
const ANYTHING: &Value = &Value::Bool(true);

/// Maximum length to which a string is padded because of `minLength`.
const MOST_CHARS: usize = 10_000;

/// Returns a value that satisfies this schema. Strings without further constraints are `text`. An
/// object gets its required properties. If none of them is such a string, the object also gets the
/// first property that is one. `pattern` is ignored, and so are all values of `format` except dates
/// and times.
pub(super) fn sample(schema: &Value, text: &str) -> Value {
    Sampler { root: schema, text, left: Cell::new(MOST_VALUES) }.value(schema, 0)
}

struct Sampler<'a> {
    root: &'a Value,
    text: &'a str,
    left: Cell<u32>,
}

impl Sampler<'_> {
    fn value(&self, schema: &Value, depth: u32) -> Value {
        if depth > DEEPEST || self.left.get() == 0 {
            return Value::Null;
        }
        self.left.set(self.left.get() - 1);
        if let Some(reference) = schema["$ref"].as_str() {
            let pointer = reference.strip_prefix('#').unwrap_or(reference);
            let target = self.root.pointer(pointer);
            return target.map_or(Value::Null, |target| self.value(target, depth + 1));
        }
        if let Some(value) = schema.get("const") {
            return value.clone();
        }
        if let Some(value) = schema["enum"].as_array().and_then(|values| values.first()) {
            return value.clone();
        }
        for key in ["anyOf", "oneOf"] {
            if let Some(options) = schema[key].as_array() {
                let chosen = if depth < DEEP { options.first() } else { options.last() };
                return chosen.map_or(Value::Null, |option| self.value(option, depth + 1));
            }
        }
        if let Some(parts) = schema["allOf"].as_array() {
            return self.all_of(parts, depth);
        }
        match type_of(schema) {
            "object" => self.object(schema, depth),
            "array" => self.array(schema, depth),
            "string" => Value::String(self.string(schema)),
            "integer" => integer(schema).into(),
            "number" => number(schema).into(),
            "boolean" => Value::Bool(true),
            _ => Value::Null,
        }
    }

    fn all_of(&self, parts: &[Value], depth: u32) -> Value {
        let mut merged = Value::Null;
        for part in parts {
            match (&mut merged, self.value(part, depth + 1)) {
                (Value::Object(merged), Value::Object(part)) => merged.extend(part),
                (merged @ Value::Null, part) => *merged = part,
                _ => {}
            }
        }
        merged
    }

    fn object(&self, schema: &Value, depth: u32) -> Value {
        let none = Map::new();
        let properties = schema["properties"].as_object().unwrap_or(&none);
        let required: Vec<&str> = schema["required"]
            .as_array()
            .map(|names| names.iter().filter_map(Value::as_str).collect())
            .unwrap_or_default();
        let must = |name: &String| required.contains(&name.as_str());
        let says_nothing = !properties.iter().any(|(name, it)| must(name) && is_free_text(it));
        let text = properties.iter().find(|(_, it)| says_nothing && is_free_text(it));
        let mut members = Map::new();
        for (name, property) in properties {
            if must(name) || text.is_some_and(|(text, _)| text == name) {
                members.insert(name.clone(), self.value(property, depth + 1));
            }
        }
        for name in required.into_iter().filter(|name| !properties.contains_key(*name)) {
            members.insert(name.to_owned(), Value::String(self.text.to_owned()));
        }
        Value::Object(members)
    }

    fn array(&self, schema: &Value, depth: u32) -> Value {
        let least = schema["minItems"].as_u64().unwrap_or(0);
        let most = schema["maxItems"].as_u64().unwrap_or(u64::MAX);
        let wanted = if depth < DEEP { least.max(1) } else { least };
        let item = schema.get("items").unwrap_or(ANYTHING);
        let items = (0..wanted.min(most)).take_while(|_| self.left.get() > 0);
        items.map(|_| self.value(item, depth + 1)).collect()
    }

    fn string(&self, schema: &Value) -> String {
        let dated = match schema["format"].as_str() {
            Some("date-time") => Some("2026-01-01T12:00:00Z"),
            Some("date") => Some("2026-01-01"),
            Some("time") => Some("12:00:00Z"),
            _ => None,
        };
        if let Some(dated) = dated {
            return dated.to_owned();
        }
        let bound = |name: &str| schema[name].as_u64().and_then(|it| usize::try_from(it).ok());
        let most = bound("maxLength").unwrap_or(usize::MAX);
        let least = bound("minLength").unwrap_or(0).min(MOST_CHARS).min(most);
        let text: String = self.text.chars().take(most).collect();
        let missing = least.saturating_sub(text.chars().count());
        text + &".".repeat(missing)
    }
}

/// The type of the values. If the schema lists several types, this is the first one; if it has no
/// `type`, the most likely one.
fn type_of(schema: &Value) -> &str {
    let named = schema["type"].as_str().or_else(|| schema["type"][0].as_str());
    named.unwrap_or_else(|| {
        if schema.get("properties").is_some() {
            "object"
        } else if schema.get("items").is_some() {
            "array"
        } else {
            "string"
        }
    })
}

/// Whether any string satisfies this schema.
fn is_free_text(schema: &Value) -> bool {
    let bounds = ["$ref", "const", "enum", "anyOf", "oneOf", "allOf", "format"];
    type_of(schema) == "string" && bounds.iter().all(|bound| schema.get(bound).is_none())
}

/// The smallest integer that the schema allows. If there is no lower bound, 1 or the upper bound,
/// whichever is smaller.
fn integer(schema: &Value) -> i64 {
    let bound = |name: &str| schema[name].as_i64();
    let least = bound("minimum").or(bound("exclusiveMinimum").map(|it| it.saturating_add(1)));
    let most = bound("maximum").or(bound("exclusiveMaximum").map(|it| it.saturating_sub(1)));
    let number = least.or(most.map(|most| most.min(1))).unwrap_or(1);
    match bound("multipleOf") {
        Some(step) if step > 0 => {
            let missing = (step - number.rem_euclid(step)) % step;
            number.saturating_add(missing)
        }
        _ => number,
    }
}

fn number(schema: &Value) -> f64 {
    let bound = |name: &str| schema[name].as_f64();
    let least = bound("minimum").or(bound("exclusiveMinimum"));
    let most = bound("maximum").or(bound("exclusiveMaximum"));
    match (least, most) {
        (Some(least), Some(most)) => f64::midpoint(least, most),
        (Some(least), None) => least + 1.0,
        (None, Some(most)) => most - 1.0,
        (None, None) => 0.5,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answers(schema: &Value) -> Value {
        sample(schema, "words")
    }

    #[test]
    fn an_object_has_its_required_properties_and_a_text() {
        let schema = json!({
            "type": "object",
            "properties": {
                "count": { "type": "integer", "minimum": 3, "multipleOf": 5 },
                "share": { "type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1 },
                "kind": { "enum": ["a", "b"] },
                "day": { "type": "string", "format": "date" },
                "maybe": { "type": ["string", "null"] },
                "flag": { "type": "boolean" },
                "unasked": { "type": "string" }
            },
            "required": ["count", "share", "kind", "flag", "free"]
        });
        let expected = json!({
            "count": 5, "share": 0.5, "kind": "a", "maybe": "words", "flag": true, "free": "words"
        });
        assert_eq!(answers(&schema), expected);
    }

    #[test]
    fn an_integer_is_the_smallest_multiple_within_its_bounds() {
        for (minimum, step, least) in [
            (i64::MIN, 2, i64::MIN),
            (i64::MIN, i64::MAX, -i64::MAX),
            (-7, 5, -5),
            (5, 5, 5),
            (6, 5, 10),
        ] {
            let schema = json!({ "type": "integer", "minimum": minimum, "multipleOf": step });
            assert_eq!(answers(&schema), json!(least), "{minimum} {step}");
        }
    }

    #[test]
    fn references_alternatives_and_lists_are_followed() {
        let schema = json!({
            "$defs": { "step": {
                "type": "object",
                "properties": { "say": { "type": "string", "maxLength": 3 }, "on": { "const": 7 } },
                "required": ["say", "on"]
            } },
            "type": "object",
            "properties": {
                "steps": { "type": "array", "items": { "$ref": "#/$defs/step" }, "minItems": 2 },
                "end": { "anyOf": [{ "type": "string", "minLength": 7 }, { "type": "null" }] },
                "both": { "allOf": [{ "$ref": "#/$defs/step" }] },
                "day": { "type": "string", "format": "date" }
            },
            "required": ["steps", "end", "both", "day"]
        });
        let step = json!({ "say": "wor", "on": 7 });
        let expected = json!({
            "steps": [step, step], "end": "words..", "both": step, "day": "2026-01-01"
        });
        assert_eq!(answers(&schema), expected);
    }

    #[test]
    fn a_recursive_schema_terminates() {
        let tree = json!({
            "type": "object",
            "properties": {
                "name": { "type": "string" },
                "children": { "type": "array", "items": { "$ref": "#" } },
                "next": { "anyOf": [{ "$ref": "#" }, { "type": "null" }] }
            },
            "required": ["name", "children", "next"]
        });
        assert_eq!(answers(&tree)["name"], "words");
        let twice = json!({
            "type": "object",
            "properties": { "left": { "$ref": "#" }, "right": { "$ref": "#" } },
            "required": ["left", "right"]
        });
        assert!(answers(&twice).is_object());
        assert_eq!(answers(&json!({ "$ref": "#" })), Value::Null);
        let greedy = json!({ "type": "array", "minItems": u64::MAX, "items": { "const": 1 } });
        assert_eq!(answers(&greedy).as_array().map(Vec::len), Some(999));
    }
}
