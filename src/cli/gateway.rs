//! Which target `fallproof run` is for: the reference router, a gateway that runs already, or one
//! that is started from its adapter, as often as its global settings need.

use std::fmt::Write as _;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::num::NonZeroUsize;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::Arc;

use anstream::eprintln;
use clap::Args;
use fallproof_reference::saboteur::Saboteur;
use fallproof_report::model;
use fallproof_runner::adapter::{Adapter, Installation, Rounds, Site, Unfit};
use fallproof_runner::client::BaseUrl;
use fallproof_runner::gateway::{LaunchedGateway, RunningGateway};
use fallproof_runner::shell::quoted;
use fallproof_runner::target::Target;
use fallproof_suite::declaration::Declaration;
use fallproof_suite::plan::Addresses;
use fallproof_suite::scenario::Scenario;
use fallproof_suite::skip::SkipReason;
use tokio::runtime::Runtime;

use super::key::Key;
use super::{DEFAULT_UPSTREAMS, Stop, adapters};

#[derive(Debug, Args)]
pub(super) struct Gateway {
    /// A gateway's base URL, e.g. `http://127.0.0.1:4000/v1`; the reference router unless said
    #[arg(long, value_name = "URL", requires = "upstreams")]
    pub(super) target: Option<String>,
    /// What reports call the gateway, e.g. `LiteLLM`
    #[arg(long, value_name = "NAME", requires = "target")]
    target_name: Option<String>,
    /// Its version, for the reports
    #[arg(long, value_name = "VERSION", requires = "target")]
    target_version: Option<String>,
    #[command(flatten)]
    key: Key,
    /// Where the gateway expects the upstreams, as `fallproof plan --upstreams` printed them
    #[arg(long, value_name = "ADDR", requires = "target")]
    upstreams: Option<SocketAddr>,
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
    round: usize,
    /// The folder for the configuration and the log of a gateway that is started; a new one in the
    /// system's folder for temporary files unless said
    #[arg(long, value_name = "DIR", requires = "launch")]
    work: Option<PathBuf>,
}

/// What is run against one target, from its start to its end.
pub(super) struct Part<'a> {
    pub(super) target: Box<dyn Target>,
    /// Where it is started and how, where it is started here.
    pub(super) launched: Option<LaunchedGateway>,
    pub(super) scenarios: Vec<&'a Scenario>,
    /// How many of them may run side by side.
    pub(super) jobs: usize,
    /// What it is, in words; empty where there is only one.
    pub(super) heading: String,
}

/// A whole run: its parts, and the scenarios that are not for this target, with the reason.
pub(super) struct Whole<'a> {
    pub(super) parts: Vec<Part<'a>>,
    pub(super) left_out: Vec<(&'a Scenario, SkipReason)>,
    /// What the whole run is against.
    pub(super) kind: Kind,
}

