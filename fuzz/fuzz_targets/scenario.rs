//! Scenario files.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../harness/suite/tests/suite/checks/scenario.rs"]
mod checks;

fuzz_target!(|bytes: &[u8]| checks::check(bytes));
