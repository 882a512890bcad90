//! Scenarios, sites and adapters for the tests.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use fallproof_runner::adapter::{self, Adapter, Installation, Site};
use fallproof_suite::plan::Addresses;
use fallproof_suite::scenario::Scenario;
use tempfile::TempDir;

use crate::common::SUITE;

/// A minimal adapter, for a program that is never started.
pub(crate) const MINIMAL: &str = r#"
name: Fictional
about: A gateway for this test.
home: https://example.com
license: MIT
versions: [{ version: 1.0.0, install: ["install into {{ home }}"] }]
launch: { program: fictional, ready: { seconds: 1 } }
"#;

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns the scenarios of the suite that match these patterns.
pub(crate) fn scenarios(patterns: &[&str]) -> Vec<Scenario> {
    let patterns: Vec<_> = patterns.iter().map(|&pattern| pattern.to_owned()).collect();
    SUITE.select(&patterns, &[]).expect("the patterns match")
}

pub(crate) fn addresses() -> Addresses {
    Addresses::stable(([127, 0, 0, 1], 9100).into())
}

/// Returns a site at which a gateway would be started.
pub(crate) fn site() -> Site {
    Site {
        host: "127.0.0.1".into(),
        port: 4000,
        key: "sk-fallproof-client".into(),
        folder: "/run".into(),
        scratch: None,
        earlier_logs: 0,
        installation: Installation { home: "/gateway".into(), program: "/gateway/bin/it".into() },
    }
}

/// Writes an adapter file into a new folder.
pub(crate) fn file(text: &str) -> (TempDir, PathBuf) {
    let folder = TempDir::new().expect("a temporary folder");
    let file = folder.path().join("mine.yaml");
    fs::write(&file, text).expect("a file in a temporary folder");
    (folder, file)
}

/// Reads the adapter with this text, or returns the error message.
pub(crate) fn read(text: &str) -> Result<Adapter, String> {
    let (_folder, file) = file(text);
    adapter::read(&file).map_err(|error| error.to_string())
}

/// Returns the command, without variables of the user's environment that affect gateways.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fallproof"));
    command.args(arguments).current_dir(root()).env_remove("FALLPROOF_GATEWAYS");
    command.env_remove("FALLPROOF_KEY");
    command
}
