//! `fallproof adapters`: what gateways Fallproof knows, and whether a user's own adapter is right.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anstream::println;
use clap::{Args, Subcommand};
use fallproof_report::phrases::counted;
use fallproof_runner::adapter::{self, Adapter, FindError, Reset, Version};
use fallproof_suite::plan::Addresses;
use owo_colors::OwoColorize as _;

use super::site::nominal_site;
use super::{DEFAULT_MOCKS, Selected, Selection, Stop};

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Adapters {
    #[command(subcommand)]
    command: Option<Command>,
    /// Tell this one whole; with @VERSION, how that version is installed
    #[arg(value_name = "NAME|FILE")]
    adapter: Option<String>,
    /// Print only the commands that install it, for a shell to run
    #[arg(long, requires = "adapter")]
    install: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check an adapter of your own: that it is read, and that the whole suite can be put into it
    Check {
        /// The file
        file: PathBuf,
        /// The folder that holds the suite, instead of Fallproof's own
        #[arg(long, value_name = "DIR")]
        scenarios: Option<PathBuf>,
    },
}

impl Adapters {
    pub(super) fn execute(&self) -> Result<(), Stop> {
        match (&self.command, &self.adapter) {
            (Some(Command::Check { file, scenarios }), _) => check(file, scenarios.as_deref())?,
            (None, Some(name)) => {
                let (adapter, version) = find(name)?;
                if self.install {
                    install(&adapter, version)?;
                } else {
                    tell(&adapter, version)?;
                }
            }
            (None, None) => list(),
        }
        Ok(())
    }
}

/// The adapter that is called `NAME`, `NAME@VERSION` or by its file, and the version where one is
/// named, as its place among the adapter's.
pub(super) fn find(name: &str) -> Result<(Arc<Adapter>, Option<usize>), Stop> {
    let (name, version) = match name.split_once('@') {
        Some((name, version)) => (name, Some(version)),
        None => (name, None),
    };
    let adapter = adapter::find(name).map_err(|error| match error {
        FindError::File(error) => error.into(),
        unknown @ FindError::Unknown(_) => Stop::usage(unknown),
    })?;
    let Some(version) = version else { return Ok((adapter, None)) };
    let place = adapter.versions().iter().position(|known| known.version == version);
    if place.is_none() {
        let known: Vec<_> = adapter.versions().iter().map(|it| it.version.as_str()).collect();
        let message = format!(
            "{} was not tried in the version {version}, but in {}; name another installation with --gateway",
            adapter.name,
            known.join(", ")
        );
        return Err(Stop::usage(message));
    }
    Ok((adapter, place))
}

fn list() {
    let width = adapter::all().iter().map(|adapter| adapter.id.len()).max().unwrap_or(0);
    for adapter in adapter::all() {
        let versions: Vec<_> = adapter.versions().iter().map(|it| it.version.as_str()).collect();
        println!("{:width$}  {}", adapter.id.bold(), adapter.about);
        println!("{:width$}  tried: {}", "", versions.join(", "));
    }
}

fn tell(adapter: &Adapter, version: Option<usize>) -> Result<(), Stop> {
    println!("{}  {}", adapter.name.bold(), adapter.about);
    println!("{}, {}", adapter.home, adapter.license);
    for version in chosen(adapter, version) {
        println!("\n{}", version.version.bold());
        if let Some(about) = &version.about.0 {
            println!("  {about}");
        }
        for line in adapter.install_lines(version)? {
            println!("    {line}");
        }
    }
    println!();
    let settings: Vec<_> = adapter.settings().collect();
    if !settings.is_empty() {
        println!("same for the whole gateway: {}", settings.join(", "));
    }
    if let Some(keeps) = &adapter.state.keeps.0 {
        let reset = match adapter.state.reset {
            Reset::None => "",
            Reset::Restart => " (it is started anew for each scenario)",
        };
        println!("keeps: {keeps}{reset}");
    }
    for hindrance in adapter.hindrances() {
        println!("cannot: {hindrance}");
    }
    Ok(())
}

fn install(adapter: &Adapter, version: Option<usize>) -> Result<(), Stop> {
    let version = &adapter.versions()[version.unwrap_or(0)];
    for line in adapter.install_lines(version)? {
        println!("{line}");
    }
    Ok(())
}

fn chosen(adapter: &Adapter, version: Option<usize>) -> &[Version] {
    match version {
        Some(place) => &adapter.versions()[place..=place],
        None => adapter.versions(),
    }
}

fn check(file: &Path, scenarios: Option<&Path>) -> Result<(), Stop> {
    let adapter = adapter::read(file)?;
    let Selected { scenarios, .. } = Selection::whole(scenarios).load()?;
    let site = nominal_site(&adapter, None, None)?;
    let batches = adapter.check(&scenarios, Addresses::stable(DEFAULT_MOCKS), &site)?;
    let taken: usize = batches.batches.iter().map(|batch| batch.scenarios.len()).sum();
    println!(
        "{} is right: it takes {taken} of {} scenarios, in {}",
        file.display(),
        scenarios.len(),
        counted(batches.batches.len(), "batch"),
    );
    Ok(())
}
