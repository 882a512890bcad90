//! The JSON Schema of scenario files.

use fallproof_suite::scenario;

use crate::common::assert_up_to_date;

#[test]
fn the_json_schema_is_up_to_date() {
    assert_up_to_date("scenarios/schema.json", &scenario::schema(), "scenario_files");
}

#[test]
fn a_family_has_one_group_or_several_as_any_scenario() {
    let schema: serde_json::Value = serde_json::from_str(&scenario::schema()).expect("JSON");
    let (family, scenario) = (&schema["then"], &schema["else"]);
    assert_eq!(family["oneOf"], scenario["oneOf"]);
    assert!(scenario["oneOf"].to_string().contains("groups"), "{}", scenario["oneOf"]);
    let required = family["required"].as_array().expect("keys");
    assert!(!required.iter().any(|key| key == "group"), "{required:?}");
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
