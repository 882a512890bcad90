//! Runs the `fallproof` command in a folder.

use std::path::Path;
use std::process::{Command, Output};

pub(crate) fn fallproof(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_fallproof"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("the binary was built with this test")
}

/// Everything that the command printed to stdout and stderr.
pub(crate) fn told(output: &Output) -> String {
    text(&[output.stdout.as_slice(), output.stderr.as_slice()].concat())
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