/// What kind of target a run is against.
pub(super) enum Kind {
    /// The reference router, broken by this saboteur where one is named.
    Reference(Option<&'static Saboteur>),
    /// A gateway that runs already at this address, spoken to by this adapter where there is one.
    Running(String, Option<Arc<Adapter>>),
    /// A gateway that is started here.
    Launched(Arc<Adapter>, Installation),
}

impl Gateway {
    /// Splits a run against a gateway; `None` where none is named.
    pub(super) fn split<'a>(&self, scenarios: &'a [Scenario]) -> Result<Option<Whole<'a>>, Stop> {
        let adapter = self.adapter.as_deref().map(adapters::find).transpose()?;
        match (&self.target, adapter) {
            (None, None) => Ok(None),
            (None, Some((adapter, version))) if self.launch => {
                self.launched(&adapter, version, scenarios).map(Some)
            }
            (None, Some(_)) => Err(Stop::usage(
                "an adapter needs a gateway: --launch starts one, --target URL --upstreams ADDR takes one that runs",
            )),
            (Some(target), adapter) => {
                let adapter = adapter.as_ref().map(|(adapter, _)| adapter);
                self.running(target, adapter, scenarios).map(Some)
            }
        }
    }

    fn running<'a>(
        &self,
        target: &str,
        adapter: Option<&Arc<Adapter>>,
        scenarios: &'a [Scenario],
    ) -> Result<Whole<'a>, Stop> {
        let url = BaseUrl::parse(target).map_err(Stop::usage)?;
        let upstreams = self.upstreams();
        let jobs = adapter.map_or(1, |adapter| adapter.jobs.max(1));
        let mut left_out = Vec::new();
        let rounds = match adapter {
            Some(adapter) => split(adapter, scenarios, upstreams, &mut left_out)?,
            None => Rounds::whole(scenarios.iter().map(|scenario| scenario.id.clone())),
        };
        if self.round == 0 || self.round > rounds.rounds.len().max(1) {
            let number = rounds.rounds.len();
            return Err(Stop::usage(format!("there is no round {}, but {number}", self.round)));
        }
        let kind = Kind::Running(url.authority.clone(), adapter.cloned());
        let mut whole = Whole { parts: Vec::new(), left_out, kind };
        for (index, round) in rounds.rounds.iter().enumerate() {
            let chosen = named(scenarios, &round.scenarios);
            if index + 1 != self.round {
                let settings = round.in_words();
                let reason = SkipReason::OtherRound { round: index + 1, settings };
                let others = chosen.into_iter().map(|scenario| (scenario, reason.clone()));
                whole.left_out.extend(others);
                continue;
            }
            let (url, key, adapter) = (url.clone(), self.key().to_owned(), adapter.cloned());
            let target = Box::new(RunningGateway { url, key, mocks: upstreams, adapter });
            let heading = String::new();
            whole.parts.push(Part { target, launched: None, scenarios: chosen, jobs, heading });
        }
        Ok(whole)
    }

    fn launched<'a>(
        &self,
        adapter: &Arc<Adapter>,
        version: Option<usize>,
        scenarios: &'a [Scenario],
    ) -> Result<Whole<'a>, Stop> {
        let version = version.map(|place| &adapter.versions()[place]);
        let installation =
            adapter.locate(self.installed.as_deref(), version).map_err(Stop::usage)?;
        let mut left_out = Vec::new();
        let rounds = split(adapter, scenarios, DEFAULT_UPSTREAMS, &mut left_out)?;
        let number = rounds.rounds.len();
        let work = self.work_folder(adapter)?;
        let site = |number: usize| {
            let folder = work.join(number.to_string());
            self.site(folder, &installation)
                .map_err(|error| Stop::Harness(format!("no port is free for the gateway: {error}")))
        };
        // A gateway that reads its files again stays where it is.
        let one_site = adapter.reloads().then(|| site(1)).transpose()?;
        let parts = rounds.rounds.iter().enumerate().map(|(index, round)| {
            let settings = round.in_words();
            let heading = if number == 1 {
                String::new()
            } else {
                format!("round {} of {number}: {settings}", index + 1)
            };
            let site = match &one_site {
                Some(site) => site.clone(),
                None => site(index + 1)?,
            };
            let target = LaunchedGateway { adapter: Arc::clone(adapter), site };
            let scenarios = named(scenarios, &round.scenarios);
            let (launched, jobs) = (Some(target.clone()), adapter.jobs.max(1));
            Ok(Part { target: Box::new(target), launched, scenarios, jobs, heading })
        });
        let parts = parts.collect::<Result<_, Stop>>()?;
        let kind = Kind::Launched(Arc::clone(adapter), installation.clone());
        Ok(Whole { parts, left_out, kind })
    }

    fn site(&self, folder: PathBuf, installation: &Installation) -> io::Result<Site> {
        let port = free_port()?;
        Ok(Site {
            host: Ipv4Addr::LOCALHOST.to_string(),
            port,
            key: self.key().to_owned(),
            earlier_logs: Site::logs_in(&folder),
            folder,
            installation: installation.clone(),
        })
    }

    fn work_folder(&self, adapter: &Adapter) -> Result<PathBuf, Stop> {
        let folder = self.work.clone().unwrap_or_else(|| {
            std::env::temp_dir().join(format!("fallproof-{}-{}", adapter.id, process::id()))
        });
        let folder = std::path::absolute(folder).map_err(Stop::usage)?;
        eprintln!("{}: its configuration and log are in {}", adapter.name, folder.display());
        Ok(folder)
    }

    /// Where a gateway that runs expects the upstreams.
    pub(super) fn upstreams(&self) -> SocketAddr {
        self.upstreams.unwrap_or(DEFAULT_UPSTREAMS)
    }

    /// The key that clients give to the target.
    pub(super) fn key(&self) -> &str {
        &self.key.key
    }

    /// The target as reports name it.
    pub(super) fn described(&self, whole: &Whole<'_>, runtime: &Runtime) -> model::Target {
        let gateway = "gateway".to_owned();
        let (name, version, adapter, address) = match &whole.kind {
            _ if whole.parts.is_empty() => (gateway, None, None, None),
            Kind::Reference(None) => {
                let version = env!("CARGO_PKG_VERSION").to_owned();
                ("reference router".to_owned(), Some(version), None, None)
            }
            Kind::Reference(Some(saboteur)) => {
                (format!("reference router with the saboteur {}", saboteur.name), None, None, None)
            }
            Kind::Running(authority, adapter) => {
                let name = adapter.as_ref().map_or(gateway, |adapter| adapter.name.clone());
                let name = self.target_name.clone().unwrap_or(name);
                let address = Some(authority.clone());
                (name, self.target_version.clone(), adapter.as_ref(), address)
            }
            Kind::Launched(adapter, installation) => {
                let version = runtime.block_on(adapter.installed_version(installation));
                (adapter.name.clone(), version, Some(adapter), None)
            }
        };
        model::Target { name, version, adapter: adapter.map(|it| it.id.clone()), address }
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
            ("upstreams", self.upstreams.map(|upstreams| upstreams.to_string())),
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

impl Part<'_> {
    /// Whether the gateway takes the configuration of the next part without a new start.
    pub(super) fn reloads(&self) -> bool {
        self.launched.as_ref().is_some_and(|it| it.adapter.reloads())
    }
}

