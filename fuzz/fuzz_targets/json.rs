//! JSON that keeps its spelling, and the differences between the first line and the rest.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../protocol/tests/protocol/checks/json.rs"]
mod checks;

fuzz_target!(|bytes: &[u8]| checks::check(bytes));
