//! Hostile files, and hostile gateways that Fallproof starts. Each command ends in time, with a message
//! that says what is wrong, and leaves nothing behind. Targets that are already running are in
//! `tests/hostile`.

#![cfg(unix)]

mod files;
mod gateways;

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

use crate::shell::text;

/// Time in which every command here ends, on the slowest machine.
const LIMIT: Duration = Duration::from_secs(60);

/// An adapter; `LAUNCH` and `MORE` are to be replaced.
const ADAPTER: &str = "\
name: Fictional
about: A gateway for this test.
home: https://example.com
license: MIT
versions: [{ version: 1.0.0, install: [\"true\"] }]
launch: { program: sh, LAUNCH }
MORE
";

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fallproof"));
    command.args(arguments).current_dir(folder).stdin(Stdio::null());
    command
}

/// Runs the command. Kills it if it takes too long.
#[track_caller]
fn in_time(command: &mut Command) -> Output {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let child = child.expect("the binary was built with this test");
    let id = child.id();
    let (done, ended) = mpsc::channel();
    thread::spawn(move || done.send(Child::wait_with_output(child)));
    if let Ok(output) = ended.recv_timeout(LIMIT) {
        return output.expect("it was started");
    }
    let _ = Command::new("kill").args(["-KILL", &id.to_string()]).status();
    panic!("the command did not end within {LIMIT:?}");
}

fn shown(output: &Output) -> String {
    text(&output.stderr) + &text(&output.stdout)
}

fn folder_with(files: &[(&str, String)]) -> TempDir {
    let folder = TempDir::new().expect("a temporary folder");
    for (name, content) in files {
        let file = folder.path().join(name);
        fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
        fs::write(file, content).expect("a file in a temporary folder");
    }
    folder
}

fn pipe(folder: &TempDir, name: &str) {
    let made = Command::new("mkfifo").arg(folder.path().join(name)).status();
    assert!(made.expect("every Unix has mkfifo").success());
}

/// The output has no escape sequence but those that set a style, and no command for a CI runner.
#[track_caller]
fn assert_harmless(output: &Output) {
    for printed in [text(&output.stdout), text(&output.stderr)] {
        let is_harmful = |it: char| matches!(it, '\u{7}' | '\u{9b}' | '\u{202e}' | '\r');
        assert!(!printed.contains(is_harmful), "{printed:?}");
        for unstyled in printed.split("\u{1b}[").skip(1) {
            let end = unstyled.find(|it: char| !(it.is_ascii_digit() || it == ';'));
            assert_eq!(unstyled[end.expect("an end")..].chars().next(), Some('m'), "{printed:?}");
        }
        assert!(!printed.contains("\u{1b}]"), "{printed:?}");
        let is_command = |line: &str| line.trim_start().starts_with("::");
        assert!(!printed.lines().any(is_command), "{printed:?}");
    }
}
