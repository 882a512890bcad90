//! Reference pages of keys and their values, generated from a JSON Schema.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Map, Value};

use super::one_line;

/// Headings of definitions whose names in the schema are those of Rust types.
const HEADINGS: [(&str, &str); 13] = [
    ("AdminCall", "Admin call"),
    ("AzureSurface", "Azure surface"),
    ("Call", "Client call"),
    ("ClientKey", "Client key"),
    ("Condition", "Fallback condition"),
    ("CutEnd", "Cut end"),
    ("CutPoint", "Cut point"),
    ("Error", "Expected error"),
    ("HeadFault", "Head fault"),
    ("Part", "Form part"),
    ("Planned", "Parallel call"),
    ("Spelled", "Behavior as a mapping"),
    ("WireFault", "Wire fault"),
];

/// The page of the keys that this schema, a file of the repository, describes.
pub(super) fn page(title: &str, top: &str, schema_file: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(schema_file);
    let text = std::fs::read_to_string(file).expect("the schema");
    let schema: Value = serde_json::from_str(&text).expect("it is JSON");
    let page = Page { headings: HEADINGS.into_iter().collect() };
    let mut text =
        format!("# {title}\n\nGenerated from the JSON Schema that editors use, `{schema_file}`.\n");
    let whole = schema["else"].as_object().or_else(|| schema.as_object()).expect("an object");
    page.section(&mut text, top, whole);
    for (name, definition) in schema["$defs"].as_object().expect("definitions") {
        let definition = definition.as_object().expect("a schema");
        page.section(&mut text, page.heading(name), definition);
    }
    text
}

struct Page {
    headings: BTreeMap<&'static str, &'static str>,
}

impl Page {
    fn heading<'a>(&self, name: &'a str) -> &'a str {
        self.headings.get(name).copied().unwrap_or(name)
    }

    /// A mapping's keys, or the values to choose from.
    fn section(&self, text: &mut String, heading: &str, definition: &Map<String, Value>) {
        let _ = write!(text, "\n## {heading}\n");
        let about = description(definition);
        if !about.is_empty() {
            let _ = write!(text, "\n{about}\n");
        }
        let Some(keys) = definition.get("properties").and_then(Value::as_object) else {
            return self.choices(text, definition);
        };
        text.push_str("\n| key | value | meaning |\n|---|---|---|\n");
        for (key, value) in keys {
            let (value, about) = (self.value(value), one_line(&value["description"]));
            let _ = writeln!(text, "| `{key}` | {value} | {about} |");
        }
    }

    fn choices(&self, text: &mut String, definition: &Map<String, Value>) {
        text.push_str("\n| value | meaning |\n|---|---|\n");
        for choice in alternatives(definition) {
            let about = one_line(&choice["description"]);
            let _ = writeln!(text, "| {} | {about} |", self.value(choice));
        }
    }

    /// What a key takes, in a few words.
    fn value(&self, schema: &Value) -> String {
        let Some(object) = schema.as_object() else { return "any value".to_owned() };
        if let Some(name) = schema["$ref"].as_str().and_then(|it| it.rsplit('/').next()) {
            let heading = self.heading(name);
            let anchor = heading.to_lowercase().replace(' ', "-");
            return format!("[{}](#{anchor})", heading.to_lowercase());
        }
        if let Some(value) = schema.get("const") {
            return format!("`{}`", plain(value));
        }
        if let Some(values) = schema["enum"].as_array() {
            let values: Vec<_> = values.iter().map(|it| format!("`{}`", plain(it))).collect();
            // The catalogue of behaviors has a page of its own.
            let is_short = values.len() < 10;
            return if is_short { values.join(", ") } else { "[a name](behaviors.md)".to_owned() };
        }
        let choices = alternatives(object);
        if !choices.is_empty() {
            let is_null = |it: &&Value| it["type"] == "null";
            let choices = choices.into_iter().filter(|it| !is_null(it));
            return choices.map(|it| self.value(it)).collect::<Vec<_>>().join(" or ");
        }
        if let Some(keys) = schema["properties"].as_object().filter(|it| it.len() == 1) {
            let pairs = keys.iter().map(|(key, it)| format!("`{key}:` {}", self.value(it)));
            return pairs.collect();
        }
        match kind(schema) {
            "array" => format!("list of {}", self.value(&schema["items"])),
            "object" => match schema.get("additionalProperties") {
                Some(values @ Value::Object(_)) => format!("mapping to {}", self.value(values)),
                _ => "mapping".to_owned(),
            },
            "integer" => number(schema),
            "string" => "text".to_owned(),
            "boolean" => "`true` or `false`".to_owned(),
            _ => "any value".to_owned(),
        }
    }
}

/// The alternatives of a schema, unless they only say which keys go together.
fn alternatives(schema: &Map<String, Value>) -> Vec<&Value> {
    let all = schema.get("oneOf").or_else(|| schema.get("anyOf")).and_then(Value::as_array);
    let all = all.into_iter().flatten();
    all.filter(|it| !it.as_object().is_some_and(|it| it.keys().eq(["required"]))).collect()
}

fn kind(schema: &Value) -> &str {
    let kinds =
        schema["type"].as_array().map_or_else(|| vec![&schema["type"]], |it| it.iter().collect());
    kinds.into_iter().filter_map(Value::as_str).find(|it| *it != "null").unwrap_or_default()
}

/// A whole number with its limits, but not those of the type that holds it.
fn number(schema: &Value) -> String {
    let (least, most) = (schema["minimum"].as_i64(), schema["maximum"].as_i64());
    match (least, most.filter(|it| *it != i64::from(u16::MAX))) {
        (Some(least), Some(most)) => format!("number from {least} to {most}"),
        (Some(least @ 1..), None) => format!("number, {least} or greater"),
        _ => "number".to_owned(),
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn description(definition: &Map<String, Value>) -> String {
    definition.get("description").map(one_line).unwrap_or_default()
}
