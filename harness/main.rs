//! The `fallproof` command.
fn main() {}
