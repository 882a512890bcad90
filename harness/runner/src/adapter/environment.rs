//! The environment of the commands that Fallproof starts.

use std::env;
use std::path::Path;
use std::process::Command;

/// Environment variables that a command inherits. It must not inherit any other variable, because
/// that could hold the user's credentials or proxy settings.
const INHERITED: [&str; 8] =
    ["PATH", "LANG", "TMPDIR", "SYSTEMROOT", "TEMP", "TMP", "COMSPEC", "PATHEXT"];

/// Leaves a command only the variables of [`INHERITED`]; `home` is its home directory.
pub(super) fn clear(command: &mut Command, home: &Path) {
    let inherited = INHERITED.iter().filter_map(|name| Some((*name, env::var_os(name)?)));
    command.env_clear().envs(inherited).env("HOME", home).env("NO_PROXY", "*");
}
