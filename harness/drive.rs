//! Drives scenarios: plays the client, collects what reached the providers, and judges it.

mod case;
mod doctor;
mod play;

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use std::{io, iter};

use fallproof_mocks::brain::ScriptError;
use fallproof_mocks::wire::Wire;
use futures_util::{FutureExt as _, StreamExt as _, future, stream};
use tokio::runtime::Handle;
use tokio::sync::{Mutex, watch};

pub use self::case::Case;
use crate::adapter::{Adapter, Front, LaunchError, Process, RenderError, Site};
use crate::check::{Inconclusive, Outcome};
use crate::client::{self, BaseUrl};
use crate::declaration::Declaration;
use crate::plan::{Addresses, Group, Plan};
use crate::saboteur::Saboteur;
use crate::scenario::{DeadEnd, Scenario};
use crate::target::{self, Reference};

/// What is under test.
#[derive(Debug, Clone)]
pub enum Target {
    /// The reference router, in this process; broken on purpose where a saboteur is named.
    Reference(Option<&'static Saboteur>),
    /// A gateway that runs already and was configured from the plan.
    External {
        /// Where it listens.
        url: BaseUrl,
        /// The key that it wants from its clients.
        key: String,
        /// Where it expects the upstreams.
        upstreams: SocketAddr,
        /// How it is spoken to and what it says of itself; as OpenAI is and like the reference
        /// router unless given.
        adapter: Option<Arc<Adapter>>,
    },
    /// A gateway that is started here, configured by its adapter.
    Launched {
        /// How it is configured, started and spoken to.
        adapter: Arc<Adapter>,
        /// What is started, where it is written to and where it listens.
        site: Site,
    },
}

/// Everything that a run needs, up and listening: the upstreams, the plan and the target.
pub struct Rig {
    wire: Wire,
    plan: Plan,
    /// Why there is no address that answers no connection, where a scenario needs one.
    never_silent: Option<String>,
    running: Running,
    gateway_key: String,
    declaration: Declaration,
    patience: Duration,
    /// Of each group that was asked, why it is not wired to the upstreams, if it is not.
    diagnoses: Mutex<HashMap<String, Option<Inconclusive>>>,
}

/// The target at work.
enum Running {
    Reference(Reference),
    /// A gateway, and where it was started here its process.
    Gateway(Box<Front>, Option<Process>),
}

/// Who is told how a run goes, on the threads that do it.
pub trait Watch: Sync {
    /// What is kept of a case.
    type Kept: Send;

    /// A case begins.
    fn started(&self, scenario: &Scenario);

    /// A case has ended.
    fn ended(&self, scenario: &Scenario, case: Case) -> Self::Kept;
}

/// Nobody is told, and all is kept.
impl Watch for () {
    type Kept = Case;

    fn started(&self, _: &Scenario) {}

    fn ended(&self, _: &Scenario, case: Case) -> Case {
        case
    }
}

/// Why a run could not begin.
#[derive(Debug)]
pub enum StartError {
    /// The upstreams could not listen.
    Upstreams(SocketAddr, io::Error),
    /// The reference router could not listen.
    Router(io::Error),
    /// A script cannot be played. Holds the scenario.
    Script(String, ScriptError),
    /// Nothing answers where the target was said to be.
    Unreachable(BaseUrl, String),
    /// The gateway could not be started.
    Launch(LaunchError),
}

impl std::fmt::Display for StartError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Upstreams(address, error) if error.kind() == io::ErrorKind::AddrInUse => write!(
                formatter,
                "the upstreams cannot listen on {address}: port {} or {} is in use; stop what uses it, or name another address with --upstreams",
                address.port(),
                address.port().wrapping_add(1),
            ),
            Self::Upstreams(address, error) => {
                write!(formatter, "the upstreams cannot listen on {address}: {error}")
            }
            Self::Router(error) => write!(formatter, "the reference router cannot listen: {error}"),
            Self::Script(scenario, error) => write!(formatter, "{scenario}: {error}"),
            Self::Unreachable(url, error) => write!(
                formatter,
                "no target at http://{}: {error}; start the gateway first, or correct --target",
                url.authority
            ),
            Self::Launch(error) => write!(formatter, "{error}"),
        }
    }
}

impl std::error::Error for StartError {}