impl Whole<'_> {
    /// Has so many run side by side, where the user says how many.
    pub(super) fn side_by_side(&mut self, jobs: Option<NonZeroUsize>) {
        for part in &mut self.parts {
            part.jobs = jobs.map_or(part.jobs, NonZeroUsize::get);
        }
    }

    /// What the gateway's adapter says of it.
    pub(super) fn declaration(&self) -> Option<&Declaration> {
        match &self.kind {
            Kind::Reference(_) => None,
            Kind::Running(_, adapter) => adapter.as_ref().map(|it| &it.declaration),
            Kind::Launched(adapter, _) => Some(&adapter.declaration),
        }
    }

    /// Whether it is run against the reference router.
    pub(super) fn is_reference(&self) -> bool {
        matches!(self.kind, Kind::Reference(_))
    }

    /// What the gateway has printed at all of its starts.
    pub(super) fn log(&self) -> String {
        let mut log = String::new();
        let mut told = Vec::new();
        for part in &self.parts {
            let Some(LaunchedGateway { site, .. }) = &part.launched else { continue };
            if told.contains(&&site.folder) {
                continue;
            }
            told.push(&site.folder);
            let starts = site.printed();
            for (start, text) in (1..).zip(&starts) {
                let start = (starts.len() > 1).then(|| format!("start {start}"));
                let heading = Some(part.heading.clone()).filter(|it| !it.is_empty());
                let heading: Vec<_> = heading.into_iter().chain(start).collect();
                if !(heading.is_empty() || text.is_empty()) {
                    let _ = writeln!(log, "== {}", heading.join(", "));
                }
                log += text;
                if !(text.is_empty() || text.ends_with('\n')) {
                    log.push('\n');
                }
            }
        }
        log
    }
}

/// Splits the scenarios that a gateway can be configured for; the others are left out.
fn split<'a>(
    adapter: &Adapter,
    scenarios: &'a [Scenario],
    upstreams: SocketAddr,
    left_out: &mut Vec<(&'a Scenario, SkipReason)>,
) -> Result<Rounds, Stop> {
    let mut able = Vec::new();
    for scenario in scenarios {
        match adapter.declaration.lacked_by(scenario) {
            Some(reason) => left_out.push((scenario, reason)),
            None => able.push(scenario),
        }
    }
    let plan = adapter.plan(able, Addresses::stable(upstreams));
    let rounds = adapter.split(&plan).map_err(|error| Stop::File(error.styled()))?;
    for Unfit { scenario, because } in &rounds.unfit {
        let scenario = scenarios.iter().find(|it| it.id == *scenario);
        let because = because.clone();
        left_out.extend(scenario.map(|it| (it, SkipReason::NotConfigurable { because })));
    }
    Ok(rounds)
}

fn named<'a>(scenarios: &'a [Scenario], ids: &[String]) -> Vec<&'a Scenario> {
    scenarios.iter().filter(|scenario| ids.contains(&scenario.id)).collect()
}

/// A port for a gateway, which will bind it only in a while. Until then nobody else is given it by
/// the system, which draws from above, for connections too.
fn free_port() -> io::Result<u16> {
    const PORTS: Range<u16> = 20_000..32_000;
    const TRIES: usize = 50;
    let is_free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    match std::iter::repeat_with(|| rand::random_range(PORTS)).take(TRIES).find(is_free) {
        Some(port) => Ok(port),
        None => Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port()),
    }
}
