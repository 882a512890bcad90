//! Fuzzing: requests and faults that nobody thought of, and the smallest that breaks a requirement.
//!
//! A [`grammar`] is read from the schemas that the mocks enforce; each generated [`body`] heads for
//! one [`goal`] of it, and is then made to [`fit`] every deployment that it may reach, or
//! [`spoil`]t. A [`draft`](draft::Draft) puts it before a chain with scripts, and a [`model`] tells
//! what the router must make of it.

pub mod arena;
pub mod body;
pub mod cause;
pub mod dice;
pub mod draft;
pub mod draw;
pub mod fit;
pub mod found;
pub mod goal;
pub mod grammar;
pub mod headers;
pub mod hunt;
pub mod layout;
pub mod model;
pub mod models;
pub mod play;
pub mod shrink;
pub mod spelling;
pub mod spoil;
pub mod strategy;
pub mod written;
