//! Scenarios, sites and adapters for the tests.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use fallproof_runner::adapter::{self, Adapter, Installation, Site};
use fallproof_suite::plan::Addresses;
use fallproof_suite::scenario::Scenario;
use tempfile::TempDir;

use crate::common::SUITE;

/// The least that an adapter has, for a program that is never started.
pub(crate) const LEAST: &str = r#"
name: Made up
about: A gateway for this test.
home: https://example.com
license: MIT
versions: [{ version: 1.0.0, install: ["install into {{ home }}"] }]
launch: { program: made-up, ready: { seconds: 1 } }
"#;

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The scenarios of the suite that these patterns choose.
pub(crate) fn scenarios(patterns: &[&str]) -> Vec<Scenario> {
    let patterns: Vec<_> = patterns.iter().map(|&pattern| pattern.to_owned()).collect();
    SUITE.select(&patterns, &[]).expect("the patterns fit")
}

pub(crate) fn addresses() -> Addresses {
    Addresses::stable(([127, 0, 0, 1], 9100).into())
}

/// Where a gateway would be started.
pub(crate) fn site() -> Site {
    Site {
        host: "127.0.0.1".into(),
        port: 4000,
        key: "sk-fallproof-client".into(),
        folder: "/run".into(),
        earlier_logs: 0,
        installation: Installation { home: "/gateway".into(), program: "/gateway/bin/it".into() },
    }
}

/// An adapter's file in a folder of its own.
pub(crate) fn file(text: &str) -> (TempDir, PathBuf) {
    let folder = TempDir::new().expect("a temporary folder");
    let file = folder.path().join("mine.yaml");
    fs::write(&file, text).expect("a file in a temporary folder");
    (folder, file)
}

/// The adapter of this text, or what is wrong with it.
pub(crate) fn read(text: &str) -> Result<Adapter, String> {
    let (_folder, file) = file(text);
    adapter::read(&file).map_err(|error| error.to_string())
}

/// The command, without what the user's environment says of gateways.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fallproof"));
    command.args(arguments).current_dir(root()).env_remove("FALLPROOF_GATEWAYS");
    command.env_remove("FALLPROOF_KEY");
    command
}
