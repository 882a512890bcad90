//! `fallproof check`: checks whether a user's files are valid, without running anything. Notes what
//! is valid, but without effect or incomplete.

mod cuts;

use std::path::{Path, PathBuf};

use clap::Args;
use fallproof_report::phrases::counted;
use fallproof_runner::adapter::{self, ConfigBatches, Unused};
use fallproof_suite::plan::Addresses;
use fallproof_suite::scenario::{self, Scenario, Suite};
use fallproof_suite::yaml::Source;

use super::print::println;
use super::site::nominal_site;
use super::{DEFAULT_MOCKS, Selected, Selection, Stop};

/// YAML keys that only a scenario has.
const OF_A_SCENARIO: [&str; 7] =
    ["title", "proves", "deployments", "group", "groups", "steps", "matrix"];

/// YAML keys that only an adapter has.
const OF_AN_ADAPTER: [&str; 7] =
    ["versions", "launch", "capabilities", "files", "client", "license", "home"];

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fallproof check scenarios/own/first.yaml
  fallproof check scenarios
  fallproof check gateway.yaml")]
pub(super) struct Check {
    /// Scenario or adapter file, or a folder of scenarios
    ///
    /// The top-level fields of a file show which of the two it is.
    file: PathBuf,
    /// Check an adapter with the suite in this folder instead of the built-in one
    #[arg(long, value_name = "DIR")]
    scenarios: Option<PathBuf>,
}

impl Check {
    pub(super) fn execute(&self) -> Result<(), Stop> {
        if self.file.is_dir() {
            return folder(&self.file);
        }
        let keys = Source::read(&self.file)?.keys()?;
        let has_one_of = |of: &[&str]| keys.iter().any(|key| of.contains(&key.as_str()));
        if has_one_of(&OF_A_SCENARIO) {
            scenario(&self.file)
        } else if has_one_of(&OF_AN_ADAPTER) {
            adapter(&self.file, self.scenarios.as_deref())
        } else {
            Err(Stop::usage(format!(
                "{} is neither a scenario (which has `steps`) nor an adapter (which has `launch`)",
                self.file.display()
            )))
        }
    }
}

fn scenario(file: &Path) -> Result<(), Stop> {
    print_valid(file, &scenario::load_alone(file)?);
    Ok(())
}

/// Checks each scenario in a folder and the folders in it.
fn folder(folder: &Path) -> Result<(), Stop> {
    let cases = Suite::load(folder)?.scenarios;
    if cases.is_empty() {
        return Err(Stop::usage(format!("`{}` holds no scenario", folder.display())));
    }
    print_valid(folder, &cases);
    Ok(())
}

fn print_valid(path: &Path, cases: &[Scenario]) {
    let count = match cases {
        [only] if !only.id.contains('@') => "1 scenario".to_owned(),
        cases => counted(cases.len(), "case"),
    };
    println!("{} is valid: {count}", path.display());
    for (note, ids) in cuts::notes(cases) {
        let of = if ids.len() < cases.len() {
            format!(" (in {})", ids.join(", "))
        } else {
            String::new()
        };
        println!("note: {note}{of}");
    }
}

/// Checks that the adapter file is valid, and that its templates can be rendered for the whole
/// suite. Warns of features that they do not configure.
fn adapter(file: &Path, scenarios: Option<&Path>) -> Result<(), Stop> {
    let adapter = adapter::read(file)?;
    let Selected { scenarios, .. } = Selection::whole(scenarios).load()?;
    let site = nominal_site(&adapter, None, None)?;
    let addresses = &Addresses::stable(DEFAULT_MOCKS);
    let batches = adapter.check(&scenarios, addresses, &site)?;
    print_checked(&file.display().to_string(), &batches, scenarios.len());
    let unused = adapter.unused(&scenarios);
    for unused in &unused {
        println!("warning: {unused}");
    }
    for name in adapter.variants.keys() {
        let variant = adapter.variant(name).map_err(Stop::harness)?;
        let batches = variant.check(&scenarios, addresses, &site)?;
        print_checked(&format!("variant {name}"), &batches, scenarios.len());
        let is_known = |it: &Unused| unused.iter().any(|known| known.feature == it.feature);
        for unused in variant.unused(&scenarios).iter().filter(|it| !is_known(it)) {
            println!("warning: {unused}");
        }
    }
    Ok(())
}

/// Prints how many scenarios the gateway can run.
fn print_checked(what: &str, batches: &ConfigBatches, all: usize) {
    let count: usize = batches.batches.iter().map(|batch| batch.scenarios.len()).sum();
    println!(
        "{what} is valid: the gateway can run {count} of {all} scenarios, in {}",
        if batches.batches.len() == 1 {
            "1 batch".to_owned()
        } else {
            format!("{} batches", batches.batches.len())
        },
    );
}
