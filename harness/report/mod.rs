//! Reports: a run as people and machines read it.

pub mod text;
