//! The options that name the gateway of a command: a running gateway, or one that Fallproof starts
//! from its adapter, once for each batch.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use fallproof_report::print;
use fallproof_report::redact::Redactor;
use fallproof_runner::adapter::Adapter;
use fallproof_runner::client::{self, BaseUrl};
use fallproof_runner::error::StartError;
use fallproof_runner::gateway::RunningGateway;
use fallproof_runner::shell::quoted;
use fallproof_runner::{RunPlan, Work};
use fallproof_suite::feature::{Ability, Feature};
use fallproof_suite::plan::{Addresses, MockAddress, Plan};
use fallproof_suite::scenario::Scenario;
use tokio::runtime::Runtime;

use super::key::Key;
use super::mocks::Mocks;
use super::print::eprintln;
use super::remote::{Remote, Server};
use super::{DEFAULT_MOCKS, Stop, adapter};

#[derive(Debug, Args)]
#[command(next_help_heading = "Gateway options")]
pub(super) struct Gateway {
    /// Test the gateway at this base URL, e.g. `http://127.0.0.1:4000/v1`
    ///
    /// With --adapter, omit the path: the adapter defines it. [default: the reference router]
    #[arg(long, value_name = "URL")]
    pub(super) target: Option<String>,
    /// Accept an https gateway only with a certificate from the authorities in this PEM file
    ///
    /// [default: the certificate authorities that this system trusts]
    #[arg(long, value_name = "FILE", requires = "target")]
    ca: Option<PathBuf>,
    /// Name of the gateway in reports, e.g. `LiteLLM`
    #[arg(long, value_name = "NAME", requires = "target")]
    target_name: Option<String>,
    /// Version of the gateway in reports
    #[arg(long, value_name = "VERSION", requires = "target")]
    target_version: Option<String>,
    #[command(flatten)]
    key: Key,
    #[command(flatten)]
    mocks: Mocks,
    #[command(flatten)]
    remote: Remote,
    /// Adapter of the gateway: NAME, NAME@VERSION or a file of your own
    ///
    /// The adapter describes how to configure, start and call the gateway. `fallproof list
    /// adapters` shows the names and versions.
    #[arg(long, value_name = "NAME|FILE")]
    adapter: Option<String>,
    /// Use this variant of the adapter, which replaces some of the adapter's settings
    ///
    /// `fallproof list adapters` shows the names. A gateway that is already running must use the
    /// configuration from `fallproof config --variant NAME`.
    #[arg(long, value_name = "NAME", requires = "adapter")]
    variant: Option<String>,
    /// Configure and start the gateway as its adapter says, and stop it afterwards
    #[arg(long, requires = "adapter", conflicts_with = "target")]
    launch: bool,
    /// Program of the gateway, or the folder in which the gateway is installed
    ///
    /// [default: `$FALLPROOF_GATEWAYS` or `target/gateways`, then `$PATH`]
    #[arg(long, value_name = "PATH", requires = "launch")]
    program: Option<PathBuf>,
    /// Number of the batch that the running gateway is configured for; see `fallproof config`
    #[arg(long, value_name = "N", default_value_t = 1, requires = "adapter")]
    batch: usize,
    /// Folder for the configuration and the log of the gateway
    ///
    /// [default: a temporary one, which is removed when the command ends]
    #[arg(long, value_name = "DIR", requires = "launch")]
    work_dir: Option<PathBuf>,
}

impl Gateway {
    pub(super) fn is_named(&self) -> bool {
        self.target.is_some() || self.adapter.is_some()
    }

    /// Whether an adapter describes the gateway.
    pub(super) fn has_adapter(&self) -> bool {
        self.adapter.is_some()
    }

    /// The arguments that name the adapter and its variant.
    pub(super) fn named_adapter(&self) -> Option<(&str, Option<&str>)> {
        Some((self.adapter.as_deref()?, self.variant.as_deref()))
    }

