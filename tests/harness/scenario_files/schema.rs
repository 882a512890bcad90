//! The JSON Schema of scenario files.

use std::fs;
use std::path::Path;

use fallproof::scenario;

#[test]
fn the_json_schema_is_up_to_date() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/schema.json");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&file, scenario::schema()).expect("scenarios/ can be written to");
    }
    let stored = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        stored == scenario::schema(),
        "scenarios/schema.json is stale; refresh it: UPDATE=1 cargo test --test harness scenario_files"
    );
}

#[test]
fn the_json_schema_has_all_that_it_refers_to() {
    let schema: serde_json::Value = serde_json::from_str(&scenario::schema()).expect("JSON");
    let text = schema.to_string();
    let named = text.split("\"#/$defs/").skip(1).filter_map(|rest| rest.split('"').next());
    for name in named {
        assert!(schema["$defs"][name].is_object(), "{name} is missing");
    }
}
