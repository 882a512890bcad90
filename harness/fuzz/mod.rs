//! Fuzzing: requests and faults that nobody thought of, and the smallest that breaks a requirement.
//!
//! A [`grammar`] is read from the schemas that the mocks enforce; each generated [`body`] heads for
//! one [`goal`] of it, and is then made to [`fit`] every deployment that it may reach, or
//! [`spoil`]t.

pub mod body;
pub mod dice;
pub mod fit;
pub mod goal;
pub mod grammar;
pub mod headers;
pub mod models;
pub mod spelling;
pub mod spoil;
