//! Files `report.json`.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/common/checks/report.rs"]
mod checks;

fuzz_target!(|bytes: &[u8]| {
    checks::check(bytes);
});
