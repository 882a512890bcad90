//! Compressed bodies.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../protocol/tests/protocol/checks/coding.rs"]
mod checks;

fuzz_target!(|bytes: &[u8]| checks::check(bytes));
