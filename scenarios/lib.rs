//! The suite as it was when this program was built: data, and nothing else.

use include_dir::{Dir, include_dir};

/// The folder: scenario files, the requirements, the JSON Schema of scenario files.
pub static FOLDER: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR");

/// The normative document, `requirements.yaml`.
pub const REQUIREMENTS: &str = include_str!("requirements.yaml");

/// The JSON Schema of scenario files, `schema.json`.
pub const SCHEMA: &str = include_str!("schema.json");
