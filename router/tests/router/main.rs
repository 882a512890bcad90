//! The reference router, from its file to its last byte.

mod config;
mod end_to_end;
