//! `fallproof check`: checks whether a user's file is valid, without running anything. Notes what
//! is valid, but without effect.

mod cuts;

use std::path::{Path, PathBuf};

use clap::Args;
use fallproof_report::phrases::counted;
use fallproof_runner::adapter::{self, ConfigBatches};
use fallproof_suite::plan::Addresses;
use fallproof_suite::scenario;
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
  fallproof check gateway.yaml")]
pub(super) struct Check {
    /// Scenario or adapter file; its top-level fields show which of the two it is
    file: PathBuf,
    /// Check an adapter with the suite in this folder instead of the built-in one
    #[arg(long, value_name = "DIR")]
    scenarios: Option<PathBuf>,
}

impl Check {
    pub(super) fn execute(&self) -> Result<(), Stop> {
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
    let cases = scenario::load_alone(file)?;
    let count = match cases.as_slice() {
        [only] if !only.id.contains('@') => "1 scenario".to_owned(),
        cases => counted(cases.len(), "case"),
    };
    println!("{} is valid: {count}", file.display());
    for (note, ids) in cuts::notes(&cases) {
        let of = if ids.len() < cases.len() {
            format!(" (in {})", ids.join(", "))
        } else {
            String::new()
        };
        println!("note: {note}{of}");
    }
    Ok(())
}

/// Checks that the adapter file is valid, and that its templates can be rendered for the whole
/// suite.
fn adapter(file: &Path, scenarios: Option<&Path>) -> Result<(), Stop> {
    let adapter = adapter::read(file)?;
    let Selected { scenarios, .. } = Selection::whole(scenarios).load()?;
    let site = nominal_site(&adapter, None, None)?;
    let addresses = &Addresses::stable(DEFAULT_MOCKS);
    let batches = adapter.check(&scenarios, addresses, &site)?;
    print_checked(&file.display().to_string(), &batches, scenarios.len());
    for name in adapter.variants.keys() {
        let variant = adapter.variant(name).map_err(Stop::harness)?;
        let batches = variant.check(&scenarios, addresses, &site)?;
        print_checked(&format!("variant {name}"), &batches, scenarios.len());
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