impl From<RenderError> for StartError {
    fn from(error: RenderError) -> Self {
        Self::Launch(error.into())
    }
}

impl Rig {
    /// Brings up the upstreams for these scenarios, and the target where it is the reference
    /// router. A client call waits for its answer no longer than `patience`.
    pub async fn start(
        scenarios: &[&Scenario],
        target: &Target,
        patience: Duration,
    ) -> Result<Self, StartError> {
        Self::start_with(None, scenarios, target, patience).await
    }

    /// The same with a gateway that was started before, which is to read another configuration.
    pub async fn start_with(
        process: Option<Process>,
        scenarios: &[&Scenario],
        target: &Target,
        patience: Duration,
    ) -> Result<Self, StartError> {
        let listen = match target {
            Target::Reference(_) | Target::Launched { .. } => {
                SocketAddr::from((Ipv4Addr::LOCALHOST, 0))
            }
            Target::External { upstreams, .. } => *upstreams,
        };
        let wire =
            Wire::bind(listen).await.map_err(|error| StartError::Upstreams(listen, error))?;
        let silent = if scenarios.iter().any(|scenario| needs_silence(scenario)) {
            wire.silent_addr()
        } else {
            Ok(wire.refusing_addr())
        };
        let (silent, never_silent) = match silent {
            Ok(addr) => (addr, None),
            Err(error) => (wire.refusing_addr(), Some(error.to_string())),
        };
        let addresses = Addresses { wire: wire.addr(), refusing: wire.refusing_addr(), silent };
        let adapter = target.adapter();
        let plan = match adapter {
            Some(adapter) => adapter.plan(scenarios.iter().copied(), addresses),
            None => Plan::new(scenarios.iter().copied(), addresses),
        };
        for scenario in scenarios {
            plug(&wire, scenario, &plan)?;
        }
        let declaration = target.declaration();
        let (running, gateway_key) = match target {
            Target::Reference(saboteur) => {
                let reference = Reference::start(&plan, scenarios, *saboteur)
                    .await
                    .map_err(StartError::Router)?;
                let key = target::REFERENCE_CLIENT_KEY.to_owned();
                (Running::Reference(reference), key)
            }
            Target::External { url, key, adapter, .. } => {
                client::reachable(url)
                    .await
                    .map_err(|error| StartError::Unreachable(url.clone(), error))?;
                let front = Front::new(url.clone(), key.clone(), adapter.clone(), &plan)?;
                (Running::Gateway(Box::new(front), None), key.clone())
            }
            Target::Launched { adapter, site } => {
                let configuration = adapter.render(&plan, site)?;
                let process = match process {
                    Some(process) => adapter.reload(process, &configuration, site).await,
                    None => adapter.launch(&configuration, site).await,
                };
                let process = process.map_err(StartError::Launch)?;
                let (authority, key) = (&process.authority, site.key.clone());
                let front =
                    Front::adapted(authority, key.clone(), Arc::clone(adapter), configuration);
                (Running::Gateway(Box::new(front), Some(process)), key)
            }
        };
        Ok(Self {
            wire,
            plan,
            never_silent,
            running,
            gateway_key,
            declaration,
            patience,
            diagnoses: Mutex::default(),
        })
    }

    /// The gateway's process, where it was started here; it goes on.
    pub fn release(self) -> Option<Process> {
        match self.running {
            Running::Gateway(_, process) => process,
            Running::Reference(_) => None,
        }
    }

    /// When the upstreams began to listen: the journal's times count from here.
    pub fn started(&self) -> Instant {
        self.wire.started()
    }

    /// The key that the client gives to the target.
    pub fn gateway_key(&self) -> &str {
        &self.gateway_key
    }

    /// What the target is configured with.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Runs one scenario from the start of its scripts.
    pub async fn run(&self, scenario: &Scenario) -> Case {
        let started = Instant::now();
        if let Some(reason) = self.skip(scenario) {
            return Case::without_steps(scenario, started, Outcome::Skipped(reason));
        }
        if let Running::Gateway(..) = self.running
            && let Some(unclear) = self.diagnose(scenario).await
        {
            return Case::without_steps(scenario, started, Outcome::Inconclusive(unclear));
        }
        // A fault of ours is told as ours, and the other cases go on.
        match AssertUnwindSafe(self.play(scenario)).catch_unwind().await {
            Ok(case) => case,
            Err(panic) => {
                let words = panic.downcast_ref::<String>().map(String::as_str);
                let words = words.or_else(|| panic.downcast_ref::<&str>().copied());
                let words = words.unwrap_or("a panic").to_owned();
                Case::without_steps(scenario, started, Outcome::HarnessError(words))
            }
        }
    }

