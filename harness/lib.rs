//! Fallproof.
