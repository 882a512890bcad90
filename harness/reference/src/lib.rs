//! The reference router as a target, and the saboteurs: the same router broken on purpose.
//!
//! The only crate that knows both the router and the harness.

mod reference;
pub mod saboteur;

pub use reference::{Reference, ReferenceTarget, app};

/// The key that the reference router wants from its clients.
pub const REFERENCE_CLIENT_KEY: &str = "sk-fallproof-client";
