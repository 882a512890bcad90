//! Which gateway a command is for: one that runs already, or one that is started from its adapter,
//! as often as its global settings need.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::Arc;

use anstream::eprintln;
use clap::Args;
use fallproof_runner::RunPlan;
use fallproof_runner::adapter::Adapter;
use fallproof_runner::client::{self, BaseUrl};
use fallproof_runner::error::StartError;
use fallproof_runner::gateway::RunningGateway;
use fallproof_runner::shell::quoted;
use fallproof_suite::scenario::Scenario;
use tokio::runtime::Runtime;

use super::key::Key;
use super::{DEFAULT_MOCKS, Stop, adapters};

#[derive(Debug, Args)]
pub(super) struct Gateway {
    /// A gateway's base URL, e.g. `http://127.0.0.1:4000/v1`; the reference router by default
    #[arg(long, value_name = "URL", requires = "mocks")]
    pub(super) target: Option<String>,
    /// What reports call the gateway, e.g. `LiteLLM`
    #[arg(long, value_name = "NAME", requires = "target")]
    target_name: Option<String>,
    /// Its version, for the reports
    #[arg(long, value_name = "VERSION", requires = "target")]
    target_version: Option<String>,
    #[command(flatten)]
    key: Key,
    /// Where the gateway expects the mock providers, as `fallproof plan --mocks` printed them
    #[arg(long, value_name = "ADDR", requires = "target")]
    mocks: Option<SocketAddr>,
    /// How the gateway is configured and spoken to (`fallproof adapters` lists them; NAME@VERSION
    /// picks one that is installed), or a file of your own
    #[arg(long, value_name = "NAME|FILE")]
    adapter: Option<String>,
    /// Start the gateway, configured by its adapter, and stop it afterwards
    #[arg(long, requires = "adapter", conflicts_with = "target")]
    launch: bool,
    /// Its folder or program, where it is installed elsewhere
    #[arg(long = "gateway", value_name = "PATH", requires = "launch")]
    installed: Option<PathBuf>,
    /// Which of the configurations that `fallproof config` wrote is running
    #[arg(long, value_name = "NUMBER", default_value_t = 1, requires = "adapter")]
    batch: usize,
    /// The folder for the configuration and the log of a gateway that is started; a new one in the
    /// system's folder for temporary files by default
    #[arg(long, value_name = "DIR", requires = "launch")]
    work: Option<PathBuf>,
}

impl Gateway {
    pub(super) fn is_named(&self) -> bool {
        self.target.is_some() || self.adapter.is_some()
    }

    /// Plans a run against a gateway; `None` where none is named.
    pub(super) fn plan<'a>(&self, scenarios: &'a [Scenario]) -> Result<Option<RunPlan<'a>>, Stop> {
        let adapter = self.adapter.as_deref().map(adapters::find).transpose()?;
        match (&self.target, adapter) {
            (None, None) => Ok(None),
            (None, Some((adapter, version))) if self.launch => {
                self.launched(&adapter, version, scenarios).map(Some)
            }
            (None, Some(_)) => Err(Stop::usage(
                "an adapter needs a gateway: --launch starts one, --target URL --mocks ADDR takes one that runs",
            )),
            (Some(target), adapter) => {
                let gateway = RunningGateway {
                    url: BaseUrl::parse(target).map_err(Stop::usage)?,
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

    /// Whether a gateway that runs is there, before anything is done for it.
    pub(super) fn is_there(&self, runtime: &Runtime) -> Result<(), Stop> {
        let Some(target) = &self.target else { return Ok(()) };
        let url = BaseUrl::parse(target).map_err(Stop::usage)?;
        let reached = runtime.block_on(client::reachable(&url));
        reached.map_err(|error| StartError::Unreachable(url, error).into())
    }

    fn launched<'a>(
        &self,
        adapter: &Arc<Adapter>,
        version: Option<usize>,
        scenarios: &'a [Scenario],
    ) -> Result<RunPlan<'a>, Stop> {
        let version = version.map(|place| &adapter.versions()[place]);
        let installation =
            adapter.locate(self.installed.as_deref(), version).map_err(Stop::usage)?;
        let work = self.work.clone().unwrap_or_else(|| {
            std::env::temp_dir().join(format!("fallproof-{}-{}", adapter.id, process::id()))
        });
        let work = std::path::absolute(work).map_err(Stop::usage)?;
        let plan = RunPlan::launched(adapter, &installation, self.key(), &work, scenarios)?;
        eprintln!("{}: its configuration and log are in {}", adapter.name, work.display());
        Ok(plan)
    }

    /// Where a gateway that runs expects the deployments.
    pub(super) fn mocks(&self) -> SocketAddr {
        self.mocks.unwrap_or(DEFAULT_MOCKS)
    }

    /// The key that clients give to the target.
    pub(super) fn key(&self) -> &str {
        &self.key.key
    }

    /// The same where it is the user's own.
    pub(super) fn own_key(&self) -> Option<&str> {
        self.key.own()
    }

    /// The options that name the same target again; never with a key.
    pub(super) fn again(&self) -> Vec<String> {
        let path = |path: &Path| path.display().to_string();
        let given = [
            ("adapter", self.adapter.clone()),
            ("gateway", self.installed.as_deref().map(path)),
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
