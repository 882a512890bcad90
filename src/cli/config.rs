//! `fallproof config`: writes a gateway's configuration, for users who start the gateway
//! themselves.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use clap::Args;
use fallproof_runner::adapter::{ConfigBatch, Site};
use fallproof_runner::shell::quoted;
use fallproof_suite::plan::MockAddress;
use fallproof_suite::scenario::Scenario;
use owo_colors::OwoColorize as _;

use super::key::Key;
use super::mocks::Mocks;
use super::print::println;
use super::site::{DEFAULT_LISTEN, nominal_site};
use super::{Selected, Selection, Stop, adapter};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fallproof config litellm --out gateway
  fallproof config ./gateway.yaml 'responses*/**' --out gateway
  fallproof config litellm --out gateway --gateway-listen 0.0.0.0:4000 \\
      --listen 0.0.0.0 --advertise host.docker.internal    for a gateway in a container

For each batch, the command prints how to start the gateway and how to run the scenarios.")]
pub(super) struct Config {
    /// Adapter of the gateway: NAME, NAME@VERSION or a file of your own
    ///
    /// `fallproof list adapters` shows the names and versions.
    #[arg(value_name = "ADAPTER")]
    adapter: String,
    /// Use this variant of the adapter, which replaces some of the adapter's settings
    #[arg(long, value_name = "NAME")]
    variant: Option<String>,
    #[command(flatten)]
    selection: Selection,
    /// Write into this folder; it must be new, empty, or written by this command before
    ///
    /// The folder gets a subfolder for each batch. A batch is the set of scenarios that one
    /// configuration can serve.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    mocks: Mocks,
    /// Address that the gateway will listen on
    #[arg(long, value_name = "ADDR", default_value_t = DEFAULT_LISTEN)]
    gateway_listen: SocketAddr,
    #[command(flatten)]
    key: Key,
    /// Program of the gateway, or the folder in which the gateway is installed
    ///
    /// [default: `$FALLPROOF_GATEWAYS` or `target/gateways`, then `$PATH`]
    #[arg(long, value_name = "PATH")]
    program: Option<PathBuf>,
}

impl Config {
    pub(super) fn execute(&self) -> Result<(), Stop> {
        let (adapter, version) = adapter::find_variant(&self.adapter, self.variant.as_deref())?;
        let version = version.map(|index| &adapter.versions()[index]);
        let Selected { scenarios, .. } = self.selection.choose()?;
        let mocks = self.mocks.fixed()?;
        let addresses = &mocks.planned();
        let lacked = |scenario: &Scenario| adapter.capabilities.skip_reason(scenario);
        let able = scenarios.iter().filter(|scenario| lacked(scenario).is_none());
        let batches = adapter.split(&adapter.plan(able, addresses))?;
        let number = batches.batches.len();
        let folder = std::path::absolute(&self.out).map_err(Stop::usage)?;
        if let Some(foreign) = foreign_entry(&folder) {
            return Err(Stop::usage(format!(
                "{} holds `{foreign}`, which Fallproof did not write; name a new or empty folder",
                self.out.display()
            )));
        }
        for (index, batch) in batches.batches.iter().enumerate() {
            let site = Site {
                host: self.gateway_listen.ip().to_string(),
                port: self.gateway_listen.port(),
                key: self.key.key.clone(),
                folder: folder.join((index + 1).to_string()),
                ..nominal_site(&adapter, self.program.as_deref(), version)?
            };
            let in_batch = scenarios.iter().filter(|it| batch.scenarios.contains(&it.id));
            let configuration = adapter.render(&adapter.plan(in_batch, addresses), &site)?;
            configuration.write(&site.folder).map_err(|error| {
                Stop::usage(format!("cannot write to {}: {error}", site.folder.display()))
            })?;
            println!("{}", heading(index, number, batch).bold());
            for (name, _) in &configuration.files {
                println!("  file   {}", site.folder.join(name).display());
            }
            println!("  start  {}", configuration.command_line(&site));
            println!("  run    {}", self.run_line(index + 1, &mocks));
            println!();
        }
        let lacking =
            scenarios.iter().filter_map(|it| Some((it.id.as_str(), lacked(it)?.to_string())));
        let unfit = batches.unfit.iter().map(|it| (it.scenario.as_str(), it.reason.clone()));
        print_left_out(lacking.chain(unfit));
        Ok(())
    }

    /// The command that runs the scenarios of this batch.
    fn run_line(&self, batch: usize, mocks: &MockAddress) -> String {
        let mut target = self.gateway_listen;
        if target.ip().is_unspecified() {
            // Also if the gateway is in a container whose port is published.
            target.set_ip(Ipv4Addr::LOCALHOST.into());
        }
        let option = |name: &str, value: &str| format!("--{name} {}", quoted(value));
        let mut words = vec![
            format!("fallproof run{}", self.selection.again()),
            option("adapter", &self.adapter),
            option("target", &format!("http://{target}")),
        ];
        words.extend(self.mocks.again());
        if ![target.ip(), mocks.listen.ip()].iter().all(IpAddr::is_loopback) {
            words.push("--allow-remote".to_owned());
        }
        words.extend(self.variant.as_deref().map(|variant| option("variant", variant)));
        words.extend(self.key.again());
        if batch > 1 {
            words.push(option("batch", &batch.to_string()));
        }
        words.join(" ")
    }
}

/// An entry of the folder that this command did not write: its name is not a number. Fallproof
/// does not write into a folder with other files.
fn foreign_entry(folder: &Path) -> Option<String> {
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

/// Prints the scenarios for which the gateway cannot be configured, grouped by reason.
fn print_left_out<'a>(left_out: impl Iterator<Item = (&'a str, String)>) {
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
