//! Fuzzing: requests and faults that nobody thought of, and the smallest that breaks a requirement.
//!
//! A [`grammar`] is read from the schemas that the mocks enforce; each generated [`body`] heads for
//! one [`goal`] of it, and is then [repaired](repair) until every deployment that it may reach accepts
//! it, or [mutated](mutate) so that none does. A [`case`] puts it before a chain with scripts, and an
//! [`oracle`] tells what the router must make of it. A [`campaign`] runs such cases by an
//! [`executor`], and what it finds is [minimized](minimize) and saved.

mod attempt;
pub mod body;
pub mod campaign;
pub mod case;
pub mod cause;
pub mod executor;
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
mod to_yaml;
