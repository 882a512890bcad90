//! Evidence files. The input is the uncompressed text, because a change in compressed data is hardly
//! ever more than a wrong checksum.
#![no_main]

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use libfuzzer_sys::fuzz_target;

#[path = "../../tests/common/checks/evidence.rs"]
mod checks;

fuzz_target!(|text: &[u8]| {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::none());
    encoder.write_all(text).expect("memory can be written to");
    checks::check(&encoder.finish().expect("memory can be written to"));
});
