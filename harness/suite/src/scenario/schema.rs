//! The JSON Schema of scenario files, for editors.

use schemars::Schema;
use serde_json::{Value, json};

use super::family::FamilyFile;
use super::file::ScenarioFile;

/// The YAML keys of a family that may contain references, so their types are unknown.
const EXPANDED: [&str; 7] =
    ["profile", "proves", "tags", "deployments", "group", "groups", "steps"];

/// Returns the content of `scenarios/schema.json`.
pub fn schema() -> String {
    let scenario = schemars::schema_for!(ScenarioFile);
    let family = family(&scenario, &schemars::schema_for!(FamilyFile));
    let mut schema = scenario.to_value();
    let mut take = |key: &str| schema.as_object_mut().and_then(|object| object.shift_remove(key));
    let (dialect, title, definitions) = (take("$schema"), take("title"), take("$defs"));
    let schema = json!({
        "$schema": dialect,
        "title": title,
        "if": { "required": ["matrix"] },
        "then": family,
        "else": schema,
        "$defs": definitions
    });
    format!("{schema:#}\n")
}

/// The schema of a family: the YAML keys of a scenario and those of a family.
fn family(scenario: &Schema, family: &Schema) -> Value {
    let properties = |schema: &Schema| schema.get("properties").cloned().unwrap_or_default();
    let mut keys = properties(family);
    let scenario_keys = properties(scenario);
    for (key, schema) in scenario_keys.as_object().into_iter().flatten() {
        keys[key] = if EXPANDED.contains(&key.as_str()) {
            json!({ "description": schema["description"] })
        } else {
            schema.clone()
        };
    }
    json!({
        "type": "object",
        "properties": keys,
        "additionalProperties": false,
        "required": ["title", "matrix", "proves", "deployments", "steps"],
        "oneOf": scenario.get("oneOf")
    })
}
