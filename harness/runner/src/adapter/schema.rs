//! The JSON Schema of adapter files, for editors.

use super::file::Adapter;

/// The schema as the text of `harness/runner/adapters/schema.json`.
pub fn schema() -> String {
    format!("{:#}\n", schemars::schema_for!(Adapter).to_value())
}
