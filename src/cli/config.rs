//! `fallproof config`: writes a gateway's configuration, for somebody who starts it himself.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anstream::println;
use clap::Args;
use fallproof_runner::adapter::{ConfigBatch, Site};
use fallproof_runner::shell::quoted;
use fallproof_suite::plan::Addresses;
use fallproof_suite::scenario::Scenario;
use owo_colors::OwoColorize as _;

use super::key::Key;
use super::site::{DEFAULT_LISTEN, nominal_site};
use super::{DEFAULT_MOCKS, Selected, Selection, Stop, adapters};

#[derive(Debug, Args)]
pub(super) struct Config {
    /// Which gateway (`fallproof adapters` lists them), or a file of your own
    #[arg(value_name = "ADAPTER")]
    adapter: String,
    #[command(flatten)]
    selection: Selection,
    /// The folder to write to, new, empty, or written before: in it a folder for each batch, which is
    /// what the gateway can serve at once
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Where the mock providers will listen; the two ports after it are theirs too
    #[arg(long, value_name = "ADDR", default_value_t = DEFAULT_MOCKS)]
    mocks: SocketAddr,
    /// Where the gateway is to listen
    #[arg(long, value_name = "ADDR", default_value_t = DEFAULT_LISTEN)]
    listen: SocketAddr,
    #[command(flatten)]
    key: Key,
    /// Its folder or program, where it is installed elsewhere
    #[arg(long, value_name = "PATH")]
    gateway: Option<PathBuf>,
}

impl Config {
    pub(super) fn execute(&self) -> Result<(), Stop> {
        let (adapter, version) = adapters::find(&self.adapter)?;
        let version = version.map(|place| &adapter.versions()[place]);
        let Selected { scenarios, .. } = self.selection.choose()?;
        let addresses = Addresses::stable(self.mocks);
        let lacked = |scenario: &Scenario| adapter.capabilities.skip_reason(scenario);
        let able = scenarios.iter().filter(|scenario| lacked(scenario).is_none());
        let batches = adapter.split(&adapter.plan(able, addresses))?;
        let number = batches.batches.len();
        let folder = std::path::absolute(&self.out).map_err(Stop::usage)?;
        if let Some(strange) = strange_in(&folder) {
            return Err(Stop::usage(format!(
                "{} holds `{strange}`, which is none of ours; name a new or empty folder",
                self.out.display()
            )));
        }
        for (index, batch) in batches.batches.iter().enumerate() {
            let site = Site {
                host: self.listen.ip().to_string(),
                port: self.listen.port(),
                key: self.key.key.clone(),
                folder: folder.join((index + 1).to_string()),
                ..nominal_site(&adapter, self.gateway.as_deref(), version)?
            };
            let in_round = scenarios.iter().filter(|it| batch.scenarios.contains(&it.id));
            let configuration = adapter.render(&adapter.plan(in_round, addresses), &site)?;
            configuration.write(&site.folder).map_err(|error| {
                Stop::usage(format!("cannot write to {}: {error}", site.folder.display()))
            })?;
            println!("{}", heading(index, number, batch).bold());
            for (name, _) in &configuration.files {
                println!("  file   {}", site.folder.join(name).display());
            }
            println!("  start  {}", configuration.command_line(&site));
            println!("  run    {}", self.run_line(index + 1));
            println!();
        }
        let lacking =
            scenarios.iter().filter_map(|it| Some((it.id.as_str(), lacked(it)?.to_string())));
        let unfit = batches.unfit.iter().map(|it| (it.scenario.as_str(), it.reason.clone()));
        tell_left_out(lacking.chain(unfit));
        Ok(())
    }

    /// The command that runs what the gateway was configured for.
    fn run_line(&self, batch: usize) -> String {
        let option = |name: &str, value: &str| format!("--{name} {}", quoted(value));
        let mut words = vec![
            format!("fallproof run{}", self.selection.again()),
            option("adapter", &self.adapter),
            option("target", &format!("http://{}", self.listen)),
            option("mocks", &self.mocks.to_string()),
        ];
        words.extend(self.key.again());
        if batch > 1 {
            words.push(option("batch", &batch.to_string()));
        }
        words.join(" ")
    }
}

/// What is in a folder but the numbered ones of an earlier time: nothing is mixed with what is
/// somebody else's.
fn strange_in(folder: &Path) -> Option<String> {
    let names = folder.read_dir().ok()?.flatten().map(|entry| entry.file_name());
    let mut names = names.map(|name| name.to_string_lossy().into_owned());
    names.find(|name| !name.bytes().all(|byte| byte.is_ascii_digit()))
}

fn heading(index: usize, number: usize, batch: &ConfigBatch) -> String {
    let settings = batch.in_words();
    let separator = if settings.is_empty() { "" } else { ": " };
    let count = batch.scenarios.len();
    format!("batch {} of {number}{separator}{settings} ({count} scenarios)", index + 1)
}

/// The scenarios that a gateway cannot be configured for, by reason.
fn tell_left_out<'a>(left_out: impl Iterator<Item = (&'a str, String)>) {
    let mut by_reason = BTreeMap::<String, Vec<&str>>::new();
    for (scenario, reason) in left_out {
        by_reason.entry(reason).or_default().push(scenario);
    }
    for (reason, scenarios) in by_reason {
        println!("{} {reason}", "left out:".bold());
        for scenario in scenarios {
            println!("  {scenario}");
        }
    }
}
