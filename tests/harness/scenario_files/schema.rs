//! The JSON Schema of scenario files.

use fallproof::scenario;

use crate::common::assert_up_to_date;

#[test]
fn the_json_schema_is_up_to_date() {
    assert_up_to_date("scenarios/schema.json", &scenario::schema(), "scenario_files");
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
