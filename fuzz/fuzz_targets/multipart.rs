//! Forms. The first line of the input is the content type.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../protocol/tests/protocol/checks/multipart.rs"]
mod checks;

fuzz_target!(|bytes: &[u8]| {
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let (content_type, body) = bytes.split_at(end);
    if let Ok(content_type) = std::str::from_utf8(content_type) {
        checks::check(content_type, body.get(1..).unwrap_or_default());
    }
});
