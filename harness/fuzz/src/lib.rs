//! Fuzzing: sends random requests with random faults, and finds the smallest case that violates a
//! requirement.
//!
//! A [`grammar`] is read from the schemas that the mocks enforce. Each generated [`body`] covers
//! one [`goal`] of the grammar. The body is then [repaired](repair) until every deployment that it
//! may reach accepts it, or [mutated](mutate) so that none does. A [`case`] combines bodies with a
//! fallback chain and scripts, and an [`oracle`] computes the expected result. A [`campaign`] runs
//! cases with an [`executor`]. Its failures are grouped by cause ([`finding`]), and one of each cause
//! is [minimized](minimize) and saved.

mod attempt;
mod blame;
pub mod body;
pub mod campaign;
pub mod case;
mod cooldowns;
pub mod executor;
pub mod finding;
pub mod formatting;
pub mod found;
pub mod generate;
pub mod goal;
pub mod grammar;
mod headers;
mod json_text;
pub mod minimize;
pub mod model_names;
pub mod mutate;
pub mod oracle;
mod paths;
mod providers;
pub mod random;
pub mod repair;
pub mod saving;
pub mod shrink;
mod simpler;
pub mod stats;
pub mod symptom;
#[cfg(test)]
mod testing;
mod to_yaml;
