//! `fallproof init`: creates a folder for a team's own scenarios.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;

use super::Stop;
use super::print::println;

/// Files to write: path in the folder and content.
const FILES: [(&str, &str); 4] = [
    ("scenarios/README.md", include_str!("init/README.md")),
    ("scenarios/own/first.yaml", include_str!("init/first.yaml")),
    ("scenarios/schema.json", fallproof_scenarios::SCHEMA),
    (".github/workflows/fallproof.yml", include_str!("init/fallproof.yml")),
];

#[derive(Debug, Args)]
pub(super) struct Init {
    /// Folder to write to; created if missing
    #[arg(default_value = ".")]
    folder: PathBuf,
}

impl Init {
    pub(super) fn execute(&self) -> Result<(), Stop> {
        let files = FILES.map(|(below, text)| (self.folder.join(below), text));
        files.iter().try_for_each(|(file, _)| is_new(file))?;
        for (file, text) in files {
            write(&file, text)?;
            println!("{}", file.display());
        }
        println!("next: fallproof run own");
        Ok(())
    }
}

/// Fails if the file exists, so that it is not overwritten.
pub(super) fn is_new(file: &Path) -> Result<(), Stop> {
    if file.exists() {
        let file = file.display();
        return Err(Stop::usage(format!("{file} already exists; nothing was written")));
    }
    Ok(())
}

/// Writes a file. Creates its folder if missing.
pub(super) fn write(file: &Path, text: &str) -> Result<(), Stop> {
    let folder = file.parent().unwrap_or(file);
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(file, text))
        .map_err(|error| Stop::usage(format!("cannot write {}: {error}", file.display())))
}
