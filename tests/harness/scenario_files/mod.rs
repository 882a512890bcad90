//! Scenario files: the loaded model, and the errors.

mod families;
mod meaning;
mod placeholders;
mod refused;
mod schema;
mod shapes;
mod support;
mod wire_data;