    /// Plans a run against the gateway; `None` if the options do not name a gateway.
    pub(super) fn plan<'a>(&self, scenarios: &'a [Scenario]) -> Result<Option<RunPlan<'a>>, Stop> {
        let found = |name| adapter::find_variant(name, self.variant.as_deref());
        let adapter = self.adapter.as_deref().map(found).transpose()?;
        if self.is_named() {
            // From here on, errors show what the gateway printed and answered.
            hide(scenarios, self.key());
        }
        match (&self.target, adapter) {
            (None, None) if self.mocks.are_given() => Err(Stop::usage(
                "--listen and --advertise are for a gateway: add --target or --launch",
            )),
            (None, None) => Ok(None),
            (None, Some((adapter, version))) if self.launch => {
                self.launched(&adapter, version, scenarios).map(Some)
            }
            (None, Some(_)) => Err(Stop::usage(
                "--adapter needs a gateway: --launch starts one, --target URL uses one that is running",
            )),
            (Some(target), adapter) => {
                let gateway = RunningGateway {
                    url: self.url(target)?,
                    key: self.key().to_owned(),
                    mocks: self.allowed(self.mocks.fixed()?)?,
                    adapter: adapter.map(|(adapter, _)| adapter),
                    name: self.target_name.clone(),
                    version: self.target_version.clone(),
                };
                Ok(Some(RunPlan::running(&gateway, self.batch, scenarios)?))
            }
        }
    }

    /// Whether groups can limit the wait that a provider requests. This is false only if the
    /// adapter says that the gateway has no such limit.
    pub(super) fn limits_waits(&self) -> Result<bool, Stop> {
        let Some(adapter) = &self.adapter else { return Ok(true) };
        let (adapter, _) = adapter::find_variant(adapter, self.variant.as_deref())?;
        let limit = Feature::Other(Ability::MaxRetryAfter);
        Ok(!adapter.capabilities.unsupported.contains_key(&limit))
    }

    /// Whether a gateway that runs is there, before anything is done for it.
    pub(super) fn is_there(&self, runtime: &Runtime) -> Result<(), Stop> {
        let Some(target) = &self.target else { return Ok(()) };
        let url = self.url(target)?;
        let reached = runtime.block_on(client::reachable(&url));
        reached.map_err(|error| StartError::Unreachable(url, error).into())
    }

    fn launched<'a>(
        &self,
        adapter: &Arc<Adapter>,
        version: Option<usize>,
        scenarios: &'a [Scenario],
    ) -> Result<RunPlan<'a>, Stop> {
        let version = version.map(|index| &adapter.versions()[index]);
        let installation = adapter.locate(self.program.as_deref(), version).map_err(Stop::usage)?;
        let mocks = self.allowed(self.mocks.free()?)?;
        let work = self.work(&adapter.id)?;
        if let Work::Kept(folder) = &work {
            eprintln!("{}: configuration and log are in {}", adapter.name, folder.display());
        }
        Ok(RunPlan::launched(adapter, &installation, &mocks, self.key(), work, scenarios)?)
    }

    /// The folder that the user named, or a new temporary one.
    fn work(&self, adapter: &str) -> Result<Work, Stop> {
        if let Some(folder) = &self.work_dir {
            return Ok(Work::Kept(std::path::absolute(folder).map_err(Stop::usage)?));
        }
        let prefix = format!("fallproof-{adapter}-");
        let mut folder = tempfile::Builder::new();
        folder.prefix(&prefix);
        // The files in it hold keys.
        #[cfg(unix)]
        folder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
        folder
            .tempdir()
            .map(Work::Temporary)
            .map_err(|error| Stop::harness(format!("cannot create a temporary folder: {error}")))
    }

    /// Where the mock providers of a running gateway are.
    pub(super) fn mocks(&self) -> Result<MockAddress, Stop> {
        self.mocks.fixed()
    }

    /// The options that give the same addresses of mocks in another command.
    pub(super) fn mocks_again(&self) -> impl Iterator<Item = String> {
        self.mocks.again()
    }

    /// The URL of the target, which may be on another machine only if the user allows that.
    fn url(&self, target: &str) -> Result<BaseUrl, Stop> {
        let url = BaseUrl::parse(target, self.ca.as_deref()).map_err(Stop::usage)?;
        self.remote.target(&url)?;
        Ok(url)
    }

    /// The mocks, which other machines may reach only if the user allows that.
    fn allowed(&self, mocks: MockAddress) -> Result<MockAddress, Stop> {
        self.remote.listen(Server::Mocks, mocks.listen.ip())?;
        Ok(mocks)
    }

    /// The API key that clients send to the target.
    pub(super) fn key(&self) -> &str {
        &self.key.key
    }

    /// The API key that the user gave; `None` if it is the default or missing.
    pub(super) fn own_key(&self) -> Option<&str> {
        self.key.own()
    }

    /// The options that select the same target in another command. An API key is replaced with a
    /// placeholder.
    pub(super) fn again(&self) -> Vec<String> {
        let path = |path: &Path| path.display().to_string();
        let given = [
            ("adapter", self.adapter.clone()),
            ("variant", self.variant.clone()),
            ("program", self.program.as_deref().map(path)),
            ("target", self.target.clone()),
            ("ca", self.ca.as_deref().map(path)),
            ("target-name", self.target_name.clone()),
            ("target-version", self.target_version.clone()),
        ];
        let given = given.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let mut words: Vec<_> =
            given.map(|(name, value)| format!("--{name} {}", quoted(&value))).collect();
        words.extend(self.mocks.again());
        let switches = [("--allow-remote", self.remote.allow_remote), ("--launch", self.launch)];
        words.extend(switches.into_iter().filter(|(_, is_on)| *is_on).map(|(it, _)| it.to_owned()));
        words.extend(self.key.again());
        words
    }
}

/// From now on, redacts the keys of these scenarios and of the client in everything that is printed.
/// Returns what redacts them.
pub(super) fn hide(scenarios: &[Scenario], client_key: &str) -> &'static Redactor {
    print::hide(|| {
        // This plan contains the keys of all batches. They do not depend on the addresses.
        let plan = Plan::new(scenarios, &Addresses::stable(DEFAULT_MOCKS));
        Redactor::new(&plan, client_key)
    })
}
