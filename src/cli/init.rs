//! `fallproof init`: a folder for a team's own cases, which run beside the suite.

use std::fs;
use std::path::{Path, PathBuf};

use anstream::println;
use clap::Args;

use super::Stop;

/// What is written, by its path in the folder.
const FILES: [(&str, &str); 4] = [
    ("scenarios/README.md", include_str!("init/README.md")),
    ("scenarios/own/first.yaml", include_str!("init/first.yaml")),
    ("scenarios/schema.json", fallproof_scenarios::SCHEMA),
    (".github/workflows/fallproof.yml", include_str!("init/fallproof.yml")),
];

#[derive(Debug, Args)]
pub(super) struct Init {
    /// The folder; it is made where it is missing
    #[arg(default_value = ".")]
    folder: PathBuf,
}

impl Init {
    pub(super) fn execute(&self) -> Result<(), Stop> {
        let path = |below: &str| self.folder.join(below);
        if let Some((taken, _)) = FILES.iter().find(|(below, _)| path(below).exists()) {
            let taken = path(taken);
            return Err(Stop::usage(format!(
                "{} is there already; nothing was written",
                taken.display()
            )));
        }
        for (below, text) in FILES {
            let file = path(below);
            let write = |folder: &Path| {
                fs::create_dir_all(folder)?;
                fs::write(&file, text)
            };
            file.parent().map_or(Ok(()), write).map_err(|error| {
                Stop::usage(format!("{} cannot be written: {error}", file.display()))
            })?;
            println!("{}", file.display());
        }
        println!("next: fallproof run own");
        Ok(())
    }
}
