//! Tests of the reference router: its configuration file, and calls over real sockets.

mod config;
mod end_to_end;