    /// Runs these scenarios, `workers` at a time, on threads of its own; the cases come back in the
    /// scenarios' order.
    ///
    /// # Panics
    /// Where a worker panics; not to be called from within the runtime.
    pub fn run_all(&self, runtime: &Handle, scenarios: &[&Scenario], workers: usize) -> Vec<Case> {
        let (_never, stop) = watch::channel(false);
        self.run_watched(runtime, scenarios, workers, &(), &stop).into_iter().flatten().collect()
    }

    /// Like [`run_all`](Self::run_all), and tells `watch`. Once `stop` holds true, what has not
    /// ended is given up: it is `None`.
    ///
    /// # Panics
    /// Where a worker panics; not to be called from within the runtime.
    pub fn run_watched<W: Watch>(
        &self,
        runtime: &Handle,
        scenarios: &[&Scenario],
        workers: usize,
        watch: &W,
        stop: &watch::Receiver<bool>,
    ) -> Vec<Option<W::Kept>> {
        let next = AtomicUsize::new(0);
        let begin =
            || Some(next.fetch_add(1, Ordering::Relaxed)).filter(|at| *at < scenarios.len());
        let play = async |index: usize| {
            let scenario = scenarios[index];
            if *stop.borrow() {
                return None;
            }
            watch.started(scenario);
            let case = tokio::select! {
                case = self.run(scenario) => case,
                () = stopped(stop.clone()) => return None,
            };
            Some((index, watch.ended(scenario, case)))
        };
        let work = |at_once: usize| {
            let cases = stream::iter(iter::from_fn(begin)).map(play).buffer_unordered(at_once);
            runtime.block_on(cases.filter_map(future::ready).collect::<Vec<_>>())
        };
        // A thread for each that waits would take the processor from the router and the providers.
        let threads = thread::available_parallelism().map_or(1, usize::from).min(workers);
        let shares = (0..threads).map(|thread| (workers + thread) / threads);
        let mut cases: Vec<_> = scenarios.iter().map(|_| None).collect();
        thread::scope(|scope| {
            let workers: Vec<_> =
                shares.map(|at_once| scope.spawn(move || work(at_once))).collect();
            for worker in workers {
                for (index, case) in worker.join().unwrap_or_else(|panic| resume_unwind(panic)) {
                    cases[index] = Some(case);
                }
            }
        });
        cases
    }
}

/// Done when `stop` holds true.
pub async fn stopped(mut stop: watch::Receiver<bool>) {
    if stop.wait_for(|stop| *stop).await.is_err() {
        // Nobody is left who could stop it.
        std::future::pending::<()>().await;
    }
}

/// Whether one of its deployments has the address that answers no connection.
fn needs_silence(scenario: &Scenario) -> bool {
    scenario.upstreams.values().any(|upstream| upstream.dead_end() == Some(DeadEnd::Silent))
}

/// Gives the scenario's upstreams their scripts, from the start.
fn plug(wire: &Wire, scenario: &Scenario, plan: &Plan) -> Result<(), StartError> {
    for hop in plan.groups_of(&scenario.id).iter().flat_map(Group::hops) {
        if let Some(described) = scenario.upstreams.get(&hop.upstream) {
            wire.plug(hop.upstream(described))
                .map_err(|error| StartError::Script(scenario.id.clone(), error))?;
        }
    }
    Ok(())
}

impl Target {
    /// What it says of itself.
    fn declaration(&self) -> Declaration {
        match self {
            Self::Reference(_) => Declaration::reference(),
            Self::External { .. } | Self::Launched { .. } => {
                self.adapter().map_or_else(Declaration::default, |it| it.declaration.clone())
            }
        }
    }

    fn adapter(&self) -> Option<&Arc<Adapter>> {
        match self {
            Self::Reference(_) => None,
            Self::External { adapter, .. } => adapter.as_ref(),
            Self::Launched { adapter, .. } => Some(adapter),
        }
    }
}
