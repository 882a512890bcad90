//! The suite, embedded at build time. Contains only data.

use include_dir::{Dir, include_dir};

/// The suite's folder: scenario files, requirements, and the JSON Schema of scenario files.
pub static FOLDER: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR");

/// The requirements, `requirements.yaml`.
pub const REQUIREMENTS: &str = include_str!("requirements.yaml");

/// The JSON Schema of scenario files, `schema.json`.
pub const SCHEMA: &str = include_str!("schema.json");
