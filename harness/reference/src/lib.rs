//! The reference router as a target, and the saboteurs: the same router, broken on purpose.
//!
//! This is the only crate that depends on both the router and the harness.

mod reference;
pub mod saboteur;

pub use reference::{Reference, ReferenceTarget, app};

/// API key that clients send to the reference router.
pub const REFERENCE_CLIENT_KEY: &str = "sk-fallproof-client";
