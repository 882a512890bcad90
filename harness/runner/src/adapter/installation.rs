//! Finds what is installed. Nothing is ever installed from here: an adapter holds the commands that
//! do it, for people and scripts to run.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::json;
use tokio::process::Command;

use super::file::{Adapter, Version};
use super::fill::RenderError;
use super::template;

/// The environment variable that names the folder of installations, instead of the default one.
const GATEWAYS: &str = "FALLPROOF_GATEWAYS";
/// Where installations are by default, below the current folder.
const DEFAULT_GATEWAYS: &str = "target/gateways";
/// How long a gateway may take to tell its version.
const VERSION_LIMIT: Duration = Duration::from_secs(30);

/// A gateway that is there to be started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installation {
    /// The folder that it was installed into.
    pub home: PathBuf,
    /// The program to start.
    pub program: PathBuf,
}

/// A gateway that is not installed.
#[derive(Debug, thiserror::Error)]
#[error(
    "{name} is not installed: there is {} {}\n{}",
    if .looked.len() == 1 { "no" } else { "neither" },
    .looked.join(" nor "),
    remedy(.install)
)]
pub struct Missing {
    name: String,
    looked: Vec<String>,
    install: Vec<String>,
}

fn remedy(install: &[String]) -> String {
    let program = "use --program to name its folder or its program";
    match install {
        [] => format!("{program}; its adapter does not say how it is installed"),
        install => format!("{program}, or install it:\n\n    {}\n", install.join("\n    ")),
    }
}

impl Adapter {
    /// The installation at `given`, which is its folder or its program; otherwise that of a tried
    /// version in the folder of installations, the newest first; otherwise what PATH leads to. Only
    /// this `version` counts where one is given.
    ///
    /// # Errors
    /// Where was looked, and how to install it.
    pub fn locate(
        &self,
        given: Option<&Path>,
        version: Option<&Version>,
    ) -> Result<Installation, Missing> {
        let mut looked = Vec::new();
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
            looked.push(home.join(&self.launch.program).display().to_string());
        }
        if let (None, None, Some(command)) = (given, version, self.launch.program.file_name()) {
            let paths = env::var_os("PATH").unwrap_or_default();
            let mut found = env::split_paths(&paths).map(|folder| folder.join(command));
            if let Some(program) = found.find(|program| program.is_file()) {
                return Ok(Installation { home: self.home_of(&program), program });
            }
            looked.push(format!("`{}` on PATH", command.display()));
        }
        let version = version.unwrap_or(&self.versions()[0]);
        let install = self.install_lines(version).unwrap_or_else(|error| vec![error.to_string()]);
        Err(Missing { name: self.name.clone(), looked, install })
    }

    /// The folder that a version is installed into, by default otherwise.
    pub fn home(&self, version: &Version) -> PathBuf {
        let gateways = env::var_os(GATEWAYS).map_or_else(|| DEFAULT_GATEWAYS.into(), PathBuf::from);
        gateways.join(format!("{}-{}", self.id, version.version))
    }

    /// The commands that install a version, for a POSIX shell.
    ///
    /// # Errors
    /// A template that cannot be rendered.
    pub fn install_lines(&self, version: &Version) -> Result<Vec<String>, RenderError> {
        let context = json!({ "home": self.home(version), "version": version.version });
        self.fill_all("install", &version.install, &template::context(context))
    }

    /// What the installation says its version is; `None` where it does not say.
    pub async fn installed_version(&self, installation: &Installation) -> Option<String> {
        let Installation { home, program } = installation;
        let named = json!({ "home": home, "bin": program.parent(), "program": program });
        let context = template::context(json!({ "gateway": named }));
        let command = self.fill_all("launch.version", &self.launch.version, &context).ok()?;
        let (program, arguments) = command.split_first()?;
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).kill_on_drop(true);
        let output = tokio::time::timeout(VERSION_LIMIT, command.output()).await.ok()?.ok()?;
        let said = String::from_utf8_lossy(&output.stdout);
        let is_version = |word: &&str| word.starts_with(|first: char| first.is_ascii_digit());
        let version =
            |word: &str| word.split_whitespace().rev().find(is_version).map(str::to_owned);
        said.lines().find_map(|line| version(&line.replace(['v', ',', ':'], " ")))
    }

    /// Where the program may be in a folder: as installed by the adapter's own commands, or in any
    /// environment of the user's.
    fn programs(&self, home: &Path) -> Vec<PathBuf> {
        let program = &self.launch.program;
        let command = program.file_name().unwrap_or_default();
        vec![home.join(program), home.join("bin").join(command), home.join(command)]
    }

    /// The installation's folder, from the program's path.
    fn home_of(&self, program: &Path) -> PathBuf {
        let below = self.launch.program.components().count();
        let home = program.ends_with(&self.launch.program).then(|| program.ancestors().nth(below));
        home.flatten().or(program.parent()).unwrap_or(program).to_owned()
    }
}
