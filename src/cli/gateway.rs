//! The options that name the gateway of a command: a running gateway, or one that Fallproof starts
//! from its adapter, once for each batch.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::Arc;

use clap::Args;
use fallproof_runner::RunPlan;
use fallproof_runner::adapter::Adapter;
use fallproof_runner::client::{self, BaseUrl};
use fallproof_runner::error::StartError;
use fallproof_runner::gateway::RunningGateway;
use fallproof_runner::shell::quoted;
use fallproof_suite::feature::{Ability, Feature};
use fallproof_suite::scenario::Scenario;
use tokio::runtime::Runtime;

use super::key::Key;
use super::print::eprintln;
use super::{DEFAULT_MOCKS, Stop, adapter};

#[derive(Debug, Args)]
#[command(next_help_heading = "Gateway options")]
pub(super) struct Gateway {
    /// Test the gateway at this base URL, e.g. `http://127.0.0.1:4000/v1`
    ///
    /// With --adapter, omit the path: the adapter defines it. [default: the reference router]
    #[arg(long, value_name = "URL", requires = "mocks")]
    pub(super) target: Option<String>,
    /// Name of the gateway in reports, e.g. `LiteLLM`
    #[arg(long, value_name = "NAME", requires = "target")]
    target_name: Option<String>,
    /// Version of the gateway in reports
    #[arg(long, value_name = "VERSION", requires = "target")]
    target_version: Option<String>,
    #[command(flatten)]
    key: Key,
    /// Address of the mock providers, as configured in the gateway
    ///
    /// Give the same address as to `fallproof plan` or `fallproof config`.
    #[arg(long, value_name = "ADDR", requires = "target")]
    mocks: Option<SocketAddr>,
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
    /// Folder for the configuration and the log of the gateway [default: a new temporary one]
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

    /// Plans a run against the gateway; `None` if the options do not name a gateway.
    pub(super) fn plan<'a>(&self, scenarios: &'a [Scenario]) -> Result<Option<RunPlan<'a>>, Stop> {
        let found = |name| adapter::find_variant(name, self.variant.as_deref());
        let adapter = self.adapter.as_deref().map(found).transpose()?;
        match (&self.target, adapter) {
            (None, None) => Ok(None),
            (None, Some((adapter, version))) if self.launch => {
                self.launched(&adapter, version, scenarios).map(Some)
            }
            (None, Some(_)) => Err(Stop::usage(
                "--adapter needs a gateway: --launch starts one, --target URL --mocks ADDR uses one that is running",
            )),
            (Some(target), adapter) => {
                let gateway = RunningGateway {
                    url: BaseUrl::parse(target, None).map_err(Stop::usage)?,
                    key: self.key().to_owned(),
                    mocks: self.mocks(),
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
        let url = BaseUrl::parse(target, None).map_err(Stop::usage)?;
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
        let work = self.work_dir.clone().unwrap_or_else(|| {
            std::env::temp_dir().join(format!("fallproof-{}-{}", adapter.id, process::id()))
        });
        let work = std::path::absolute(work).map_err(Stop::usage)?;
        let plan = RunPlan::launched(adapter, &installation, self.key(), &work, scenarios)?;
        eprintln!("{}: configuration and log are in {}", adapter.name, work.display());
        Ok(plan)
    }

    /// Address at which a running gateway expects the mock providers.
    pub(super) fn mocks(&self) -> SocketAddr {
        self.mocks.unwrap_or(DEFAULT_MOCKS)
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
            ("target-name", self.target_name.clone()),
            ("target-version", self.target_version.clone()),
            ("mocks", self.mocks.map(|mocks| mocks.to_string())),
        ];
        let given = given.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let mut words: Vec<_> =
            given.map(|(name, value)| format!("--{name} {}", quoted(&value))).collect();
        if self.launch {
            words.push("--launch".to_owned());
        }
        words.extend(self.key.again());
        words
    }
}
