//! Finds installed gateways. Fallproof does not install gateways itself: an adapter lists the
//! commands, and the user or a script runs them.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::json;
use tokio::process::Command;

use super::environment;
use super::file::{Adapter, Version};
use super::fill::RenderError;
use super::template;

/// Environment variable with the directory of installations.
const GATEWAYS: &str = "FALLPROOF_GATEWAYS";
/// Default directory of installations, relative to the current directory.
const DEFAULT_GATEWAYS: &str = "target/gateways";
/// Timeout of the command that prints the version.
const VERSION_TIMEOUT: Duration = Duration::from_secs(30);

/// An installed gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installation {
    /// The installation directory.
    pub home: PathBuf,
    /// The program to start.
    pub program: PathBuf,
}

/// A gateway that is not installed.
#[derive(Debug, thiserror::Error)]
#[error(
    "{name} is not installed: searched for {}\n{}",
    .searched.join(", "),
    remedy(.install)
)]
pub struct Missing {
    name: String,
    searched: Vec<String>,
    install: Vec<String>,
}

fn remedy(install: &[String]) -> String {
    let program = "pass its directory or program with --program";
    match install {
        [] => format!("{program}; its adapter has no install commands"),
        install => format!("{program}, or install it:\n\n    {}\n", install.join("\n    ")),
    }
}

impl Adapter {
    /// Finds the installation at `given`, which is a directory or a program. By default, searches
    /// the tested versions in the directory of installations, newest first, and then PATH. If
    /// `version` is given, looks only for that version, and on PATH only if no commands install it.
    ///
    /// # Errors
    /// A message with the searched paths and the commands that install the gateway.
    pub fn locate(
        &self,
        given: Option<&Path>,
        version: Option<&Version>,
    ) -> Result<Installation, Missing> {
        let mut searched = Vec::new();
        let homes = match (given, version) {
            (Some(given), _) if given.is_file() => {
                let program = std::path::absolute(given).unwrap_or_else(|_| given.to_owned());
                return Ok(Installation { home: self.home_of(&program), program });
            }
            (Some(given), _) => vec![given.to_owned()],
            (None, Some(version)) => vec![self.home(version)],
            (None, None) => self.versions().iter().map(|version| self.home(version)).collect(),
        };
        for home in homes {
            let home = std::path::absolute(&home).unwrap_or(home);
            for program in self.programs(&home) {
                if program.is_file() {
                    return Ok(Installation { home, program });
                }
            }
            searched.push(home.join(&self.launch.program).display().to_string());
        }
        let may_be_on_path = version.is_none_or(|version| version.install.is_empty());
        if let (None, true, Some(command)) =
            (given, may_be_on_path, self.launch.program.file_name())
        {
            let paths = env::var_os("PATH").unwrap_or_default();
            let mut found = env::split_paths(&paths).map(|folder| folder.join(command));
            if let Some(program) = found.find(|program| program.is_file()) {
                return Ok(Installation { home: self.home_of(&program), program });
            }
            searched.push(format!("`{}` on PATH", command.display()));
        }
        let version = version.unwrap_or(&self.versions()[0]);
        let install = self.install_lines(version).unwrap_or_else(|error| vec![error.to_string()]);
        Err(Missing { name: self.name.clone(), searched, install })
    }

    /// Default installation directory of a version.
    pub fn home(&self, version: &Version) -> PathBuf {
        let gateways = env::var_os(GATEWAYS).map_or_else(|| DEFAULT_GATEWAYS.into(), PathBuf::from);
        gateways.join(format!("{}-{}", self.id, version.version))
    }

    /// Returns the commands that install a version, for a POSIX shell.
    ///
    /// # Errors
    /// A template cannot be rendered.
    pub fn install_lines(&self, version: &Version) -> Result<Vec<String>, RenderError> {
        let context = json!({
            "adapter": self.context(),
            "home": self.home(version),
            "version": version.version,
        });
        self.fill_all("install", &version.install, &template::context(context))
    }

    /// Returns the version that the installation reports, if any.
    pub async fn installed_version(&self, installation: &Installation) -> Option<String> {
        let Installation { home, program } = installation;
        let named = json!({ "home": home, "bin": program.parent(), "program": program });
        let context = template::context(json!({ "adapter": self.context(), "gateway": named }));
        let command = self.fill_all("launch.version", &self.launch.version, &context).ok()?;
        let (program, arguments) = command.split_first()?;
        let mut command = Command::new(program);
        environment::clear(command.as_std_mut(), home);
        command.args(arguments).stdin(Stdio::null()).kill_on_drop(true);
        let output = tokio::time::timeout(VERSION_TIMEOUT, command.output()).await.ok()?.ok()?;
        let printed = String::from_utf8_lossy(&output.stdout);
        let is_version = |word: &&str| word.starts_with(|first: char| first.is_ascii_digit());
        let version =
            |word: &str| word.split_whitespace().rev().find(is_version).map(str::to_owned);
        printed.lines().find_map(|line| version(&line.replace(['v', ',', ':'], " ")))
    }

    /// Possible paths of the program in a directory: as installed by the adapter's commands, or in
    /// an environment set up by the user.
    fn programs(&self, home: &Path) -> Vec<PathBuf> {
        let program = &self.launch.program;
        let command = program.file_name().unwrap_or_default();
        vec![home.join(program), home.join("bin").join(command), home.join(command)]
    }

    /// Derives the installation directory from the path of the program.
    fn home_of(&self, program: &Path) -> PathBuf {
        let below = self.launch.program.components().count();
        let home = program.ends_with(&self.launch.program).then(|| program.ancestors().nth(below));
        home.flatten().or(program.parent()).unwrap_or(program).to_owned()
    }
}
