//! Runs scenarios against a target: plays the client in front of it and the providers behind it, and
//! yields the evidence. It judges nothing.

pub mod adapter;
pub mod client;
pub mod drive;
pub mod error;
pub mod gateway;
pub mod shell;
pub mod target;
