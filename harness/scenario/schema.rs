//! The JSON Schema of scenario files, for editors.

use super::file::ScenarioFile;

/// The schema as the text of `scenarios/schema.json`.
pub fn schema() -> String {
    format!("{:#}\n", schemars::schema_for!(ScenarioFile).to_value())
}
